//! Where everything in the log is: what the writer adds to and readers look into.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use schakel_audit::tree::Hash;

use super::tiles::Tiles;
use crate::disk::File;

/// The durable part of the log, shared between the writer and the readers.
#[derive(Debug)]
pub(super) struct Shared(RwLock<Table>);

/// What is durable, and where it is.
#[derive(Debug)]
pub(super) struct Table {
    /// How many entries there are.
    pub(super) size: u64,
    /// The root of the tree over them.
    pub(super) root: Hash,
    /// The segments that hold them, in order.
    pub(super) segments: Vec<Extent>,
    /// The nodes of the tree.
    pub(super) tiles: Tiles,
}

/// The entries of one segment.
#[derive(Debug)]
pub(super) struct Extent {
    /// The index of the first entry, of this or the next segment when this one is empty.
    pub(super) first: u64,
    /// The file.
    pub(super) file: Arc<File>,
    /// Its path, for errors.
    pub(super) path: Arc<Path>,
    /// Where each entry frame begins; a segment is at most 1 GiB long.
    pub(super) offsets: Vec<u32>,
    /// Where the last batch ends.
    pub(super) end: u64,
}

/// Consecutive entry frames in one segment.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) file: Arc<File>,
    pub(super) path: Arc<Path>,
    /// Where the first frame begins.
    pub(super) offset: u64,
    /// How many bytes to read to have all frames; commit frames stand among and after them.
    pub(super) len: usize,
    /// Where each frame begins, counted from the first.
    pub(super) starts: Vec<usize>,
}

impl Shared {
    pub(super) fn new(table: Table) -> Self {
        Self(RwLock::new(table))
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The entries from `index` on that stand in the same segment, up to index `end` and as many as fit
    /// in `most` bytes, one at least. `None` when the log has no entry `index`.
    pub(super) fn span(&self, index: u64, end: u64, most: u64) -> Option<Span> {
        if index >= end.min(self.size) {
            return None;
        }
        let after = self
            .segments
            .partition_point(|extent| extent.first <= index);
        let extent = self.segments.get(after.checked_sub(1)?)?;
        let at = usize::try_from(index - extent.first).ok()?;
        let wanted = usize::try_from(end - index).unwrap_or(usize::MAX);
        let offset = u64::from(*extent.offsets.get(at)?);
        // Where each of the frames ends at the latest: where the one after it begins.
        let ends = extent
            .offsets
            .iter()
            .skip(at + 1)
            .copied()
            .map(u64::from)
            .chain([extent.end]);
        let fits = ends
            .take(wanted)
            .take_while(|end| end - offset <= most)
            .count()
            .max(1);
        let end = extent
            .offsets
            .get(at + fits)
            .map_or(extent.end, |next| u64::from(*next));
        let starts = extent.offsets.iter().skip(at).take(fits);
        Some(Span {
            file: Arc::clone(&extent.file),
            path: Arc::clone(&extent.path),
            offset,
            len: usize::try_from(end - offset).ok()?,
            starts: starts
                .filter_map(|start| usize::try_from(u64::from(*start) - offset).ok())
                .collect(),
        })
    }
}
