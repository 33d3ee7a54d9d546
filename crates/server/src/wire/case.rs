//! Cases.

use schakel_api::v1;
use schakel_core::{
    case::{Assignment, Case},
    party::Peer,
    person::Identifier,
};

use super::{
    Fields,
    receipt::{Misfit, not_disclosed, receipt},
    request::{Parsed, body},
    time::{instant, period},
};
use crate::call::{Answer, Call, Outcome};

/// Reads a request to open a case.
pub(crate) fn open(
    message: v1::OpenCaseRequest,
    peer: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::OpenCaseRequest {
        idempotency_key,
        actor,
        skn,
        bsn,
        municipality_party_id,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    if skn.is_none() && bsn.is_none() {
        fields.refuse("skn", "must name the person: set skn, bsn or both");
    }
    let skn = skn.map(|text| fields.skn(&text, peer).map(Identifier::Skn));
    let bsn = bsn.map(|text| fields.bsn(&text, peer).map(Identifier::Bsn));
    let identifiers = [skn, bsn].into_iter().flatten().collect::<Option<Vec<_>>>();
    let municipality = fields.optional_text("municipality_party_id", municipality_party_id);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::OpenCase {
            identifiers: identifiers?,
            municipality: municipality?,
        },
    })
}

/// Reads a request to name a municipality of return.
pub(crate) fn assign(
    message: v1::AssignMunicipalityRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::AssignMunicipalityRequest {
        idempotency_key,
        actor,
        case_id,
        municipality_party_id,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let case = fields.text("case_id", &case_id);
    let municipality = fields.text("municipality_party_id", &municipality_party_id);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::AssignMunicipality {
            case: case?,
            municipality: municipality?,
        },
    })
}

/// Reads a request to add a member.
pub(crate) fn add(message: v1::AddMemberRequest, _: &Peer, fields: &mut Fields) -> Option<Parsed> {
    let body = body(&message);
    let v1::AddMemberRequest {
        idempotency_key,
        actor,
        case_id,
        party_id,
        until,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let case = fields.text("case_id", &case_id);
    let party = fields.text("party_id", &party_id);
    let until = fields.optional_instant("until", until);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::AddMember {
            case: case?,
            party: party?,
            until: until?,
        },
    })
}

/// Reads a request to remove a member.
pub(crate) fn remove(
    message: v1::RemoveMemberRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::RemoveMemberRequest {
        idempotency_key,
        actor,
        case_id,
        party_id,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let case = fields.text("case_id", &case_id);
    let party = fields.text("party_id", &party_id);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::RemoveMember {
            case: case?,
            party: party?,
        },
    })
}

/// Reads a request to close a case.
pub(crate) fn close(
    message: v1::CloseCaseRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Parsed> {
    let body = body(&message);
    let v1::CloseCaseRequest {
        idempotency_key,
        actor,
        case_id,
        reason,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let case = fields.text("case_id", &case_id);
    let reason = fields.code("reason", reason);
    Some(Parsed {
        who: Some(who?),
        write: Some(write?),
        call: Call::CloseCase {
            case: case?,
            reason: reason?,
        },
    })
}

/// Reads a request to look at a case.
pub(crate) fn get(message: v1::GetCaseRequest, peer: &Peer, fields: &mut Fields) -> Option<Parsed> {
    let v1::GetCaseRequest { actor, subject } = message;
    let who = fields.who(actor);
    let subject = fields.subject(subject, peer);
    Some(Parsed {
        who: Some(who?),
        write: None,
        call: Call::GetCase { subject: subject? },
    })
}

/// The answer to a request to open a case.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn opened(answer: Answer) -> Result<v1::OpenCaseResponse, Misfit> {
    use v1::open_case_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::CaseOpened(case) => Told::Opened(v1::CaseOpened {
            case_id: case.to_string(),
            receipt: Some(receipt(answer.receipt)),
        }),
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::OpenCaseResponse {
        outcome: Some(told),
    })
}

/// The answer to a request to look at a case.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn shown(answer: Answer) -> Result<v1::GetCaseResponse, Misfit> {
    use v1::get_case_response::Outcome as Told;
    let told = match answer.outcome {
        Outcome::Case(case) => {
            let mut case = shown_case(*case);
            case.receipt = Some(receipt(answer.receipt));
            Told::Case(case)
        }
        Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
        _ => return Err(Misfit),
    };
    Ok(v1::GetCaseResponse {
        outcome: Some(told),
    })
}

/// The answers that say only that a case was changed are the same message under four names.
macro_rules! changed {
    ($($(#[$doc:meta])* $name:ident, $response:ident, $outcome:ident;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// When the outcome belongs to another call.
        pub(crate) fn $name(answer: Answer) -> Result<v1::$response, Misfit> {
            use v1::$outcome::Outcome as Told;
            let told = match answer.outcome {
                Outcome::Done => Told::Changed(v1::CaseChanged {
                    receipt: Some(receipt(answer.receipt)),
                }),
                Outcome::NotDisclosed(reference) => Told::NotDisclosed(not_disclosed(reference)),
                _ => return Err(Misfit),
            };
            Ok(v1::$response { outcome: Some(told) })
        }
    )* };
}

changed! {
    /// The answer to a request to name a municipality of return.
    assigned, AssignMunicipalityResponse, assign_municipality_response;
    /// The answer to a request to add a member.
    added, AddMemberResponse, add_member_response;
    /// The answer to a request to remove a member.
    removed, RemoveMemberResponse, remove_member_response;
    /// The answer to a request to close a case.
    closed, CloseCaseResponse, close_case_response;
}

/// A case as it is sent, without the receipt of the look-up. Who was introduced is not told here: an
/// introduction is between the introducer, the person and the partner. Nor what its opening said of numbers.
fn shown_case(case: Case) -> v1::Case {
    let Case {
        id,
        opened_by,
        opened_at,
        closed_at,
        returns,
        members,
        introduced: _,
        entry: _,
        besides: _,
        in_error: _,
    } = case;
    v1::Case {
        case_id: id.to_string(),
        opened_at: Some(instant(opened_at)),
        closed_at: closed_at.map(instant),
        opened_by: opened_by.to_string(),
        municipalities: returns.into_iter().map(assignment).collect(),
        members: members.into_iter().map(assignment).collect(),
        receipt: None,
    }
}

fn assignment(assignment: Assignment) -> v1::Assignment {
    let Assignment {
        party,
        period: held,
    } = assignment;
    v1::Assignment {
        party_id: party.to_string(),
        period: Some(period(held)),
    }
}
