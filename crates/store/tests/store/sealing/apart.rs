//! What links the entries about one person is sealed beside the details, bound by them, and not in them.

use aws_lc_rs::digest::{SHA256, digest};
use ciborium::Value;
use schakel_core::{
    code::Condition,
    event::{Asked, Delivered, Denied, Details, Event, FromRecords, SlotUse},
    id::{DeliveryId, PartyId, Reference, RestrictionId, SlotId, SubjectId},
    inbox::{Pending, Topic},
    time::Timestamp,
};
use schakel_store::{
    details::{self, Apart, DetailsError, Encoded},
    seal,
};

use super::{broker, by_month, leaf};
use crate::store::{
    events::{self, case},
    support::{ORIGIN, hex},
};

const SALT: [u8; 32] = [0x5a; 32];
const SUBJECT: SubjectId = SubjectId::from_bytes([0xc5; 16]);
const SLOT: SlotId = SlotId::from_bytes([0xd6; 16]);

/// An event of every kind that is about a person.
fn all() -> Vec<Event> {
    let (now, condition) = (Timestamp::EPOCH, Condition::Housing);
    let message = Pending {
        subject: SUBJECT,
        topic: Topic::Status {
            case: case(1, 1),
            condition,
            purpose: "P-TEST".parse().unwrap(),
        },
    };
    let mut all = vec![
        events::opened(1, 1),
        events::consented(now, 1, condition, 1),
        events::ended(now, (1, condition, 1), "utrecht"),
        events::reported(1, condition, 1),
        events::introduced(now, 1, condition, 0),
        events::introduced(now, 1, condition, 1),
        events::restricted(1, condition, 0),
        events::restricted(1, condition, 3),
        events::disclosed(1, condition, 1),
        events::denied(1, condition),
        events::looked_up(1, 0),
        Event::Delivered(Delivered {
            delivery: DeliveryId::from_bytes([1; 16]),
            position: 1,
            order: None,
            message: message.clone(),
            disclosed: None,
        }),
        Event::Denied(Denied {
            asked: Asked::Message {
                order: None,
                position: None,
                message,
                receiver: None,
            },
            findings: Vec::new(),
            reference: Reference::from_bytes([2; 16]),
        }),
    ];
    all.extend((0..8).map(|rest| events::moved(now, 1, rest)));
    for event in &mut all {
        for message in event.messages_mut() {
            message.subject = SUBJECT;
        }
    }
    all
}

fn of(event: Event) -> Details {
    let party: PartyId = "gemeente-a".parse().unwrap();
    Details {
        call: None,
        subject: Some(SUBJECT),
        controllers: [party.clone()].into(),
        binds: vec![(SlotUse::Controller(party), SLOT)],
        event,
    }
}

fn holds(bytes: &[u8], id: &[u8; 16]) -> bool {
    bytes.windows(id.len()).any(|window| window == id)
}

#[test]
fn no_details_hold_what_links_them_and_all_read_back_whole() {
    for event in all() {
        let details = of(event);
        let Encoded {
            details: shown,
            links,
        } = details::encode_apart(&details, SALT).unwrap();
        for id in [SUBJECT.as_bytes(), SLOT.as_bytes()] {
            assert!(!holds(&shown, id), "{:?}", details.event);
            assert!(holds(&links, id));
        }
        let read = details::decode_with(&shown, &links).unwrap();
        assert_eq!(read, (details.clone(), Apart::All));
        // As older brokers wrote them: with both, and read as ever.
        let whole = details::encode(&details).unwrap();
        assert!(holds(&whole, SUBJECT.as_bytes()));
        let read = details::decode_with(&whole, &[]).unwrap();
        assert_eq!(read, (details, Apart::Nothing));
    }
}

/// Whoever could write the sealed part again could otherwise make an entry that of another person.
#[test]
fn links_of_another_entry_or_none_are_refused() {
    let details = of(events::denied(1, Condition::Housing));
    let written = details::encode_apart(&details, SALT).unwrap();
    let other = Details {
        subject: Some(SubjectId::from_bytes([1; 16])),
        ..details.clone()
    };
    let others = details::encode_apart(&other, SALT).unwrap().links;
    let salted = details::encode_apart(&details, [1; 32]).unwrap().links;
    for links in [&others[..], &salted, &written.links[1..], &[]] {
        let read = details::decode_with(&written.details, links);
        assert!(matches!(read, Err(DetailsError::Links)), "{read:?}");
    }
    let whole = details::encode(&details).unwrap();
    let read = details::decode_with(&whole, &written.links);
    assert!(matches!(read, Err(DetailsError::Links)), "{read:?}");
}

