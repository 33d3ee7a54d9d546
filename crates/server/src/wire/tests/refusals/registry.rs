//! Proposals to change the registry.

use schakel_api::v1::{self, change::Change};
use schakel_core::code::Role;

use super::{Spoils, assert_refusals};
use crate::wire::{
    registry,
    testing::{self, day},
};

#[test]
fn proposing_a_party() {
    assert_refusals(
        &testing::proposal(Change::PutParty(testing::party())),
        Role::Administrator,
        registry::propose,
        PARTY,
    );
}

const PARTY: Spoils<v1::ProposeChangeRequest> = &[
    (|m| m.change = None, "change", "must be set"),
    (
        |m| m.change.as_mut().unwrap().change = None,
        "change",
        "must be one of put_party",
    ),
    (
        |m| party(m).party_id = "SPOILT".into(),
        "change.put_party.party_id",
        "party id",
    ),
    (
        |m| party(m).name = String::new(),
        "change.put_party.name",
        "1 to 100",
    ),
    (
        |m| party(m).roles = vec![0],
        "change.put_party.roles[0]",
        "PROBATION",
    ),
    (
        |m| party(m).roles = vec![2, 2],
        "change.put_party.roles",
        "twice",
    ),
    (
        |m| party(m).oins[0].oin = "SPOILT".into(),
        "change.put_party.oins[0].oin",
        "OIN",
    ),
    (
        |m| party(m).oins[0].anchor = Some("SPOILT".into()),
        "change.put_party.oins[0].anchor",
        "trust anchor",
    ),
    (
        |m| party(m).succession.as_mut().unwrap().from = None,
        "change.put_party.succession.from",
        "must be set",
    ),
    (
        |m| party(m).succession.as_mut().unwrap().successor_party_id = "town-1".into(),
        "change.put_party.succession",
        "another party",
    ),
    (
        |m| party(m).oins[0].period = None,
        "change.put_party.oins[0].period",
        "must be set",
    ),
    (
        |m| party(m).contact = None,
        "change.put_party.contact",
        "must be set",
    ),
    (
        |m| party(m).contact.as_mut().unwrap().email = String::new(),
        "change.put_party.contact",
        "mailbox or a telephone",
    ),
    (
        |m| party(m).officer_for_party_id = Some("pi-1".into()),
        "change.put_party.officer_for_party_id",
        "privacy officer",
    ),
    (
        |m| party(m).delegates = vec![party(m).delegates[0].clone(); 13],
        "change.put_party.delegates",
        "at most 12",
    ),
    (
        |m| party(m).units[0].unit_id = "Werk".into(),
        "change.put_party.units[0].unit_id",
        "1 to 40 characters",
    ),
    (
        |m| party(m).units[0].name = "a\u{202e}b".into(),
        "change.put_party.units[0].name",
        "invisible",
    ),
    (
        |m| party(m).units = vec![party(m).units[0].clone(); 41],
        "change.put_party.units",
        "at most 40",
    ),
    (
        |m| party(m).units[0].oin = Some("00000001007654321000".into()),
        "change.put_party.units",
        "out of the party's `oins`",
    ),
    (
        |m| party(m).suspensions = vec![v1::Period::default()],
        "change.put_party.suspensions",
        "suspend_party_id",
    ),
];

fn party(message: &mut v1::ProposeChangeRequest) -> &mut v1::Party {
    match message.change.as_mut().unwrap().change.as_mut().unwrap() {
        Change::PutParty(party) => party,
        other => panic!("{other:?}"),
    }
}

#[test]
fn proposing_a_purpose() {
    assert_refusals(
        &testing::proposal(Change::PutPurpose(testing::purpose())),
        Role::Administrator,
        registry::propose,
        PURPOSE,
    );
}

