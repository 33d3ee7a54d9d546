//! Room for what is about to be recorded.
//!
//! What is applied to the state in memory must be recorded, or the process end. So room is made sure of before
//! anything is applied, for all entries that stand or fall together and for however many commits they take; where
//! there is none, nothing of it is applied, and what waits behind it is sent back.

use std::{
    collections::VecDeque,
    ops::{Deref, DerefMut},
};

use schakel_core::event::Event;
use schakel_store::log::{AppendError, MAX_BATCH_ENTRIES, MAX_BATCH_LEN};

use super::writer::{Batch, Entry, Writer, WriterError};

/// What a batch keeps free for its commit frame.
const COMMIT_ROOM: usize = 64;

/// What could not be recorded yet.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Events of the broker's own, oldest first.
    pub(super) events: VecDeque<Event>,
    /// Why there was no room for what was taken last: what waits behind it is sent back.
    pub(super) full: Option<AppendError>,
}

impl Kept {
    /// Whether every event of the broker's own could be recorded.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

/// Entries that the log has room for, beside those of the batch they were made for. Only these can be applied.
pub(super) struct Fitting(Vec<Entry>);

impl Fitting {
    pub(super) fn all(self) -> Vec<Entry> {
        self.0
    }
}

impl Deref for Fitting {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.0
    }
}

impl DerefMut for Fitting {
    fn deref_mut(&mut self) -> &mut [Entry] {
        &mut self.0
    }
}

impl Writer {
    /// Makes sure of room for entries that stand or fall together; gives them back when there is none.
    ///
    /// # Errors
    /// When the log has failed.
    pub(super) fn fitting(
        &mut self,
        batch: &Batch,
        entries: Vec<Entry>,
    ) -> Result<Result<Fitting, Vec<Entry>>, WriterError> {
        let fresh = entries
            .iter()
            .map(|entry| entry.composed.frame.stored_len());
        // Each could come to a commit of its own.
        let commits = batch.entries.len() + entries.len();
        let bytes = batch.bytes + fresh.sum::<usize>() + commits * COMMIT_ROOM;
        match self.log.ready_for(bytes as u64) {
            Ok(()) => Ok(Ok(Fitting(entries))),
            Err(full @ AppendError::NoSegment(_)) => {
                self.kept.full = Some(full);
                // Before whoever asked is told.
                self.shared.healthy(false);
                Ok(Err(entries))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Batch {
    pub(super) fn has_room_for(&self, len: usize) -> bool {
        self.entries.len() < MAX_BATCH_ENTRIES && self.bytes + len <= MAX_BATCH_LEN - COMMIT_ROOM
    }
}
