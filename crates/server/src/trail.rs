//! The trail as it is read: entries, proofs, checkpoints, and the search through them.

mod proof;
mod search;

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use schakel_audit::leaf::{EntryType, Leaf};
use schakel_core::{
    erasure::{Done, Erasures},
    id::{EntryIndex, PartyId},
    text::chain,
    time::Timestamp,
};
use schakel_store::{
    entry::{self, Entry, Whole},
    index::Index,
    keyring::Keyring,
    log::LogReader,
    world::due,
};

pub use self::proof::Consistency;

/// Read access to the durable part of the log and its indexes.
#[derive(Clone, Debug)]
pub struct Trail {
    reader: LogReader,
    keyring: Arc<Keyring>,
    index: Arc<Index>,
    origin: Arc<str>,
    verifier_key: Arc<str>,
    head: Arc<ArcSwap<Head>>,
    published: Arc<ArcSwapOption<Published>>,
    erasures: Arc<ArcSwap<Erasures>>,
}

/// The end of the log, as it was last signed.
#[derive(Debug)]
pub(crate) struct Head {
    /// How many entries there are.
    pub(crate) size: u64,
    /// The signed tree head over them.
    pub(crate) checkpoint: Arc<str>,
}

/// What of the log is published.
#[derive(Debug)]
pub(crate) struct Published {
    /// How many entries.
    pub(crate) size: u64,
    /// The published checkpoint, with the cosignatures on it.
    pub(crate) checkpoint: Arc<str>,
    /// Whether as many witnesses have seen it as the broker's policy asks for.
    pub(crate) witnessed: bool,
}

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

impl Trail {
    pub(crate) fn new(
        reader: LogReader,
        keyring: Arc<Keyring>,
        index: Arc<Index>,
        origin: &str,
        verifier_key: &str,
        head: Head,
    ) -> Self {
        Self {
            reader,
            keyring,
            index,
            origin: origin.into(),
            verifier_key: verifier_key.into(),
            head: Arc::new(ArcSwap::from_pointee(head)),
            published: Arc::default(),
            erasures: Arc::default(),
        }
    }

    /// How many entries are durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.head.load().size
    }

    /// The newest signed checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> Arc<str> {
        Arc::clone(&self.head.load().checkpoint)
    }

    /// The vkey of the log.
    #[must_use]
    pub fn verifier_key(&self) -> &str {
        &self.verifier_key
    }

    /// How many entries the indexes lag behind.
    #[must_use]
    pub fn index_lag(&self) -> u64 {
        self.size().saturating_sub(self.index.indexed())
    }

    /// An entry; `None` past the end.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn entry(&self, index: u64) -> Result<Option<Entry>, TrailError> {
        if index >= self.size() {
            return Ok(None);
        }
        let stored = self.reader.read(index);
        entry::open(index, stored, &self.origin, &self.keyring)
            .map(Some)
            .map_err(unreadable)
    }

    /// An entry with everything that shows what its leaf is committed to; `None` past the end.
    pub(crate) fn whole(&self, index: u64) -> Result<Option<Whole>, TrailError> {
        if index >= self.size() {
            return Ok(None);
        }
        let stored = self.reader.read(index);
        entry::whole(index, stored, &self.origin, &self.keyring)
            .map(Some)
            .map_err(unreadable)
    }

    /// An entry of which only those kinds are opened that are wanted; `None` for the others.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) fn entry_if(
        &self,
        index: EntryIndex,
        wanted: impl FnOnce(EntryType) -> bool,
    ) -> Result<Option<Entry>, TrailError> {
        let stored = self.reader.read(index.0).map_err(unreadable)?;
        let leaf = Leaf::decode(&stored.leaf).map_err(unreadable)?;
        if !wanted(leaf.entry_type) {
            return Ok(None);
        }
        entry::open(index.0, Ok(stored), &self.origin, &self.keyring)
            .map(Some)
            .map_err(unreadable)
    }

    /// The leaf of an entry, as it is stored.
    pub(crate) fn leaf(&self, index: u64) -> Result<Vec<u8>, TrailError> {
        let stored = self.reader.read(index).map_err(unreadable)?;
        Ok(stored.leaf)
    }

    /// The pseudonym by which a controller may record the person of an entry; `None` when the entry is about
    /// nobody known, does not concern the controller, or its keys are gone.
    pub(crate) fn pseudonym(&self, whole: &Whole, controller: &PartyId) -> Option<[u8; 16]> {
        let slot = whole.slot_of(controller)?;
        self.keyring.pseudonym(slot, controller).ok()
    }

    /// The first entry recorded after an instant, or the end of the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) fn first_after(&self, at: Timestamp) -> Result<EntryIndex, TrailError> {
        let (mut low, mut high) = (0, self.size());
        while low < high {
            let middle = low.midpoint(high);
            let stored = self.reader.read(middle).map_err(unreadable)?;
            let leaf = Leaf::decode(&stored.leaf).map_err(unreadable)?;
            if leaf.at_ms <= at.as_millis() {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        Ok(EntryIndex(low))
    }

    /// How many entries are published.
    #[must_use]
    pub fn published_size(&self) -> u64 {
        let published = self.published.load();
        published.as_ref().map_or(0, |published| published.size)
    }

    pub(crate) const fn reader(&self) -> &LogReader {
        &self.reader
    }

    pub(crate) fn publish(&self, published: Published) {
        self.published.store(Some(Arc::new(published)));
    }

    /// What was erased, and what waits to be.
    #[must_use]
    pub fn erasures(&self) -> Arc<Erasures> {
        self.erasures.load_full()
    }

    /// The erasure by which an entry can no longer be read by a controller; `None` when it can, or could never.
    #[must_use]
    pub fn redaction(&self, index: EntryIndex, leaf: &Leaf, of: &PartyId) -> Option<Done> {
        let erasures = self.erasures.load();
        let covering = erasures.covering(index, due(leaf), |party| party == of);
        covering.cloned()
    }

    /// The erasure by which an entry can no longer be read by some controller, whichever: for auditors.
    #[must_use]
    pub fn redaction_for_any(&self, index: EntryIndex, leaf: &Leaf) -> Option<Done> {
        let erasures = self.erasures.load();
        erasures.covering(index, due(leaf), |_| true).cloned()
    }

    /// The sealed details of an entry.
    pub(crate) fn sealed(&self, index: EntryIndex) -> Result<Vec<u8>, TrailError> {
        let stored = self.reader.read(index.0).map_err(unreadable)?;
        Ok(stored.sealed)
    }

    pub(crate) fn show_erasures(&self, erasures: Arc<Erasures>) {
        self.erasures.store(erasures);
    }

    pub(crate) fn advance(&self, head: Head) {
        self.head.store(Arc::new(head));
    }
}

fn unreadable(error: impl std::error::Error) -> TrailError {
    tracing::error!(error = %chain(&error), "the trail cannot be read");
    TrailError::Unreadable
}
