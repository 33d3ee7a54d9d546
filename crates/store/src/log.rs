//! The log: the append-only truth.
//!
//! An entry is a public leaf beside sealed details. Entries are appended in batches, each with one write
//! and one fdatasync, into segments that were filled with zeros ahead of time, so that the fdatasync has
//! no metadata to write. The leaves form the Merkle tree of [`schakel_audit::tree`].
//!
//! ```text
//! <data>/lock                          held while the log is open
//! <data>/log/<first index>.seg         segments, named with 20 digits
//! <data>/log/hashes/<level>            full tiles of the tree, derived
//! ```
//!
//! **What is promised.** Once [`Log::commit`] has returned well, the batch is there whatever happens to
//! the process or the machine. When it returns an error, the batch may be there after the log has been
//! opened again or not; it is never there in part. Opening the log reads all of it: it either finds
//! every entry that was ever committed, or refuses, naming the place. The one thing it cannot notice is
//! that the end is missing as a whole; whoever keeps a checkpoint elsewhere can.

use std::{borrow::Borrow, io, mem, path::Path, sync::Arc};

use schakel_audit::tree::{Frontier, Hash};

use crate::{disk::File, durable};

mod ahead;
mod batch;
mod format;
mod open;
mod reader;
mod scan;
mod segment;
mod settings;
mod table;
mod tiles;

#[cfg(test)]
mod tests;

pub use batch::{AppendError, MAX_BATCH_LEN, Prepared};
pub use open::{Cut, MAX_SEGMENT_LEN, MIN_SEGMENT_LEN, OpenError};
pub use reader::{Entries, LogReader, ReadError};
pub use scan::Damage;
pub use settings::Settings;

use ahead::Ahead;
use format::{ENTRY_OVERHEAD, HEADER_LEN, MAX_ENTRIES, MAX_PART};
use table::{Extent, Shared};

/// The most entries in one batch.
pub const MAX_BATCH_ENTRIES: usize = MAX_ENTRIES;

/// The greatest length of a leaf, and of a sealed part, in bytes: what an entry of a C2SP bundle can hold.
pub const MAX_PART_LEN: usize = MAX_PART;

/// An entry to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The exact bytes of the leaf, at most [`MAX_PART_LEN`].
    pub leaf: Vec<u8>,
    /// The sealed part, at most [`MAX_PART_LEN`] bytes.
    pub sealed: Vec<u8>,
}

impl Frame {
    /// How many bytes the entry takes in a batch. Together with one commit frame, for which
    /// [`MAX_BATCH_LEN`] − 64 leaves room, those of a batch must not exceed [`MAX_BATCH_LEN`].
    #[must_use]
    pub fn stored_len(&self) -> usize {
        ENTRY_OVERHEAD + self.leaf.len() + self.sealed.len()
    }
}

/// An entry as it was read back: exactly the bytes that were appended.
pub type Stored = Frame;

/// A log that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: Log,
    /// What an interrupted write had left at its end, which is gone now.
    pub cut: Option<Cut>,
}

/// The log, open for appending by one thread; [`Log::reader`] serves the others.
#[derive(Debug)]
pub struct Log {
    dir: Arc<Path>,
    settings: Settings,
    reader: LogReader,
    frontier: Frontier,
    last: Last,
    ahead: Ahead,
    /// Used again for each batch.
    buffer: Vec<u8>,
    failed: Option<AppendError>,
    // Declared last, so that it is released only when the thread that prepares segments has ended.
    _lock: File,
}

/// The segment that is being filled.
#[derive(Debug)]
struct Last {
    file: Arc<File>,
    end: u64,
    len: u64,
}

impl Log {
    /// Creates an empty log in a data directory, and the directory when it is missing.
    ///
    /// # Errors
    /// When there is a log already, another process holds the lock, or the disk failed.
    pub fn create(data: &Path, settings: Settings) -> Result<Self, OpenError> {
        settings.check()?;
        let dir = data.join("log");
        durable::create_dir(&settings.disk, &dir).map_err(open::at(&dir))?;
        let lock = open::lock(&settings.disk, data)?;
        let segments = segment::list(&settings.disk, &dir);
        if !segments.map_err(open::at(&dir))?.is_empty() {
            return Err(OpenError::Present(dir));
        }
        durable::remove_unfinished(&settings.disk, &dir).map_err(open::at(&dir))?;
        open::create(&dir, &settings)?;
        Self::load(&dir, settings, lock).map(|opened| opened.log)
    }

