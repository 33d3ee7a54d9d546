//! Plans for looking into the trail: an entry like every other.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::{
    decide::{Denial, Reason},
    event::{Asked, Denied, Details, Event, LookedUp, Naming},
    id::{EntryIndex, PartyId, Reference},
    person::SubjectRef,
};

use super::{Plan, Planner, Retention, Subject, Told};
use crate::call::{LookUp, Outcome, Request};

impl Planner<'_> {
    pub(super) fn look_up(&mut self, request: &Request, look_up: &LookUp) -> Plan {
        let (subject, named) = self.looked_at(request, look_up);
        let controllers = self.officer_for(&request.peer.principal);
        let (event, outcome) = if look_up.denied {
            let reference = Reference::draw(self.random);
            let asked = Asked::Call {
                method: request.method.to_owned(),
                subject: named,
            };
            let findings = Denial::of(Reason::RecordUnknown).into_findings();
            let event = Event::Denied(Denied {
                asked,
                findings,
                reference,
            });
            (event, Outcome::NotDisclosed(reference))
        } else {
            let event = Event::LookedUp(LookedUp {
                method: request.method.to_owned(),
                purpose: look_up.purpose.clone(),
                subject: named,
                entry: look_up.entry,
                question: look_up.question.clone(),
                results: look_up.results,
            });
            (event, Outcome::Done)
        };
        Plan {
            kind: EntryType::LookUp,
            subject,
            retention: Retention::Standard,
            controllers,
            purpose: None,
            event,
            told: Told::Plain(outcome),
        }
    }

    /// Whom a look concerns, and by what that person is named: whom it names itself, or the person of the entry it
    /// looks at, so that the person can be told who looked. An entry that the controller may not open, or of a
    /// person whom it has erased, is about nobody to it.
    fn looked_at(&mut self, request: &Request, look_up: &LookUp) -> (Subject, Option<SubjectRef>) {
        let caller = &request.peer.principal;
        if let Some(named) = &look_up.subject {
            return (self.whom(Some(named), caller), Some(named.clone()));
        }
        let of = self.officer_for(caller);
        let Some(details) = self.open_to(&of, look_up.entry) else {
            return (Subject::Unknown, None);
        };
        let named = details.named().filter(Naming::is_shared);
        let about = details.subject.and_then(|id| self.dossier(id).ok());
        // What an entry says may outlive every record.
        let shown = of.iter().any(|party| details.says_more_to(party));
        match about.filter(|dossier| shown || self.concerns(dossier, caller)) {
            Some(dossier) => (Subject::Known(dossier.subject), None),
            None => (Subject::Unknown, named.map(|named| named.subject())),
        }
    }

    /// The details of an entry, when they can be read for one of these.
    fn open_to(&self, of: &BTreeSet<PartyId>, entry: Option<EntryIndex>) -> Option<Details> {
        let entry = self.trail.entry(entry?.0).ok()??;
        let details = entry.details?;
        (!details.controllers.is_disjoint(of)).then_some(details)
    }
}
