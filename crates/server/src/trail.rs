//! The trail as it is read: entries, proofs, checkpoints, and the search through them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use arc_swap::{ArcSwap, ArcSwapOption};
use schakel_audit::leaf::{EntryType, Leaf};
use schakel_core::{
    dossier::Dossier,
    erasure::{Done, Erasures},
    id::{EntryIndex, PartyId},
    time::Timestamp,
};
use schakel_store::{
    entry::{self, Entry, Whole},
    index::{Ahead, Index, LARGEST_PAGE, Page, Query},
    keyring::Keyring,
    log::LogReader,
    world::due,
};

use crate::call::Receipt;

/// How long looking for what an erasure covers waits for the indexes.
const CATCH_UP: Duration = Duration::from_secs(5);

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

    /// The proof of an entry against the newest checkpoint; `None` past the end.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn receipt(&self, index: u64) -> Result<Option<Receipt>, TrailError> {
        if index >= self.size() {
            return Ok(None);
        }
        let stored = self.reader.read(index).map_err(unreadable)?;
        self.prove(index, stored.leaf).map(Some)
    }

    /// The proof of an entry whose leaf is at hand, against the newest checkpoint.
    pub(crate) fn prove(&self, index: u64, leaf: Vec<u8>) -> Result<Receipt, TrailError> {
        let head = self.head.load();
        self.prove_in(index, leaf, (head.size, &head.checkpoint))
    }

    /// The proof of an entry against a checkpoint of this size.
    fn prove_in(
        &self,
        index: u64,
        leaf: Vec<u8>,
        (size, checkpoint): (u64, &Arc<str>),
    ) -> Result<Receipt, TrailError> {
        let hashes = self
            .reader
            .inclusion_proof(index, size)
            .map_err(unreadable)?;
        let hashes = hashes.iter().map(|hash| *hash.as_bytes()).collect();
        Ok(Receipt {
            index,
            leaf,
            hashes,
            checkpoint: Arc::clone(checkpoint),
        })
    }

    /// The proof of an entry against the published checkpoint, and whether the witnesses have seen that; `None`
    /// when the entry is not published yet.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn published_receipt(&self, index: u64) -> Result<Option<(Receipt, bool)>, TrailError> {
        let published = self.published.load();
        let Some(published) = published.as_ref().filter(|shown| index < shown.size) else {
            return Ok(None);
        };
        let leaf = self.reader.read(index).map_err(unreadable)?.leaf;
        let checkpoint = (published.size, &published.checkpoint);
        let receipt = self.prove_in(index, leaf, checkpoint)?;
        Ok(Some((receipt, published.witnessed)))
    }

    /// The proof that the tree of `new` entries only adds to that of `old`; `None` unless
    /// `1 <= old <= new <= size`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Option<Consistency>, TrailError> {
        let head = self.head.load();
        if old == 0 || old > new || new > head.size {
            return Ok(None);
        }
        let hashes = self
            .reader
            .consistency_proof(old, new)
            .map_err(unreadable)?;
        let root = |size| {
            self.reader
                .root_at(size)
                .map(|root| *root.as_bytes())
                .map_err(unreadable)
        };
        Ok(Some(Consistency {
            hashes: hashes.iter().map(|hash| *hash.as_bytes()).collect(),
            old_root: root(old)?,
            new_root: root(new)?,
            checkpoint: (new == head.size).then(|| Arc::clone(&head.checkpoint)),
        }))
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

    /// The end of the log, as it was last signed.
    pub(crate) fn head(&self) -> Arc<Head> {
        self.head.load_full()
    }

    /// The proof of an entry in the tree of so many.
    pub(crate) fn hashes(&self, index: u64, size: u64) -> Result<Vec<[u8; 32]>, TrailError> {
        let hashes = self.reader.inclusion_proof(index, size);
        let hashes = hashes.map_err(unreadable)?;
        Ok(hashes.iter().map(|hash| *hash.as_bytes()).collect())
    }

    /// The pseudonym by which a controller may record the person of an entry; `None` when the entry is about
    /// nobody known, does not concern the controller, or its keys are gone.
    pub(crate) fn pseudonym(&self, whole: &Whole, controller: &PartyId) -> Option<[u8; 16]> {
        let slot = whole.slot_of(controller)?;
        self.keyring.pseudonym(slot, controller).ok()
    }

    /// Reads on from an entry, once the indexes have caught up with the log's end as of this call.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub(crate) async fn ahead(
        &self,
        query: Query,
        from: EntryIndex,
        within: Duration,
    ) -> Result<Ahead, TrailError> {
        self.look(within, move |trail| {
            trail.index.ahead(&query, from).map_err(unreadable)
        })
        .await
    }

    /// The root of the tree over the first entries; `None` when there are fewer.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) fn root_at(&self, size: u64) -> Result<Option<[u8; 32]>, TrailError> {
        if size > self.size() {
            return Ok(None);
        }
        let root = self.reader.root_at(size).map_err(unreadable)?;
        Ok(Some(*root.as_bytes()))
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

    /// Looks into the trail away from the threads that serve, once the indexes have caught up with the
    /// log's end as of this call.
    ///
    /// # Errors
    /// When the indexes do not catch up within the time given, or what the look itself comes upon.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        within: Duration,
        look: impl FnOnce(&Self) -> Result<T, TrailError> + Send + 'static,
    ) -> Result<T, TrailError> {
        let (trail, size) = (self.clone(), self.size());
        let looked = tokio::task::spawn_blocking(move || {
            if trail.index.wait(size, within) {
                look(&trail)
            } else {
                Err(TrailError::Behind)
            }
        });
        looked.await.map_err(unreadable)?
    }

    /// One page of a search among the entries that are in the indexes by now.
    ///
    /// # Errors
    /// When the indexes cannot be read.
    pub(crate) fn find(&self, query: &Query) -> Result<Page, TrailError> {
        self.index.search(query).map_err(unreadable)
    }

    /// Everything that a search finds, newest first, page by page as it is needed.
    pub(crate) fn each(&self, query: Query) -> Each<'_> {
        Each {
            trail: self,
            query: Some(Query {
                limit: LARGEST_PAGE,
                ..query
            }),
            page: Vec::new().into_iter(),
        }
    }

    /// Searches, once the indexes have caught up with the log's end as of this call.
    ///
    /// # Errors
    /// When the indexes do not catch up within the time given, or cannot be read.
    pub async fn search(&self, query: Query, within: Duration) -> Result<Page, TrailError> {
        self.look(within, move |trail| trail.find(&query)).await
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

    /// The entries about a person, whomever they concern, in the order of the log.
    pub(crate) fn about(&self, dossier: &Dossier) -> Result<BTreeSet<EntryIndex>, TrailError> {
        if !self.index.wait(self.size(), CATCH_UP) {
            return Err(TrailError::Behind);
        }
        let mut found = BTreeSet::new();
        let mut query = Query::about(dossier.subject);
        loop {
            let page = self.index.search(&query).map_err(unreadable)?;
            found.extend(page.entries);
            query.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        Ok(found)
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

/// What a search finds, one by one.
pub(crate) struct Each<'t> {
    trail: &'t Trail,
    /// The search for the next page; `None` after the last.
    query: Option<Query>,
    page: std::vec::IntoIter<EntryIndex>,
}

impl Iterator for Each<'_> {
    type Item = Result<EntryIndex, TrailError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(index) = self.page.next() {
                return Some(Ok(index));
            }
            let query = self.query.take()?;
            match self.trail.find(&query) {
                Ok(Page { entries, next }) => {
                    self.page = entries.into_iter();
                    self.query = next.map(|before| Query {
                        before: Some(before),
                        ..query
                    });
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn unreadable(error: impl std::error::Error) -> TrailError {
    tracing::error!(error = %Chain(&error), "the trail cannot be read");
    TrailError::Unreadable
}

/// An error with its sources, in one line.
struct Chain<'a, E>(&'a E);

impl<E: std::error::Error> std::fmt::Display for Chain<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
