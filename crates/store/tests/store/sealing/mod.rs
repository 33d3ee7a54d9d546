//! Sealing: who opens, who does not, and what no longer can be opened by anybody.

mod apart;
mod format;

use std::sync::Arc;

use schakel_audit::leaf::{EntryType, Leaf, Month, RetentionClass};
use schakel_core::id::SlotId;
use schakel_store::{
    keyring::Keyring,
    seal::{self, OpenError, Scope, SealError, Term},
};

use super::{
    keyring,
    support::{ORIGIN, Seeded, data},
};

/// A keyring with five slots taken, whoever's they are.
struct Broker {
    keyring: Arc<Keyring>,
    slots: Vec<SlotId>,
    random: Seeded,
    _dir: tempfile::TempDir,
}

fn broker() -> Broker {
    let dir = data();
    let keyring = keyring::ready(dir.path());
    let slots = (0..5).map(|_| keyring.take_slot().unwrap()).collect();
    Broker {
        keyring,
        slots,
        random: Seeded(3),
        _dir: dir,
    }
}

fn month(number: u64) -> Month {
    Month::from_number(number).unwrap()
}

fn leaf(id: u8) -> Leaf {
    Leaf {
        entry_type: EntryType::Disclosure,
        at_ms: 1_795_000_000_000,
        party: "gemeente-a".to_owned(),
        transport: None,
        purpose: None,
        id: [id; 16],
        commitment: [0; 32],
        released: None,
        subject_tag: None,
        class: RetentionClass::Standard,
        destroy: Some(month(203_112)),
        rules: None,
    }
}

impl Broker {
    fn seal(&mut self, leaf: &mut Leaf, details: &[u8], scope: &Scope<'_>) -> Vec<u8> {
        self.try_seal(leaf, details, scope).unwrap()
    }

    fn try_seal(
        &mut self,
        leaf: &mut Leaf,
        details: &[u8],
        scope: &Scope<'_>,
    ) -> Result<Vec<u8>, SealError> {
        seal::seal(
            leaf,
            details,
            scope,
            ORIGIN,
            &self.keyring,
            &mut self.random,
        )
    }

    fn open(&self, leaf: &Leaf, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        seal::open(leaf, sealed, ORIGIN, &self.keyring)
    }
}

fn by_month(slots: &[SlotId]) -> Scope<'_> {
    Scope::Slots {
        slots,
        term: Term::ClassMonth,
    }
}

fn is_erased(opened: &Result<Vec<u8>, OpenError>) -> bool {
    matches!(opened, Err(OpenError::Erased))
}

fn is_damaged(opened: &Result<Vec<u8>, OpenError>) -> bool {
    matches!(opened, Err(OpenError::Damaged))
}

#[test]
fn each_slot_opens_alone_and_without_them_all_it_is_erased() {
    for last in 0..3 {
        let mut broker = broker();
        let slots = broker.slots[..3].to_vec();
        let mut leaf = leaf(1);
        let sealed = broker.seal(&mut leaf, b"details", &by_month(&slots));
        assert_eq!(seal::slots(&sealed), slots);
        for slot in slots.iter().filter(|slot| **slot != slots[last]) {
            assert_eq!(broker.open(&leaf, &sealed).unwrap(), b"details");
            broker.keyring.destroy_slot(*slot).unwrap();
        }
        assert_eq!(
            broker.open(&leaf, &sealed).unwrap(),
            b"details",
            "slot {last} alone"
        );
        broker.keyring.destroy_slot(slots[last]).unwrap();
        // Two slots that were not named are still there, and do not open it.
        assert!(is_erased(&broker.open(&leaf, &sealed)));
    }
}

#[test]
fn the_end_of_the_month_erases_for_everybody_and_for_that_class_alone() {
    let mut broker = broker();
    let slots = broker.slots[..2].to_vec();
    let mut standard = leaf(1);
    let sealed = broker.seal(&mut standard, b"details", &by_month(&slots));
    let mut care = Leaf {
        class: RetentionClass::Care,
        ..leaf(2)
    };
    let sealed_care = broker.seal(&mut care, b"care", &by_month(&slots));
    let mut later = Leaf {
        destroy: Some(month(203_201)),
        ..leaf(3)
    };
    let sealed_later = broker.seal(&mut later, b"later", &by_month(&slots));
    broker
        .keyring
        .destroy_month(RetentionClass::Standard, month(203_112))
        .unwrap();
    assert!(is_erased(&broker.open(&standard, &sealed)));
    assert_eq!(broker.open(&care, &sealed_care).unwrap(), b"care");
    assert_eq!(broker.open(&later, &sealed_later).unwrap(), b"later");
    // Nor is anything sealed for a month that is over.
    let again = broker.try_seal(&mut standard, b"details", &by_month(&slots));
    assert!(matches!(again, Err(SealError::Keyring(_))));
}

#[test]
fn the_end_of_a_record_erases_for_everybody() {
    let mut broker = broker();
    let (slots, record) = (broker.slots[..2].to_vec(), broker.slots[4]);
    let mut leaf = Leaf {
        class: RetentionClass::OpenEnded,
        destroy: None,
        ..leaf(1)
    };
    let scope = Scope::Slots {
        slots: &slots,
        term: Term::Record(record),
    };
    let sealed = broker.seal(&mut leaf, b"details", &scope);
    assert_eq!(broker.open(&leaf, &sealed).unwrap(), b"details");
    assert_eq!(seal::slots(&sealed), slots);
    broker.keyring.destroy_slot(record).unwrap();
    assert!(is_erased(&broker.open(&leaf, &sealed)));
}