    /// Opens the log in a data directory: reads all of it, checks every checksum and every root, cuts
    /// off an interrupted write at its end, and makes durable what is left.
    ///
    /// # Errors
    /// When there is no log, another process holds the lock, it is another log, anything that was
    /// committed is damaged, or the disk failed. Then no segment was changed.
    pub fn open(data: &Path, settings: Settings) -> Result<Opened, OpenError> {
        settings.check()?;
        let dir = data.join("log");
        if !settings.disk.is_dir(&dir) {
            return Err(OpenError::Absent(dir));
        }
        let lock = open::lock(&settings.disk, data)?;
        Self::load(&dir, settings, lock)
    }

    fn load(dir: &Path, settings: Settings, lock: File) -> Result<Opened, OpenError> {
        durable::remove_unfinished(&settings.disk, dir).map_err(open::at(dir))?;
        let found = open::load(dir, &settings)?;
        let last = found
            .table
            .segments
            .last()
            .ok_or_else(|| OpenError::Absent(dir.to_owned()))?;
        let last = Last {
            file: Arc::clone(&last.file),
            end: last.end,
            len: found.segment_len,
        };
        let ahead =
            Ahead::start(&settings.disk, dir, settings.segment_len).map_err(open::at(dir))?;
        let log = Self {
            dir: dir.into(),
            settings,
            reader: LogReader(Arc::new(Shared::new(found.table))),
            frontier: found.frontier,
            last,
            ahead,
            buffer: Vec::new(),
            failed: None,
            _lock: lock,
        };
        Ok(Opened {
            log,
            cut: found.cut,
        })
    }

    /// How many entries are durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root of the tree over the durable entries.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// A reader for other threads. It stays usable when the log is closed.
    #[must_use]
    pub fn reader(&self) -> LogReader {
        self.reader.clone()
    }

    /// The entry `index`.
    ///
    /// # Errors
    /// As [`LogReader::read`].
    pub fn read(&self, index: u64) -> Result<Stored, ReadError> {
        self.reader.read(index)
    }

    /// The entries from `from` on.
    #[must_use]
    pub fn iter(&self, from: u64) -> Entries {
        self.reader.iter(from)
    }

    /// Makes sure that a batch of any length can be written without waiting for a new segment. To be
    /// asked before anything is decided on the assumption that it will be recorded.
    ///
    /// # Errors
    /// When the log has failed, or there is no room for the next segment yet.
    pub fn ready(&mut self) -> Result<(), AppendError> {
        self.ready_for(MAX_BATCH_LEN as u64)
    }

    /// As [`Self::ready`], for batches that have so many bytes together, with everything that frames them: however
    /// many they are, none of them waits. An empty segment must have room for all of them.
    ///
    /// # Errors
    /// As [`Self::ready`].
    pub fn ready_for(&mut self, bytes: u64) -> Result<(), AppendError> {
        self.intact()?;
        if self.last.room() < bytes {
            self.wait_ahead()?;
        }
        Ok(())
    }

    /// Makes a batch that begins with entry `expected`, without writing it, so that its root can be
    /// signed while it is being written.
    ///
    /// # Errors
    /// When the log has another size than `expected`, the batch breaks a limit, or the log has failed.
    /// Nothing was written then.
    pub fn prepare<F: Borrow<Frame>>(
        &mut self,
        expected: u64,
        frames: &[F],
    ) -> Result<Prepared, AppendError> {
        self.intact()?;
        self.is_head(expected)?;
        let segment = usize::try_from(self.settings.segment_len).unwrap_or(usize::MAX);
        let most = MAX_BATCH_LEN.min(segment.saturating_sub(HEADER_LEN));
        Prepared::encode(frames, &self.frontier, mem::take(&mut self.buffer), most)
    }

