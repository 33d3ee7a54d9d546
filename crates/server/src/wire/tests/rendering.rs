//! What answers say, and what they leave out.

use prost::Message as _;
use schakel_api::v1::{self, disclosed_item::Told};
use schakel_core::{
    code::{Condition, Moment, Regime, Status},
    id::{CaseId, ConsentId, DeliveryId, EntryIndex, NoticeId, RestrictionId},
    minimise::{self, Item, Released},
    notice::{Notice, NoticeKind},
    party::Contact,
    person::SubjectRef,
    purpose::LegalBasis,
    time::Timestamp,
};

use crate::{
    call::{Answer, Message, MessageContent, Outcome},
    wire::{
        Misfit, case, consent, disclosure, exchange, inbox, notice, registry, restriction, right,
        testing::{answer, denial},
        veil::Veil,
    },
};

/// Renders an answer and encodes it.
type Renderer = fn(Answer) -> Result<Vec<u8>, Misfit>;

/// The methods that can be denied, each with an outcome that is a yes.
fn deniable() -> Vec<(Renderer, Outcome)> {
    vec![
        (
            |a| case::opened(a).map(|m| m.encode_to_vec()),
            Outcome::CaseOpened(case_id()),
        ),
        (
            |a| case::assigned(a).map(|m| m.encode_to_vec()),
            Outcome::Done,
        ),
        (|a| case::added(a).map(|m| m.encode_to_vec()), Outcome::Done),
        (
            |a| case::removed(a).map(|m| m.encode_to_vec()),
            Outcome::Done,
        ),
        (
            |a| case::closed(a).map(|m| m.encode_to_vec()),
            Outcome::Done,
        ),
        (
            |a| consent::recorded(a).map(|m| m.encode_to_vec()),
            Outcome::ConsentRecorded(ConsentId::from_bytes([1; 16])),
        ),
        (
            |a| consent::shown(a, &Veil::default()).map(|m| m.encode_to_vec()),
            Outcome::Consents(Vec::new(), Timestamp::MAX),
        ),
        (
            |a| consent::listed(a, &Veil::default()).map(|m| m.encode_to_vec()),
            Outcome::Consents(Vec::new(), Timestamp::MAX),
        ),
        (
            |a| restriction::lifted(a).map(|m| m.encode_to_vec()),
            Outcome::Done,
        ),
        (
            |a| exchange::reported(a).map(|m| m.encode_to_vec()),
            Outcome::Done,
        ),
        (
            |a| exchange::introduced(a).map(|m| m.encode_to_vec()),
            Outcome::Introduced {
                code: [3; 16],
                until: Timestamp::MAX,
            },
        ),
        (
            |a| right::shown(a).map(|m| m.encode_to_vec()),
            Outcome::Rights(Vec::new()),
        ),
        (
            |a| exchange::answered(a).map(|m| m.encode_to_vec()),
            disclosed(),
        ),
        (
            |a| notice::shown(a).map(|m| m.encode_to_vec()),
            Outcome::Notices(vec![a_notice("pi-1", None)]),
        ),
    ]
}

fn disclosed() -> Outcome {
    Outcome::Disclosed {
        content: vec![1, 2, 3],
        salt: [4; 32],
    }
}

/// The methods that give the same answer whoever is meant, each with its outcome.
fn undeniable() -> Vec<(Renderer, Outcome)> {
    vec![
        (
            |a| consent::withdrawn(a).map(|m| m.encode_to_vec()),
            Outcome::Done,
        ),
        (
            |a| restriction::recorded(a).map(|m| m.encode_to_vec()),
            Outcome::Restricted(RestrictionId::from_bytes([5; 16])),
        ),
        (
            |a| exchange::redeemed(a).map(|m| m.encode_to_vec()),
            Outcome::Done,
        ),
        (
            |a| inbox::acknowledged(a).map(|m| m.encode_to_vec()),
            Outcome::Done,
        ),
        (
            |a| registry::approved(a).map(|m| m.encode_to_vec()),
            Outcome::Done,
        ),
        (
            |a| registry::rejected(a).map(|m| m.encode_to_vec()),
            Outcome::Done,
        ),
    ]
}

fn case_id() -> CaseId {
    CaseId::from_bytes([1; 16])
}

