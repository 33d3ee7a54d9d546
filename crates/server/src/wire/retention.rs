//! Erasure and retention.

use schakel_api::v1;
use schakel_core::{
    erasure::{ClassMonth, Covers, Done, Duty, Erasures, Waiting},
    id::PartyId,
    party::Peer,
    time::Timestamp,
};
use schakel_store::world::PROPOSAL_DAYS;

use super::{
    Fields,
    code::Coded as _,
    receipt::{Misfit, not_disclosed, receipt},
    request::{Parsed, body},
    time::instant,
};
use crate::{
    call::{Answer, Call, Outcome, Receipt},
    config::Retention,
};

/// The most erasures that are shown at once.
const MOST_SHOWN: usize = 100;

/// Reads a proposal.
pub(crate) fn propose(
    message: v1::ProposeErasureRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::ProposeErasureRequest {
        idempotency_key,
        actor,
        subject,
        ground,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    let ground = fields.code("ground", ground);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::ProposeErasure {
            subject: subject?,
            ground: ground?,
        },
    })
}

/// Reads an approval.
pub(crate) fn approve(
    message: v1::ApproveErasureRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::ApproveErasureRequest {
        idempotency_key,
        actor,
        proposal_id,
        subject,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let proposal = fields.text("proposal_id", &proposal_id);
    let subject = match subject {
        Some(subject) => fields.subject(Some(subject), peer).map(Some),
        None => Some(None),
    };
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::ApproveErasure {
            proposal: proposal?,
            subject: subject?,
        },
    })
}

/// Reads a rejection.
pub(crate) fn reject(
    message: v1::RejectErasureRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RejectErasureRequest {
        idempotency_key,
        actor,
        proposal_id,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let proposal = fields.text("proposal_id", &proposal_id);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::RejectErasure(proposal?),
    })
}

/// Reads a request for a new key-encryption key.
pub(crate) fn rotate(
    message: v1::RotateKekRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RotateKekRequest { idempotency_key } = message;
    let write = fields.write(&idempotency_key, body)?;
    Some(of_broker(write, Call::RotateKek))
}

/// Reads that the clock is right.
pub(crate) fn acknowledge(
    message: v1::AcknowledgeClockRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::AcknowledgeClockRequest { idempotency_key } = message;
    let write = fields.write(&idempotency_key, body)?;
    Some(of_broker(write, Call::AcknowledgeClock))
}

fn of_broker(write: super::request::Write, call: Call) -> Parsed {
    Parsed {
        who: None,
        write: Some(write),
        call,
    }
}

/// The answer to a proposal.
///
/// # Errors
/// When the outcome belongs to another call; proposing is never denied.
pub(crate) fn proposed(answer: Answer) -> Result<v1::ProposeErasureResponse, Misfit> {
    use v1::propose_erasure_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::Proposed(id) => Told::Proposed(v1::ErasureProposed {
            proposal_id: id.to_string(),
            receipt: Some(receipt(answer.receipt)),
        }),
        Outcome::Retained(duty) => Told::Retained(retained(&duty, answer.receipt)),
        _ => return Err(Misfit),
    };
    Ok(v1::ProposeErasureResponse {
        outcome: Some(told),
    })
}

/// The answer to an approval.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn approved(answer: Answer) -> Result<v1::ApproveErasureResponse, Misfit> {
    use v1::approve_erasure_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::Erased(entries, final_at) => Told::Erased(v1::ErasureDone {
            entries,
            final_at: Some(instant(final_at)),
            receipt: Some(receipt(answer.receipt)),
        }),
        Outcome::Retained(duty) => Told::Retained(retained(&duty, answer.receipt)),
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::ApproveErasureResponse {
        outcome: Some(told),
    })
}

/// The proof of what was done and has nothing more to tell.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn done(answer: Answer) -> Result<v1::Receipt, Misfit> {
    match answer.outcome {
        Outcome::Done => Ok(receipt(answer.receipt)),
        _ => Err(Misfit),
    }
}

fn retained(duty: &Duty, proof: Receipt) -> v1::Retained {
    let Duty { code, law, until } = duty;
    v1::Retained {
        code: code.clone(),
        law_ref: law.clone(),
        until: Some(instant(*until)),
        receipt: Some(receipt(proof)),
    }
}

