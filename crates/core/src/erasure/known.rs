//! What was erased so far, and what waits for a second actor.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ClassMonth, Covers, Erased, ErasureProposal};
use crate::{
    id::{EntryIndex, PartyId, ProposalId, SlotId, SubjectId},
    time::Timestamp,
};

/// Everything erased, and everything proposed to be, as of one position in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasures {
    done: BTreeMap<EntryIndex, Done>,
    months: BTreeMap<ClassMonth, EntryIndex>,
    waiting: BTreeMap<ProposalId, Waiting>,
    /// Every class and month in which some entry is to be destroyed.
    in_use: BTreeSet<ClassMonth>,
    /// The last erasure since which everybody's records were made again.
    swept: Option<EntryIndex>,
    /// The last change of the key-encryption key.
    rotated: Option<EntryIndex>,
}

/// An erasure that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The entry that tells of it.
    pub entry: EntryIndex,
    /// When, in log time.
    pub at: Timestamp,
    /// What it destroyed, by which rule.
    pub erased: Erased,
}

/// A proposal that waits, and whom it is about where that person is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The proposal.
    pub proposal: ErasureProposal,
    /// The person.
    pub subject: Option<SubjectId>,
}

/// A row that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ErasureKey {
    /// An erasure.
    Done(EntryIndex),
    /// A proposal.
    Waiting(ProposalId),
    /// A class and month in use.
    InUse(ClassMonth),
    /// How far records were made again.
    Swept,
    /// The last change of the key-encryption key.
    Rotated,
}

/// A row as it is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErasureRow {
    /// An erasure.
    Done(Done),
    /// A proposal.
    Waiting(Waiting),
    /// A class and month in use.
    InUse(ClassMonth),
    /// The last erasure since which everybody's records were made again.
    Swept(EntryIndex),
    /// The last change of the key-encryption key.
    Rotated(EntryIndex),
}

impl Erasures {
    /// Puts a row back that was read from disk.
    pub fn restore(&mut self, row: ErasureRow) {
        match row {
            ErasureRow::Done(done) => drop(self.carry_out(done)),
            ErasureRow::Waiting(waiting) => drop(self.propose(waiting)),
            ErasureRow::InUse(month) => drop(self.use_month(month)),
            ErasureRow::Swept(entry) => drop(self.sweep(entry)),
            ErasureRow::Rotated(entry) => drop(self.rotate(entry)),
        }
    }

    /// The row to keep on disk for a key; `None` when it is gone.
    #[must_use]
    pub fn row(&self, key: ErasureKey) -> Option<ErasureRow> {
        match key {
            ErasureKey::Done(entry) => self.done.get(&entry).cloned().map(ErasureRow::Done),
            ErasureKey::Waiting(id) => self.waiting.get(&id).cloned().map(ErasureRow::Waiting),
            ErasureKey::InUse(month) => self
                .in_use
                .get(&month)
                .map(|month| ErasureRow::InUse(*month)),
            ErasureKey::Swept => self.swept.map(ErasureRow::Swept),
            ErasureKey::Rotated => self.rotated.map(ErasureRow::Rotated),
        }
    }

    /// Notes that everybody's records were made again since an erasure.
    pub fn sweep(&mut self, entry: EntryIndex) -> ErasureKey {
        self.swept = Some(entry);
        ErasureKey::Swept
    }

    /// Notes that the keyring was written again under a new key-encryption key.
    pub fn rotate(&mut self, entry: EntryIndex) -> ErasureKey {
        self.rotated = Some(entry);
        ErasureKey::Rotated
    }

    /// The first erasure since the key-encryption key was last changed.
    #[must_use]
    pub fn unrotated(&self) -> Option<&Done> {
        let since = self.rotated.map_or(0, |entry| entry.0.saturating_add(1));
        let mut after = self.done.range(EntryIndex(since)..);
        after.next().map(|(_, done)| done)
    }

