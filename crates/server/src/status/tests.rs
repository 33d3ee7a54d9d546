//! What each error is told as: code, reason, details and words.

use super::*;
use crate::edge::identify::UnknownParty;

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.domain, "schakel");
    info.reason
}

fn every_call_error() -> Vec<CallError> {
    let (field, rule) = ("item.purpose".to_owned(), "must be set".to_owned());
    vec![
        CallError::Invalid {
            field: field.clone(),
            rule: rule.clone(),
        },
        CallError::PurposeUnknown {
            field: field.clone(),
            purpose: "P-PLAN".parse().unwrap(),
        },
        CallError::PurposeNotForRole("P-PLAN".parse().unwrap()),
        CallError::KeyReused,
        CallError::SecondActor,
        CallError::NotWitnessed,
        CallError::NotFound("proposal"),
        CallError::Conflict { field, rule },
        CallError::Overloaded,
        CallError::AuditUnavailable,
        CallError::Unanswered,
        CallError::Blocked,
        CallError::NotForRole("CasesService/OpenCase"),
    ]
}

fn every_refusal() -> Vec<Refusal> {
    vec![
        Refusal::Deadline,
        Refusal::Internal {
            request_id: "0a-1".to_owned(),
        },
        Refusal::Invalid(InvalidRequest::of("message", "must be whole")),
        Refusal::MethodNotForRole {
            method: "CasesService/OpenCase",
        },
        Refusal::Overloaded,
        Refusal::PartyUnknown(UnknownParty::NotRegistered),
        Refusal::Stopping,
        Refusal::UnknownMethod,
    ]
}

#[test]
fn each_error_of_a_call_has_its_code_and_reason() {
    let told: Vec<_> = every_call_error()
        .into_iter()
        .map(|error| {
            let status = Status::from(error);
            (status.code(), reason(&status))
        })
        .collect();
    let expected = [
        (Code::InvalidArgument, "INVALID_REQUEST"),
        (Code::InvalidArgument, "PURPOSE_UNKNOWN"),
        (Code::PermissionDenied, "PURPOSE_NOT_FOR_ROLE"),
        (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED"),
        (Code::FailedPrecondition, "SECOND_ACTOR_REQUIRED"),
        (Code::FailedPrecondition, "NOT_WITNESSED"),
        (Code::NotFound, "NOT_FOUND"),
        (Code::FailedPrecondition, "REGISTRY_CONFLICT"),
        (Code::ResourceExhausted, "OVERLOADED"),
        (Code::Unavailable, "AUDIT_UNAVAILABLE"),
        (Code::Unavailable, "UNANSWERED"),
        (Code::PermissionDenied, "PARTY_UNKNOWN"),
        (Code::PermissionDenied, "METHOD_NOT_FOR_ROLE"),
    ]
    .map(|(code, reason)| (code, reason.to_owned()));
    assert_eq!(told, expected);
}

#[test]
fn each_refusal_has_its_code_and_reason() {
    let told: Vec<_> = every_refusal()
        .iter()
        .map(|refusal| {
            let status = Status::from(refusal);
            let reason = status.get_details_error_info().map(|info| info.reason);
            (status.code(), reason)
        })
        .collect();
    let expected = [
        (Code::DeadlineExceeded, Some("DEADLINE")),
        (Code::Internal, Some("INTERNAL")),
        (Code::InvalidArgument, Some("INVALID_REQUEST")),
        (Code::PermissionDenied, Some("METHOD_NOT_FOR_ROLE")),
        (Code::ResourceExhausted, Some("OVERLOADED")),
        (Code::PermissionDenied, Some("PARTY_UNKNOWN")),
        (Code::Unavailable, None),
        (Code::Unimplemented, None),
    ]
    .map(|(code, reason)| (code, reason.map(str::to_owned)));
    assert_eq!(told, expected);
}

#[test]
fn every_reason_of_the_interface_is_told_by_something() {
    let of_calls = every_call_error().into_iter().map(Status::from);
    let of_refusals = every_refusal();
    let told: Vec<String> = of_calls
        .chain(of_refusals.iter().map(Status::from))
        .filter_map(|status| status.get_details_error_info().map(|info| info.reason))
        .collect();
    for number in 1.. {
        let Ok(reason) = ErrorReason::try_from(number) else {
            assert_eq!(
                number, 16,
                "the interface has other reasons than this test knows"
            );
            break;
        };
        let name = reason.as_str_name().replacen("ERROR_REASON_", "", 1);
        assert!(told.contains(&name), "{name}");
    }
}

#[test]
fn every_broken_field_is_named_with_its_rule() {
    let violation = |field: &str, rule: &str| Violation {
        field: field.to_owned(),
        rule: rule.to_owned(),
    };
    let status = Status::from(InvalidRequest {
        violations: vec![
            violation("actor", "must be set"),
            violation("items[3].purpose", "must be a code"),
        ],
    });
    assert_eq!(
        status.message(),
        "`actor` must be set; `items[3].purpose` must be a code"
    );
    let named = status.get_details_bad_request().unwrap().field_violations;
    let named: Vec<_> = named
        .iter()
        .map(|one| (one.field.as_str(), one.description.as_str()))
        .collect();
    assert_eq!(
        named,
        [
            ("actor", "must be set"),
            ("items[3].purpose", "must be a code")
        ]
    );
}

#[test]
fn a_conflict_names_field_and_rule_and_overload_when_to_retry() {
    let conflict = CallError::Conflict {
        field: "oins".to_owned(),
        rule: "must be free".to_owned(),
    };
    let named = Status::from(conflict)
        .get_details_bad_request()
        .unwrap()
        .field_violations;
    assert_eq!(
        (named[0].field.as_str(), named[0].description.as_str()),
        ("oins", "must be free")
    );
    let retry = Status::from(CallError::Overloaded)
        .get_details_retry_info()
        .unwrap();
    assert_eq!(retry.retry_delay, Some(RETRY_AFTER));
    assert_eq!(
        Status::from(TrailError::Behind).code(),
        Code::ResourceExhausted
    );
    assert_eq!(
        Status::from(TrailError::Unreadable).code(),
        Code::Unavailable
    );
}

#[test]
fn an_internal_error_says_its_request_id_and_nothing_else() {
    let status = Status::from(&Refusal::Internal {
        request_id: "0a-1".to_owned(),
    });
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.metadata, with("request_id", "0a-1"));
    assert_eq!(
        status.message(),
        "internal error: quote the request id to the operator of the broker"
    );
}

#[test]
fn what_the_transport_could_not_read_is_the_callers_to_mend() {
    let told = |code| misread(code, 65_536).map(|refusal| Status::from(&refusal));
    let large = told(Code::OutOfRange).unwrap();
    assert_eq!(
        (large.code(), large.message()),
        (
            Code::InvalidArgument,
            "`message` must have at most 65536 bytes"
        )
    );
    assert_eq!(told(Code::Internal).unwrap().code(), Code::InvalidArgument);
    assert!(told(Code::Unimplemented).is_none());
}