/// What waits and what was erased: of one controller, or of all.
pub(crate) fn list(
    erasures: &Erasures,
    of: Option<&PartyId>,
    before: Option<u64>,
    (now, terms): (Timestamp, &Retention),
) -> v1::ListErasuresResponse {
    let own = |controller: &PartyId| of.is_none_or(|of| of == controller);
    let waiting = erasures
        .waiting()
        .filter(|waiting| own(&waiting.proposal.controller))
        .filter(|waiting| now < lapses_at(waiting))
        .map(waits)
        .collect();
    let mut done: Vec<_> = erasures
        .done()
        .filter(|done| before.is_none_or(|before| done.entry.0 < before))
        .filter(|done| done.erased.controller.as_ref().is_none_or(own))
        .collect();
    done.reverse();
    let done = done.into_iter().take(MOST_SHOWN);
    v1::ListErasuresResponse {
        waiting,
        done: done.map(|done| erasure(done, terms)).collect(),
    }
}

/// For how long what is kept, and what is due.
pub(crate) fn shown(
    terms: &Retention,
    erasures: &Erasures,
    held: Option<Timestamp>,
    now: Timestamp,
) -> v1::GetRetentionResponse {
    let Retention {
        standard_months,
        care_months,
        consent_months,
        case_days,
        keyring_backup_days,
        look_every: _,
        rotate_kek_after: _,
    } = *terms;
    let mut due: Vec<_> = erasures.months_left().collect();
    due.sort_unstable_by_key(|due| (due.month, due.class));
    let this = crate::sequencer::month(now).map_or(0, schakel_audit::leaf::Month::number);
    let overdue = due.iter().filter(|due| due.month <= this).copied();
    v1::GetRetentionResponse {
        standard_months,
        care_months,
        consent_months,
        case_days,
        keyring_backup_days,
        overdue: overdue.map(month).collect(),
        due: due.into_iter().map(month).collect(),
        clock_held_at: held.map(instant),
        kek_due_since: erasures.unrotated().map(|done| instant(done.at)),
        sweeping: erasures.unswept().is_some(),
        at: Some(instant(now)),
    }
}

fn lapses_at(waiting: &Waiting) -> Timestamp {
    waiting.proposal.proposed_at.plus_days(PROPOSAL_DAYS)
}

fn waits(waiting: &Waiting) -> v1::WaitingErasure {
    let proposal = &waiting.proposal;
    v1::WaitingErasure {
        proposal_id: proposal.id.to_string(),
        controller_party_id: proposal.controller.to_string(),
        ground: proposal.ground.to_wire(),
        proposed_by: proposal.proposed_by.to_string(),
        proposed_at: Some(instant(proposal.proposed_at)),
        lapses_at: Some(instant(lapses_at(waiting))),
    }
}

fn erasure(done: &Done, terms: &Retention) -> v1::Erasure {
    let Done { entry, at, erased } = done;
    let of_month = match &erased.covers {
        Covers::Month(due) => Some(month(*due)),
        Covers::Entries(_) => None,
    };
    v1::Erasure {
        index: entry.0,
        at: Some(instant(*at)),
        rule: Some(rule(done)),
        controller_party_id: erased.controller.as_ref().map(ToString::to_string),
        entries: erased.covers.count(),
        month: of_month,
        final_at: Some(instant(at.plus_days(terms.keyring_backup_days))),
        proposal_id: erased.proposal.map(|id| id.to_string()),
    }
}

/// The rule of an erasure, with the entry that tells of it.
pub(crate) fn rule(done: &Done) -> v1::ErasureRule {
    v1::ErasureRule {
        code: done.erased.rule.code.clone(),
        law_ref: done.erased.rule.law.clone(),
        index: done.entry.0,
    }
}

fn month(due: ClassMonth) -> v1::RetentionMonth {
    let class = schakel_audit::leaf::RetentionClass::from_number(u64::from(due.class));
    v1::RetentionMonth {
        retention_class: class.map_or_else(String::new, |class| class.name().to_uppercase()),
        month: due.month,
    }
}
