//! Consents and restrictions.

use schakel_api::v1;
use schakel_core::code::Role;

use super::{Spoils, assert_refusals};
use crate::wire::{
    consent, restriction,
    testing::{self, actor, bsn, day, id, subject},
};

#[test]
fn recording_a_consent() {
    assert_refusals(
        &testing::consent(),
        Role::Municipality,
        consent::record,
        TERMS,
    );
}

const TERMS: Spoils<v1::RecordConsentRequest> = &[
    (
        |m| m.subject = Some(bsn("111222334")),
        "subject.bsn",
        "eleven test",
    ),
    (
        |m| m.state = 0,
        "state",
        "REQUESTED, DEFERRED, REFUSED, GIVEN, RENEWED",
    ),
    (
        |m| m.state = v1::ConsentState::Withdrawn.into(),
        "state",
        "by withdrawing",
    ),
    (|m| m.terms = None, "terms", "must be set"),
    (|m| terms(m).kind = 0, "terms.kind", "PROCESSING_BASIS"),
    (
        |m| terms(m).conditions = vec![],
        "terms.conditions",
        "must hold 1 to 6",
    ),
    (
        |m| terms(m).conditions = vec![2, 2],
        "terms.conditions",
        "twice",
    ),
    (
        |m| terms(m).conditions = vec![2, 99],
        "terms.conditions[1]",
        "HOUSING",
    ),
    (
        |m| terms(m).purposes = vec!["spoilt".into()],
        "terms.purposes[0]",
        "purpose code",
    ),
    (
        |m| terms(m).provider_party_ids = vec!["abc".into(); 17],
        "terms.provider_party_ids",
        "must hold 1 to 16",
    ),
    (
        |m| terms(m).recipient_party_ids = vec!["party-1".into()],
        "terms.recipient_party_ids",
        "in its own favour",
    ),
    (|m| terms(m).granularity = 4, "terms.granularity", "SIGNAL"),
    (
        |m| terms(m).valid_from = None,
        "terms.valid_from",
        "must be set",
    ),
    (
        |m| terms(m).valid_until = Some(day(1)),
        "terms.valid_until",
        "after valid_from",
    ),
    (
        |m| terms(m).valid_until = Some(day(733)),
        "terms.valid_until",
        "731 days",
    ),
    (
        |m| terms(m).collected_at = Some(day(2)),
        "terms.valid_from",
        "never works backwards",
    ),
    (|m| terms(m).notice = None, "terms.notice", "must be set"),
    (
        |m| terms(m).notice.as_mut().unwrap().sha256 = vec![1; 31].into(),
        "terms.notice.sha256",
        "32 bytes",
    ),
    (
        |m| terms(m).notice.as_mut().unwrap().language = "SPOILT_".into(),
        "terms.notice.language",
        "BCP 47",
    ),
    (
        |m| terms(m).notice.as_mut().unwrap().version = "a\nb".into(),
        "terms.notice.version",
        "1 to 40 characters on one line",
    ),
    (|m| terms(m).method = 0, "terms.method", "WRITTEN"),
    (
        |m| terms(m).representative_mandate_sha256 = Some(vec![].into()),
        "terms.representative_mandate_sha256",
        "32 bytes",
    ),
    (
        |m| terms(m).attestations = None,
        "terms.attestations",
        "must be set",
    ),
];

fn terms(message: &mut v1::RecordConsentRequest) -> &mut v1::ConsentTerms {
    message.terms.as_mut().unwrap()
}

#[test]
fn withdrawing_and_restricting() {
    let withdraw = v1::WithdrawConsentRequest {
        idempotency_key: id(1),
        actor: Some(actor()),
        subject: Some(subject()),
        conditions: vec![],
        recipient_party_id: None,
    };
    assert_refusals(
        &withdraw,
        Role::PrivacyOfficer,
        consent::withdraw,
        &[
            (|m| m.subject = None, "subject", "must be set"),
            (|m| m.conditions = vec![0], "conditions[0]", "HOUSING"),
            (|m| m.conditions = vec![3, 3], "conditions", "twice"),
            (
                |m| m.recipient_party_id = Some("SPOILT".into()),
                "recipient_party_id",
                "party id",
            ),
        ],
    );
    let restrict = v1::RecordRestrictionRequest {
        idempotency_key: id(1),
        actor: Some(actor()),
        subject: Some(bsn("111222333")),
        kind: 2,
        controller_party_id: None,
        conditions: vec![1],
    };
    assert_refusals(
        &restrict,
        Role::Uwv,
        restriction::record,
        &[
            (|m| m.kind = 3, "kind", "RESTRICTION, OBJECTION"),
            (
                |m| m.controller_party_id = Some("SPOILT".into()),
                "controller_party_id",
                "party id",
            ),
            (|m| m.conditions = vec![1; 7], "conditions", "at most 6"),
        ],
    );
}