/// Somebody known and nobody look alike in what is shown: the same length, and nothing that says which.
#[test]
fn what_is_shown_does_not_say_whether_anybody_is_known() {
    let known = of(events::denied(1, Condition::Housing));
    let nobody = Details {
        subject: None,
        binds: Vec::new(),
        ..known.clone()
    };
    let [known, nobody] = [known, nobody].map(|details| {
        let encoded = details::encode_apart(&details, SALT).unwrap();
        encoded.details
    });
    // The digest stands last.
    let digest = known.len() - 32;
    assert_eq!(known.len(), nobody.len());
    assert_eq!(known[..digest], nobody[..digest]);
}

/// What came of a withdrawal or an objection for others, who has to decide about it, and how the person is known, is not
/// in what is shown: it is the same for nobody.
#[test]
fn what_is_shown_does_not_say_what_came_of_it_for_others() {
    let (now, condition) = (Timestamp::EPOCH, Condition::Housing);
    let others: PartyId = "pi-a".parse().unwrap();
    let mut restricted = events::restricted(1, condition, 0);
    restricted.exchange_from_records(&mut FromRecords {
        between_others: true,
        notices: vec![events::notice(now, (1, condition, 1), "utrecht")],
        ..FromRecords::default()
    });
    for event in [
        events::consented(now, 1, condition, 0),
        events::ended(now, (1, condition, 1), "utrecht"),
        restricted,
        lifted(Some(others.clone())),
    ] {
        let mut nothing = event.clone();
        nothing.exchange_from_records(&mut FromRecords::default());
        assert_ne!(event, nothing, "it would prove nothing");
        let mut known = of(event);
        known.controllers.insert(others.clone());
        let nobody = Details {
            subject: None,
            binds: Vec::new(),
            ..of(nothing)
        };
        let [known, nobody] = [known, nobody].map(|details| {
            let encoded = details::encode_apart(&details, SALT).unwrap();
            encoded.details
        });
        let digest = known.len() - 32;
        assert_eq!(known.len(), nobody.len());
        assert_eq!(known[..digest], nobody[..digest]);
    }
}

fn lifted(controller: Option<PartyId>) -> Event {
    Event::RestrictionLifted {
        restriction: RestrictionId::from_bytes([3; 16]),
        controller,
    }
}

/// As brokers wrote them that kept apart the links alone.
#[test]
fn details_with_the_links_alone_apart_are_read_as_ever() {
    let mut details = of(events::ended(
        Timestamp::EPOCH,
        (1, Condition::Housing, 1),
        "utrecht",
    ));
    details.binds.clear();
    let mut links = vec![0x5a; 32];
    let subject = Value::Map(vec![(
        Value::from("subject"),
        Value::serialized(&details.subject).unwrap(),
    )]);
    ciborium::into_writer(&subject, &mut links).unwrap();
    let digest = digest(
        &SHA256,
        &[b"schakel/details/links/v1\0", &links[..]].concat(),
    );
    let shown = Details {
        subject: None,
        ..details.clone()
    };
    let mut shown = Value::serialized(&shown).unwrap();
    let digest = Value::Bytes(digest.as_ref().to_vec());
    shown
        .as_map_mut()
        .unwrap()
        .push((Value::from("links"), digest));
    let mut written = Vec::new();
    ciborium::into_writer(&shown, &mut written).unwrap();
    let read = details::decode_with(&written, &links).unwrap();
    assert_eq!(read, (details, Apart::Links));
}

/// What was sealed once must open for ever: as the format says, version 2.
#[test]
fn links_are_sealed_after_the_details_and_nobody_else_gets_them() {
    let mut broker = broker();
    let slots = broker.slots[..2].to_vec();
    let (mut one, mut two) = (leaf(1), leaf(1));
    let encoded = Encoded {
        details: b"details".to_vec(),
        links: b"links".to_vec(),
    };
    let scope = by_month(&slots);
    let (keyring, random) = (&broker.keyring, &mut broker.random);
    let apart = seal::seal_apart(&mut one, &encoded, &scope, ORIGIN, keyring, random).unwrap();
    let whole = seal::seal(&mut two, b"details", &scope, ORIGIN, keyring, random).unwrap();
    assert_eq!(hex(&apart[..4]), "02010200");
    assert_eq!(hex(&whole[..4]), "01010200");
    assert_eq!(apart.len(), whole.len(), "both are padded");
    for (leaf, sealed, links) in [(&one, &apart, &b"links"[..]), (&two, &whole, &[])] {
        let unsealed = seal::open_whole(leaf, sealed, ORIGIN, keyring).unwrap();
        assert_eq!(unsealed.opened.details, b"details");
        assert_eq!(unsealed.links, links);
    }
}
