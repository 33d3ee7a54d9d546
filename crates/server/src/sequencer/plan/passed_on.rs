//! Plans for what is passed on for a person: withdrawals, restrictions and objections.

use std::{collections::BTreeSet, sync::Arc};

use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::Condition,
    consent::ConsentState,
    dossier::Dossier,
    event::{ConsentEnded, Event},
    id::{PartyId, RestrictionId, SubjectId},
    notice::Notice,
    person::SubjectRef,
    restriction::{self, RestrictionKind},
    withdrawal::{self, Withdrawal},
};

use super::{Plan, Planner, Result, Retention, Subject, Told};
use crate::call::{Outcome, Request};

impl Planner<'_> {
    /// The person for whom a caller passes on a withdrawal or an objection.
    fn passed_on_for(&self, subject: &SubjectRef, caller: &PartyId) -> Option<SubjectId> {
        let may_be_meant = self.world.subjects_passed_on_for(subject, caller);
        may_be_meant.into_iter().next()
    }

    /// The records in which a restriction stands that a caller means to lift: what a number means may have become
    /// another since it was recorded.
    fn restricted_by(
        &mut self,
        subject: &SubjectRef,
        caller: &PartyId,
        id: RestrictionId,
    ) -> Result<Option<Arc<Dossier>>> {
        for meant in self.world.subjects_passed_on_for(subject, caller) {
            let dossier = self.dossier(meant)?;
            if dossier.restrictions.contains_key(&id) {
                return Ok(Some(dossier));
            }
        }
        Ok(None)
    }

    /// Never refused: a person nobody knows, or with nothing to withdraw, gets the same answer.
    pub(super) fn withdraw(
        &mut self,
        request: &Request,
        subject: &SubjectRef,
        conditions: &BTreeSet<Condition>,
        recipient: Option<&PartyId>,
    ) -> Result<Plan> {
        let caller = &request.peer.principal;
        let known = self.passed_on_for(subject, caller);
        let withdrawal = match known {
            None => Withdrawal::default(),
            Some(id) => {
                let dossier = self.dossier(id)?;
                let scope = withdrawal::Scope {
                    conditions,
                    recipient,
                };
                withdrawal::plan(&dossier, &scope, caller, self.now, self.random)
            }
        };
        let notices = withdrawal.notices;
        let event = Event::ConsentEnded(ConsentEnded {
            state: ConsentState::Withdrawn,
            subject: subject.clone(),
            conditions: conditions.clone(),
            recipient: recipient.cloned(),
            consents: withdrawal.consents,
            narrowed: withdrawal.narrowed,
            notices: notices.clone(),
        });
        Ok(ended(known, event, &notices, Outcome::Done))
    }

    pub(super) fn restrict(
        &mut self,
        request: &Request,
        subject: &SubjectRef,
        kind: RestrictionKind,
        controller: Option<&PartyId>,
        conditions: &BTreeSet<Condition>,
    ) -> Result<Plan> {
        if let Some(id) = controller {
            self.registered(id, "controller_party_id")?;
        }
        let caller = &request.peer.principal;
        let known = self.passed_on_for(subject, caller);
        let (notices, deciding) = match known {
            None => (Vec::new(), BTreeSet::new()),
            Some(id) => {
                let dossier = self.dossier(id)?;
                let notices = restriction::notices(
                    &dossier,
                    controller,
                    conditions,
                    caller,
                    self.now,
                    self.random,
                );
                (
                    notices,
                    restriction::must_decide(&dossier, controller, self.now),
                )
            }
        };
        let id = RestrictionId::draw(self.random);
        let event = Event::Restricted {
            restriction: id,
            kind,
            controller: controller.cloned(),
            conditions: conditions.clone(),
            notices: notices.clone(),
        };
        let mut plan = ended(known, event, &notices, Outcome::Restricted(id));
        plan.kind = EntryType::Restriction;
        plan.controllers.extend(deciding);
        Ok(plan)
    }

    /// Lifted whole by the party that recorded it, and by a privacy officer for the own controller alone.
    ///
    /// Answered the same for a restriction that is not there: one may be recorded for anybody, and whether it can
    /// be lifted again must not tell whether the person is known.
    pub(super) fn lift(
        &mut self,
        request: &Request,
        subject: &SubjectRef,
        id: RestrictionId,
    ) -> Result<Plan> {
        let caller = &request.peer.principal;
        let dossier = self.restricted_by(subject, caller, id)?;
        let found = dossier
            .as_ref()
            .and_then(|dossier| dossier.restrictions.get(&id));
        let own = found.is_some_and(|found| found.recorded_by == *caller);
        let controllers = self.officer_for(caller);
        let controller = controllers.first().filter(|_| !own).cloned();
        let concerned = |controller| {
            let dossier = dossier.as_ref();
            dossier.is_some_and(|dossier| dossier.concerns(controller))
        };
        let lifts = found.is_some_and(|found| match &controller {
            Some(controller) => found.is_open_to(controller, concerned(controller)),
            None => own && found.lifted_at.is_none(),
        });
        let lifted = dossier.filter(|_| lifts).map(|dossier| dossier.subject);
        let event = Event::RestrictionLifted {
            restriction: id,
            controller,
        };
        let mut plan = ended(lifted, event, &[], Outcome::Done);
        plan.kind = EntryType::Restriction;
        plan.controllers = controllers;
        Ok(plan)
    }
}

/// A plan that looks the same for a person nobody knows.
fn ended(known: Option<SubjectId>, event: Event, notices: &[Notice], outcome: Outcome) -> Plan {
    Plan {
        kind: EntryType::Consent,
        subject: known.map_or(Subject::Unknown, Subject::Known),
        retention: Retention::Consent,
        controllers: notices
            .iter()
            .map(|notice| notice.recipient.clone())
            .collect(),
        purpose: None,
        event,
        told: Told::Plain(outcome),
    }
}
