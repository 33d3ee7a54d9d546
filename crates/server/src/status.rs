//! What is told to a caller when a call fails: the only place where a [`Status`] is made.
//!
//! Every status of the broker carries a `google.rpc.ErrorInfo` with a reason of `error_reason.proto`, for
//! programs, and one sentence for people. Nothing that is not the caller's own leaves here: no path, no
//! message of another layer, nothing that depends on what is held about a person.

use std::{collections::HashMap, time::Duration};

use schakel_api::{ERROR_DOMAIN, v1::ErrorReason};
use schakel_core::id::PurposeCode;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::{
    call::CallError,
    edge::{identify::UnknownParty, refusals::Refusal},
    trail::TrailError,
    wire::{InvalidRequest, Violation},
};

/// After how long a caller may try again when too much waits already.
pub const RETRY_AFTER: Duration = Duration::from_millis(250);

/// After how long a receipt may be witnessed that is not yet: a publication, as brokers are set by default.
pub const RETRY_WITNESSED_AFTER: Duration = Duration::from_secs(10);

impl From<CallError> for Status {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Invalid { field, rule } => InvalidRequest::of(field, rule).into(),
            CallError::PurposeUnknown { field, purpose } => purpose_unknown(field, &purpose),
            CallError::PurposeNotForRole(purpose) => told(
                Code::PermissionDenied,
                ErrorReason::PurposeNotForRole,
                format!("no route of purpose `{purpose}` leads to a role of the caller"),
                with("purpose", purpose.as_str()),
            ),
            CallError::KeyReused => key_reused(),
            CallError::SecondActor => told(
                Code::FailedPrecondition,
                ErrorReason::SecondActorRequired,
                "nobody does this alone: another actor must, with another certificate and over another connection",
                HashMap::new(),
            ),
            CallError::WideSearch => told(
                Code::FailedPrecondition,
                ErrorReason::SecondActorRequired,
                "a question this wide needs a second officer: name a person, or a party and a shorter \
                 period; or propose it with ProposeSearch and pass the `search_id` once it is approved",
                HashMap::new(),
            ),
            CallError::ExportUnapproved => told(
                Code::FailedPrecondition,
                ErrorReason::SecondActorRequired,
                "an export that opens details or gives processing lines needs the approval of a second officer, for \
                 a term: propose it with ProposeSearch (`export`) and pass the `search_id` once it is approved; \
                 leaves and proofs alone need none",
                HashMap::new(),
            ),
            CallError::NotWitnessed => not_witnessed(),
            CallError::NotFound(what) => told(
                Code::NotFound,
                ErrorReason::NotFound,
                format!("no {what} is known by this name"),
                HashMap::new(),
            ),
            CallError::Conflict { field, rule } => conflict(field, rule),
            CallError::Blocked => party_unknown(&UnknownParty::Blocked),
            CallError::NoStanding(why) => party_unknown(&why.into()),
            CallError::NotForRole(method) => (&Refusal::MethodNotForRole { method }).into(),
            CallError::Overloaded => overloaded(),
            CallError::AuditUnavailable => audit_unavailable(),
            CallError::Unanswered => unanswered(),
        }
    }
}

impl From<InvalidRequest> for Status {
    fn from(error: InvalidRequest) -> Self {
        let message = error.to_string();
        let mut details = info(ErrorReason::InvalidRequest, HashMap::new());
        details.set_bad_request(field_violations(error.violations));
        Self::with_error_details(Code::InvalidArgument, message, details)
    }
}

impl From<TrailError> for Status {
    fn from(error: TrailError) -> Self {
        match error {
            // That it was asked may be recorded by then.
            TrailError::Unreadable => unanswered(),
            TrailError::Behind => overloaded(),
        }
    }
}

impl From<&Refusal> for Status {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Deadline => told(
                Code::DeadlineExceeded,
                ErrorReason::Deadline,
                "the deadline of the call passed: what was recorded stays recorded; retry a write with the same key",
                HashMap::new(),
            ),
            Refusal::Internal { request_id } => told(
                Code::Internal,
                ErrorReason::Internal,
                "internal error: quote the request id to the operator of the broker",
                with("request_id", request_id),
            ),
            Refusal::Invalid(invalid) | Refusal::NotGrpc(invalid) => invalid.clone().into(),
            Refusal::MethodNotForRole { method } => told(
                Code::PermissionDenied,
                ErrorReason::MethodNotForRole,
                format!("no role of the caller may call `{method}`"),
                with("method", method),
            ),
            Refusal::Overloaded => overloaded(),
            Refusal::PartyUnknown(why) => party_unknown(why),
            // No reason of the interface fits these two; a client goes by the code, as it must anyway.
            Refusal::Stopping => Self::new(
                Code::Unavailable,
                "the connection or the broker comes to its end: connect again and go on",
            ),
            Refusal::UnknownMethod => {
                Self::new(Code::Unimplemented, "the broker has no such method")
            }
        }
    }
}

