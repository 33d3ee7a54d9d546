//! Plans for changes of the registry: proposed by one actor, made by another with another certificate.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::{
    certificate::StopReason,
    code::Role,
    decide::Reason,
    event::Event,
    id::ProposalId,
    registry::{Change, Proposal},
};

use super::{Plan, Planner, Result, Retention, Subject, Told};
use crate::call::{Call, CallError, Outcome, Request};

impl Planner<'_> {
    pub(super) fn plan_registry(&mut self, request: &Request, call: &Call) -> Result<Plan> {
        match call {
            Call::ProposeChange(change) => self.propose(request, change),
            Call::ApproveChange(id) => self.approve(request, *id),
            Call::Stop(change, reason) => self.stop(request, change, *reason),
            Call::RejectChange(id) => {
                self.proposal(*id)?;
                Ok(changed(Event::Rejected { proposal: *id }, Outcome::Done))
            }
            _ => Err(Reason::RecordUnknown.into()),
        }
    }

    fn propose(&mut self, request: &Request, change: &Change) -> Result<Plan> {
        self.check_change(change)?;
        let id = ProposalId::draw(self.random);
        let proposal = Proposal {
            id,
            change: change.clone(),
            proposed_by: request.peer.principal.clone(),
            certificate: request.certificate,
            proposed_at: self.now,
            transport: Some(request.peer.transport.clone()),
        };
        Ok(changed(Event::Proposed(proposal), Outcome::Proposed(id)))
    }

    fn approve(&mut self, request: &Request, id: ProposalId) -> Result<Plan> {
        let proposal = self.proposal(id)?;
        if !proposal.may_be_approved_by(&request.peer, &request.certificate) {
            return Err(CallError::SecondActor.into());
        }
        // What was registered may have changed since it was proposed.
        self.check_change(&proposal.change)?;
        let event = Event::Changed {
            proposal: Some(id),
            change: proposal.change,
            proposed_by: proposal.proposed_by,
            approved_by: request.peer.principal.clone(),
            reason: None,
        };
        Ok(changed(event, Outcome::Done))
    }

    /// One administrator may stop anything, except another administrator, by whatever it is stopped: who could do
    /// that alone could keep everybody from mending it.
    fn stop(&self, request: &Request, change: &Change, reason: StopReason) -> Result<Plan> {
        self.check_change(change)?;
        let registry = self.registry();
        if let Change::SuspendParty(id) = change
            && registry
                .party(id)
                .is_some_and(|party| party.has_role(Role::Administrator))
        {
            return Err(CallError::SecondActor.into());
        }
        if registry.strands(std::slice::from_ref(change), &request.peer, self.now) {
            return Err(CallError::SecondActor.into());
        }
        let event = Event::Changed {
            proposal: None,
            change: change.clone(),
            proposed_by: request.peer.principal.clone(),
            approved_by: request.peer.principal.clone(),
            reason: Some(reason),
        };
        Ok(changed(event, Outcome::Done))
    }

    fn proposal(&self, id: ProposalId) -> Result<Proposal> {
        let found = self.registry().proposal(id, self.now).cloned();
        found.ok_or_else(|| CallError::NotFound("proposal").into())
    }

    fn check_change(&self, change: &Change) -> Result<()> {
        self.registry().check(change).map_err(|(field, broken)| {
            CallError::Conflict {
                field: field.to_owned(),
                rule: broken.rule().to_owned(),
            }
            .into()
        })
    }
}

pub(super) fn changed(event: Event, outcome: Outcome) -> Plan {
    Plan {
        kind: EntryType::Registry,
        subject: Subject::Nobody,
        retention: Retention::Permanent,
        controllers: BTreeSet::new(),
        purpose: None,
        event,
        told: Told::Plain(outcome),
    }
}