#[test]
fn an_entry_about_nobody_known_opens_and_ends_with_its_month() {
    let mut broker = broker();
    let mut leaf = leaf(1);
    let sealed = broker.seal(&mut leaf, b"nobody", &Scope::Unknown);
    assert_eq!(broker.open(&leaf, &sealed).unwrap(), b"nobody");
    broker
        .keyring
        .destroy_month(RetentionClass::Standard, month(203_112))
        .unwrap();
    assert!(is_erased(&broker.open(&leaf, &sealed)));
}

#[test]
fn known_and_unknown_are_sealed_to_the_same_length() {
    let mut broker = broker();
    let slots = broker.slots[..1].to_vec();
    for len in [0, 1, 251, 252, 253, 508, 509, 4_000] {
        let details = vec![1; len];
        let known = broker.seal(&mut leaf(1), &details, &by_month(&slots));
        let unknown = broker.seal(&mut leaf(2), &details, &Scope::Unknown);
        assert_eq!(known.len(), unknown.len());
        // Version, mode and counts; one wrap; blind; padded details with their length; tag.
        assert_eq!(
            known.len(),
            4 + 64 + 32 + (4 + len).next_multiple_of(256) + 16
        );
        assert_eq!(known[..4], unknown[..4]);
    }
}

#[test]
fn what_holds_nothing_personal_is_open_to_everybody() {
    let (mut broker, stranger) = (broker(), broker());
    let mut leaf = Leaf {
        class: RetentionClass::Permanent,
        destroy: None,
        ..leaf(1)
    };
    let sealed = broker.seal(&mut leaf, b"a purpose", &Scope::Open);
    assert_eq!(stranger.open(&leaf, &sealed).unwrap(), b"a purpose");
    assert!(seal::slots(&sealed).is_empty());
}

#[test]
fn another_keyring_opens_nothing() {
    let (mut broker, stranger) = (broker(), broker());
    let slots = broker.slots.clone();
    let mut leaf = leaf(1);
    let sealed = broker.seal(&mut leaf, b"details", &by_month(&slots));
    assert!(stranger.open(&leaf, &sealed).is_err());
}

#[test]
fn every_bit_that_is_turned_over_is_noticed() {
    let mut broker = broker();
    let (one, record) = (broker.slots[..1].to_vec(), broker.slots[4]);
    let scopes = [
        Scope::Open,
        Scope::Unknown,
        by_month(&one),
        Scope::Slots {
            slots: &one,
            term: Term::Record(record),
        },
    ];
    for scope in &scopes {
        let mut leaf = leaf(1);
        let sealed = broker.seal(&mut leaf, b"details", scope);
        let padding = 4 + 32 + 4 + b"details".len();
        for bit in 0..sealed.len() * 8 {
            let mut turned = sealed.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            let opened = broker.open(&leaf, &turned);
            // Nothing is committed to by the padding of what is open anyway.
            if matches!(scope, Scope::Open) && bit / 8 >= padding {
                assert_eq!(opened.unwrap(), b"details");
            } else {
                assert!(opened.is_err(), "{scope:?}: bit {bit}");
            }
        }
        for len in 0..sealed.len() {
            let opened = broker.open(&leaf, &sealed[..len]);
            assert!(
                opened.is_err() || matches!(scope, Scope::Open) && len >= padding,
                "{len}"
            );
        }
    }
}

#[test]
fn details_do_not_open_beside_another_leaf_or_in_another_log() {
    let mut broker = broker();
    let slots = broker.slots.clone();
    let mut leaf = leaf(1);
    let sealed = broker.seal(&mut leaf, b"details", &by_month(&slots));
    let mut other = Leaf {
        id: [9; 16],
        ..leaf.clone()
    };
    assert!(is_damaged(&broker.open(&other, &sealed)));
    other = leaf.clone();
    other.commitment[0] ^= 1;
    assert!(is_damaged(&broker.open(&other, &sealed)));
    assert!(is_damaged(&seal::open(
        &leaf,
        &sealed,
        "schakel.example/other",
        &broker.keyring
    )));
    let mut same = leaf.clone();
    let again = broker.seal(&mut same, b"details", &by_month(&slots));
    assert_ne!(
        same.commitment, leaf.commitment,
        "equal details must not show as such"
    );
    assert!(is_damaged(&broker.open(&leaf, &again)));
}

#[test]
fn what_cannot_be_sealed_is_refused() {
    let mut broker = broker();
    let slots = broker.slots.clone();
    assert!(matches!(
        broker.try_seal(&mut leaf(1), b"", &by_month(&[])),
        Err(SealError::Slots)
    ));
    let many = vec![slots[0]; 256];
    assert!(matches!(
        broker.try_seal(&mut leaf(1), b"", &by_month(&many)),
        Err(SealError::Slots)
    ));
    for scope in [by_month(&slots), Scope::Unknown] {
        let mut endless = Leaf {
            destroy: None,
            ..leaf(1)
        };
        assert!(matches!(
            broker.try_seal(&mut endless, b"", &scope),
            Err(SealError::NoMonth)
        ));
    }
    broker.keyring.destroy_slot(slots[1]).unwrap();
    let sealed = broker.try_seal(&mut leaf(1), b"", &by_month(&slots));
    assert!(matches!(sealed, Err(SealError::Keyring(_))));
}