#[test]
fn proposing_to_block_a_certificate() {
    let block = v1::CertificateBlock {
        certificate: "ab".repeat(32),
        reason: v1::StopReason::Suspicion.into(),
    };
    assert_refusals(
        &testing::proposal(Change::BlockCertificate(block)),
        Role::Administrator,
        registry::propose,
        &[
            (
                |m| block_of(m).certificate = "SPOILT".into(),
                "change.block_certificate.certificate",
                "64 hexadecimal digits",
            ),
            (
                |m| block_of(m).reason = 0,
                "change.block_certificate.reason",
                "KEY_COMPROMISE",
            ),
        ],
    );
}

fn block_of(message: &mut v1::ProposeChangeRequest) -> &mut v1::CertificateBlock {
    match message.change.as_mut().unwrap().change.as_mut().unwrap() {
        Change::BlockCertificate(block) => block,
        other => panic!("{other:?}"),
    }
}

#[test]
fn stopping_something() {
    use v1::stop_request::What;
    let request = v1::StopRequest {
        idempotency_key: testing::id(99),
        reason: v1::StopReason::KeyCompromise.into(),
        what: Some(What::Certificate("ab".repeat(32))),
    };
    assert_refusals(
        &request,
        Role::Administrator,
        registry::stop,
        &[
            (|m| m.reason = 0, "reason", "SUSPICION"),
            (|m| m.what = None, "what", "party_id, purpose, certificate"),
            (
                |m| m.what = Some(What::Certificate("SPOILT".into())),
                "certificate",
                "64 hexadecimal digits",
            ),
            (
                |m| m.what = Some(What::PartyId("SPOILT".into())),
                "party_id",
                "party id",
            ),
            (
                |m| {
                    let (code, version) = ("spoilt".into(), 1);
                    m.what = Some(What::Purpose(v1::PurposeName { code, version }));
                },
                "purpose.code",
                "purpose code",
            ),
        ],
    );
}

const PURPOSE: Spoils<v1::ProposeChangeRequest> = &[
    (
        |m| purpose(m).code = "spoilt".into(),
        "change.put_purpose.code",
        "purpose code",
    ),
    (
        |m| purpose(m).version = 0,
        "change.put_purpose.version",
        "must be 1 to",
    ),
    (
        |m| purpose(m).title = "x".repeat(201),
        "change.put_purpose.title",
        "1 to 200",
    ),
    (
        |m| purpose(m).granularity = 0,
        "change.put_purpose.granularity",
        "SIGNAL",
    ),
    (
        |m| purpose(m).validity = None,
        "change.put_purpose.validity",
        "must be set",
    ),
    (
        |m| purpose(m).retention_days = 70_000,
        "change.put_purpose.retention_days",
        "must be 1 to 3650",
    ),
    (
        |m| purpose(m).withdrawn_at = Some(day(0)),
        "change.put_purpose.withdrawn_at",
        "withdraw_purpose",
    ),
    (
        |m| purpose(m).routes = vec![purpose(m).routes[0].clone(); 9],
        "change.put_purpose.routes",
        "at most 8",
    ),
    (
        |m| purpose(m).wjsg_51c = None,
        "change.put_purpose.wjsg_51c",
        "Wjsg 51c",
    ),
    (
        |m| purpose(m).routes[0].from = vec![],
        "change.put_purpose.routes[0].from",
        "must hold 1 to",
    ),
    (
        |m| purpose(m).routes[0].regime = 0,
        "change.put_purpose.routes[0].regime",
        "AVG, WJSG",
    ),
    (
        |m| purpose(m).routes[0].art9_ground = Some("SPOILT".into()),
        "change.put_purpose.routes[0].art9_ground",
        "AVG_9_2_A",
    ),
    (
        |m| purpose(m).routes[0].provider_basis.as_mut().unwrap().basis = "SPOILT".into(),
        "change.put_purpose.routes[0].provider_basis.basis",
        "PBW_18A",
    ),
    (
        |m| purpose(m).routes[0].recipient_basis = None,
        "change.put_purpose.routes[0].recipient_basis",
        "must be set",
    ),
];

fn purpose(message: &mut v1::ProposeChangeRequest) -> &mut v1::PurposeVersion {
    match message.change.as_mut().unwrap().change.as_mut().unwrap() {
        Change::PutPurpose(purpose) => purpose,
        other => panic!("{other:?}"),
    }
}
