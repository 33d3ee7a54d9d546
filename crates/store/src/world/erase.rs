//! The state after an erasure: made again from what can still be read.
//!
//! Replaying an unreadable entry equals applying it and then erasing it, because both end here: the records
//! of a person are what the entries that can still be read say, in the order of the log.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use schakel_audit::leaf::Leaf;
use schakel_core::{
    dossier::{Dossier, RowKey},
    erasure::{ClassMonth, Covers, Done, ErasureKey, Erasures, Waiting},
    event::{Details, Event},
    id::{EntryIndex, SubjectId},
    time::Timestamp,
};

use super::{Changed, World, WorldError, post};
use crate::entry::Entry;

/// Days for which a proposal waits: this broker's own term.
pub const PROPOSAL_DAYS: u32 = 30;

impl World {
    /// What was erased, and what waits to be.
    #[must_use]
    pub fn erasures(&self) -> Arc<Erasures> {
        Arc::clone(&self.erasures)
    }

    /// The next persons of whom something is held, after one of them.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn persons_after(
        &self,
        after: Option<SubjectId>,
        most: usize,
    ) -> Result<Vec<SubjectId>, WorldError> {
        Ok(self.view.persons_after(after, most)?)
    }

    /// Makes everything held about a person again from the entries about them, as far as those can still be
    /// read. They are all there are, in the order of the log.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn make_again(
        &mut self,
        subject: SubjectId,
        entries: &[(EntryIndex, Entry)],
    ) -> Result<(), WorldError> {
        let mut dossier = Dossier::new(subject);
        let mut inboxes = post::Inboxes::new();
        let mut gone = BTreeSet::new();
        for (index, entry) in entries {
            let about = |details: &&Details| details.subject == Some(subject);
            let details = entry.details.as_ref().filter(about);
            let (Some(details), Ok(at)) = (details, Timestamp::from_millis(entry.leaf.at_ms))
            else {
                gone.insert(*index);
                continue;
            };
            if entry.actor_is_erased() {
                gone.insert(*index);
                dossier.apply_remains(details, *index, at);
            } else {
                dossier.apply(details, *index, at);
            }
            post::apply(&mut inboxes, details, *index, &entry.erased);
        }
        self.writes.forget_of(&gone);
        self.replace_messages(subject, inboxes);
        self.replace_dossier(dossier)
    }

    /// Notes that the records of everybody were made again since an erasure.
    pub fn sweep(&mut self, entry: EntryIndex) {
        let swept = Arc::make_mut(&mut self.erasures).sweep(entry);
        self.pending.erasures.insert(swept);
    }

    fn replace_dossier(&mut self, dossier: Dossier) -> Result<(), WorldError> {
        let subject = dossier.subject;
        let before = self.dossier(subject)?;
        let changed = |key: &RowKey| before.row(key) != dossier.row(key);
        let keys = before.keys().into_iter().chain(dossier.keys());
        let mut rows: BTreeSet<RowKey> = keys.filter(changed).collect();
        if let Some(pending) = self.pending.dossiers.remove(&subject) {
            rows.extend(pending.rows);
        }
        self.dossiers.pop(&subject);
        self.people.forget(&before);
        for (by, since) in &dossier.identifiers {
            self.people.know(by, subject, *since);
        }
        for case in dossier.cases.values() {
            self.people.open_case(case, subject);
        }
        for code in dossier.introductions.keys() {
            self.people.introduce(*code, subject);
        }
        let dossier = Arc::new(dossier);
        self.pending
            .dossiers
            .insert(subject, Changed { dossier, rows });
        Ok(())
    }

    fn replace_messages(&mut self, subject: SubjectId, remaining: post::Inboxes) {
        for (party, inbox) in &mut self.inboxes {
            let dropped = inbox.drop_about(subject);
            let rows = dropped.into_iter().map(|key| (party.clone(), key));
            self.pending.inboxes.extend(rows);
        }
        for (party, messages) in remaining {
            let inbox = self.inboxes.entry(party.clone()).or_default();
            for (key, row) in messages.messages() {
                inbox.restore(row);
                self.pending.inboxes.insert((party.clone(), key));
            }
        }
    }

    /// What an entry says about erasures, and for how long it is kept itself.
    pub(super) fn apply_to_erasures(
        &mut self,
        details: &Details,
        leaf: &Leaf,
        entry: EntryIndex,
        at: Timestamp,
    ) {
        self.use_month(leaf);
        let erasures = &mut self.erasures;
        let touched: Vec<ErasureKey> = match &details.event {
            Event::Erased(erased) => {
                let erasures = Arc::make_mut(erasures);
                let mut touched = vec![erasures.carry_out(Done {
                    entry,
                    at,
                    erased: erased.clone(),
                })];
                if matches!(erased.covers, Covers::Month(_)) {
                    touched.extend(lapse(erasures, at));
                }
                touched
            }
            Event::ErasureProposed(proposal) => {
                let waiting = Waiting {
                    proposal: proposal.clone(),
                    subject: details.subject,
                };
                vec![Arc::make_mut(erasures).propose(waiting)]
            }
            Event::KekRotated => vec![Arc::make_mut(erasures).rotate(entry)],
            Event::ErasureApproved { proposal, .. } | Event::ErasureRejected { proposal } => {
                vec![Arc::make_mut(erasures).settle(*proposal)]
            }
            _ => Vec::new(),
        };
        self.pending.erasures.extend(touched);
    }

    /// Notes the class and month in which the details of an entry are to be destroyed.
    pub(super) fn use_month(&mut self, leaf: &Leaf) {
        let Some(due) = due(leaf).filter(|due| !self.erasures.uses(*due)) else {
            return;
        };
        let used = Arc::make_mut(&mut self.erasures).use_month(due);
        self.pending.erasures.extend(used);
    }
}

/// Drops what was proposed so long ago that nobody may approve it any more.
fn lapse(erasures: &mut Erasures, at: Timestamp) -> Vec<ErasureKey> {
    let lapsed: BTreeMap<_, _> = erasures
        .waiting()
        .map(|waiting| (waiting.proposal.id, waiting.proposal.proposed_at))
        .filter(|(_, proposed)| proposed.plus_days(PROPOSAL_DAYS) <= at)
        .collect();
    lapsed.into_keys().map(|id| erasures.settle(id)).collect()
}

/// The class and month in which the details of an entry are destroyed, where its leaf names them.
#[must_use]
pub fn due(leaf: &Leaf) -> Option<ClassMonth> {
    leaf.destroy.map(|month| ClassMonth {
        class: leaf.class.number(),
        month: month.number(),
    })
}
