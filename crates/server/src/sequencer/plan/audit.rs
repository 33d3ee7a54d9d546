//! Plans for what officers, auditors and controllers do with the trail beside looking into it.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::{
    decide::Reason,
    event::{Event, SearchDecided, SearchProposed, Withheld},
    id::{PartyId, Reference},
    person::SubjectRef,
};

use super::{Plan, Planner, Result, Retention, Subject, Told, invalid};
use crate::call::{Call, Outcome, Request};

/// For how many days entries are withheld at most: a longer interest is weighed again.
const LONGEST_WITHHOLDING_DAYS: u32 = 366;

impl Planner<'_> {
    pub(super) fn plan_audit(&mut self, request: &Request, call: &Call) -> Result<Plan> {
        match call {
            Call::Withhold { subject, withheld } => self.withhold(request, subject, withheld),
            Call::RecordVerification(verified) => Ok(Plan {
                kind: EntryType::System,
                subject: Subject::Nobody,
                retention: Retention::Permanent,
                controllers: BTreeSet::new(),
                purpose: None,
                event: Event::TrailVerified(verified.clone()),
                told: Told::Plain(Outcome::Done),
            }),
            Call::ProposeSearch {
                method,
                purpose,
                question,
                export,
            } => {
                let search = Reference::draw(self.random);
                let event = Event::SearchProposed(SearchProposed {
                    search,
                    method: (*method).to_owned(),
                    purpose: purpose.clone(),
                    question: question.clone(),
                    export: *export,
                });
                Ok(self.search(request, event, Outcome::SearchProposed(search)))
            }
            Call::DecideSearch {
                search,
                approved_for,
            } => {
                let until = approved_for.map(|time| {
                    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                    self.now.plus_millis(millis)
                });
                let search = *search;
                let event = Event::SearchDecided(SearchDecided { search, until });
                Ok(self.search(request, event, Outcome::SearchDecided(until)))
            }
            _ => Err(Reason::RecordUnknown.into()),
        }
    }

    /// Never refused for the person's sake: somebody nobody knows gets the same answer.
    fn withhold(
        &mut self,
        request: &Request,
        subject: &SubjectRef,
        withheld: &Withheld,
    ) -> Result<Plan> {
        if withheld.until > self.now.plus_days(LONGEST_WITHHOLDING_DAYS) {
            let rule = "must lie at most 366 days from now: weigh it again by then";
            return Err(invalid("until", rule));
        }
        Ok(Plan {
            kind: EntryType::Restriction,
            subject: self.whom(Some(subject), &request.peer.principal),
            retention: Retention::Standard,
            controllers: BTreeSet::new(),
            purpose: None,
            event: Event::Withheld(withheld.clone()),
            told: Told::Plain(Outcome::Done),
        })
    }

    /// A search names no person; it is sealed as a look at nobody in particular is.
    fn search(&self, request: &Request, event: Event, outcome: Outcome) -> Plan {
        Plan {
            kind: EntryType::LookUp,
            subject: Subject::Unknown,
            retention: Retention::Standard,
            controllers: self.officer_for(&request.peer.principal),
            purpose: None,
            event,
            told: Told::Plain(outcome),
        }
    }

    /// The controller for which a party is the privacy officer.
    pub(super) fn officer_for(&self, officer: &PartyId) -> BTreeSet<PartyId> {
        let registry = self.registry();
        let party = registry.party(officer);
        let controller = party.and_then(|party| party.officer_for.clone());
        controller.into_iter().collect()
    }
}
