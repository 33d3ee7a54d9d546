//! Plans for cases.

use std::{collections::BTreeSet, sync::Arc};

use schakel_audit::leaf::EntryType;
use schakel_core::{
    case::{Case, MOST_ASSIGNMENTS},
    code::Role,
    decide::Reason,
    dossier::Dossier,
    event::{Event, LookedUp, SlotUse},
    id::{CaseId, PartyId, SubjectId},
    person::{Identifier, SubjectRef},
    time::Period,
};

use super::{Obstacle, Plan, Planner, Result, Retention, Subject, Told, invalid, open_case};
use crate::call::{Call, CallError, Outcome, Request};

/// Whose a case is, and what its opening says of numbers.
struct Named {
    subject: SubjectId,
    /// By what everybody finds the person.
    identifiers: Vec<Identifier>,
    /// What the caller alone finds the person by as well.
    besides: Vec<Identifier>,
}

impl Planner<'_> {
    pub(super) fn plan_case(&mut self, request: &Request, call: &Call) -> Result<Plan> {
        match call {
            Call::OpenCase {
                identifiers,
                municipality,
            } => self.open(request, identifiers, municipality.as_ref()),
            Call::AssignMunicipality { case, municipality } => {
                self.assign(request, *case, municipality)
            }
            Call::AddMember { case, party, until } => {
                if until.is_some_and(|until| until <= self.now) {
                    return Err(invalid("until", "must lie in the future"));
                }
                self.add_member(request, call, *case, party)
            }
            Call::RemoveMember { case, party } => {
                CallError::check_party(&self.registry(), "party_id", party)?;
                let (dossier, found) = self.own_case(request, *case)?;
                let member = found.members.iter().any(|given| given.party == *party);
                let partner = found.introduced.iter().any(|(one, _)| one == party);
                let mut codes = dossier.introductions.values();
                let invited = codes.any(|code| code.leads(*case, party, self.now));
                if !(member || partner || invited) {
                    return Err(Reason::RecordUnknown.into());
                }
                let event = Event::MemberRemoved {
                    case: *case,
                    party: party.clone(),
                    codes_ended: true,
                };
                Ok(changed(&dossier, *case, event, [party.clone()]))
            }
            Call::CloseCase { case, reason } => {
                let (dossier, _) = self.own_case(request, *case)?;
                let event = Event::CaseClosed {
                    case: *case,
                    reason: *reason,
                };
                Ok(changed(&dossier, *case, event, []))
            }
            Call::GetCase { subject } => self.show_case(request, subject),
            _ => Err(Reason::RecordUnknown.into()),
        }
    }

    /// What a caller says of numbers is its own: by two of them it opens the case of whoever has the citizen service
    /// number, and to nobody else does the other one mean that person by it. So the answer is the same whoever is
    /// known by either, and so is all that comes of it, and nobody's word brings a case into another's records.
    fn open(
        &mut self,
        request: &Request,
        identifiers: &[Identifier],
        municipality: Option<&PartyId>,
    ) -> Result<Plan> {
        if let Some(id) = municipality {
            self.registered_as(id, Role::Municipality, "municipality_party_id")?;
        }
        let caller = &request.peer.principal;
        let Named {
            subject,
            identifiers,
            besides,
        } = self.named(identifiers, caller)?;
        let case = CaseId::draw(self.random);
        Ok(Plan {
            kind: EntryType::Case,
            subject: Subject::Known(subject),
            retention: Retention::Record(SlotUse::Case(case)),
            controllers: municipality.cloned().into_iter().collect(),
            purpose: None,
            event: Event::CaseOpened {
                case,
                identifiers,
                besides,
                municipality: municipality.cloned(),
            },
            told: Told::Plain(Outcome::CaseOpened(case)),
        })
    }

    /// Whose case a caller opens that names somebody by these.
    fn named(&mut self, numbers: &[Identifier], caller: &PartyId) -> Result<Named> {
        let decides = |number: &&Identifier| matches!(number, Identifier::Bsn(_));
        let deciding = numbers.iter().find(decides).or(numbers.first());
        let Some(deciding) = deciding else {
            return Err(Reason::SubjectUnknown.into());
        };
        let mut besides = Vec::new();
        for number in numbers.iter().filter(|number| *number != deciding) {
            if !self.keeps_records_by(number, caller)? {
                besides.push(number.clone());
            }
        }
        if let Some(subject) = self.world.subject_said(deciding, caller) {
            // Its own word, said again: to others the number means what it meant, and by what they find the person
            // was said with it. So this case is found by both when the one that said so first is gone.
            besides.push(deciding.clone());
            let identifiers = self.dossier(subject)?.bsn().cloned();
            return Ok(Named {
                subject,
                identifiers: identifiers.into_iter().collect(),
                besides,
            });
        }
        let known = self.world.subject_known_by(deciding);
        Ok(Named {
            subject: known.unwrap_or_else(|| SubjectId::draw(self.random)),
            identifiers: vec![deciding.clone()],
            besides,
        })
    }

    /// Whether a party opened a case, not in error, or collected a consent by a number already: it goes on meaning
    /// those.
    fn keeps_records_by(&mut self, number: &Identifier, party: &PartyId) -> Result<bool> {
        let Some(subject) = self.world.subject_known_by(number) else {
            return Ok(false);
        };
        let dossier = self.dossier(subject)?;
        let mut cases = dossier.cases.values();
        let opened = cases.any(|case| case.opened_by == *party && !case.in_error);
        let mut consents = dossier.consents.values();
        Ok(opened || consents.any(|consent| consent.terms.collected_by == *party))
    }

    fn assign(&mut self, request: &Request, case: CaseId, municipality: &PartyId) -> Result<Plan> {
        self.registered_as(municipality, Role::Municipality, "municipality_party_id")?;
        let (dossier, found) = self.own_case(request, case)?;
        let caller = &request.peer;
        if !caller.has_role(Role::Pi) && found.municipality(self.now) != Some(&caller.principal) {
            return Err(Reason::NotForRole.into());
        }
        within_limit(found.returns.len())?;
        let event = Event::MunicipalityAssigned {
            case,
            municipality: municipality.clone(),
        };
        let before = found.municipality(self.now).cloned();
        let concerned = before.into_iter().chain([municipality.clone()]);
        Ok(changed(&dossier, case, event, concerned))
    }

    fn add_member(
        &mut self,
        request: &Request,
        call: &Call,
        case: CaseId,
        party: &PartyId,
    ) -> Result<Plan> {
        let Call::AddMember { until, .. } = call else {
            return Err(Reason::RecordUnknown.into());
        };
        let member = self.registered(party, "party_id")?;
        if !member.roles.iter().any(|role| role.collects_consent()) {
            return Err(invalid(
                "party_id",
                "must be a partner: not an officer, auditor, administrator or broker",
            ));
        }
        let (dossier, found) = self.own_case(request, case)?;
        within_limit(found.members.len())?;
        let period = Period {
            from: self.now,
            until: *until,
        };
        let event = Event::MemberAdded {
            case,
            party: party.clone(),
            period,
        };
        Ok(changed(&dossier, case, event, [party.clone()]))
    }

    fn show_case(&mut self, request: &Request, subject: &SubjectRef) -> Result<Plan> {
        let dossier = self.find(subject, &request.peer.principal)?;
        let now = self.now;
        let case = open_case(&dossier, subject, now, |case| {
            case.has_member(&request.peer.principal, now)
        })?;
        let event = Event::LookedUp(LookedUp {
            method: request.method.to_owned(),
            purpose: None,
            subject: Some(subject.clone()),
            entry: None,
            question: String::new(),
            results: 1,
        });
        Ok(Plan {
            kind: EntryType::LookUp,
            subject: Subject::Known(dossier.subject),
            retention: Retention::Standard,
            controllers: BTreeSet::new(),
            purpose: None,
            event,
            told: Told::Plain(Outcome::Case(Box::new(case.clone()))),
        })
    }

    /// An open case in which the caller has a place.
    pub(super) fn own_case(
        &mut self,
        request: &Request,
        case: CaseId,
    ) -> std::result::Result<(Arc<Dossier>, Case), Obstacle> {
        let subject = SubjectRef::Case(case);
        let dossier = self.find(&subject, &request.peer.principal)?;
        let now = self.now;
        let found = open_case(&dossier, &subject, now, |case| {
            case.has_member(&request.peer.principal, now)
        })?
        .clone();
        Ok((dossier, found))
    }
}

fn within_limit(assignments: usize) -> Result<()> {
    if assignments < MOST_ASSIGNMENTS {
        Ok(())
    } else {
        Err(Reason::LimitReached.into())
    }
}

fn changed(
    dossier: &Dossier,
    case: CaseId,
    event: Event,
    controllers: impl IntoIterator<Item = PartyId>,
) -> Plan {
    Plan {
        kind: EntryType::Case,
        subject: Subject::Known(dossier.subject),
        retention: Retention::Record(SlotUse::Case(case)),
        controllers: controllers.into_iter().collect(),
        purpose: None,
        event,
        told: Told::Plain(Outcome::Done),
    }
}
