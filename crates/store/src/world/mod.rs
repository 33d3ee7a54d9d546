//! The state that decisions are made against: what all entries of the log together say.
//!
//! The one thread that writes the log owns it. An entry is applied in memory at once, so that the next
//! one of the same batch is decided against it; the rows it changed are written to the view when the
//! batch is on disk. What the view does not hold, because it would describe people in a way that
//! outlives the process, or because it is cheap to find again, is made at the start: by what people are
//! found, and the writes of the last 24 hours.

mod alters;
mod erase;
mod found;
mod open;
mod people;
mod post;
mod source;
mod writes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lru::LruCache;
use schakel_audit::leaf::Leaf;
use schakel_core::{
    dossier::{Dossier, RowKey},
    erasure::{ErasureKey, Erasures},
    event::{Details, Event},
    id::{EntryIndex, IdempotencyKey, PartyId, SubjectId},
    inbox::{Inbox, InboxKey, Pending as Message},
    random::Random,
    registry::{Registry, RegistryKey},
    time::Timestamp,
};

use self::{alters::alters, people::People, post::Inboxes, writes::Writes};
pub use self::{
    erase::{PROPOSAL_DAYS, due},
    open::{OpenWorldError, Options},
    writes::Written,
};
use crate::{
    entry::Entry,
    view::{Applied, Changes, View, ViewError},
};

/// The state of the log so far.
pub struct World {
    view: View,
    random: Box<dyn Random + Send>,
    registry: Arc<Registry>,
    inboxes: Inboxes,
    people: People,
    writes: Writes,
    erasures: Arc<Erasures>,
    /// Dossiers as they stand in the view.
    dossiers: LruCache<SubjectId, Arc<Dossier>>,
    /// What is not in the view yet.
    pending: Pending,
    applied: Applied,
}

/// What changed since the view was last written.
#[derive(Debug, Default)]
struct Pending {
    registry: BTreeSet<RegistryKey>,
    inboxes: BTreeSet<(PartyId, InboxKey)>,
    dossiers: BTreeMap<SubjectId, Changed>,
    erasures: BTreeSet<ErasureKey>,
}

/// A dossier that changed, and the rows of it that did.
#[derive(Debug)]
struct Changed {
    dossier: Arc<Dossier>,
    rows: BTreeSet<RowKey>,
}

/// An entry as far as it can be read.
struct Seen<'a> {
    details: &'a Details,
    leaf: &'a Leaf,
    /// Those concerned that have erased the person since.
    erased: &'a BTreeSet<PartyId>,
}

impl Seen<'_> {
    /// Whether the party that acted has erased the person since.
    fn actor_is_erased(&self) -> bool {
        let actor = self.details.call.as_ref().map(|call| &call.principal);
        actor.is_some_and(|actor| self.erased.contains(actor))
    }
}

/// Why the state could not be read or kept. What is in memory must not be used any more.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The view failed.
    #[error(transparent)]
    View(#[from] ViewError),
    /// An entry is not the next one.
    #[error("entry {got} cannot be applied: the state is that of {expected} entries")]
    OutOfOrder {
        /// How many entries are applied.
        expected: u64,
        /// What came.
        got: u64,
    },
}

