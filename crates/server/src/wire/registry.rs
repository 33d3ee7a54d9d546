//! Changes of the registry and what waits of them.

use schakel_api::v1;
use schakel_core::{
    party::Peer,
    registry::{Change, Proposal},
};

use super::{
    Fields,
    code::Coded as _,
    party, purpose,
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

/// Reads what is to be stopped at once.
pub(crate) fn stop(message: v1::StopRequest, _: &Peer, fields: &mut Fields) -> Option<Parsed> {
    use v1::stop_request::What;
    let body = body(&message);
    let v1::StopRequest {
        idempotency_key,
        reason,
        what,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let reason = fields.code("reason", reason);
    let change = match what {
        Some(What::PartyId(id)) => fields.text("party_id", &id).map(Change::SuspendParty),
        Some(What::Purpose(name)) => {
            fields.within("purpose", |fields| read_withdrawal(name, fields))
        }
        Some(What::Certificate(certificate)) => {
            let certificate = fields.text("certificate", &certificate);
            certificate
                .zip(reason)
                .map(|(certificate, reason)| Change::BlockCertificate(certificate, reason))
        }
        None => {
            fields.refuse("what", "must be one of party_id, purpose, certificate");
            None
        }
    };
    Some(Parsed {
        who: None,
        write: Some(write?),
        call: Call::Stop(Box::new(change?), reason?),
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

/// The answer to a stop.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn stopped(answer: Answer) -> Result<v1::StopResponse, Misfit> {
    match answer.outcome {
        Outcome::Done => Ok(v1::StopResponse {
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
        transport: _,
    } = proposal;
    v1::Proposal {
        expires_at: Some(instant(proposal.expires_at())),
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
            read_withdrawal(message, fields)
        }),
        Some(Wire::BlockCertificate(message)) => fields.within("block_certificate", |fields| {
            let v1::CertificateBlock {
                certificate,
                reason,
            } = message;
            let certificate = fields.text("certificate", &certificate);
            let reason = fields.code("reason", reason);
            Some(Change::BlockCertificate(certificate?, reason?))
        }),
        Some(Wire::UnblockCertificate(certificate)) => fields
            .text("unblock_certificate", &certificate)
            .map(Change::UnblockCertificate),
        None => {
            let rule = "must be one of put_party, suspend_party_id, reinstate_party_id, put_purpose, \
                        withdraw_purpose, block_certificate, unblock_certificate";
            fields.refuse("", rule);
            None
        }
    }
}

fn read_withdrawal(message: v1::PurposeName, fields: &mut Fields) -> Option<Change> {
    let v1::PurposeName { code, version } = message;
    let code = fields.text("code", &code);
    let version = fields.number("version", 1..=u32::MAX, version);
    Some(Change::WithdrawPurpose(code?, version?))
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
        Change::BlockCertificate(certificate, reason) => {
            Wire::BlockCertificate(v1::CertificateBlock {
                certificate: certificate.to_string(),
                reason: reason.to_wire(),
            })
        }
        Change::UnblockCertificate(certificate) => {
            Wire::UnblockCertificate(certificate.to_string())
        }
    };
    v1::Change {
        change: Some(change),
    }
}