/// What a code means that the transport itself answered with, without details: it could not read the
/// caller's message. `None` for what it does not say about a message.
#[must_use]
pub fn misread(code: Code, message_bytes: usize) -> Option<Refusal> {
    let rule = match code {
        Code::Internal => {
            "must be one whole, uncompressed protobuf message of the type the method takes"
                .to_owned()
        }
        Code::OutOfRange => format!("must have at most {message_bytes} bytes"),
        _ => return None,
    };
    Some(Refusal::Invalid(InvalidRequest::of("message", rule)))
}

fn not_witnessed() -> Status {
    let mut details = info(ErrorReason::NotWitnessed, HashMap::new());
    details.set_retry_info(Some(RETRY_WITNESSED_AFTER));
    let message = "the receipt is not witnessed yet: ask again after the next publication, or for a lower level";
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

fn overloaded() -> Status {
    let mut details = info(ErrorReason::Overloaded, HashMap::new());
    details.set_retry_info(Some(RETRY_AFTER));
    let message = "too much at once: try again later, with growing pauses";
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

fn audit_unavailable() -> Status {
    told(
        Code::Unavailable,
        ErrorReason::AuditUnavailable,
        "the log cannot be written, so nothing was done and nothing leaves: a retry is safe",
        HashMap::new(),
    )
}

fn unanswered() -> Status {
    told(
        Code::Unavailable,
        ErrorReason::Unanswered,
        "the call may be recorded, and its answer cannot be given: what was recorded stays recorded; retry a write \
         with the same key",
        HashMap::new(),
    )
}

fn party_unknown(why: &UnknownParty) -> Status {
    told(
        Code::PermissionDenied,
        ErrorReason::PartyUnknown,
        why.to_string(),
        HashMap::new(),
    )
}

fn purpose_unknown(field: String, purpose: &PurposeCode) -> Status {
    let message = format!(
        "purpose `{purpose}`, or this version of it, is not in force: ListPurposes shows what is"
    );
    let rule = "must be a purpose, in a version, that is in force: ListPurposes shows what is";
    let details = info(
        ErrorReason::PurposeUnknown,
        with("purpose", purpose.as_str()),
    );
    broken(
        Code::InvalidArgument,
        message,
        details,
        (field, rule.to_owned()),
    )
}

fn key_reused() -> Status {
    let message =
        "`idempotency_key` was used for another request in the last 24 hours: choose a new one";
    let rule = "must be new for each request: this one was used for another in the last 24 hours, choose a new UUID";
    let details = info(ErrorReason::IdempotencyKeyReused, HashMap::new());
    let field = "idempotency_key".to_owned();
    broken(
        Code::AlreadyExists,
        message,
        details,
        (field, rule.to_owned()),
    )
}

fn conflict(field: String, rule: String) -> Status {
    let message = format!("the change does not fit what is registered: `{field}` {rule}");
    let details = info(ErrorReason::RegistryConflict, HashMap::new());
    broken(Code::FailedPrecondition, message, details, (field, rule))
}

/// A status that names the field that breaks a rule, and the rule.
fn broken(
    code: Code,
    message: impl Into<String>,
    mut details: ErrorDetails,
    (field, rule): (String, String),
) -> Status {
    details.set_bad_request(field_violations(vec![Violation { field, rule }]));
    Status::with_error_details(code, message, details)
}

fn told(
    code: Code,
    reason: ErrorReason,
    message: impl Into<String>,
    metadata: HashMap<String, String>,
) -> Status {
    Status::with_error_details(code, message, info(reason, metadata))
}

fn info(reason: ErrorReason, metadata: HashMap<String, String>) -> ErrorDetails {
    let name = reason.as_str_name();
    let short = name.strip_prefix("ERROR_REASON_").unwrap_or(name);
    ErrorDetails::with_error_info(short, ERROR_DOMAIN, metadata)
}

fn field_violations(violations: Vec<Violation>) -> Vec<FieldViolation> {
    violations
        .into_iter()
        .map(|violation| FieldViolation::new(violation.field, violation.rule))
        .collect()
}

fn with(key: &str, value: &str) -> HashMap<String, String> {
    HashMap::from([(key.to_owned(), value.to_owned())])
}

#[cfg(test)]
mod tests;
