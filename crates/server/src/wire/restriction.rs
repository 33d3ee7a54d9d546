//! Restrictions and objections.

use schakel_api::v1;
use schakel_core::{code::Condition, party::Peer};

use super::{
    Fields,
    consent::code,
    receipt::{Misfit, not_disclosed, receipt},
    request::{Parsed, body},
};
use crate::call::{Answer, Call, Outcome};

/// Reads a request to record a restriction or objection.
pub(crate) fn record(
    message: v1::RecordRestrictionRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RecordRestrictionRequest {
        idempotency_key,
        actor,
        subject,
        kind,
        controller_party_id,
        conditions,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    let kind = fields.code("kind", kind);
    let controller = fields.optional_text("controller_party_id", controller_party_id);
    let conditions = fields.set("conditions", 0..=Condition::ALL.len(), conditions, code);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::RecordRestriction {
            subject: subject?,
            kind: kind?,
            controller: controller?,
            conditions: conditions?,
        },
    })
}

/// Reads a request to lift one.
pub(crate) fn lift(
    message: v1::LiftRestrictionRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::LiftRestrictionRequest {
        idempotency_key,
        actor,
        subject,
        restriction_id,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    let restriction = fields.text("restriction_id", &restriction_id);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::LiftRestriction {
            subject: subject?,
            restriction: restriction?,
        },
    })
}

/// The answer to a recorded restriction: the same whether or not the person is known.
///
/// # Errors
/// When the outcome belongs to another call; recording a restriction is never denied.
pub(crate) fn recorded(answer: Answer) -> Result<v1::RecordRestrictionResponse, Misfit> {
    match answer.outcome {
        Outcome::Restricted(restriction) => Ok(v1::RecordRestrictionResponse {
            restriction_id: restriction.to_string(),
            receipt: Some(receipt(answer.receipt)),
        }),
        _ => Err(Misfit),
    }
}

/// The answer to a request to lift one.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn lifted(answer: Answer) -> Result<v1::LiftRestrictionResponse, Misfit> {
    use v1::lift_restriction_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::Done => Told::Lifted(v1::RestrictionLifted {
            receipt: Some(receipt(answer.receipt)),
        }),
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::LiftRestrictionResponse {
        outcome: Some(told),
    })
}
