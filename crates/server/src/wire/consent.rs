//! Consents: recording, withdrawing and showing them. What they say is read and written by `terms`.

use schakel_api::v1;
use schakel_core::{
    code::Condition,
    consent::{Consent, ConsentState, Narrowing, StateChange},
    id::EntryIndex,
    invalid::Invalid,
    party::Peer,
    person::SubjectRef,
    time::Timestamp,
};

use super::{
    Fields,
    code::{Coded as _, to_wire},
    receipt::{Misfit, not_disclosed, receipt},
    request::{Parsed, body},
    terms,
    time::instant,
    veil::Veil,
};
use crate::call::{Answer, Call, Outcome};

/// Reads a request to record a consent.
pub(crate) fn record(
    message: v1::RecordConsentRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RecordConsentRequest {
        idempotency_key,
        actor,
        subject,
        state,
        terms,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    let state = recordable(state, fields);
    let case = match &subject {
        Some(SubjectRef::Case(case)) => Some(*case),
        _ => None,
    };
    let terms = fields.message("terms", terms, |message, fields| {
        terms::read(message, peer, case, fields)
    });
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::RecordConsent {
            subject: subject?,
            state: state?,
            terms: Box::new(terms?),
        },
    })
}

/// Reads a request to withdraw consents.
pub(crate) fn withdraw(
    message: v1::WithdrawConsentRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::WithdrawConsentRequest {
        idempotency_key,
        actor,
        subject,
        conditions,
        recipient_party_id,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    let conditions = fields.set("conditions", 0..=Condition::ALL.len(), conditions, code);
    let recipient = fields.optional_text("recipient_party_id", recipient_party_id);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::WithdrawConsent {
            subject: subject?,
            conditions: conditions?,
            recipient: recipient?,
        },
    })
}

/// Reads a request to look at one consent.
pub(crate) fn get(
    message: v1::GetConsentRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let v1::GetConsentRequest {
        actor,
        subject,
        consent_id,
    } = message;
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    let consent = fields.text("consent_id", &consent_id);
    Some(Parsed {
        who: Some(who?),
        write: None,
        call: Call::Consents {
            subject: subject?,
            consent: Some(consent?),
        },
    })
}

/// Reads a request to look at the consents of a person.
pub(crate) fn list(
    message: v1::ListConsentsRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let v1::ListConsentsRequest { actor, subject } = message;
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    Some(Parsed {
        who: Some(who?),
        write: None,
        call: Call::Consents {
            subject: subject?,
            consent: None,
        },
    })
}

/// Reads one condition of a list.
pub(crate) fn code(condition: i32, fields: &mut Fields) -> Option<Condition> {
    fields.code("", condition)
}

/// The answer to a request to record a consent.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn recorded(answer: Answer) -> Result<v1::RecordConsentResponse, Misfit> {
    use v1::record_consent_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::ConsentRecorded(consent) => Told::Recorded(v1::ConsentRecorded {
            consent_id: consent.to_string(),
            receipt: Some(receipt(answer.receipt)),
        }),
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::RecordConsentResponse {
        outcome: Some(told),
    })
}

/// The answer to a withdrawal: the same whatever there was to withdraw.
///
/// # Errors
/// When the outcome belongs to another call; a withdrawal is never denied.
pub(crate) fn withdrawn(answer: Answer) -> Result<v1::WithdrawConsentResponse, Misfit> {
    match answer.outcome {
        Outcome::Done => Ok(v1::WithdrawConsentResponse {
            receipt: Some(receipt(answer.receipt)),
        }),
        _ => Err(Misfit),
    }
}

/// The answer to a request to look at one consent.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn shown(answer: Answer, veil: &Veil) -> Result<v1::GetConsentResponse, Misfit> {
    use v1::get_consent_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::Consents(consents, at) => Told::Consents(v1::Consents {
            consents: shown_at(consents, at, veil),
            receipt: Some(receipt(answer.receipt)),
        }),
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::GetConsentResponse {
        outcome: Some(told),
    })
}

/// The answer to a request to look at the consents of a person.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn listed(answer: Answer, veil: &Veil) -> Result<v1::ListConsentsResponse, Misfit> {
    use v1::list_consents_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::Consents(consents, at) => Told::Consents(v1::Consents {
            consents: shown_at(consents, at, veil),
            receipt: Some(receipt(answer.receipt)),
        }),
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::ListConsentsResponse {
        outcome: Some(told),
    })
}

fn recordable(state: i32, fields: &mut Fields) -> Option<ConsentState> {
    const RULE: Invalid = Invalid::new(
        "must be one of REQUESTED, DEFERRED, REFUSED, GIVEN, RENEWED: \
         the other states come about by themselves or by withdrawing",
    );
    let state = ConsentState::from_wire(state).filter(|state| state.is_recordable());
    fields.check("state", state.ok_or(RULE))
}

/// Consents as they are sent, as of an instant; one that is not there yet is left out. Parties that the
/// caller is not told of are left out of them.
fn shown_at(consents: Vec<Consent>, at: Timestamp, veil: &Veil) -> Vec<v1::Consent> {
    consents
        .into_iter()
        .filter_map(|consent| shown_consent(consent, at, veil))
        .collect()
}

fn shown_consent(consent: Consent, at: Timestamp, veil: &Veil) -> Option<v1::Consent> {
    let state = consent.state(at)?;
    let Consent {
        id,
        terms: agreed,
        history,
        narrowed,
    } = consent;
    let collected_by = veil.who(&agreed.collected_by);
    let mut steps: Vec<_> = history
        .into_iter()
        .map(|change| step(change, veil))
        .collect();
    let ended = narrowed
        .iter()
        .filter_map(|part| Some(partial_step(part, veil.ended(&agreed, part)?, veil)));
    steps.extend(ended);
    steps.sort_by_key(|(entry, _)| *entry);
    Some(v1::Consent {
        consent_id: id.to_string(),
        terms: Some(terms::write(agreed, veil)),
        collected_by,
        state: state.to_wire(),
        history: steps.into_iter().map(|(_, step)| step).collect(),
    })
}

/// A step as it is sent, with the entry that orders it.
fn step(step: StateChange, veil: &Veil) -> (EntryIndex, v1::ConsentStep) {
    let StateChange {
        state,
        at,
        by,
        entry,
    } = step;
    let step = v1::ConsentStep {
        state: state.to_wire(),
        at: Some(instant(at)),
        party_id: veil.who(&by),
        conditions: Vec::new(),
        recipient_party_id: None,
    };
    (entry, step)
}

/// The end of a part as it is sent, with the entry that orders it.
fn partial_step(
    part: &Narrowing,
    shown: Vec<&Condition>,
    veil: &Veil,
) -> (EntryIndex, v1::ConsentStep) {
    let Narrowing {
        state,
        conditions: _,
        recipient,
        at,
        by,
        entry,
    } = part;
    let step = v1::ConsentStep {
        state: state.to_wire(),
        at: Some(instant(*at)),
        party_id: veil.who(by),
        conditions: to_wire(shown),
        recipient_party_id: recipient.as_ref().map(ToString::to_string),
    };
    (*entry, step)
}