    /// Writes a batch, and returns once it is durable: one write, one fdatasync.
    ///
    /// # Errors
    /// When the log has another size than the batch was made for, there is no room for a new segment
    /// (in both cases nothing was written), or the disk failed: then the log must not be used any more.
    pub fn commit(&mut self, prepared: Prepared) -> Result<(), AppendError> {
        self.intact()?;
        self.is_head(prepared.first)?;
        if self.last.room() < prepared.bytes.len() as u64 {
            self.rotate()?;
        }
        let Last { file, end, .. } = &self.last;
        // A crash before the fdatasync has returned leaves the batch whole, in part or not at all;
        // nobody has been told of it.
        let written = file.write_all_at(&prepared.bytes, *end);
        written.map_err(|error| self.fail("writing a batch", error))?;
        let synced = self.last.file.sync_data();
        synced.map_err(|error| self.fail("syncing a batch", error))?;
        self.publish(prepared)
    }

    /// Appends a batch that begins with entry `expected`: [`Self::prepare`], then [`Self::commit`].
    ///
    /// # Errors
    /// As these.
    pub fn append<F: Borrow<Frame>>(
        &mut self,
        expected: u64,
        frames: &[F],
    ) -> Result<(), AppendError> {
        let prepared = self.prepare(expected, frames)?;
        self.commit(prepared)
    }

    /// Lets readers see a batch that is durable.
    fn publish(&mut self, prepared: Prepared) -> Result<(), AppendError> {
        let Prepared {
            bytes,
            starts,
            growth,
            root,
            ..
        } = prepared;
        let start = self.last.end;
        self.last.end += bytes.len() as u64;
        self.buffer = bytes;
        self.frontier.clone_from(growth.frontier());
        let grown = {
            let mut table = self.reader.0.write();
            // Nodes that could not be stored must not be missed by a reader: the size stays behind.
            table.tiles.grow(&growth).map(|()| {
                table.size = self.frontier.size();
                table.root = root;
                if let Some(extent) = table.segments.last_mut() {
                    extent.end = self.last.end;
                    // Segments are at most 1 GiB long.
                    let base = u32::try_from(start).unwrap_or(u32::MAX);
                    extent
                        .offsets
                        .extend(starts.iter().map(|start| base.saturating_add(*start)));
                }
            })
        };
        grown.map_err(|error| self.fail("storing nodes of the tree", error))
    }

    /// Puts the next segment into use.
    fn rotate(&mut self) -> Result<(), AppendError> {
        self.wait_ahead()?;
        let Some(prepared) = self.ahead.take() else {
            return Err(no_segment(io::ErrorKind::NotFound.into()));
        };
        let header = self.settings.header(self.frontier.size());
        let started = segment::start(&self.settings.disk, &self.dir, &prepared, &header);
        let path = started.map_err(|error| self.fail("starting a segment", error))?;
        let file = Arc::new(prepared);
        let end = HEADER_LEN as u64;
        self.last = Last {
            file: Arc::clone(&file),
            end,
            len: header.file_len,
        };
        let extent = Extent {
            first: header.first,
            file,
            path: path.into(),
            offsets: Vec::new(),
            end,
        };
        self.reader.0.write().segments.push(extent);
        self.ahead.ask();
        Ok(())
    }

    fn wait_ahead(&mut self) -> Result<(), AppendError> {
        self.ahead.wait().map_err(no_segment)
    }

    fn intact(&self) -> Result<(), AppendError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn is_head(&self, expected: u64) -> Result<(), AppendError> {
        let head = self.size();
        if expected == head {
            Ok(())
        } else {
            Err(AppendError::Conflict { head })
        }
    }

    /// Ends the use of the log: what is on disk now is known only when it is read again.
    fn fail(&mut self, step: &'static str, error: io::Error) -> AppendError {
        let error = AppendError::Fatal {
            step,
            source: Arc::new(error),
        };
        self.failed = Some(error.clone());
        error
    }
}

impl Last {
    /// How many bytes are left.
    fn room(&self) -> u64 {
        self.len.saturating_sub(self.end)
    }
}

fn no_segment(error: io::Error) -> AppendError {
    AppendError::NoSegment(Arc::new(error))
}
