//! Where the published files come from.

use std::ops::Range;

use thiserror::Error;

use super::Finding;
use crate::tile::{Kind, MAX_ENTRY, Tile};

/// Where the published files come from.
pub trait Files {
    /// Reads the file at a path below the root of what is published, if it has at most `most` bytes.
    ///
    /// # Errors
    /// When it is not there, has more bytes, or cannot be read.
    fn read(&self, path: &str, most: usize) -> Result<Vec<u8>, Unread>;

    /// The indexes of the entries about checkpoint keys whose opened details are there, in any order.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn key_entries(&self) -> Result<Vec<u64>, Unread>;
}

/// Why a published file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unread {
    /// It is not there.
    #[error("it is not there")]
    Absent,
    /// It has more bytes than any such file has.
    #[error("it is longer than any such file")]
    TooLong,
    /// It is there and cannot be read.
    #[error("it cannot be read: {0}")]
    Failed(String),
}

/// A tile as it was read.
pub(super) struct Fetched {
    /// The file: that of the full tile, where the log has grown and the partial one has gone.
    pub(super) tile: Tile,
    pub(super) bytes: Vec<u8>,
}

/// Reads a tile, or the full one that took its place.
pub(super) fn fetch<F: Files + ?Sized>(tile: Tile, files: &F) -> Result<Fetched, Unread> {
    let most = match tile.kind() {
        Kind::Entries => 256 * (MAX_ENTRY + 2),
        Kind::Hashes(_) => Tile::LEN,
    };
    let read = |tile: Tile| {
        Ok(Fetched {
            tile,
            bytes: files.read(&tile.to_string(), most)?,
        })
    };
    match (read(tile), tile.filled()) {
        (Err(Unread::Absent), Some(full)) if tile.is_partial() => read(full),
        (read, _) => read,
    }
}

/// What is found when a file cannot be read.
pub(super) fn unread(file: String, entries: Range<u64>, why: Unread) -> Finding {
    match why {
        Unread::Absent => Finding::Missing { file, entries },
        Unread::TooLong => Finding::TooLong { file, entries },
        Unread::Failed(reason) => Finding::Unreadable {
            file,
            entries,
            reason,
        },
    }
}

/// As [`unread`], of a tile.
pub(super) fn unread_tile(tile: Tile, why: Unread) -> Finding {
    let (first, end) = tile.covers();
    unread(tile.to_string(), first..end, why)
}
