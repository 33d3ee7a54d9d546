//! Reading the durable part of the log, from any thread.

use std::{io, path::PathBuf, sync::Arc};

use schakel_audit::tree::{self, Hash, Nodes, ProveError};
use thiserror::Error;

use super::{
    Stored,
    format::Entry,
    table::{Shared, Span},
};

/// How many bytes an iterator reads at once.
const READ_AHEAD: u64 = 256 << 10;

/// Reads entries and makes proofs from what is durable: an entry that is still being written is not
/// there yet. Clones are cheap and share one table.
#[derive(Clone, Debug)]
pub struct LogReader(pub(super) Arc<Shared>);

/// Why something of the log could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// There is no such entry, or no such part of the tree.
    #[error("entry {index} is not in the log, which has {size}: the index must be below the size")]
    Beyond {
        /// The entry, or the last one below the node, that was asked for.
        index: u64,
        /// How many entries there are.
        size: u64,
    },
    /// The bytes where the entry stood when the log was opened or written are no longer that entry.
    #[error("entry {index} is damaged in `{}` at byte {offset}: restore the segment", segment.display())]
    Damaged {
        /// The segment.
        segment: PathBuf,
        /// Where in it the entry begins.
        offset: u64,
        /// The entry.
        index: u64,
    },
    /// The disk failed.
    #[error("the log cannot be read")]
    Io(#[from] io::Error),
}

impl LogReader {
    /// How many entries are durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.read().size
    }

    /// How many entries are durable, and the root of the tree over them.
    #[must_use]
    pub fn head(&self) -> (u64, Hash) {
        let table = self.0.read();
        (table.size, table.root)
    }

    /// The root of the tree over the first `size` entries.
    ///
    /// # Errors
    /// When there are fewer, or the disk failed.
    pub fn root_at(&self, size: u64) -> Result<Hash, ReadError> {
        tree::root(size, self)
    }

    /// The entry `index`, checked against its checksum.
    ///
    /// # Errors
    /// When there is no such entry, it is damaged, or the disk failed.
    pub fn read(&self, index: u64) -> Result<Stored, ReadError> {
        let span = self.span(index, index.saturating_add(1), 0)?;
        let mut bytes = Vec::new();
        span.read(&mut bytes)?;
        span.entry(&bytes, 0, index)
    }

    /// The entries from `from` on that are durable now, in order, a large piece read at a time.
    #[must_use]
    pub fn iter(&self, from: u64) -> Entries {
        Entries {
            end: self.size(),
            reader: self.clone(),
            next: from,
            piece: None,
        }
    }

    /// The inclusion proof of entry `index` in the tree over the first `size` entries.
    ///
    /// # Errors
    /// When `index` is not below `size`, there are fewer entries than `size`, or the disk failed.
    pub fn inclusion_proof(
        &self,
        index: u64,
        size: u64,
    ) -> Result<Vec<Hash>, ProveError<ReadError>> {
        tree::inclusion_proof(index, size, self)
    }

    /// The consistency proof from the tree over the first `old` entries to that over the first `new`.
    ///
    /// # Errors
    /// Unless 1 ≤ `old` ≤ `new` ≤ the number of entries, or when the disk failed.
    pub fn consistency_proof(
        &self,
        old: u64,
        new: u64,
    ) -> Result<Vec<Hash>, ProveError<ReadError>> {
        tree::consistency_proof(old, new, self)
    }

    fn span(&self, index: u64, end: u64, most: u64) -> Result<Span, ReadError> {
        let table = self.0.read();
        let beyond = ReadError::Beyond {
            index,
            size: table.size,
        };
        table.span(index, end, most).ok_or(beyond)
    }
}

impl Nodes for LogReader {
    type Error = ReadError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, ReadError> {
        // The subtree's last leaf; no log has one that an index cannot count.
        let after = (u128::from(index) + 1) << level.min(63);
        let last = u64::try_from(after - 1).unwrap_or(u64::MAX);
        // The lock is released before anything is read from a file.
        let place = {
            let table = self.0.read();
            let beyond = ReadError::Beyond {
                index: last,
                size: table.size,
            };
            let place = if last < table.size {
                table.tiles.place(level, index)
            } else {
                None
            };
            place.ok_or(beyond)?
        };
        Ok(place.hash()?)
    }
}

impl Span {
    fn read(&self, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.resize(self.len, 0);
        self.file.read_exact_at(bytes, self.offset)
    }

    /// The entry whose frame is the `at`-th of the span, and which must be the entry `index`.
    fn entry(&self, bytes: &[u8], at: usize, index: u64) -> Result<Stored, ReadError> {
        let start = self.starts.get(at).copied().unwrap_or_default();
        let frame = bytes.get(start..).and_then(Entry::read);
        let frame =
            frame
                .filter(|frame| frame.index == index)
                .ok_or_else(|| ReadError::Damaged {
                    segment: self.path.to_path_buf(),
                    offset: self.offset + start as u64,
                    index,
                })?;
        Ok(Stored {
            leaf: frame.leaf.to_vec(),
            sealed: frame.sealed.to_vec(),
        })
    }
}

/// Entries in order: see [`LogReader::iter`]. After an error it goes on with the next entry.
#[derive(Debug)]
pub struct Entries {
    reader: LogReader,
    next: u64,
    end: u64,
    piece: Option<Piece>,
}

/// A span in memory, and how many of its entries were handed out.
#[derive(Debug)]
struct Piece {
    span: Span,
    bytes: Vec<u8>,
    used: usize,
}

impl Iterator for Entries {
    /// The index of the entry, and what is stored there.
    type Item = (u64, Result<Stored, ReadError>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let index = self.next;
        self.next += 1;
        Some((index, self.entry(index)))
    }
}

impl Entries {
    fn entry(&mut self, index: u64) -> Result<Stored, ReadError> {
        let piece = match self
            .piece
            .take()
            .filter(|piece| piece.used < piece.span.starts.len())
        {
            Some(piece) => piece,
            None => self.read_piece(index)?,
        };
        let piece = self.piece.insert(piece);
        let entry = piece.span.entry(&piece.bytes, piece.used, index);
        piece.used += 1;
        entry
    }

    fn read_piece(&self, index: u64) -> Result<Piece, ReadError> {
        let span = self.reader.span(index, self.end, READ_AHEAD)?;
        let mut bytes = Vec::new();
        span.read(&mut bytes)?;
        Ok(Piece {
            span,
            bytes,
            used: 0,
        })
    }
}
