//! The exchange: reporting, introducing, asking.

use schakel_api::v1;
use schakel_core::{ask::Ask, code::Role, party::Peer, status::Report, time::Timestamp};

use super::{
    Fields,
    consent::code,
    introduction,
    person::Who,
    receipt::{Misfit, not_disclosed, receipt},
    request::{Parsed, body},
    time::instant,
};
use crate::call::{Answer, Call, Outcome};

/// Reads a reported status.
pub(crate) fn report(
    message: v1::ReportStatusRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::ReportStatusRequest {
        idempotency_key,
        actor,
        subject,
        condition,
        status,
        as_of,
        expected,
        moment,
        origin,
        offered_by_party_id,
        correction,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    let condition = fields.code("condition", condition);
    let status = fields.code("status", status);
    let as_of = fields.text("as_of", &as_of);
    let expected = fields.optional_text("expected", expected);
    let moment = fields.code("moment", moment);
    let origin = read_origin(origin, peer, fields);
    let offered_by = fields.optional_text("offered_by_party_id", offered_by_party_id);
    let report = Report {
        status: status?,
        as_of: as_of?,
        expected: expected?,
        moment: moment?,
        origin: origin?,
        offered_by: offered_by?,
    };
    // Whether `as_of` lies in the future only the log's own time can judge.
    if let Err((field, invalid)) = report.check(Timestamp::MAX.date()) {
        let field = if field == "offered_by" {
            "offered_by_party_id"
        } else {
            field
        };
        fields.refuse(field, invalid.rule());
    }
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::ReportStatus {
            subject: subject?,
            condition: condition?,
            report,
            correction,
        },
    })
}

/// Reads a request to introduce a partner.
pub(crate) fn introduce(
    message: v1::IntroduceRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::IntroduceRequest {
        idempotency_key,
        actor,
        case_id,
        partner_party_id,
        condition,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let case = fields.text("case_id", &case_id);
    let partner = fields.text("partner_party_id", &partner_party_id);
    let condition = fields.code("condition", condition);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::Introduce {
            case: case?,
            partner: partner?,
            condition: condition?,
        },
    })
}

/// Reads a request to redeem a code.
pub(crate) fn redeem(
    message: v1::RedeemRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RedeemRequest {
        idempotency_key,
        actor,
        code,
        client_ref,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let code_sha256 = fields.introduction("code", &code);
    let client_ref = fields.client_ref(&client_ref, peer);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::Redeem {
            code_sha256: code_sha256?,
            client_ref: client_ref?,
        },
    })
}

/// Reads a question.
pub(crate) fn ask(message: v1::AskRequest, peer: &Peer, fields: &mut Fields) -> Option<Parsed> {
    let v1::AskRequest { actor, item } = message;
    let who = fields.who(actor);
    let ask = fields.message("item", item, |item, fields| read_item(item, peer, fields));
    Some(asked(who?, ask?))
}

/// Reads several questions: all of them, or what is wrong with any of them.
pub(crate) fn ask_batch(
    message: v1::AskBatchRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Vec<Parsed>> {
    let v1::AskBatchRequest { actor, items } = message;
    let who = fields.who(actor);
    let asks = fields.list("items", 1..=100, items, |item, fields| {
        read_item(item, peer, fields)
    });
    let who = who?;
    let asks = asks?.into_iter();
    Some(asks.map(|ask| asked(who.clone(), ask)).collect())
}

/// The answer to a reported status.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn reported(answer: Answer) -> Result<v1::ReportStatusResponse, Misfit> {
    use v1::report_status_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::Done => Told::Reported(v1::StatusReported {
            receipt: Some(receipt(answer.receipt)),
        }),
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::ReportStatusResponse {
        outcome: Some(told),
    })
}

/// The answer to an introduction.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn introduced(answer: Answer) -> Result<v1::IntroduceResponse, Misfit> {
    use v1::introduce_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::Introduced { code, until } => Told::Introduction(v1::Introduction {
            code: introduction::write(code),
            valid_until: Some(instant(until)),
            receipt: Some(receipt(answer.receipt)),
        }),
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::IntroduceResponse {
        outcome: Some(told),
    })
}

/// The answer to a code: the same whether or not it works.
///
/// # Errors
/// When the outcome belongs to another call; redeeming is never denied.
pub(crate) fn redeemed(answer: Answer) -> Result<v1::RedeemResponse, Misfit> {
    match answer.outcome {
        Outcome::Done => Ok(v1::RedeemResponse {
            receipt: Some(receipt(answer.receipt)),
        }),
        _ => Err(Misfit),
    }
}

/// The answer to a question.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn answered(answer: Answer) -> Result<v1::AskResponse, Misfit> {
    use v1::ask_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::Disclosed { content, salt } => Told::Disclosed(v1::Disclosed {
            disclosure: content.into(),
            salt: salt.to_vec().into(),
            receipt: Some(receipt(answer.receipt)),
        }),
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::AskResponse {
        outcome: Some(told),
    })
}

fn asked(who: Who, ask: Ask) -> Parsed {
    Parsed {
        who: Some(who),
        write: None,
        call: Call::Ask(ask),
    }
}

fn read_item(message: v1::AskItem, peer: &Peer, fields: &mut Fields) -> Option<Ask> {
    let v1::AskItem {
        subject,
        purpose,
        purpose_version,
        conditions,
        granularity,
    } = message;
    let subject = fields.subject(subject, peer);
    let purpose = fields.text("purpose", &purpose);
    let version = match purpose_version {
        Some(version) => fields
            .number("purpose_version", 1..=u32::MAX, version)
            .map(Some),
        None => Some(None),
    };
    let conditions = fields.set("conditions", 1..=6, conditions, code);
    let granularity = fields.code("granularity", granularity);
    Some(Ask {
        subject: subject?,
        purpose: purpose?,
        version: version?,
        conditions: conditions?,
        granularity: granularity?,
    })
}

/// The role the information stems from: as given, else the reporter's own, of which the first counts.
fn read_origin(origin: Option<i32>, peer: &Peer, fields: &mut Fields) -> Option<Role> {
    let origin = match origin {
        Some(code) => fields.code("origin", code)?,
        None => peer
            .roles
            .iter()
            .copied()
            .find(|role| role.collects_consent())?,
    };
    if !origin.collects_consent() {
        let rule =
            "must be the role of a party that holds data on persons, not of one that oversees";
        fields.refuse("origin", rule);
        return None;
    }
    Some(origin)
}
