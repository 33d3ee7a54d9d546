//! What a party may be told.

use schakel_api::v1;
use schakel_core::{party::Peer, right::Right};

use super::{
    Fields,
    code::Coded as _,
    disclosure::basis,
    receipt::{Misfit, not_disclosed, receipt},
    request::Parsed,
    time::instant,
};
use crate::call::{Answer, Call, Outcome};

/// Reads a request to look at what the caller may be told.
pub(crate) fn get(
    message: v1::GetMyRightsRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let v1::GetMyRightsRequest { actor, subject } = message;
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    Some(Parsed {
        who: Some(who?),
        write: None,
        call: Call::MyRights { subject: subject? },
    })
}

/// The answer to it.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn shown(answer: Answer) -> Result<v1::GetMyRightsResponse, Misfit> {
    use v1::get_my_rights_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::Rights(rights) => Told::Rights(v1::Rights {
            rights: rights.into_iter().map(right).collect(),
            receipt: Some(receipt(answer.receipt)),
        }),
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::GetMyRightsResponse {
        outcome: Some(told),
    })
}

fn right(right: Right) -> v1::Right {
    let Right {
        purpose,
        version,
        condition,
        granularity,
        counterpart,
        provider_basis,
        recipient_basis,
        retention_days,
        until,
    } = right;
    v1::Right {
        purpose: purpose.to_string(),
        purpose_version: version,
        condition: condition.to_wire(),
        granularity: granularity.to_wire(),
        counterpart_party_id: counterpart.to_string(),
        provider_basis: provider_basis.as_ref().map(basis),
        recipient_basis: Some(basis(&recipient_basis)),
        retention_days: retention_days.into(),
        until: until.map(instant),
    }
}
