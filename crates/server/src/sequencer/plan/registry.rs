//! Plans for changes of the registry: proposed by one actor, made by another with another certificate.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::{
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
        };
        Ok(changed(Event::Proposed(proposal), Outcome::Proposed(id)))
    }

    fn approve(&mut self, request: &Request, id: ProposalId) -> Result<Plan> {
        let proposal = self.proposal(id)?;
        if proposal.proposed_by == request.peer.principal
            || proposal.certificate == request.certificate
        {
            return Err(CallError::SecondActor.into());
        }
        // What was registered may have changed since it was proposed.
        self.check_change(&proposal.change)?;
        let event = Event::Changed {
            proposal: Some(id),
            change: proposal.change,
            proposed_by: proposal.proposed_by,
            approved_by: request.peer.principal.clone(),
        };
        Ok(changed(event, Outcome::Done))
    }

    fn proposal(&self, id: ProposalId) -> Result<Proposal> {
        let found = self.registry().proposal(id).cloned();
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

fn changed(event: Event, outcome: Outcome) -> Plan {
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
