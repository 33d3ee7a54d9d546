//! Changes of the registry and what waits of them.

use schakel_api::v1;
use schakel_core::{
    party::Peer,
    registry::{Change, Proposal},
};

use super::{
    Fields, party, purpose,
    receipt::{Misfit, receipt},
    request::{Parsed, body},
    time::instant,
};
use crate::call::{Answer, Call, Outcome};

/// Reads a proposed change.
pub(crate) fn propose(
    message: v1::ProposeChangeRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::ProposeChangeRequest {
        idempotency_key,
        change,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let change = fields.message("change", change, read_change);
    Some(Parsed {
        who: None,
        write: Some(write?),
        call: Call::ProposeChange(Box::new(change?)),
    })
}

/// Reads an approval.
pub(crate) fn approve(
    message: v1::ApproveChangeRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::ApproveChangeRequest {
        idempotency_key,
        proposal_id,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let proposal = fields.text("proposal_id", &proposal_id);
    Some(Parsed {
        who: None,
        write: Some(write?),
        call: Call::ApproveChange(proposal?),
    })
}

/// Reads a rejection.
pub(crate) fn reject(
    message: v1::RejectChangeRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RejectChangeRequest {
        idempotency_key,
        proposal_id,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let proposal = fields.text("proposal_id", &proposal_id);
    Some(Parsed {
        who: None,
        write: Some(write?),
        call: Call::RejectChange(proposal?),
    })
}

/// The answer to a proposed change.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn proposed(answer: Answer) -> Result<v1::ProposeChangeResponse, Misfit> {
    match answer.outcome {
        Outcome::Proposed(proposal) => Ok(v1::ProposeChangeResponse {
            proposal_id: proposal.to_string(),
            receipt: Some(receipt(answer.receipt)),
        }),
        _ => Err(Misfit),
    }
}

/// The answer to an approval.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn approved(answer: Answer) -> Result<v1::ApproveChangeResponse, Misfit> {
    match answer.outcome {
        Outcome::Done => Ok(v1::ApproveChangeResponse {
            receipt: Some(receipt(answer.receipt)),
        }),
        _ => Err(Misfit),
    }
}

/// The answer to a rejection.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn rejected(answer: Answer) -> Result<v1::RejectChangeResponse, Misfit> {
    match answer.outcome {
        Outcome::Done => Ok(v1::RejectChangeResponse {
            receipt: Some(receipt(answer.receipt)),
        }),
        _ => Err(Misfit),
    }
}

/// A change that waits, as it is sent. With which certificate it was proposed is not told.
pub(crate) fn proposal(proposal: &Proposal) -> v1::Proposal {
    let Proposal {
        id,
        change,
        proposed_by,
        certificate: _,
        proposed_at,
    } = proposal;
    v1::Proposal {
        proposal_id: id.to_string(),
        change: Some(write_change(change)),
        proposed_by: proposed_by.to_string(),
        proposed_at: Some(instant(*proposed_at)),
    }
}

fn read_change(message: v1::Change, fields: &mut Fields) -> Option<Change> {
    use v1::change::Change as Wire;
    let v1::Change { change } = message;
    match change {
        Some(Wire::PutParty(message)) => fields
            .within("put_party", |fields| party::read(message, fields))
            .map(Change::PutParty),
        Some(Wire::SuspendPartyId(id)) => fields
            .text("suspend_party_id", &id)
            .map(Change::SuspendParty),
        Some(Wire::ReinstatePartyId(id)) => fields
            .text("reinstate_party_id", &id)
            .map(Change::ReinstateParty),
        Some(Wire::PutPurpose(message)) => fields
            .within("put_purpose", |fields| purpose::read(message, fields))
            .map(Change::PutPurpose),
        Some(Wire::WithdrawPurpose(message)) => fields.within("withdraw_purpose", |fields| {
            let v1::PurposeName { code, version } = message;
            let code = fields.text("code", &code);
            let version = fields.number("version", 1..=u32::MAX, version);
            Some(Change::WithdrawPurpose(code?, version?))
        }),
        None => {
            let rule = "must be one of put_party, suspend_party_id, reinstate_party_id, put_purpose, \
                        withdraw_purpose";
            fields.refuse("", rule);
            None
        }
    }
}

fn write_change(change: &Change) -> v1::Change {
    use v1::change::Change as Wire;
    let change = match change {
        Change::PutParty(put) => Wire::PutParty(party::write(put)),
        Change::SuspendParty(id) => Wire::SuspendPartyId(id.to_string()),
        Change::ReinstateParty(id) => Wire::ReinstatePartyId(id.to_string()),
        Change::PutPurpose(put) => Wire::PutPurpose(purpose::write(put)),
        Change::WithdrawPurpose(code, version) => Wire::WithdrawPurpose(v1::PurposeName {
            code: code.to_string(),
            version: *version,
        }),
    };
    v1::Change {
        change: Some(change),
    }
}