impl World {
    /// What is registered.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry)
    }

    /// The inbox of a party; `None` when nothing waits in it and nothing ever left it.
    #[must_use]
    pub fn inbox(&self, party: &PartyId) -> Option<&Inbox> {
        let used = |inbox: &&Inbox| inbox.last_position() > 0 || inbox.waiting().next().is_some();
        self.inboxes.get(party).filter(used)
    }

    /// At most so many messages of all inboxes after one, party by party: what waits, and what was handed over and is
    /// not acknowledged.
    #[must_use]
    pub fn messages_after(
        &self,
        last: Option<&(PartyId, InboxKey)>,
        most: usize,
    ) -> Vec<(PartyId, InboxKey, Message)> {
        post::after(&self.inboxes, last, most)
    }

    /// The dossier of a person. One of whom nothing is held is empty.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn dossier(&mut self, subject: SubjectId) -> Result<Arc<Dossier>, WorldError> {
        if let Some(changed) = self.pending.dossiers.get(&subject) {
            return Ok(Arc::clone(&changed.dossier));
        }
        if let Some(dossier) = self.dossiers.get(&subject) {
            return Ok(Arc::clone(dossier));
        }
        let held = self.view.dossier(subject)?;
        let dossier = Arc::new(held.unwrap_or_else(|| Dossier::new(subject)));
        self.dossiers.put(subject, Arc::clone(&dossier));
        Ok(dossier)
    }

    /// The write that a party made with this key, by this method (`Service/Method`), less than 24 hours
    /// before `now`.
    #[must_use]
    pub fn written(
        &self,
        party: &PartyId,
        method: &str,
        key: IdempotencyKey,
        now: Timestamp,
    ) -> Option<&Written> {
        self.writes.find(party, method, key, now)
    }

    /// How many entries are applied.
    #[must_use]
    pub const fn applied(&self) -> u64 {
        self.applied.entries
    }

    /// Applies the next entry in memory. What an entry says again that is known already, as most
    /// disclosures do, costs a look-up and changes nothing.
    ///
    /// # Errors
    /// When it is not the next entry, or the view cannot be read.
    pub fn apply(
        &mut self,
        details: &Details,
        leaf: &Leaf,
        entry: EntryIndex,
        at: Timestamp,
    ) -> Result<(), WorldError> {
        let whole = Seen {
            details,
            leaf,
            erased: &BTreeSet::new(),
        };
        self.apply_seen(&whole, entry, at)
    }

    /// Applies the next entry as far as it remains after erasures.
    fn apply_remains(
        &mut self,
        details: &Details,
        found: &Entry,
        entry: EntryIndex,
        at: Timestamp,
    ) -> Result<(), WorldError> {
        let remains = Seen {
            details,
            leaf: &found.leaf,
            erased: &found.erased,
        };
        self.apply_seen(&remains, entry, at)
    }

    fn apply_seen(
        &mut self,
        seen: &Seen<'_>,
        entry: EntryIndex,
        at: Timestamp,
    ) -> Result<(), WorldError> {
        let Seen {
            details,
            leaf,
            erased,
        } = *seen;
        self.expect(entry)?;
        self.apply_to_registry(&details.event, entry, at);
        self.apply_to_erasures(details, leaf, entry, at);
        self.pending
            .inboxes
            .extend(post::apply(&mut self.inboxes, details, entry, erased));
        self.pending
            .inboxes
            .extend(post::count(&mut self.inboxes, leaf));
        if let Some(subject) = details.subject {
            self.apply_to_dossier(subject, seen, entry, at)?;
        }
        self.writes.learn(leaf.entry_type, details, entry, at);
        self.applied = Applied {
            entries: entry.0.saturating_add(1),
            last: leaf.id,
        };
        Ok(())
    }

    /// Writes what changed to the view, once the log holds it durably.
    ///
    /// # Errors
    /// When `entries`, how many the log holds, is not how many are applied, or the view cannot be written.
    pub fn flush(&mut self, entries: u64) -> Result<(), WorldError> {
        self.expect(EntryIndex(entries))?;
        let pending = std::mem::take(&mut self.pending);
        let mut changes = Changes::default();
        changes
            .registry
            .extend(pending.registry.into_iter().map(|key| {
                let row = self.registry.row(&key);
                (key, row)
            }));
        changes
            .inboxes
            .extend(pending.inboxes.into_iter().map(|(party, key)| {
                let row = self.inboxes.get(&party).and_then(|inbox| inbox.row(key));
                (party, key, row)
            }));
        changes
            .erasures
            .extend(pending.erasures.into_iter().map(|key| {
                let row = self.erasures.row(key);
                (key, row)
            }));
        for (subject, Changed { dossier, rows }) in pending.dossiers {
            changes.dossiers.extend(rows.into_iter().map(|key| {
                let row = dossier.row(&key);
                (subject, key, row)
            }));
            self.dossiers.put(subject, dossier);
        }
        Ok(self
            .view
            .apply(&changes, self.applied, self.random.as_mut())?)
    }

    /// Passes over an entry whose details are gone.
    fn skip(&mut self, leaf: &Leaf, entry: EntryIndex) -> Result<(), WorldError> {
        self.expect(entry)?;
        self.use_month(leaf);
        self.pending
            .inboxes
            .extend(post::count(&mut self.inboxes, leaf));
        self.applied = Applied {
            entries: entry.0.saturating_add(1),
            last: leaf.id,
        };
        Ok(())
    }

    fn expect(&self, entry: EntryIndex) -> Result<(), WorldError> {
        let expected = self.applied.entries;
        if entry.0 == expected {
            Ok(())
        } else {
            Err(WorldError::OutOfOrder {
                expected,
                got: entry.0,
            })
        }
    }

    fn apply_to_registry(&mut self, event: &Event, entry: EntryIndex, at: Timestamp) {
        let touched = match event {
            Event::Proposed(proposal) => {
                Arc::make_mut(&mut self.registry).propose(proposal.clone())
            }
            Event::Changed {
                proposal, change, ..
            } => {
                let registry = Arc::make_mut(&mut self.registry);
                let settled = proposal.map(|id| registry.settle(id));
                let made = registry.make(change, entry, at);
                settled.into_iter().chain(made).collect()
            }
            Event::Rejected { proposal } => {
                vec![Arc::make_mut(&mut self.registry).settle(*proposal)]
            }
            Event::Issuance(event) => Arc::make_mut(&mut self.registry).apply(event, entry, at),
            Event::CertificatesUsed { used } => Arc::make_mut(&mut self.registry).see(used),
            Event::CheckpointKey { key, in_use, .. } => {
                vec![Arc::make_mut(&mut self.registry).turn_key(key, *in_use, entry)]
            }
            _ => return,
        };
        self.pending.registry.extend(touched);
    }

    fn apply_to_dossier(
        &mut self,
        subject: SubjectId,
        seen: &Seen<'_>,
        entry: EntryIndex,
        at: Timestamp,
    ) -> Result<(), WorldError> {
        let details = seen.details;
        let mut dossier = self.dossier(subject)?;
        if !alters(details, &dossier) {
            return Ok(());
        }
        // The one kept here must go, or the dossier would be copied before it is changed.
        let before = self.pending.dossiers.remove(&subject);
        let mut rows = before.map(|changed| changed.rows).unwrap_or_default();
        self.dossiers.pop(&subject);
        let changed = Arc::make_mut(&mut dossier);
        let touched = if seen.actor_is_erased() {
            changed.apply_remains(details, entry, at)
        } else {
            changed.apply(details, entry, at)
        };
        for row in &touched {
            match row {
                RowKey::Identifier(by) => {
                    let since = dossier.identifiers.get(by).copied().unwrap_or(entry);
                    self.people.know(by, subject, since);
                }
                RowKey::Case(case) => {
                    if let Some(case) = dossier.cases.get(case) {
                        self.people.open_case(case, subject);
                    }
                }
                RowKey::Introduction(code) => self.people.introduce(*code, subject),
                _ => {}
            }
        }
        rows.extend(touched);
        if rows.is_empty() {
            self.dossiers.put(subject, dossier);
        } else {
            self.pending
                .dossiers
                .insert(subject, Changed { dossier, rows });
        }
        Ok(())
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("applied", &self.applied.entries)
            .finish_non_exhaustive()
    }
}