    /// The last month that was destroyed since everybody's records were last made again.
    #[must_use]
    pub fn unswept(&self) -> Option<EntryIndex> {
        let last = self.months.values().max().copied();
        last.filter(|last| self.swept.is_none_or(|swept| swept < *last))
    }

    /// Whether a class and month is noted as in use.
    #[must_use]
    pub fn uses(&self, month: ClassMonth) -> bool {
        self.in_use.contains(&month)
    }

    /// Notes that an entry is to be destroyed with this class and month; `None` when that is known already.
    pub fn use_month(&mut self, month: ClassMonth) -> Option<ErasureKey> {
        self.in_use
            .insert(month)
            .then_some(ErasureKey::InUse(month))
    }

    /// Keeps a proposal.
    pub fn propose(&mut self, waiting: Waiting) -> ErasureKey {
        let id = waiting.proposal.id;
        self.waiting.insert(id, waiting);
        ErasureKey::Waiting(id)
    }

    /// Drops a proposal that was approved or rejected.
    pub fn settle(&mut self, id: ProposalId) -> ErasureKey {
        self.waiting.remove(&id);
        ErasureKey::Waiting(id)
    }

    /// Drops the proposals about a person of whom nothing is left with their controller.
    pub fn settle_all(&mut self, subject: SubjectId, controller: &PartyId) -> Vec<ErasureKey> {
        let about = |waiting: &&Waiting| {
            waiting.subject == Some(subject) && waiting.proposal.controller == *controller
        };
        let found: Vec<_> = self.waiting().filter(about).collect();
        let found: Vec<_> = found.iter().map(|waiting| waiting.proposal.id).collect();
        found.into_iter().map(|id| self.settle(id)).collect()
    }

    /// Keeps what was carried out.
    pub fn carry_out(&mut self, done: Done) -> ErasureKey {
        if let Covers::Month(month) = done.erased.covers {
            self.months.entry(month).or_insert(done.entry);
        }
        let entry = done.entry;
        self.done.insert(entry, done);
        ErasureKey::Done(entry)
    }

    /// Everything carried out, oldest first.
    pub fn done(&self) -> impl Iterator<Item = &Done> {
        self.done.values()
    }

    /// What was carried out by one entry.
    #[must_use]
    pub fn done_by(&self, entry: EntryIndex) -> Option<&Done> {
        self.done.get(&entry)
    }

    /// Everything that waits.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.values()
    }

    /// A proposal that waits.
    #[must_use]
    pub fn proposal(&self, id: ProposalId) -> Option<&Waiting> {
        self.waiting.get(&id)
    }

    /// The classes and months in use that were not destroyed yet.
    pub fn months_left(&self) -> impl Iterator<Item = ClassMonth> {
        self.in_use
            .iter()
            .filter(|month| !self.months.contains_key(month))
            .copied()
    }

    /// The classes and months that were destroyed.
    pub fn months_over(&self) -> impl Iterator<Item = ClassMonth> {
        self.months.keys().copied()
    }

    /// Every slot whose key was destroyed.
    pub fn slots(&self) -> impl Iterator<Item = SlotId> {
        self.done().flat_map(|done| &done.erased.slots).copied()
    }

    /// The first erasure that covers an entry: for everybody, or for one of these controllers. `due` is the
    /// class and month that its leaf names.
    #[must_use]
    pub fn covering(
        &self,
        entry: EntryIndex,
        due: Option<ClassMonth>,
        of: impl Fn(&PartyId) -> bool,
    ) -> Option<&Done> {
        let by_month = due.and_then(|due| self.months.get(&due));
        let by_month = by_month.and_then(|by| self.done.get(by));
        by_month.or_else(|| {
            self.done().find(|done| {
                let concerned = done.erased.controller.as_ref().is_none_or(&of);
                concerned && done.erased.covers.holds(entry, due)
            })
        })
    }
}
