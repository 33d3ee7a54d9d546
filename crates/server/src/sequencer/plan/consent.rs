//! Plans for consents.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::{Condition, Role},
    consent::{Consent, ConsentKind, ConsentState, ConsentTerms, MOST_COLLECTED},
    decide::Reason,
    event::{Event, LookedUp, Naming, SlotUse},
    id::{ConsentId, PartyId, SubjectId},
    person::{Identifier, SubjectRef},
};

use super::{Plan, Planner, Result, Retention, Subject, Told, invalid};
use crate::call::{Call, CallError, Outcome, Request};

impl Planner<'_> {
    pub(super) fn plan_consent(&mut self, request: &Request, call: &Call) -> Result<Plan> {
        match call {
            Call::RecordConsent {
                subject,
                state,
                terms,
            } => self.record_consent(request, subject, *state, terms),
            Call::Consents { subject, consent } => self.show_consents(request, subject, *consent),
            _ => Err(Reason::RecordUnknown.into()),
        }
    }

    fn record_consent(
        &mut self,
        request: &Request,
        subject: &SubjectRef,
        state: ConsentState,
        terms: &ConsentTerms,
    ) -> Result<Plan> {
        self.check_terms(request, terms)?;
        let (id, identifier) = self.person_consenting(request, subject)?;
        self.check_bound(id, &request.peer.principal)?;
        let consent = ConsentId::draw(self.random);
        let controllers = terms.providers.union(&terms.recipients).cloned().collect();
        Ok(Plan {
            kind: EntryType::Consent,
            subject: Subject::Known(id),
            retention: Retention::Record(SlotUse::Consent(consent)),
            controllers,
            purpose: None,
            event: Event::ConsentRecorded {
                consent,
                state,
                terms: terms.clone(),
                identifier,
            },
            told: Told::Plain(Outcome::ConsentRecorded(consent)),
        })
    }

    /// What depends on the request, the registry and the log's time alone.
    fn check_terms(&self, request: &Request, terms: &ConsentTerms) -> Result<()> {
        if let Err((field, broken)) = terms.check(&request.peer.roles) {
            return Err(invalid(&format!("terms.{field}"), broken.rule()));
        }
        CallError::check_past("terms.collected_at", terms.collected_at, self.now)?;
        for provider in &terms.providers {
            self.registered(provider, "terms.provider_party_ids")?;
        }
        let care_basis = terms.conditions.contains(&Condition::Care)
            && terms.kind == ConsentKind::ProcessingBasis;
        for recipient in &terms.recipients {
            let party = self.registered(recipient, "terms.recipient_party_ids")?;
            if care_basis && party.has_role(Role::Pi) {
                let rule = "must not hold a PI when conditions hold CARE: \
                            care never goes to a PI on consent (Raad van State W16.20.0450/II)";
                return Err(invalid("terms.recipient_party_ids", rule));
            }
        }
        let registry = self.registry();
        let known = |code| registry.versions(code).next().is_some();
        if !terms.purposes.iter().all(known) {
            return Err(invalid("terms.purposes", "must be registered purposes"));
        }
        Ok(())
    }

    /// A party is told of the bound, precisely, because it counts what that party recorded itself and nothing else.
    fn check_bound(&mut self, subject: SubjectId, caller: &PartyId) -> Result<()> {
        let dossier = self.dossier(subject)?;
        let collected = dossier.consents.values();
        let own = collected.filter(|consent| consent.terms.collected_by == *caller);
        if own.count() < MOST_COLLECTED {
            return Ok(());
        }
        let rule = format!(
            "must be a person about whom this party has fewer than {MOST_COLLECTED} consents on record, those that \
             ended among them: record one consent for several conditions, purposes and recipients"
        );
        Err(invalid("subject", &rule))
    }

    /// The person who consents: known, or named by a number and known from now on.
    fn person_consenting(
        &mut self,
        request: &Request,
        subject: &SubjectRef,
    ) -> Result<(SubjectId, Option<Identifier>)> {
        let caller = &request.peer.principal;
        let known = self.world.subject_of(subject, caller);
        let number = match Naming::of(caller, subject) {
            Naming::By(number @ (Identifier::Bsn(_) | Identifier::Skn(_))) => number,
            Naming::By(Identifier::ClientRef(..)) => {
                return known
                    .map(|id| (id, None))
                    .ok_or_else(|| Reason::SubjectUnknown.into());
            }
            Naming::Case(case) => {
                let dossier = self.find(subject, caller)?;
                let found = dossier.cases.get(&case).ok_or(Reason::SubjectUnknown)?;
                let placed = found.has_member(caller, self.now)
                    || found
                        .introduced
                        .iter()
                        .any(|(partner, _)| partner == caller);
                let open = found.is_open(self.now);
                return match (placed, open) {
                    (false, _) => Err(Reason::NotCaseParty.into()),
                    (true, false) => Err(Reason::CaseClosed.into()),
                    (true, true) => Ok((dossier.subject, None)),
                };
            }
        };
        Ok(match known {
            None => (SubjectId::draw(self.random), Some(number)),
            // The consent holds the number as well, and goes on being found by it when what knew it is gone. Not where the
            // number means the person by the caller's own word: it would mean them to everybody.
            Some(id) => {
                let is_shared = self.world.subject_known_by(&number) == Some(id);
                (id, is_shared.then_some(number))
            }
        })
    }

    fn show_consents(
        &mut self,
        request: &Request,
        subject: &SubjectRef,
        only: Option<ConsentId>,
    ) -> Result<Plan> {
        let caller = &request.peer.principal;
        let dossier = self.find(subject, caller)?;
        let mut shown: Vec<Consent> = dossier
            .consents
            .values()
            .filter(|consent| only.is_none_or(|id| id == consent.id) && consent.involves(caller))
            .cloned()
            .collect();
        if shown.is_empty() {
            return Err(Reason::RecordUnknown.into());
        }
        shown.sort_by_key(|consent| {
            std::cmp::Reverse(consent.history.first().map(|step| step.entry))
        });
        let event = Event::LookedUp(LookedUp {
            method: request.method.to_owned(),
            purpose: None,
            subject: Some(subject.clone()),
            entry: None,
            question: only.map(|id| format!("consent {id}")).unwrap_or_default(),
            results: u32::try_from(shown.len()).unwrap_or(u32::MAX),
        });
        Ok(Plan {
            kind: EntryType::LookUp,
            subject: Subject::Known(dossier.subject),
            retention: Retention::Standard,
            controllers: BTreeSet::new(),
            purpose: None,
            event,
            told: Told::Plain(Outcome::Consents(shown, self.now)),
        })
    }
}
