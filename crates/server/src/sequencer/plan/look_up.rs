//! Plans for looking into the trail: an entry like every other.

use schakel_audit::leaf::EntryType;
use schakel_core::{
    decide::{Denial, Reason},
    event::{Asked, Denied, Event, LookedUp},
    id::Reference,
};

use super::{Plan, Planner, Retention, Subject, Told};
use crate::call::{LookUp, Outcome, Request};

impl Planner<'_> {
    pub(super) fn look_up(&mut self, request: &Request, look_up: &LookUp) -> Plan {
        let subject = self.looked_at(request, look_up);
        let controllers = self.officer_for(&request.peer.principal);
        let (event, outcome) = if look_up.denied {
            let reference = Reference::draw(self.random);
            let asked = Asked::Call {
                method: request.method.to_owned(),
                subject: look_up.subject.clone(),
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
                subject: look_up.subject.clone(),
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

    /// Whom a look concerns: the person it names, or the person of the entry it looks at, so that the
    /// person can be told who looked. To an officer of whom the entry is none of the business, or whose controller has
    /// erased the person, it is about nobody: whom a look is about would tell whom the entry is about.
    fn looked_at(&self, request: &Request, look_up: &LookUp) -> Subject {
        let named = look_up
            .subject
            .as_ref()
            .and_then(|subject| self.world.subject_of(subject, &request.peer.principal));
        let of_entry = || {
            let entry = self.trail.entry(look_up.entry?.0).ok()??;
            let of = self.officer_for(&request.peer.principal);
            let details = entry.details?;
            let concerned = of.is_empty() || !of.is_disjoint(&details.controllers);
            details.subject.filter(|_| concerned)
        };
        named
            .or_else(of_entry)
            .map_or(Subject::Unknown, Subject::Known)
    }
}
