//! Carrying out erasures: what an entry says is destroyed is destroyed before anybody is told.
//!
//! 1. the entry is durable;
//! 2. the keys are unusable, then off the disk, and with them the key of the view's generation;
//! 3. the records of the person are made again from what can still be read;
//! 4. answers go.
//!
//! A crash between any two of them leaves the entry, from which a start goes on.

use std::collections::BTreeSet;

use schakel_core::{
    dossier::Dossier,
    erasure::{ClassMonth, Covers, Erased, Rule},
    event::{Event, SlotUse},
    id::{EntryIndex, SlotId, SubjectId},
    time::Timestamp,
};
use schakel_store::{keyring::Doomed, seal};

use super::{
    kept::month,
    own,
    plan::{Plan, Planner, erasing, parts},
    room::Fitting,
    take::not_composed,
    waiting::Rounds,
    writer::{Batch, Writer, WriterError},
};
use crate::call::{Call, CallError, Request};

/// People looked at in one go: as many as keep others waiting for some hundredths of a second.
const AT_ONCE: usize = 64;

/// Records whose keys one entry says are destroyed: with its ranges they fit. What is left waits for the next round.
const SLOTS_AT_ONCE: usize = 1_024;

/// What the writer keeps of its upkeep.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    /// The last person that was looked at in the round that is under way.
    after: Option<SubjectId>,
    /// When the round began, and the erasure since which it makes records again.
    round: Option<(Timestamp, Option<EntryIndex>)>,
    under_way: bool,
    /// Whether somebody was passed over in it, so that it has to be gone again.
    passed_over: bool,
    /// Whether a failure to change the key-encryption key was told.
    told: bool,
    /// The rounds over the inboxes.
    pub(super) rounds: Rounds,
}

/// A person whose records are made again with an erasure, from the entries about them.
#[derive(Debug)]
pub(super) struct Erasing {
    subject: SubjectId,
    entries: Vec<EntryIndex>,
}

impl Writer {
    /// Whose records a call makes again if it comes to an erasure, looked at before anything is destroyed.
    ///
    /// # Errors
    /// When the person's records or entries cannot be read: then nothing may be erased.
    pub(super) fn whom_it_erases(
        &mut self,
        request: &Request,
        now: Timestamp,
    ) -> Result<Option<Erasing>, CallError> {
        let Call::ApproveErasure { proposal, .. } = &request.call else {
            return Ok(None);
        };
        let Some(subject) = self.planner(now).erased_person(*proposal) else {
            return Ok(None);
        };
        self.erasing(subject).map(Some)
    }

