//! Opening a log: everything in it is read and checked before anything is added.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use aws_lc_rs::digest;
use schakel_audit::tree::Frontier;
use thiserror::Error;

use super::{
    MAX_BATCH_LEN, Settings,
    format::{Header, HeaderError},
    scan::{self, Bad, Damage, Scanned},
    segment,
    table::{Extent, Table},
    tiles::Tiles,
};
use crate::{
    disk::{Disk, File},
    durable,
};

/// Why a log could not be opened or created.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is no log.
    #[error("there is no log in `{}`: check the data directory, or create the log", .0.display())]
    Absent(PathBuf),
    /// There is a log already.
    #[error("there is a log in `{}` already: open it, or choose another data directory", .0.display())]
    Present(PathBuf),
    /// Another process has it open.
    #[error("`{}` is locked: another process has the log open", .0.display())]
    Locked(PathBuf),
    /// The settings cannot be used.
    #[error("segments of {0} bytes cannot be used: choose {MIN_SEGMENT_LEN} to {MAX_SEGMENT_LEN}")]
    SegmentLen(u64),
    /// The log is another one than it should be.
    #[error("`{}` belongs to a log of another origin: check the origin and the data directory", .0.display())]
    Origin(PathBuf),
    /// The log was written by a version of this program that does not exist yet.
    #[error("`{}` has format version {version}, which is unknown: use a newer release", segment.display())]
    Version {
        /// The segment.
        segment: PathBuf,
        /// The version of its format.
        version: u32,
    },
    /// Something that was durable is not there any more. No segment was changed.
    #[error(
        "the log is damaged in `{}` at byte {offset}, entry {index}: {what}; restore it from a copy",
        segment.display()
    )]
    Damaged {
        /// The segment.
        segment: PathBuf,
        /// Where in it the first bad place is, in bytes.
        offset: u64,
        /// The first entry that cannot be read.
        index: u64,
        /// What is wrong.
        what: Damage,
    },
    /// The disk failed.
    #[error("`{}` cannot be read or written", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The shortest segment in bytes.
pub const MIN_SEGMENT_LEN: u64 = 4 << 10;
/// The longest segment in bytes.
pub const MAX_SEGMENT_LEN: u64 = 1 << 30;

/// How much of a segment's end is written at once.
const BLOCK: usize = 64 << 10;
static ZEROS: [u8; BLOCK] = [0; BLOCK];

/// What was cut off when the log was opened: a write that a crash interrupted. Its entries were
/// acknowledged to nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment.
    pub segment: PathBuf,
    /// Where the interrupted batch begins, in bytes.
    pub offset: u64,
    /// How many bytes, up to the last that was not zero.
    pub len: u64,
    /// The index that the first entry of the batch would have had.
    pub index: u64,
}

/// A log as it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) table: Table,
    pub(super) frontier: Frontier,
    /// The length of the last segment in bytes.
    pub(super) segment_len: u64,
    pub(super) cut: Option<Cut>,
}

/// Adds to an error of the disk where it happened.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Takes the lock on a data directory.
pub(super) fn lock(disk: &Disk, data: &Path) -> Result<File, OpenError> {
    let path = data.join("lock");
    disk.lock(&path)
        .map_err(at(&path))?
        .ok_or(OpenError::Locked(path))
}

/// SHA-256 of a log's origin.
pub(super) fn origin_digest(origin: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, origin.as_bytes()).as_ref());
    bytes
}

/// Creates the first segment.
pub(super) fn create(dir: &Path, settings: &Settings) -> Result<(), OpenError> {
    let started = segment::prepare(
        &settings.disk,
        dir,
        settings.segment_len,
        &AtomicBool::new(false),
    )
    .and_then(|prepared| segment::start(&settings.disk, dir, &prepared, &settings.header(0)));
    started.map(drop).map_err(at(dir))
}

/// Reads the whole log, mends the end of its last segment, and makes sure that all of it is durable.
pub(super) fn load(dir: &Path, settings: &Settings) -> Result<Found, OpenError> {
    let segments = segment::list(&settings.disk, dir).map_err(at(dir))?;
    let hashes = dir.join("hashes");
    let tiles = Tiles::empty(&settings.disk, hashes.clone()).map_err(at(&hashes))?;
    let mut loader = Loader {
        disk: &settings.disk,
        origin: origin_digest(&settings.origin),
        frontier: Frontier::new(),
        tiles,
        extents: Vec::new(),
        bytes: Vec::new(),
    };
    let mut end = None;
    for (place, (first, path)) in segments.iter().enumerate() {
        end = Some(loader.segment(*first, path, place + 1 == segments.len())?);
    }
    let (segment_len, cut) = end.ok_or_else(|| OpenError::Absent(dir.to_owned()))?;
    // The last segment's name, and those that lead to it, may not have been durable when the process before
    // this one ended.
    settings.disk.sync_dir(dir).map_err(at(dir))?;
    durable::settle(&settings.disk, dir).map_err(at(dir))?;
    loader.tiles.trim().map_err(at(&hashes))?;
    let Loader {
        frontier,
        tiles,
        extents,
        ..
    } = loader;
    let (size, root) = (frontier.size(), frontier.root());
    Ok(Found {
        table: Table {
            size,
            root,
            segments: extents,
            tiles,
        },
        frontier,
        segment_len,
        cut,
    })
}

