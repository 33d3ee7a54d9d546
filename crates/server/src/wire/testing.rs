//! Callers, requests and answers for the tests.

use prost_types::Timestamp as WireInstant;
use schakel_api::v1;
use schakel_core::{
    code::Role,
    id::{EntryIndex, Reference},
    party::{Contact, Party, Peer},
    registry::{Change, Registry},
    time::Timestamp,
};

use crate::call::{Answer, Outcome, Receipt};

/// A caller with one role, `party-1`.
pub(crate) fn peer(role: Role) -> Peer {
    Peer {
        principal: "party-1".parse().unwrap(),
        transport: "party-1".parse().unwrap(),
        roles: vec![role],
        unit: None,
    }
}

/// Somebody who acts.
pub(crate) fn actor() -> v1::Actor {
    v1::Actor {
        actor_ref: "emp-7".into(),
        responsible_ref: None,
    }
}

/// A UUID.
pub(crate) fn id(n: u8) -> String {
    format!("00000000-0000-0000-0000-0000000000{n:02x}")
}

/// A person named by a case.
pub(crate) fn subject() -> v1::SubjectRef {
    v1::SubjectRef {
        reference: Some(v1::subject_ref::Reference::CaseId(id(1))),
    }
}

/// A person named by a citizen service number.
pub(crate) fn bsn(number: &str) -> v1::SubjectRef {
    v1::SubjectRef {
        reference: Some(v1::subject_ref::Reference::Bsn(number.into())),
    }
}

/// So many days after 2026-01-01.
pub(crate) fn day(days: i64) -> WireInstant {
    WireInstant {
        seconds: 1_767_225_600 + days * 86_400,
        nanos: 0,
    }
}

/// A registry of parties with one role each.
pub(crate) fn registry(parties: &[(&str, Role)]) -> Registry {
    let mut registry = Registry::default();
    for (id, role) in parties {
        let party = Party {
            id: id.parse().unwrap(),
            name: (*id).into(),
            roles: vec![*role],
            oins: Vec::new(),
            contact: Contact {
                team: "team".into(),
                email: "team@example.org".into(),
                telephone: String::new(),
            },
            officer_for: None,
            delegates: Vec::new(),
            suspensions: Vec::new(),
            succession: None,
            units: Vec::new(),
        };
        registry.make(&Change::PutParty(party), EntryIndex(0), Timestamp::MAX);
    }
    registry
}

/// An answer with a receipt.
pub(crate) fn answer(outcome: Outcome) -> Answer {
    let receipt = Receipt {
        index: 812,
        leaf: vec![0xa1; 200],
        hashes: vec![[7; 32]; 10],
        checkpoint: "schakel.example/log\n813\n".into(),
    };
    Answer { outcome, receipt }
}

/// A uniform denial.
pub(crate) fn denial() -> Answer {
    answer(Outcome::NotDisclosed(Reference::from_bytes([9; 16])))
}

/// A request to record a consent in which nothing is wrong, for a municipality.
pub(crate) fn consent() -> v1::RecordConsentRequest {
    v1::RecordConsentRequest {
        idempotency_key: id(99),
        actor: Some(actor()),
        subject: Some(subject()),
        state: v1::ConsentState::Given.into(),
        terms: Some(v1::ConsentTerms {
            kind: v1::ConsentKind::ProcessingBasis.into(),
            explicit: true,
            conditions: vec![v1::Condition::Housing.into(), v1::Condition::Debt.into()],
            purposes: vec!["P-ARRANGE-HOUSING".into()],
            provider_party_ids: vec!["pi-1".into(), "party-1".into()],
            recipient_party_ids: vec!["home-1".into()],
            granularity: v1::Granularity::Signal.into(),
            valid_from: Some(day(1)),
            valid_until: Some(day(100)),
            notice: Some(v1::NoticeText {
                version: "2026-1".into(),
                language: "nl".into(),
                sha256: vec![1; 32].into(),
            }),
            method: v1::CollectionMethod::Written.into(),
            collected_at: Some(day(0)),
            representative_mandate_sha256: Some(vec![2; 32].into()),
            interpreter: true,
            attestations: Some(v1::Attestations {
                own_interest: true,
                help_question: true,
                refusal_without_detriment: true,
                alternative_offered: false,
            }),
        }),
    }
}

