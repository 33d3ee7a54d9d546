//! What is wrong with a request is told field by field, with the rule, and never with the value.

mod consent;
mod registry;

use schakel_api::v1;
use schakel_core::{code::Role, party::Peer};

use crate::wire::{
    Fields, audit, case, exchange, notice,
    request::read,
    right,
    testing::{self, actor, bsn, day, id, subject},
};

/// Ways to spoil a request, each with the field and a part of the rule that must be told.
type Spoils<M> = &'static [(fn(&mut M), &'static str, &'static str)];

/// Spoils a good request in each of the ways given, and compares what is told.
fn assert_refusals<M: Clone, T>(
    good: &M,
    role: Role,
    parse: impl Fn(M, &Peer, &mut Fields) -> Option<T>,
    spoils: Spoils<M>,
) {
    let peer = testing::peer(role);
    read(good.clone(), &peer, &parse)
        .map(|_| ())
        .expect("the good request is good");
    for (at, (spoil, field, rule)) in spoils.iter().enumerate() {
        let mut message = good.clone();
        spoil(&mut message);
        let refused = read(message, &peer, &parse).map(|_| ()).expect_err(field);
        let named: Vec<_> = refused
            .violations
            .iter()
            .map(|v| v.field.as_str())
            .collect();
        assert_eq!(named, [*field], "{at}");
        assert!(refused.violations[0].rule.contains(rule), "{at}: {refused}");
        assert!(!refused.to_string().contains("SPOILT"), "{at}: {refused}");
    }
}

#[test]
fn opening_a_case() {
    let good = v1::OpenCaseRequest {
        idempotency_key: id(1),
        actor: Some(actor()),
        skn: Some("123".into()),
        bsn: Some("111222333".into()),
        municipality_party_id: Some("town-1".into()),
    };
    assert_refusals(
        &good,
        Role::Pi,
        case::open,
        &[
            (
                |m| m.idempotency_key = "SPOILT".into(),
                "idempotency_key",
                "UUID",
            ),
            (|m| m.actor = None, "actor", "must be set"),
            (
                |m| m.actor.as_mut().unwrap().actor_ref = String::new(),
                "actor.actor_ref",
                "1 to 64",
            ),
            (|m| m.skn = Some("SPOILT skn".into()), "skn", "1 to 20"),
            (|m| m.bsn = Some("111222334".into()), "bsn", "eleven test"),
            (
                |m| (m.skn, m.bsn) = (None, None),
                "skn",
                "set skn, bsn or both",
            ),
            (
                |m| m.municipality_party_id = Some("SPOILT".into()),
                "municipality_party_id",
                "a-z",
            ),
        ],
    );
}

#[test]
fn changing_a_case() {
    let add = v1::AddMemberRequest {
        idempotency_key: id(1),
        actor: Some(actor()),
        case_id: id(2),
        party_id: "party-2".into(),
        until: Some(day(9)),
    };
    assert_refusals(
        &add,
        Role::Pi,
        case::add,
        &[
            (|m| m.case_id = "SPOILT".into(), "case_id", "UUID"),
            (|m| m.party_id = "SPOILT".into(), "party_id", "party id"),
            (
                |m| m.until.as_mut().unwrap().seconds = -1,
                "until",
                "from 1970",
            ),
        ],
    );
    let close = v1::CloseCaseRequest {
        idempotency_key: id(1),
        actor: Some(actor()),
        case_id: id(2),
        reason: 1,
    };
    assert_refusals(
        &close,
        Role::Pi,
        case::close,
        &[
            (|m| m.reason = 0, "reason", "COMPLETED, PERSON_DECLINED"),
            (|m| m.reason = 6, "reason", "OPENED_IN_ERROR"),
        ],
    );
}

#[test]
fn introducing_and_redeeming() {
    let introduce = v1::IntroduceRequest {
        idempotency_key: id(1),
        actor: Some(actor()),
        case_id: id(2),
        partner_party_id: "home-1".into(),
        condition: 2,
    };
    assert_refusals(
        &introduce,
        Role::Municipality,
        exchange::introduce,
        &[
            (
                |m| m.partner_party_id = "SPOILT".into(),
                "partner_party_id",
                "party id",
            ),
            (|m| m.condition = -1, "condition", "HOUSING"),
        ],
    );
    let redeem = v1::RedeemRequest {
        idempotency_key: id(1),
        actor: Some(actor()),
        code: "0000-0000-0000-0000-0000-0000-0000".into(),
        client_ref: "c-1".into(),
    };
    assert_refusals(
        &redeem,
        Role::HousingAssociation,
        exchange::redeem,
        &[
            (
                |m| m.code = m.code.replacen('0', "2", 1),
                "code",
                "typing error",
            ),
            (|m| m.code = "SPOILT".into(), "code", "7 groups of 4"),
            (
                |m| m.client_ref = "SPOILT ref".into(),
                "client_ref",
                "opaque mark",
            ),
        ],
    );
}

