//! Plans for erasing a person for a controller: proposed by its privacy officer, carried out when a second
//! actor approves.

use std::collections::BTreeSet;

use schakel_audit::leaf::{EntryType, RetentionClass};
use schakel_core::{
    code::Role,
    decide::Reason,
    dossier::Dossier,
    erasure::{Covers, Duty, Erased, ErasureProposal, Ground, MOST_RANGES, Rule, Waiting},
    event::{Event, LookedUp, SlotUse},
    id::{EntryIndex, PartyId, ProposalId, SlotId, SubjectId},
    person::SubjectRef,
    time::Timestamp,
};
use schakel_store::{seal, world::PROPOSAL_DAYS};

use super::{Obstacle, Plan, Planner, Result, Retention, Subject, Told, invalid};
use crate::{
    call::{CallError, Outcome, Request},
    trail::TrailError,
};

/// What is held of a person with one controller.
struct Held {
    subject: SubjectId,
    /// The controller's keys for the person: its own, and those of its privacy officers.
    slots: BTreeSet<SlotId>,
    /// The entries sealed with one of them.
    entries: Vec<EntryIndex>,
}

impl Planner<'_> {
    pub(super) fn propose_erasure(
        &mut self,
        request: &Request,
        subject: &SubjectRef,
        ground: Ground,
    ) -> Result<Plan> {
        let controller = self.controller_of_officer(request)?;
        let known = self.world.subject_of(subject, &request.peer.principal);
        if let Some(plan) = self.stopped_by_duty(request, known, &controller, ground)? {
            return Ok(plan);
        }
        // Of a person with whom the controller has no key it holds nothing: nobody, to it.
        let subject = self.held(known, &controller)?.map(|held| held.subject);
        let id = ProposalId::draw(self.random);
        let actor = request.actor.clone().ok_or_else(no_actor)?;
        let proposal = ErasureProposal {
            id,
            controller: controller.clone(),
            ground,
            proposed_by: request.peer.principal.clone(),
            actor,
            certificate: request.certificate,
            proposed_at: self.now,
            transport: Some(request.peer.transport.clone()),
        };
        Ok(Plan {
            kind: EntryType::Restriction,
            subject: subject.map_or(Subject::Unknown, Subject::Known),
            retention: Retention::Standard,
            controllers: [controller].into(),
            purpose: None,
            event: Event::ErasureProposed(proposal),
            told: Told::Plain(Outcome::Proposed(id)),
        })
    }

    /// The erasure and its approval, which is answered. The writer carries out what the first says before
    /// anybody is told.
    pub(super) fn approve_erasure(
        &mut self,
        request: &Request,
        id: ProposalId,
        named: Option<&SubjectRef>,
    ) -> Result<Vec<Plan>> {
        let Waiting { proposal, subject } = self.waiting(request, id)?;
        if !proposal.may_be_approved_by(&request.peer, &request.certificate) {
            return Err(CallError::SecondActor.into());
        }
        let controller = &proposal.controller;
        if named.is_none() && !request.peer.has_role(Role::Administrator) {
            let rule = "must name the person a second time, so that both mean the same: an administrator alone leaves \
                        it out";
            return Err(invalid("subject", rule));
        }
        if let Some(named) = named {
            let known = self.world.subject_of(named, &request.peer.principal);
            let meant = self.held(known, controller)?.map(|held| held.subject);
            if meant != subject {
                return Err(Reason::SubjectUnknown.into());
            }
        }
        if let Some(plan) = self.stopped_by_duty(request, subject, controller, proposal.ground)? {
            return Ok(vec![plan]);
        }
        let held = self.held(subject, controller)?;
        let (slots, entries) = held.map_or_else(
            || (BTreeSet::new(), Vec::new()),
            |held| (held.slots, held.entries),
        );
        let count = entries.len() as u64;
        let of = |covers| Erased {
            rule: Rule::of(proposal.ground),
            covers,
            controller: Some(controller.clone()),
            slots: slots.iter().copied().collect(),
            proposal: Some(id),
        };
        let mut plans: Vec<Plan> = parts(&entries).map(|covers| erasing(of(covers))).collect();
        let final_at = self.now.plus_days(self.terms.keyring_backup_days);
        plans.push(Plan {
            kind: EntryType::Restriction,
            // Says nothing of the person, and outlives the erasure.
            subject: Subject::Unknown,
            retention: Retention::Standard,
            controllers: [controller.clone()].into(),
            purpose: None,
            event: Event::ErasureApproved {
                proposal: id,
                proposed_by: proposal.proposed_by.clone(),
                ground: proposal.ground,
            },
            told: Told::Plain(Outcome::Erased(count, final_at)),
        });
        Ok(plans)
    }

    pub(super) fn reject_erasure(&mut self, request: &Request, id: ProposalId) -> Result<Plan> {
        let waiting = self.waiting(request, id)?;
        Ok(Plan {
            kind: EntryType::Restriction,
            subject: Subject::Unknown,
            retention: Retention::Standard,
            controllers: [waiting.proposal.controller].into(),
            purpose: None,
            event: Event::ErasureRejected { proposal: id },
            told: Told::Plain(Outcome::Done),
        })
    }

    /// Whom the erasure of a proposal would concern, for the writer, which makes their records again.
    pub(in crate::sequencer) fn erased_person(&self, id: ProposalId) -> Option<SubjectId> {
        let erasures = self.world.erasures();
        erasures.proposal(id).and_then(|waiting| waiting.subject)
    }

    fn controller_of_officer(&self, request: &Request) -> Result<PartyId> {
        let registry = self.registry();
        let officer = registry.party(&request.peer.principal);
        let controller = officer.and_then(|party| party.officer_for.clone());
        controller.ok_or_else(|| CallError::NotFound("controller").into())
    }

    /// A proposal that still waits, and that is the caller's to judge.
    fn waiting(&self, request: &Request, id: ProposalId) -> Result<Waiting> {
        let erasures = self.world.erasures();
        let found = erasures.proposal(id).filter(|waiting| {
            let proposal = &waiting.proposal;
            let lapses = proposal.proposed_at.plus_days(PROPOSAL_DAYS);
            self.now < lapses && self.acts_for(request, &proposal.controller)
        });
        found
            .cloned()
            .ok_or_else(|| CallError::NotFound("proposal").into())
    }

    fn acts_for(&self, request: &Request, controller: &PartyId) -> bool {
        let registry = self.registry();
        let caller = &request.peer.principal;
        let officer = registry
            .party(caller)
            .is_some_and(|party| party.officer_for.as_ref() == Some(controller));
        caller == controller || officer || request.peer.has_role(Role::Administrator)
    }

    /// The look that found a duty to keep, when there is one and the ground does not go before it.
    fn stopped_by_duty(
        &mut self,
        request: &Request,
        subject: Option<SubjectId>,
        controller: &PartyId,
        ground: Ground,
    ) -> Result<Option<Plan>> {
        if ground.overrides_retention() {
            return Ok(None);
        }
        let Some(held) = self.held(subject, controller)? else {
            return Ok(None);
        };
        let Some(duty) = self.longest_duty(&held, controller)? else {
            return Ok(None);
        };
        let event = Event::LookedUp(LookedUp {
            method: request.method.to_owned(),
            purpose: None,
            subject: None,
            entry: None,
            question: format!("erasure stopped by {} until {}", duty.code, duty.until),
            results: 0,
        });
        Ok(Some(Plan {
            kind: EntryType::LookUp,
            subject: Subject::Known(held.subject),
            retention: Retention::Standard,
            controllers: [controller.clone()].into(),
            purpose: None,
            event,
            told: Told::Plain(Outcome::Retained(duty)),
        }))
    }

    fn longest_duty(&mut self, held: &Held, controller: &PartyId) -> Result<Option<Duty>> {
        let mut duties = Vec::new();
        for index in &held.entries {
            let found = self
                .trail
                .entry(index.0)
                .map_err(|error| unreadable(&error))?;
            let Some(found) = found else { continue };
            let at = Timestamp::from_millis(found.leaf.at_ms).unwrap_or(Timestamp::MAX);
            let care = found.leaf.class == RetentionClass::Care;
            let details = found
                .details
                .filter(|details| details.controllers.contains(controller));
            duties.extend(
                details.and_then(|details| Duty::of_entry(&details.event, controller, care, at)),
            );
        }
        let dossier = self.dossier(held.subject)?;
        let kept = self.terms.consent_months;
        let consents = dossier.consents.values();
        duties.extend(consents.filter_map(|consent| Duty::of_consent(consent, controller, kept)));
        let longest = duties.into_iter().max_by_key(|duty| duty.until);
        Ok(longest.filter(|duty| self.now < duty.until))
    }

    /// What a controller holds of a person; `None` when it has no key with them, or all it did was to name them.
    fn held(&mut self, subject: Option<SubjectId>, controller: &PartyId) -> Result<Option<Held>> {
        let Some(subject) = subject else {
            return Ok(None);
        };
        let dossier = self.dossier(subject)?;
        let registry = self.registry();
        let officers = registry
            .parties()
            .filter(|party| party.officer_for.as_ref() == Some(controller))
            .map(|party| &party.id);
        let slots: BTreeSet<SlotId> = std::iter::once(controller)
            .chain(officers)
            .filter_map(|party| dossier.slots.get(&SlotUse::Controller(party.clone())))
            .copied()
            .collect();
        if slots.is_empty() {
            return Ok(None);
        }
        let entries = self.sealed_with(&dossier, |sealed| {
            seal::slots(sealed).iter().any(|slot| slots.contains(slot))
        })?;
        if !dossier.concerns(controller) && !self.say_more(&entries, controller)? {
            return Ok(None);
        }
        Ok(Some(Held {
            subject,
            slots,
            entries,
        }))
    }

    /// Whether one of these entries says more to a controller than that it named the person: what an entry says may
    /// outlive every record.
    fn say_more(&self, entries: &[EntryIndex], controller: &PartyId) -> Result<bool> {
        for index in entries {
            let found = self.trail.entry(index.0);
            let found = found.map_err(|error| unreadable(&error))?;
            let details = found.and_then(|found| found.details);
            if details.is_some_and(|details| details.says_more_to(controller)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The entries about a person of which the sealed details are so.
    pub(in crate::sequencer) fn sealed_with(
        &self,
        dossier: &Dossier,
        so: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<EntryIndex>> {
        let about = self
            .trail
            .about(dossier)
            .map_err(|error| unreadable(&error))?;
        let mut entries = Vec::new();
        for index in about {
            let sealed = self
                .trail
                .sealed(index)
                .map_err(|error| unreadable(&error))?;
            if so(&sealed) {
                entries.push(index);
            }
        }
        Ok(entries)
    }
}

/// What is covered, in pieces that fit an entry; one that covers nothing when there is nothing, so that an
/// erasure looks the same whether or not the controller held anything.
pub(in crate::sequencer) fn parts(entries: &[EntryIndex]) -> impl Iterator<Item = Covers> {
    let nothing = entries.is_empty().then(|| Covers::Entries(Vec::new()));
    // As many entries make at most as many ranges.
    let pieces = entries.chunks(MOST_RANGES);
    nothing
        .into_iter()
        .chain(pieces.map(|piece| Covers::entries(piece.iter().copied())))
}

/// The plan for an erasure: the broker's own act, open to everybody.
pub(in crate::sequencer) fn erasing(erased: Erased) -> Plan {
    Plan {
        kind: EntryType::Erasure,
        subject: Subject::Nobody,
        retention: Retention::Permanent,
        controllers: erased.controller.iter().cloned().collect(),
        purpose: None,
        event: Event::Erased(erased),
        told: Told::Nobody,
    }
}

/// The plan for what an administrator does to the broker itself.
pub(super) fn upkeep(kind: EntryType, event: Event) -> Plan {
    Plan {
        kind,
        subject: Subject::Nobody,
        retention: Retention::Permanent,
        controllers: BTreeSet::new(),
        purpose: None,
        event,
        told: Told::Plain(Outcome::Done),
    }
}

fn no_actor() -> Obstacle {
    invalid("actor", "must say who acts")
}

fn unreadable(error: &TrailError) -> Obstacle {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "what an erasure covers cannot be read"
    );
    Obstacle::Refused(CallError::AuditUnavailable)
}
