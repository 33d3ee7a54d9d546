//! The plan of a denial: an entry like every other.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::Condition,
    decide::{Denial, Finding, Reason},
    event::{Asked, Denied, Event},
    id::{PurposeCode, Reference},
};

use super::{Plan, Planner, Retention, Subject, Told, subject_ref};
use crate::call::{Call, Outcome, Request};

impl Planner<'_> {
    /// The plan that records a denial and tells the caller nothing but a reference.
    pub(super) fn denied(&mut self, request: &Request, findings: Vec<Finding>) -> Plan {
        let (subject, asked, kind, purpose) = self.denied_what(request);
        let findings = match (&asked, subject) {
            // About somebody known elsewhere it says what it would say about nobody.
            (
                Asked::Call {
                    subject: Some(_), ..
                },
                Subject::Unknown,
            ) => Denial::of(Reason::SubjectUnknown).into_findings(),
            _ => findings,
        };
        let care =
            matches!(&request.call, Call::Ask(ask) if ask.conditions.contains(&Condition::Care));
        let reference = Reference::draw(self.random);
        let told = match &request.call {
            // The answer to a redemption or a withdrawal is the same whatever came of it.
            Call::Redeem { .. } | Call::Acknowledge { .. } => Told::Plain(Outcome::Done),
            _ => Told::Plain(Outcome::NotDisclosed(reference)),
        };
        Plan {
            kind,
            subject,
            retention: match &request.call {
                Call::Acknowledge { .. } => Retention::Notice,
                _ if care => Retention::Care,
                _ => Retention::Standard,
            },
            controllers: BTreeSet::new(),
            purpose,
            event: Event::Denied(Denied {
                asked,
                findings,
                reference,
            }),
            told,
        }
    }

    fn denied_what(
        &mut self,
        request: &Request,
    ) -> (Subject, Asked, EntryType, Option<(PurposeCode, u32)>) {
        let named = subject_ref(&request.call);
        let subject = self.whom(named.as_ref(), &request.peer.principal);
        match &request.call {
            Call::Ask(ask) => {
                let registry = self.registry();
                let version = registry.purpose(&ask.purpose, ask.version, self.now);
                let purpose = version.map(|found| (ask.purpose.clone(), found.version.version));
                (
                    subject,
                    Asked::Disclosure(ask.clone()),
                    EntryType::Denial,
                    purpose,
                )
            }
            call => {
                let kind = match call {
                    Call::Redeem { .. } => EntryType::Introduction,
                    Call::Acknowledge { .. } => EntryType::Acknowledgement,
                    _ => EntryType::Denial,
                };
                let asked = Asked::Call {
                    method: request.method.to_owned(),
                    subject: named,
                };
                (subject, asked, kind, None)
            }
        }
    }
}