#[test]
fn looking_up() {
    let search = v1::SearchEntriesRequest {
        actor: Some(actor()),
        purpose: "P-ACCOUNTABILITY".into(),
        subject: Some(bsn("111222333")),
        page_size: 10,
        ..Default::default()
    };
    assert_refusals(
        &search,
        Role::PrivacyOfficer,
        audit::search,
        &[
            (|m| m.purpose = String::new(), "purpose", "purpose code"),
            (
                |m| m.subject = Some(bsn("123")),
                "subject.bsn",
                "eleven test",
            ),
            (
                |m| m.subject.as_mut().unwrap().reference = None,
                "subject",
                "set bsn, skn",
            ),
            (
                |m| m.party_id = Some("SPOILT".into()),
                "party_id",
                "party id",
            ),
            (
                |m| m.disclosure_purpose = Some("x".into()),
                "disclosure_purpose",
                "purpose code",
            ),
            (|m| m.condition = Some(0), "condition", "HOUSING"),
            (
                |m| m.period = Some(v1::Period::default()),
                "period.from",
                "must be set",
            ),
            (
                |m| m.outcome = 4,
                "outcome",
                "DISCLOSED, NOT_DISCLOSED, OTHER",
            ),
            (|m| m.page_size = 101, "page_size", "must be 1 to 100"),
            (
                |m| m.page_token = Some(vec![0; 300].into()),
                "page_token",
                "unchanged",
            ),
        ],
    );
    let get = v1::GetNoticeRequest {
        actor: Some(actor()),
        subject: Some(subject()),
        entry_index: u64::MAX,
    };
    let spoils: Spoils<v1::GetNoticeRequest> = &[(|m| m.actor = None, "actor", "must be set")];
    assert_refusals(&get, Role::Uwv, notice::get, spoils);
}

#[test]
fn reporting_a_status() {
    assert_refusals(
        &testing::report(),
        Role::CareProvider,
        exchange::report,
        REPORT,
    );
}

const REPORT: Spoils<v1::ReportStatusRequest> = &[
    (|m| m.condition = 0, "condition", "CARE_INSURANCE"),
    (|m| m.status = 8, "status", "HELP_DECLINED"),
    (|m| m.as_of = "20261120".into(), "as_of", "2026-11-23"),
    (
        |m| m.expected = Some("2026-02-30".into()),
        "expected",
        "calendar day",
    ),
    (
        |m| m.expected = Some("2026-11-19".into()),
        "expected",
        "before as_of",
    ),
    (|m| m.moment = 0, "moment", "SIX_MONTHS"),
    (|m| m.origin = Some(0), "origin", "MUNICIPALITY"),
    (
        |m| m.origin = Some(v1::Role::Auditor.into()),
        "origin",
        "one that oversees",
    ),
    (|m| m.status = 7, "offered_by_party_id", "help was declined"),
    (
        |m| m.offered_by_party_id = Some("party-2".into()),
        "offered_by_party_id",
        "and only then",
    ),
];

#[test]
fn asking() {
    let batch = v1::AskBatchRequest {
        actor: Some(actor()),
        items: vec![testing::item(), testing::item()],
    };
    assert_refusals(&batch, Role::Probation, exchange::ask_batch, BATCH);
    let ask = v1::AskRequest {
        actor: Some(actor()),
        item: Some(testing::item()),
    };
    assert_refusals(
        &ask,
        Role::Uwv,
        exchange::ask,
        &[(|m| m.item = None, "item", "must be set")],
    );
}

#[test]
fn looking_at_rights() {
    let get = v1::GetMyRightsRequest {
        actor: Some(actor()),
        subject: Some(subject()),
    };
    let spoils: Spoils<v1::GetMyRightsRequest> = &[
        (|m| m.actor = None, "actor", "must be set"),
        (|m| m.subject = None, "subject", "must be set"),
    ];
    assert_refusals(&get, Role::Uwv, right::get, spoils);
}

const BATCH: Spoils<v1::AskBatchRequest> = &[
    (|m| m.items = vec![], "items", "must hold 1 to 100"),
    (
        |m| m.items = vec![testing::item(); 101],
        "items",
        "must hold 1 to 100",
    ),
    (
        |m| m.items[1].purpose = "spoilt".into(),
        "items[1].purpose",
        "purpose code",
    ),
    (
        |m| m.items[1].purpose_version = Some(0),
        "items[1].purpose_version",
        "must be 1 to",
    ),
    (
        |m| m.items[0].conditions = vec![],
        "items[0].conditions",
        "must hold 1 to 6",
    ),
    (
        |m| m.items[0].conditions = vec![4, 4],
        "items[0].conditions",
        "twice",
    ),
    (
        |m| m.items[0].granularity = 0,
        "items[0].granularity",
        "STATUS_WITH_DATES",
    ),
    (
        |m| m.items[1].subject = None,
        "items[1].subject",
        "must be set",
    ),
    (
        |m| m.items[1].subject = Some(bsn("111222333")),
        "items[1].subject.bsn",
        "must not be used by this party",
    ),
];
