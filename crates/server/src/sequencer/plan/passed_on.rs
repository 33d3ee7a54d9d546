//! Plans for what is passed on for a person: withdrawals, restrictions and objections.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::Condition,
    consent::ConsentState,
    decide::Reason,
    event::{ConsentEnded, Event},
    id::{PartyId, RestrictionId, SubjectId},
    notice::Notice,
    party::Peer,
    person::{Identifier, SubjectRef},
    restriction::{self, RestrictionKind},
    withdrawal::{self, Withdrawal},
};

use super::{Plan, Planner, Result, Retention, Subject, Told};
use crate::call::{Call, CallError, Outcome, Request};

/// How many people one number of criminal justice counts for: who is meant by it, and three more who may be.
const MOST_MEANT: usize = 4;

/// A restriction or an objection that is recorded.
struct Restricting<'c> {
    id: RestrictionId,
    kind: RestrictionKind,
    controller: Option<&'c PartyId>,
    conditions: &'c BTreeSet<Condition>,
}

/// For whom something is passed on.
#[derive(Clone, Copy)]
struct Meant {
    subject: Option<SubjectId>,
    /// Whether nothing but the word of others leads to them. Then what the caller takes part in itself is left alone:
    /// by what comes of it there it would see what others said.
    by_others: bool,
}

impl Meant {
    const fn by_itself(subject: Option<SubjectId>) -> Self {
        Self {
            subject,
            by_others: false,
        }
    }

    const fn by_others(subject: SubjectId) -> Self {
        Self {
            subject: Some(subject),
            by_others: true,
        }
    }
}

impl Planner<'_> {
    /// What is passed on counts for everybody who may be meant, each in an entry of its own. How many entries that
    /// takes depends on how the person was named alone, and the answer goes with whom the caller means.
    pub(super) fn pass_on(&mut self, request: &Request, subject: &SubjectRef) -> Result<Vec<Plan>> {
        let drawn = RestrictionId::draw(self.random);
        let mut plans = Vec::new();
        for meant in self.passed_on_for(subject, &request.peer) {
            plans.push(self.pass_on_for(request, meant, drawn)?);
        }
        if let Some((_, others)) = plans.split_last_mut() {
            for plan in others {
                plan.told = Told::Nobody;
            }
        }
        Ok(plans)
    }

    /// For whom a caller passes something on, whom it means last; nobody in a place that is not needed.
    ///
    /// A criminal justice number counts for whom the caller ever said it means, and for whom everybody means. Others
    /// may say that it is somebody's with a citizen service number: for a caller that may use none of those, and so
    /// cannot compare the two, what it passes on must reach those people all the same. One that may says itself whose
    /// the number is.
    fn passed_on_for(&self, subject: &SubjectRef, caller: &Peer) -> Vec<Meant> {
        let meant = self.world.subject_of(subject, &caller.principal);
        let SubjectRef::Skn(skn) = subject else {
            return vec![Meant::by_itself(meant)];
        };
        let number = Identifier::Skn(skn.clone());
        let own = self.world.subjects_said(&number, Some(&caller.principal));
        let known = self.world.subject_known_by(&number);
        let others = if caller.roles.iter().any(|role| role.may_use_bsn()) {
            Vec::new()
        } else {
            self.world.subjects_said(&number, None)
        };
        let by_itself = meant.into_iter().chain(own.into_iter().rev());
        let by_others = known.into_iter().chain(others);
        let mut places: Vec<Meant> = Vec::with_capacity(MOST_MEANT);
        for meant in by_itself
            .map(|subject| Meant::by_itself(Some(subject)))
            .chain(by_others.map(Meant::by_others))
        {
            let fresh = places.iter().all(|place| place.subject != meant.subject);
            if places.len() < MOST_MEANT && fresh {
                places.push(meant);
            }
        }
        places.resize(MOST_MEANT, Meant::by_itself(None));
        places.reverse();
        places
    }

    fn pass_on_for(
        &mut self,
        request: &Request,
        meant: Meant,
        drawn: RestrictionId,
    ) -> Result<Plan> {
        match &request.call {
            Call::WithdrawConsent {
                subject,
                conditions,
                recipient,
            } => self.withdraw(request, meant, subject, (conditions, recipient.as_ref())),
            Call::RecordRestriction {
                kind,
                controller,
                conditions,
                ..
            } => {
                let event = Restricting {
                    id: drawn,
                    kind: *kind,
                    controller: controller.as_ref(),
                    conditions,
                };
                self.restrict(request, meant, &event)
            }
            Call::LiftRestriction { restriction, .. } => {
                self.lift(request, meant.subject, *restriction)
            }
            _ => Err(Reason::RecordUnknown.into()),
        }
    }

    /// Never refused for what is recorded: a person nobody knows, or with nothing to withdraw, gets the same answer. A
    /// recipient that was never registered is a typing error, by which nothing would end.
    fn withdraw(
        &mut self,
        request: &Request,
        meant: Meant,
        subject: &SubjectRef,
        (conditions, recipient): (&BTreeSet<Condition>, Option<&PartyId>),
    ) -> Result<Plan> {
        if let Some(named) = recipient {
            CallError::check_party(&self.registry(), "recipient_party_id", named)?;
        }
        let caller = &request.peer.principal;
        let withdrawal = match meant.subject {
            None => Withdrawal::default(),
            Some(id) => {
                let dossier = self.dossier(id)?;
                let scope = withdrawal::Scope {
                    conditions,
                    recipient,
                    leaves: meant.by_others.then_some(caller),
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
        Ok(ended(meant.subject, event, &notices, Outcome::Done))
    }

    fn restrict(
        &mut self,
        request: &Request,
        meant: Meant,
        restricting: &Restricting<'_>,
    ) -> Result<Plan> {
        let Restricting {
            id,
            kind,
            controller,
            conditions,
        } = *restricting;
        if let Some(id) = controller {
            self.registered(id, "controller_party_id")?;
        }
        let caller = &request.peer.principal;
        let (notices, deciding) = match meant.subject {
            None => (Vec::new(), BTreeSet::new()),
            Some(id) => {
                let dossier = self.dossier(id)?;
                let notices = restriction::notices(
                    &dossier,
                    (controller, conditions),
                    (caller, meant.by_others),
                    self.now,
                    self.random,
                );
                (
                    notices,
                    restriction::must_decide(&dossier, controller, self.now),
                )
            }
        };
        let event = Event::Restricted {
            restriction: id,
            kind,
            controller: controller.cloned(),
            conditions: conditions.clone(),
            between_others: meant.by_others,
            notices: notices.clone(),
        };
        let mut plan = ended(meant.subject, event, &notices, Outcome::Restricted(id));
        plan.kind = EntryType::Restriction;
        plan.controllers.extend(deciding);
        Ok(plan)
    }

    /// Lifted whole by the party that recorded it, and by a privacy officer for the own controller alone.
    ///
    /// Answered the same for a restriction that is not there: one may be recorded for anybody, and whether it can
    /// be lifted again must not tell whether the person is known.
    fn lift(
        &mut self,
        request: &Request,
        known: Option<SubjectId>,
        id: RestrictionId,
    ) -> Result<Plan> {
        let caller = &request.peer.principal;
        let dossier = known.map(|id| self.dossier(id)).transpose()?;
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
