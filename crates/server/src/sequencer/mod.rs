//! The one writer: takes requests in order, decides against the state of the log so far, records, and
//! only then lets answers go.

use std::sync::Arc;

use schakel_core::{id::PartyId, registry::Registry, time::Timestamp};
use tokio::sync::watch;

use crate::{
    call::{Answer, CallError, Request},
    trail::Trail,
};

/// The handle by which services reach the one writer.
#[derive(Clone, Debug)]
pub struct Sequencer {}

impl Sequencer {
    /// Submits one request and waits for its recorded answer. A denial leaves on the 10 ms grid after
    /// arrival.
    ///
    /// # Errors
    /// When the call cannot be taken; see [`CallError`].
    pub async fn submit(&self, request: Request) -> Result<Answer, CallError> {
        drop(request);
        Err(CallError::AuditUnavailable)
    }

    /// Submits several requests that stand next to each other, and waits for all answers. When one is a
    /// denial, all leave on the 10 ms grid after arrival.
    pub async fn submit_all(&self, requests: Vec<Request>) -> Vec<Result<Answer, CallError>> {
        drop(requests);
        Vec::new()
    }

    /// What is registered, as of the last durable entry.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        Arc::default()
    }

    /// The trail, for reading.
    #[must_use]
    pub fn trail(&self) -> &Trail {
        &Trail {}
    }

    /// The broker's clock, never behind the log.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::MAX
    }

    /// Changes when something new may wait in the party's inbox, at the next publication tick.
    #[must_use]
    pub fn inbox_changes(&self, _party: &PartyId) -> watch::Receiver<u64> {
        watch::channel(0).1
    }

    /// Encrypts an inbox position or a search position for the party that gets it, so that it tells
    /// nothing and cannot be made up. The result has a fixed length.
    #[must_use]
    pub fn seal_cursor(&self, _party: &PartyId, _kind: CursorKind, _position: u64) -> Vec<u8> {
        Vec::new()
    }

    /// Opens what [`Self::seal_cursor`] gave to this party; `None` when it did not.
    #[must_use]
    pub fn open_cursor(&self, _party: &PartyId, _kind: CursorKind, _cursor: &[u8]) -> Option<u64> {
        None
    }
}

/// What a cursor walks through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorKind {
    /// The messages of an inbox.
    Inbox,
    /// The results of a search.
    Search,
}