fn a_notice(recipient: &str, acknowledged_at: Option<Timestamp>) -> Notice {
    Notice {
        id: NoticeId::from_bytes([2; 16]),
        kind: NoticeKind::Withdrawal,
        recipient: recipient.parse().unwrap(),
        reference: SubjectRef::Bsn("111222333".parse().unwrap()),
        conditions: [Condition::Debt].into(),
        issued_by: "home-1".parse().unwrap(),
        issued_at: Timestamp::from_millis(1_000).unwrap(),
        deadline: Timestamp::from_millis(2_000).unwrap(),
        delivered_at: None,
        acknowledged_at,
        entry: EntryIndex(7),
        issued_with: None,
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn every_denial_is_the_same_bytes_and_carries_no_receipt() {
    let shapes: Vec<_> = deniable()
        .into_iter()
        .map(|(render, _)| render(denial()).unwrap())
        .collect();
    assert_eq!(shapes[0].len(), 20);
    for shape in &shapes {
        assert_eq!(*shape, shapes[0]);
        assert!(holds(shape, &[9; 16]));
    }
}

#[test]
fn every_answer_that_is_no_denial_carries_its_receipt() {
    for (at, (render, outcome)) in deniable().into_iter().chain(undeniable()).enumerate() {
        let told = render(answer(outcome)).unwrap();
        assert!(holds(&told, &[0xa1; 200]), "{at}");
        assert!(holds(&told, b"schakel.example/log\n813\n"), "{at}");
    }
}

#[test]
fn an_outcome_of_another_call_is_a_fault_and_no_answer() {
    for (render, _) in deniable().into_iter().chain(undeniable()) {
        assert!(render(answer(Outcome::NoMessage)).is_err());
    }
    for (render, _) in undeniable() {
        assert!(render(denial()).is_err());
    }
}

#[test]
fn a_disclosure_is_encoded_as_what_was_released_and_always_alike() {
    let released = released();
    let bytes = disclosure::encode(&released);
    assert_eq!(bytes, disclosure::encode(&released.clone()));
    let read = v1::Disclosure::decode(bytes.as_slice()).unwrap();
    assert_eq!((read.purpose.as_str(), read.purpose_version), ("P-PLAN", 3));
    assert_eq!((read.regime(), read.retention_days), (v1::Regime::Wjsg, 90));
    let told: Vec<_> = read
        .items
        .iter()
        .map(|item| item.told.clone().unwrap())
        .collect();
    // A signal of `false` is told, not left out.
    assert_eq!(told[0], Told::HelpNeeded(false));
    assert_eq!(told[1], Told::Status(v1::ConditionStatus::InOrder.into()));
    let dated = v1::DatedStatus {
        status: v1::ConditionStatus::Arranged.into(),
        as_of: "2026-11-20".into(),
        expected: None,
    };
    assert_eq!(told[2], Told::Dated(dated));
    assert!(read.items[0].moment.is_none() && read.items[0].provider_basis.is_none());
    assert_eq!(read.items[2].moment(), v1::Moment::Release);
    assert_eq!(
        read.items[2].provider_basis.clone().unwrap().basis,
        "PBW_18A"
    );
}

fn released() -> Released {
    let basis = |basis: &str| LegalBasis {
        basis: basis.parse().unwrap(),
        law_ref: "6(1)".into(),
    };
    let item = |told| Item {
        condition: Condition::Income,
        told,
        moment: None,
        counterpart: "town-1".parse().unwrap(),
        contact: Contact {
            team: "t".into(),
            email: "e@x".into(),
            telephone: String::new(),
        },
        provider_basis: None,
        recipient_basis: basis("CONSENT_AVG_6_1_A"),
    };
    let dated = minimise::Told::StatusWithDates {
        status: Status::Arranged,
        as_of: "2026-11-20".parse().unwrap(),
        expected: None,
    };
    let items = vec![
        item(minimise::Told::Signal(false)),
        item(minimise::Told::Status(Status::InOrder)),
        Item {
            moment: Some(Moment::Release),
            provider_basis: Some(basis("PBW_18A")),
            ..item(dated)
        },
    ];
    Released {
        purpose: "P-PLAN".parse().unwrap(),
        version: 3,
        items,
        regime: Regime::Wjsg,
        retention_days: 90,
    }
}

#[test]
fn a_message_names_the_person_as_its_receiver_does() {
    let message = |content| {
        let message = Message {
            delivery: DeliveryId::from_bytes([6; 16]),
            position: 4,
            subject: SubjectRef::ClientRef("k-9".parse().unwrap()),
            content,
        };
        inbox::message(answer(Outcome::Message(Box::new(message))), vec![8; 40]).unwrap()
    };
    let status = message(MessageContent::Disclosed {
        content: vec![1, 2],
        salt: [3; 32],
    });
    let reference = v1::subject_ref::Reference::ClientRef("k-9".into());
    assert_eq!(status.subject.unwrap().reference, Some(reference));
    assert_eq!(status.cursor, vec![8; 40]);
    let Some(v1::message::Content::Disclosed(told)) = status.content else {
        panic!("no status")
    };
    assert_eq!(told.disclosure, vec![1, 2]);
    assert_eq!(told.receipt.unwrap().index, 812);
    let notice = message(MessageContent::Notice(a_notice("home-1", None)));
    let Some(v1::message::Content::Notice(told)) = notice.content else {
        panic!("no notice")
    };
    assert_eq!(told.kind(), v1::NoticeKind::Withdrawal);
    assert_eq!(told.receipt.unwrap().index, 812);
}

#[test]
fn notices_tell_who_is_outstanding_and_not_how_each_names_the_person() {
    let acknowledged = a_notice("home-1", Timestamp::from_millis(1_500).ok());
    let outcome = Outcome::Notices(vec![a_notice("pi-1", None), acknowledged]);
    let states = match notice::shown(answer(outcome)).unwrap().outcome {
        Some(v1::get_notice_response::Outcome::Notices(notices)) => notices,
        other => panic!("{other:?}"),
    };
    assert_eq!(states.outstanding, 1);
    let recipients: Vec<_> = states
        .notices
        .iter()
        .map(|n| n.recipient_party_id.as_str())
        .collect();
    assert_eq!(recipients, ["home-1", "pi-1"]);
    assert!(!holds(&states.encode_to_vec(), b"111222333"));
}
