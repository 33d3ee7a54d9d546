//! Erasure: what is destroyed can be read nowhere, and everything else as before.

use std::{fs, path::Path};

use proptest::{collection::vec, prelude::*};
use schakel_audit::{
    erasure::{Covers as Read, Erasure, ErasureError, Opened},
    leaf::{EntryType, Leaf, Month, RetentionClass},
};
use schakel_core::{
    code::Condition,
    erasure::{ClassMonth, Covers, Erased, Ground, Rule},
    event::{Details, Event},
    id::{EntryIndex, ProposalId, SlotId},
};
use schakel_store::{
    details,
    keyring::{Kek, Keyring},
    random::OsRandom,
    seal::{self, Scope},
};

use super::{
    events::{opened, reported},
    recorder::{Recorder, by},
    story::{PARTIES, Seed, everything, play, taken_out},
    support::{ORIGIN, copy_to},
};

fn told(covers: Covers) -> Details {
    let erased = Erased {
        rule: Rule::of(Ground::Unlawful),
        covers,
        controller: Some("utrecht".parse().unwrap()),
        slots: vec![SlotId::from_bytes([7; 16])],
        proposal: Some(ProposalId::from_bytes([8; 16])),
    };
    Details {
        call: None,
        subject: None,
        controllers: ["utrecht".parse().unwrap()].into(),
        binds: Vec::new(),
        event: Event::Erased(erased),
    }
}

fn leaf(entry_type: EntryType) -> Leaf {
    Leaf {
        entry_type,
        at_ms: 1,
        party: "broker".to_owned(),
        transport: None,
        purpose: None,
        id: [1; 16],
        commitment: [0; 32],
        released: None,
        subject_tag: None,
        class: RetentionClass::Permanent,
        destroy: None,
        rules: None,
    }
}

/// Writes an erasure as the log has it, and gives what is published of it.
fn published(details: &Details) -> (Leaf, Opened) {
    let dir = tempfile::tempdir().unwrap();
    let kek = Kek::from_bytes([1; 32]);
    let keyring = Keyring::open(dir.path(), kek, Box::new(OsRandom)).unwrap();
    let mut leaf = leaf(EntryType::Erasure);
    let bytes = details::encode(details).unwrap();
    let scope = Scope::Open;
    let sealed = seal::seal(&mut leaf, &bytes, &scope, ORIGIN, &keyring, &mut OsRandom).unwrap();
    let opened = seal::opened(&sealed).unwrap();
    assert_eq!(opened.details, bytes);
    (leaf, opened)
}

#[test]
fn what_is_published_of_an_erasure_is_read_without_any_key() {
    let entries = [2, 3, 4, 9, 11, 12].map(EntryIndex);
    let (leaf, opened) = published(&told(Covers::entries(entries)));
    let read = Erasure::open(&leaf, &opened).unwrap();
    assert_eq!(
        (read.rule.as_str(), read.law.as_str()),
        ("UNLAWFUL", "AVG 17(1)(d)")
    );
    assert_eq!(read.covers, Read::Entries(vec![2..=4, 9..=9, 11..=12]));
    assert_eq!(read.controller.as_deref(), Some("utrecht"));
    let covered: Vec<_> = (0..14).filter(|index| read.covers(*index, &leaf)).collect();
    assert_eq!(covered, [2, 3, 4, 9, 11, 12]);
}

#[test]
fn an_erased_month_covers_the_leaves_that_name_it() {
    let due = ClassMonth {
        class: 3,
        month: 203_102,
    };
    let (told, opened) = published(&told(Covers::Month(due)));
    let read = Erasure::open(&told, &opened).unwrap();
    let month = Month::from_number(203_102).unwrap();
    assert_eq!(read.covers, Read::Month(RetentionClass::Care, month));
    let mut of = leaf(EntryType::Disclosure);
    (of.class, of.destroy) = (RetentionClass::Care, Some(month));
    assert!(read.covers(4, &of));
    of.destroy = Some(month.plus_months(1));
    assert!(!read.covers(4, &of));
}

