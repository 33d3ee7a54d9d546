//! The trail as it is read: entries, proofs, checkpoints, and the search through them.

use std::{sync::Arc, time::Duration};

use schakel_audit::leaf::Leaf;
use schakel_core::event::Details;
use schakel_store::index::{Page, Query};

use crate::call::Receipt;

/// Read access to the durable part of the log and its indexes.
#[derive(Debug)]
pub struct Trail {}

/// Why the trail could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// The disk, or the indexes' catching up, failed.
    #[error("the trail cannot be read")]
    Unreadable,
    /// The indexes did not catch up in time.
    #[error("the indexes did not catch up in time")]
    Behind,
}

/// An entry as it is read back.
#[derive(Debug)]
pub struct ReadEntry {
    /// Its leaf.
    pub leaf: Leaf,
    /// Its details; `None` when the keys that open them are gone.
    pub details: Option<Details>,
}

/// A consistency proof.
#[derive(Debug)]
pub struct Consistency {
    /// The proof.
    pub hashes: Vec<[u8; 32]>,
    /// The root of the smaller tree.
    pub old_root: [u8; 32],
    /// The root of the larger tree.
    pub new_root: [u8; 32],
    /// The checkpoint of the larger tree, when it is the newest.
    pub checkpoint: Option<Arc<str>>,
}

impl Trail {
    /// How many entries are durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        0
    }

    /// The newest signed checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> Arc<str> {
        Arc::from("")
    }

    /// The vkey of the log.
    #[must_use]
    pub fn verifier_key(&self) -> &str {
        ""
    }

    /// The proof of an entry against the newest checkpoint; `None` past the end.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn receipt(&self, _index: u64) -> Result<Option<Receipt>, TrailError> {
        Ok(None)
    }

    /// The proof that the tree of `new` entries only adds to that of `old`; `None` unless
    /// `1 <= old <= new <= size`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn consistency(&self, _old: u64, _new: u64) -> Result<Option<Consistency>, TrailError> {
        Ok(None)
    }

    /// An entry; `None` past the end.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn entry(&self, _index: u64) -> Result<Option<ReadEntry>, TrailError> {
        Ok(None)
    }

    /// Searches, once the indexes have caught up with the log's end as of this call.
    ///
    /// # Errors
    /// When the indexes do not catch up within the time given, or cannot be read.
    pub async fn search(&self, _query: Query, _within: Duration) -> Result<Page, TrailError> {
        Err(TrailError::Unreadable)
    }

    /// The person meant by a reference of this party, if known: for narrowing a search.
    pub async fn subject(
        &self,
        _subject: schakel_core::person::SubjectRef,
        _caller: schakel_core::id::PartyId,
    ) -> Option<schakel_core::id::SubjectId> {
        None
    }
}