    fn erasing(&mut self, subject: SubjectId) -> Result<Erasing, CallError> {
        let dossier = self.world.dossier(subject).map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a record cannot be read: nothing is erased"
            );
            CallError::AuditUnavailable
        })?;
        self.erasing_of(&dossier)
    }

    fn erasing_of(&self, dossier: &Dossier) -> Result<Erasing, CallError> {
        let about = self.shared.trail.about(dossier).map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the entries about somebody cannot be found: nothing of theirs is erased"
            );
            CallError::AuditUnavailable
        })?;
        Ok(Erasing {
            subject: dossier.subject,
            entries: about.into_iter().collect(),
        })
    }

    /// Destroys what the erasures of a batch that is durable say.
    pub(super) fn carry_out(&mut self, erasing: Option<Erasing>) -> Result<(), WriterError> {
        let erasures = self.world.erasures();
        self.shared.keyring.destroy(&Doomed::by(&erasures))?;
        self.shared.trail.show_erasures(erasures);
        if let Some(erasing) = erasing {
            self.make_again(&erasing)?;
        }
        Ok(())
    }

    fn make_again(&mut self, erasing: &Erasing) -> Result<(), WriterError> {
        let mut read = Vec::with_capacity(erasing.entries.len());
        for index in &erasing.entries {
            let found = self.shared.trail.entry(index.0);
            let found = found.map_err(|_| WriterError::Unreadable(*index))?;
            read.extend(found.map(|entry| (*index, entry)));
        }
        Ok(self.world.make_again(erasing.subject, &read)?)
    }

    /// Destroys what is due at the log's time. Whether there is more to do at once.
    pub(super) fn look_what_is_due(&mut self, now: Timestamp) -> Result<bool, WriterError> {
        if !self.time.may_destroy() {
            return Ok(false);
        }
        self.destroy_months(now)?;
        if self.kept.full.is_none() {
            self.rotate_when_due(now)?;
        }
        if self.kept.full.is_some() {
            return Ok(false);
        }
        self.go_round(now)
    }

    /// Destroys the classes and months that are over, each by an entry of its own.
    fn destroy_months(&mut self, now: Timestamp) -> Result<(), WriterError> {
        let Ok(this) = month(now) else {
            return Ok(());
        };
        let is_over = |due: &ClassMonth| due.month <= this.number();
        let due: Vec<_> = self
            .world
            .erasures()
            .months_left()
            .filter(is_over)
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        let plans = due.into_iter().map(|due| {
            erasing(Erased {
                rule: Rule::retention_over(),
                covers: Covers::Month(due),
                controller: None,
                slots: Vec::new(),
                proposal: None,
            })
        });
        self.record_own(plans.collect(), None, now)
    }

    /// Looks at the next people: at what of theirs is over, and makes their records again when a month was
    /// destroyed since. Whether more of them wait.
    fn go_round(&mut self, now: Timestamp) -> Result<bool, WriterError> {
        let unswept = self.world.erasures().unswept();
        if !self.upkeep.under_way {
            let begun_lately = |(begun, of): &(Timestamp, Option<EntryIndex>)| {
                now < begun.plus_days(1) && (unswept.is_none() || *of == unswept)
            };
            if self.upkeep.round.as_ref().is_some_and(begun_lately) {
                return Ok(false);
            }
            self.upkeep.round = Some((now, unswept));
            self.upkeep.after = None;
            self.upkeep.under_way = true;
            self.upkeep.passed_over = false;
        }
        let people = self.world.persons_after(self.upkeep.after, AT_ONCE)?;
        for subject in &people {
            self.look_at(*subject, now)?;
            if self.kept.full.is_some() {
                // Looked at again once there is room.
                return Ok(false);
            }
        }
        self.upkeep.after = people.last().copied();
        if people.len() == AT_ONCE {
            return Ok(true);
        }
        self.upkeep.under_way = false;
        if self.upkeep.passed_over {
            // Begun again at the next look: whoever was passed over still shows what was erased.
            self.upkeep.round = None;
            return Ok(false);
        }
        if let Some((_, Some(erasure))) = self.upkeep.round {
            self.world.sweep(erasure);
            self.world.flush(self.log.size())?;
            self.shared.trail.show_erasures(self.world.erasures());
        }
        Ok(false)
    }

    fn look_at(&mut self, subject: SubjectId, now: Timestamp) -> Result<(), WriterError> {
        let dossier = self.world.dossier(subject)?;
        let over = self.records_over(&dossier, now);
        if over.is_empty() {
            if matches!(self.upkeep.round, Some((_, Some(_)))) {
                let Ok(again) = self.erasing_of(&dossier) else {
                    self.upkeep.passed_over = true;
                    return Ok(());
                };
                drop(dossier);
                self.make_again(&again)?;
                self.world.flush(self.log.size())?;
            }
            return Ok(());
        }
        let sealed = self.planner(now).sealed_with(&dossier, |sealed| {
            seal::record(sealed).is_some_and(|slot| over.contains(&slot))
        });
        let (Ok(entries), Ok(again)) = (sealed, self.erasing_of(&dossier)) else {
            self.upkeep.passed_over = true;
            return Ok(());
        };
        drop(dossier);
        let slots: Vec<SlotId> = over.into_iter().collect();
        let plans = parts(&entries).map(|covers| {
            erasing(Erased {
                rule: Rule::record_over(),
                covers,
                controller: None,
                slots: slots.clone(),
                proposal: None,
            })
        });
        self.record_own(plans.collect(), Some(again), now)
    }

    /// The keys of the open-ended records whose time is over.
    fn records_over(&self, dossier: &Dossier, now: Timestamp) -> BTreeSet<SlotId> {
        let is_over = |usage: &SlotUse| match usage {
            SlotUse::Controller(_) => false,
            SlotUse::Case(id) => dossier.cases.get(id).is_none_or(|case| {
                let ends = case.closed_at.map(|at| at.plus_days(self.terms.case_days));
                ends.is_some_and(|ends| ends <= now)
            }),
            SlotUse::Consent(id) => dossier.consents.get(id).is_none_or(|consent| {
                let ended = consent.ended_at(now);
                ended.is_some_and(|ended| ended.month_after(self.terms.consent_months) <= now)
            }),
        };
        let over = dossier.slots.iter().filter(|(usage, _)| is_over(usage));
        over.map(|(_, slot)| *slot).take(SLOTS_AT_ONCE).collect()
    }

    /// Changes the key-encryption key when something was erased since it was last changed, and long enough ago.
    fn rotate_when_due(&mut self, now: Timestamp) -> Result<(), WriterError> {
        let after = u64::try_from(self.terms.rotate_kek_after.as_millis()).unwrap_or(u64::MAX);
        let erasures = self.world.erasures();
        let is_due = erasures
            .unrotated()
            .is_some_and(|done| done.at.plus_millis(after) <= now);
        if !is_due {
            return Ok(());
        }
        let entries = self.own_acts(vec![own::plan(Event::KekRotated)], now)?;
        if let Some(entries) = entries
            && self.rotated()
        {
            self.record_acts(entries, None, now)?;
        }
        Ok(())
    }

    /// Changes the key-encryption key. Whether that could be done; why not is told once.
    pub(super) fn rotated(&mut self) -> bool {
        match self.shared.keyring.rotate_kek(&self.kek) {
            Ok(()) => {
                self.upkeep.told = false;
                true
            }
            Err(error) => {
                if !std::mem::replace(&mut self.upkeep.told, true) {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the key-encryption key cannot be changed: what was erased is still in backups under it"
                    );
                }
                false
            }
        }
    }

    /// Records the broker's own acts, as a batch to themselves, if there is room for them.
    fn record_own(
        &mut self,
        plans: Vec<Plan>,
        erasing: Option<Erasing>,
        now: Timestamp,
    ) -> Result<(), WriterError> {
        match self.own_acts(plans, now)? {
            Some(entries) => self.record_acts(entries, erasing, now),
            None => Ok(()),
        }
    }

    /// The entries of the broker's own acts; `None` when they cannot be recorded now.
    fn own_acts(
        &mut self,
        plans: Vec<Plan>,
        now: Timestamp,
    ) -> Result<Option<Fitting>, WriterError> {
        match self.compose_all(None, plans, now)? {
            Ok(entries) => Ok(self.fitting(&Batch::default(), entries)?.ok()),
            Err(error) => {
                not_composed(&error);
                Ok(None)
            }
        }
    }

    fn record_acts(
        &mut self,
        entries: Fitting,
        erasing: Option<Erasing>,
        now: Timestamp,
    ) -> Result<(), WriterError> {
        let mut batch = Batch {
            erasing,
            ..Batch::default()
        };
        self.apply_all(&mut batch, entries, now)?;
        self.commit(batch)
    }

    pub(super) fn planner(&mut self, now: Timestamp) -> Planner<'_> {
        Planner {
            world: &mut self.world,
            trail: &self.shared.trail,
            handovers: &self.shared.handovers,
            random: self.random.as_mut(),
            terms: &self.terms,
            now,
        }
    }
}