#[test]
fn details_that_are_not_those_of_the_leaf_or_not_an_erasure_are_refused() {
    let (of, opened) = published(&told(Covers::entries([EntryIndex(3)])));
    let bytes = opened.encode();
    for at in [0, 31, 32, bytes.len() - 1] {
        let mut other = bytes.clone();
        other[at] ^= 1;
        let other = Opened::decode(&other).unwrap();
        let refused = Erasure::open(&of, &other);
        assert!(matches!(refused, Err(ErasureError::Commitment)), "{at}");
    }
    let other = leaf(EntryType::System);
    assert!(matches!(
        Erasure::open(&other, &opened),
        Err(ErasureError::Type)
    ));
    for covers in [
        Covers::Entries(vec![(EntryIndex(3), EntryIndex(2))]),
        Covers::Entries(vec![
            (EntryIndex(3), EntryIndex(5)),
            (EntryIndex(6), EntryIndex(6)),
        ]),
        Covers::Month(ClassMonth {
            class: 1,
            month: 203_102,
        }),
        Covers::Month(ClassMonth {
            class: 2,
            month: 203_113,
        }),
    ] {
        let (of, opened) = published(&told(covers.clone()));
        let refused = Erasure::open(&of, &opened);
        assert!(
            matches!(refused, Err(ErasureError::Malformed(_))),
            "{covers:?}"
        );
    }
}

fn batches() -> impl Strategy<Value = Vec<Vec<Seed>>> {
    vec(vec(any::<Seed>(), 1..12), 2..14)
}

/// Erases each of these people for each of these parties.
fn erase_all(recorder: &mut Recorder, whom: &[(u8, u8)]) {
    for (n, of) in whom {
        recorder.erase(n % 4, PARTIES[usize::from(*of) % PARTIES.len()]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Invariant 9: replaying an unreadable entry equals applying it and then erasing it, and a keyring from
    /// before the erasures makes no difference.
    #[test]
    fn replaying_what_was_erased_equals_applying_it_and_then_erasing_it(
        first in batches(),
        erased in vec(any::<(u8, u8)>(), 1..6),
        second in batches(),
        more in vec(any::<(u8, u8)>(), 0..4),
    ) {
        let mut recorder = Recorder::new();
        play(&mut recorder, &first);
        erase_all(&mut recorder, &erased);
        play(&mut recorder, &second);
        let backup = |data: &Path| {
            copy_to(&data.join("keyring"), &data.join("backup"));
            copy_to(&data.join("view"), &data.join("old"));
        };
        let mut recorder = recorder.again(backup).unwrap();
        erase_all(&mut recorder, &more);
        let lived = recorder.state(&everything());
        let of_lived = recorder.world.erasures();

        let mut recorder = recorder.again(|_| {}).unwrap();
        prop_assert_eq!(&recorder.state(&everything()), &lived, "after a restart");
        let gone = |data: &Path| fs::remove_dir_all(data.join("view")).unwrap();
        let mut recorder = recorder.again(gone).unwrap();
        prop_assert_eq!(&recorder.state(&everything()), &lived, "from the log");
        let restored = |data: &Path| {
            fs::remove_dir_all(data.join("keyring")).unwrap();
            copy_to(&data.join("backup"), &data.join("keyring"));
        };
        let mut recorder = recorder.again(restored).unwrap();
        prop_assert_eq!(&recorder.state(&everything()), &lived, "with the keyring of a backup");
        let cut_short = |data: &Path| {
            for (from, to) in [("backup", "keyring"), ("old", "view")] {
                fs::remove_dir_all(data.join(to)).unwrap();
                copy_to(&data.join(from), &data.join(to));
            }
        };
        let mut recorder = recorder.again(cut_short).unwrap();
        let told = "as if the broker had ended between the entry of an erasure and its end";
        prop_assert_eq!(&recorder.state(&everything()), &lived, "{}", told);
        prop_assert_eq!(&recorder.world.erasures(), &of_lived);
        for slot in of_lived.slots() {
            prop_assert!(recorder.keyring.key(slot).is_err(), "erased again");
        }
    }
}

/// A message stands for every report that came while it waited: when the first of them is erased the others would let
/// it wait again.
#[test]
fn a_message_that_was_acknowledged_stays_so_when_what_caused_it_first_is_erased() {
    let mut recorder = Recorder::new();
    let said = |party| by(party, Some(1), reported(1, Condition::Housing, 0));
    recorder.record([
        by("pi-alphen", Some(1), opened(1, 0)),
        said("pi-alphen"),
        said("housing-utrecht"),
    ]);
    for _ in ["handed over", "acknowledged"] {
        let taken = taken_out(&recorder, "utrecht", 2).unwrap();
        recorder.record([taken]);
    }
    assert!(taken_out(&recorder, "utrecht", 2).is_none());
    assert!(recorder.erase(1, "pi-alphen"));
    assert!(taken_out(&recorder, "utrecht", 2).is_none(), "told before");
    assert!(taken_out(&recorder, "uwv", 2).is_some(), "it waits still");
}