/// A request to report a status in which nothing is wrong.
pub(crate) fn report() -> v1::ReportStatusRequest {
    v1::ReportStatusRequest {
        idempotency_key: id(99),
        actor: Some(actor()),
        subject: Some(subject()),
        condition: v1::Condition::Housing.into(),
        status: v1::ConditionStatus::InProgress.into(),
        as_of: "2026-11-20".into(),
        expected: Some("2026-12-01".into()),
        moment: v1::Moment::Release.into(),
        origin: None,
        offered_by_party_id: None,
        correction: false,
    }
}

/// A question in which nothing is wrong.
pub(crate) fn item() -> v1::AskItem {
    v1::AskItem {
        subject: Some(subject()),
        purpose: "P-PLAN".into(),
        purpose_version: None,
        conditions: vec![v1::Condition::Income.into()],
        granularity: v1::Granularity::Status.into(),
    }
}

/// A proposal of a party in which nothing is wrong.
pub(crate) fn party() -> v1::Party {
    v1::Party {
        party_id: "town-1".into(),
        name: "Gemeente Één".into(),
        roles: vec![v1::Role::Municipality.into()],
        oins: vec![v1::DatedOin {
            oin: "00000001001234567000".into(),
            period: Some(period()),
            anchor: Some("own".into()),
        }],
        contact: Some(v1::Contact {
            team: "Team nazorg".into(),
            email: "nazorg@example.org".into(),
            telephone: String::new(),
        }),
        officer_for_party_id: None,
        delegates: vec![v1::Delegation {
            delegate_party_id: "supplier-1".into(),
            period: Some(v1::Period {
                until: Some(day(300)),
                ..period()
            }),
        }],
        suspensions: Vec::new(),
        succession: Some(v1::Succession {
            successor_party_id: "town-2".into(),
            from: Some(day(200)),
        }),
        units: vec![v1::Unit {
            unit_id: "werk-en-inkomen".into(),
            name: "Werk en inkomen".into(),
            period: Some(period()),
            oin: Some("00000001001234567000".into()),
        }],
    }
}

/// A proposal of a purpose in which nothing is wrong.
pub(crate) fn purpose() -> v1::PurposeVersion {
    let basis = |basis: &str| v1::LegalBasis {
        basis: basis.into(),
        law_ref: "art. 51c".into(),
    };
    v1::PurposeVersion {
        code: "P-PLAN".into(),
        version: 2,
        title: "Plan".into(),
        conditions: vec![v1::Condition::Housing.into(), v1::Condition::Income.into()],
        granularity: v1::Granularity::StatusWithDates.into(),
        routes: vec![v1::Route {
            from: vec![v1::Role::Pi.into()],
            to: vec![v1::Role::Municipality.into(), v1::Role::Probation.into()],
            conditions: vec![v1::Condition::Income.into()],
            origins: vec![v1::Role::Pi.into()],
            provider_basis: Some(basis("WJSG_51C_2_C")),
            recipient_basis: Some(basis("PUBLIC_TASK_6_1_E")),
            regime: v1::Regime::Wjsg.into(),
            criminal_data_ground: Some("UAVG_33_1_A".into()),
            art9_ground: None,
            secrecy_waiver: true,
        }],
        validity: Some(period()),
        retention_days: 90,
        notify_person: true,
        deliver: true,
        wjsg_51c: Some(v1::Wjsg51cChecklist {
            no_specific_basis: "none".into(),
            public_interest: "resocialisation".into(),
            purpose: "c".into(),
            necessity: "no more than needed".into(),
            documentation: "four years".into(),
        }),
        withdrawn_at: None,
    }
}

/// A proposal of a change.
pub(crate) fn proposal(change: v1::change::Change) -> v1::ProposeChangeRequest {
    v1::ProposeChangeRequest {
        idempotency_key: id(99),
        change: Some(v1::Change {
            change: Some(change),
        }),
    }
}

fn period() -> v1::Period {
    v1::Period {
        from: Some(day(0)),
        until: None,
    }
}