/// The log as far as it was read.
struct Loader<'a> {
    disk: &'a Disk,
    origin: [u8; 32],
    frontier: Frontier,
    tiles: Tiles,
    extents: Vec<Extent>,
    /// The content of the segment in hand.
    bytes: Vec<u8>,
}

impl Loader<'_> {
    /// Reads one segment. Gives its length, and what was cut off its end.
    fn segment(
        &mut self,
        named: u64,
        path: &Path,
        is_last: bool,
    ) -> Result<(u64, Option<Cut>), OpenError> {
        let mut file = self.disk.open(path).map_err(at(path))?;
        file.read_whole(&mut self.bytes).map_err(at(path))?;
        let header = self.header(path)?;
        self.follows(named, &header, path)?;
        let first = self.frontier.size();
        let scanned = scan::scan(&self.bytes, &mut self.frontier, &mut self.tiles);
        let scanned = scanned.map_err(at(path))?;
        let got = self.bytes.len() as u64;
        if header.file_len != got {
            let what = Damage::Length {
                want: header.file_len,
                got,
            };
            return Err(self.damaged(path, got, what));
        }
        let cut = scanned
            .bad
            .map(|bad| self.torn(path, &scanned, &bad, is_last))
            .transpose()?;
        if is_last {
            self.mend(&file, &scanned).map_err(at(path))?;
        }
        self.extents.push(Extent {
            first,
            file: Arc::new(file),
            path: path.into(),
            end: scanned.last_batch.end as u64,
            offsets: scanned.offsets,
        });
        Ok((got, cut))
    }

    fn header(&self, path: &Path) -> Result<Header, OpenError> {
        match Header::decode(&self.bytes) {
            Ok(header) if header.origin == self.origin => Ok(header),
            Ok(_) => Err(OpenError::Origin(path.to_owned())),
            Err(HeaderError::Damaged) => Err(self.damaged(path, 0, Damage::Header)),
            Err(HeaderError::Version(version)) => Err(OpenError::Version {
                segment: path.to_owned(),
                version,
            }),
        }
    }

    /// Whether a segment goes on where the one before it ended.
    fn follows(&self, named: u64, header: &Header, path: &Path) -> Result<(), OpenError> {
        let size = self.frontier.size();
        if header.first != named {
            return Err(self.damaged(
                path,
                0,
                Damage::Name {
                    header: header.first,
                },
            ));
        }
        match (header.first > size, self.extents.last()) {
            // Blamed on the segment in which they should stand, when there is one.
            (true, Some(before)) => {
                let what = Damage::Missing { next: header.first };
                Err(self.damaged(&before.path, before.end, what))
            }
            (true, None) => Err(self.damaged(path, 0, Damage::Missing { next: header.first })),
            (false, _) if header.first < size => Err(self.damaged(path, 0, Damage::Order)),
            (false, _) => Ok(()),
        }
    }

    /// What to cut for a bad place, if that is what an interrupted write left behind.
    fn torn(
        &self,
        path: &Path,
        scanned: &Scanned,
        bad: &Bad,
        is_last: bool,
    ) -> Result<Cut, OpenError> {
        let size = self.frontier.size();
        // A segment that has a successor was durable to its end before that was made.
        if !is_last || !scan::is_torn(&self.bytes, bad, size) {
            let (segment, offset) = (path.to_owned(), bad.offset as u64);
            return Err(OpenError::Damaged {
                segment,
                offset,
                index: bad.index,
                what: bad.what,
            });
        }
        let start = scanned.last_batch.end;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let len = rest
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last as u64 + 1);
        Ok(Cut {
            segment: path.to_owned(),
            offset: start as u64,
            len,
            index: size,
        })
    }

    /// Makes the end of the last segment durable. What was read may be in memory only: the process
    /// before this one may have ended before its fdatasync, or because of it, and after a failed one
    /// the system takes pages for written that are not. So the last batch is written once more, and so
    /// are the zeros after it, as far as a write that was interrupted can have reached: there may be
    /// other bytes on the disk than those that were read.
    fn mend(&self, file: &File, scanned: &Scanned) -> io::Result<()> {
        let batch = scanned.last_batch.clone();
        let mut offset = batch.start as u64;
        file.write_all_at(self.bytes.get(batch.clone()).unwrap_or_default(), offset)?;
        offset = batch.end as u64;
        let reach = offset + MAX_BATCH_LEN as u64;
        for block in self
            .bytes
            .get(batch.end..)
            .unwrap_or_default()
            .chunks(BLOCK)
        {
            if offset < reach || !scan::is_zero(block) {
                file.write_all_at(ZEROS.get(..block.len()).unwrap_or_default(), offset)?;
            }
            offset += block.len() as u64;
        }
        file.sync_data()
    }

    fn damaged(&self, path: &Path, offset: u64, what: Damage) -> OpenError {
        OpenError::Damaged {
            segment: path.to_owned(),
            offset,
            index: self.frontier.size(),
            what,
        }
    }
}
