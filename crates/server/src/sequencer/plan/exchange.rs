//! Plans for the exchange: reporting, introducing, asking.

use std::{collections::BTreeSet, sync::Arc};

use schakel_audit::{commitment, leaf::EntryType};
use schakel_core::{
    ask::Ask,
    case::{Case, MOST_INTRODUCED},
    code::{Condition, Regime, Role},
    correction,
    decide::{Reason, decide},
    deliver,
    dossier::Dossier,
    event::{Disclosed, Event},
    id::{CaseId, PartyId},
    inbox::{Pending, Topic},
    minimise::{Committed, minimise},
    party::Peer,
    person::{ClientRef, Identifier, SubjectRef},
    status::Report,
    time::Timestamp,
};

use super::{Obstacle, Plan, Planner, Result, Retention, Subject, Told, invalid, open_case};
use crate::{
    call::{Call, CallError, Outcome, Request},
    wire,
};

/// Days for which a code works: this broker's own term.
const INTRODUCTION_DAYS: u32 = 30;

/// A disclosure that was decided, still closed.
pub(super) struct Decided {
    pub(super) disclosed: Disclosed,
    pub(super) content: Committed,
}

impl Planner<'_> {
    pub(super) fn plan_exchange(&mut self, request: &Request, call: &Call) -> Result<Plan> {
        match call {
            Call::ReportStatus {
                subject,
                condition,
                report,
                correction,
            } => self.report(request, subject, *condition, report, *correction),
            Call::Introduce {
                case,
                partner,
                condition,
            } => self.introduce(request, *case, partner, *condition),
            Call::Redeem {
                code_sha256,
                client_ref,
            } => self.redeem(request, *code_sha256, client_ref),
            Call::Ask(ask) => self.ask(request, ask),
            _ => Err(Reason::RecordUnknown.into()),
        }
    }

    fn report(
        &mut self,
        request: &Request,
        subject: &SubjectRef,
        condition: Condition,
        report: &Report,
        corrects: bool,
    ) -> Result<Plan> {
        if let Err((field, broken)) = report.check(self.now.in_the_netherlands().date()) {
            return Err(invalid(field, broken.rule()));
        }
        if let Some(party) = &report.offered_by {
            self.registered(party, "offered_by_party_id")?;
        }
        let caller = &request.peer.principal;
        let dossier = self.find(subject, caller)?;
        let now = self.now;
        let case = open_case(&dossier, subject, now, |case| {
            case.has_party(caller, condition, now)
        })?;
        let messages = self.messages(&dossier, case.id, condition, caller);
        let notices = if corrects {
            correction::notices(&dossier, condition, caller, now, self.random)
        } else {
            Vec::new()
        };
        let told = notices.iter().map(|notice| notice.recipient.clone());
        let regime = if request.peer.has_role(Role::Pi) {
            Regime::Wjsg
        } else {
            Regime::Avg
        };
        Ok(Plan {
            kind: EntryType::Status,
            subject: Subject::Known(dossier.subject),
            retention: retention(condition == Condition::Care),
            controllers: told.collect(),
            purpose: None,
            event: Event::StatusReported {
                case: case.id,
                condition,
                report: report.clone(),
                regime,
                messages,
                notices,
            },
            told: Told::Plain(Outcome::Done),
        })
    }

    fn messages(
        &self,
        dossier: &Dossier,
        case: CaseId,
        condition: Condition,
        reporter: &PartyId,
    ) -> Vec<(PartyId, Pending)> {
        deliver::receivers(
            dossier,
            &self.registry(),
            case,
            condition,
            reporter,
            self.now,
        )
        .into_iter()
        .map(|(party, purpose)| {
            let topic = Topic::Status {
                case,
                condition,
                purpose,
            };
            (
                party,
                Pending {
                    subject: dossier.subject,
                    topic,
                },
            )
        })
        .collect()
    }

    fn introduce(
        &mut self,
        request: &Request,
        case: CaseId,
        partner: &PartyId,
        condition: Condition,
    ) -> Result<Plan> {
        let party = self.registered(partner, "partner_party_id")?;
        if !party.roles.iter().any(|role| role.collects_consent()) {
            return Err(invalid(
                "partner_party_id",
                "must be a partner: not an officer, auditor, administrator or broker",
            ));
        }
        let (dossier, found) = self.own_case(request, case)?;
        if found.introduced.len() >= MOST_INTRODUCED {
            return Err(Reason::LimitReached.into());
        }
        let mut code = [0; 16];
        self.random.fill(&mut code);
        let until = self.now.plus_days(INTRODUCTION_DAYS);
        Ok(Plan {
            kind: EntryType::Introduction,
            subject: Subject::Known(dossier.subject),
            retention: Retention::Standard,
            controllers: [partner.clone()].into(),
            purpose: None,
            event: Event::Introduced {
                case,
                partner: partner.clone(),
                condition,
                code_sha256: wire::request::sha256(&code),
                until,
            },
            told: Told::Plain(Outcome::Introduced { code, until }),
        })
    }

    /// A code that does not work is denied, and the caller is told the same as for one that does.
    fn redeem(
        &mut self,
        request: &Request,
        code_sha256: [u8; 32],
        client_ref: &ClientRef,
    ) -> Result<Plan> {
        let caller = &request.peer.principal;
        let id = self
            .world
            .subject_by_code(&code_sha256)
            .ok_or(Reason::RecordUnknown)?;
        let dossier = self.dossier(id)?;
        let found = dossier
            .introductions
            .get(&code_sha256)
            .ok_or(Reason::RecordUnknown)?;
        let works = found.partner == *caller && !found.redeemed && self.now < found.until;
        let open = |case: &Case| case.is_open(self.now) && case.introduced.len() < MOST_INTRODUCED;
        let open = dossier.cases.get(&found.case).is_some_and(open);
        let mark = Identifier::ClientRef(caller.clone(), client_ref.clone());
        let taken = self
            .world
            .subject_known_by(&mark)
            .is_some_and(|other| other != id);
        if !works || !open {
            return Err(Reason::RecordUnknown.into());
        }
        if taken {
            return Err(Reason::IdentifiersDisagree.into());
        }
        Ok(Plan {
            kind: EntryType::Introduction,
            subject: Subject::Known(id),
            retention: Retention::Standard,
            controllers: BTreeSet::new(),
            purpose: None,
            event: Event::Redeemed {
                code_sha256,
                client_ref: client_ref.clone(),
            },
            told: Told::Plain(Outcome::Done),
        })
    }

    fn ask(&mut self, request: &Request, ask: &Ask) -> Result<Plan> {
        self.check_purpose(&request.peer, ask)?;
        let known = self.world.subject_of(&ask.subject, &request.peer.principal);
        let dossier = known.map(|id| self.dossier(id)).transpose()?;
        let decided = match self.decide(&request.peer, ask, dossier.as_ref()) {
            Err(Obstacle::Denied(findings)) => {
                let concerned =
                    |found: &Arc<Dossier>| self.concerns(found, &request.peer.principal);
                if dossier.as_ref().is_some_and(concerned) {
                    return Err(Obstacle::Denied(findings));
                }
                // Somebody known elsewhere is nobody to the caller, its officer included.
                self.decide(&request.peer, ask, None)?
            }
            decided => decided?,
        };
        // What was decided about nobody would not have been permitted.
        let dossier = dossier.ok_or(Reason::SubjectUnknown)?;
        let care = ask.conditions.contains(&Condition::Care);
        let salt = decided.disclosed.salt;
        Ok(Plan {
            kind: EntryType::Disclosure,
            subject: Subject::Known(dossier.subject),
            retention: retention(care),
            controllers: sealed_for(&decided.disclosed, &dossier, &request.peer, self.now),
            purpose: Some((ask.purpose.clone(), decided.disclosed.version)),
            event: Event::Disclosed(decided.disclosed),
            told: Told::Disclosure {
                content: decided.content,
                salt,
            },
        })
    }

    /// What is wrong with the purpose whoever is asked about: precise, as it depends on the registry alone.
    fn check_purpose(&self, peer: &Peer, ask: &Ask) -> Result<()> {
        let registry = self.registry();
        let found = registry
            .purpose(&ask.purpose, ask.version, self.now)
            .ok_or_else(|| CallError::PurposeUnknown {
                field: "item.purpose".to_owned(),
                purpose: ask.purpose.clone(),
            })?;
        if found.version.leads_to(&peer.roles) {
            Ok(())
        } else {
            Err(CallError::PurposeNotForRole(ask.purpose.clone()).into())
        }
    }

    /// Decides and minimises, and closes what is to be told until the entry is durable.
    pub(super) fn decide(
        &mut self,
        peer: &Peer,
        ask: &Ask,
        dossier: Option<&Arc<Dossier>>,
    ) -> Result<Decided> {
        let registry = self.registry();
        let permit = decide(ask, peer, dossier.map(AsRef::as_ref), &registry, self.now)
            .map_err(|denial| Obstacle::Denied(denial.into_findings()))?;
        let dossier = dossier.ok_or(Reason::SubjectUnknown)?;
        let minimised = minimise(permit, dossier, &registry, self.now);
        let mut salt = [0; 32];
        self.random.fill(&mut salt);
        let disclosed = Disclosed {
            ask: ask.clone(),
            version: minimised.version(),
            grants: minimised.grants().to_vec(),
            granularity: minimised.granularity(),
            salt,
        };
        let content = minimised.commit(wire::disclosure::encode, &salt, commitment::released);
        Ok(Decided { disclosed, content })
    }
}

pub(super) fn retention(care: bool) -> Retention {
    if care {
        Retention::Care
    } else {
        Retention::Standard
    }
}

/// The controllers a disclosure concerns beside its recipient: who provided and, to outsiders, the
/// municipality of return, which stands in as the provider.
pub(super) fn sealed_for(
    disclosed: &Disclosed,
    dossier: &Dossier,
    peer: &Peer,
    now: Timestamp,
) -> BTreeSet<PartyId> {
    let mut concerned: BTreeSet<PartyId> = disclosed
        .grants
        .iter()
        .map(|grant| grant.provider.clone())
        .collect();
    if !peer.roles.iter().any(|role| role.knows_of_detention()) {
        let cases = disclosed
            .grants
            .iter()
            .filter_map(|grant| dossier.cases.get(&grant.case));
        concerned.extend(cases.filter_map(|case| case.municipality(now)).cloned());
    }
    concerned
}
