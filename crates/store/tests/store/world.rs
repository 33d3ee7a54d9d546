//! The state: however it came about, it is the same.

use std::{fs, path::Path};

use proptest::{collection::vec, prelude::*};
use schakel_audit::leaf::{Month, RetentionClass};
use schakel_core::{
    code::Condition,
    erasure::{ClassMonth, Covers, Erased, Rule},
    event::{Event, SlotUse},
    id::EntryIndex,
    person::SubjectRef,
};
use schakel_store::{
    entry::EntryFault,
    log::Log,
    random::OsRandom,
    world::{OpenWorldError, Options, World, WorldError},
};

use super::{
    events::{case, disclosed},
    recorder::{Recorder, by, open_world, party, person, settings},
    story::{Seed, everything, long_story, play},
    support::{ORIGIN, copy_to},
};

fn batches() -> impl Strategy<Value = Vec<Vec<Seed>>> {
    vec(vec(any::<Seed>(), 1..12), 2..14)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Invariant 10: view and indexes deleted, broker restarted: same answers.
    #[test]
    fn the_state_is_the_same_read_from_the_view_made_again_or_caught_up(
        first in batches(),
        second in batches(),
    ) {
        let mut recorder = Recorder::new();
        play(&mut recorder, &first);
        let mut recorder = recorder.again(|data| copy_to(&data.join("view"), &data.join("old"))).unwrap();
        play(&mut recorder, &second);
        let lived = recorder.state(&everything());

        let mut recorder = recorder.again(|_| {}).unwrap();
        prop_assert_eq!(&recorder.state(&everything()), &lived, "from the view");
        let behind = |data: &Path| {
            fs::remove_dir_all(data.join("view")).unwrap();
            fs::rename(data.join("old"), data.join("view")).unwrap();
        };
        let mut recorder = recorder.again(behind).unwrap();
        prop_assert_eq!(&recorder.state(&everything()), &lived, "from an older view and the log");
        let gone = |data: &Path| fs::remove_dir_all(data.join("view")).unwrap();
        let mut recorder = recorder.again(gone).unwrap();
        prop_assert_eq!(&recorder.state(&everything()), &lived, "from the log");
    }
}

#[test]
fn the_story_used_below_touches_everything() {
    let mut recorder = Recorder::new();
    play(&mut recorder, &long_story());
    let state = format!("{:?}", recorder.state(&everything()));
    for part in [
        "Notice(",
        "Served {",
        "Restriction {",
        "StatusRecord {",
        "Introduction {",
        "Handed {",
        "Pending {",
        "Proposal {",
        "Party {",
        "Consent {",
        "Written {",
        "ClientRef(",
    ] {
        assert!(state.contains(part), "{part}");
    }
}

/// The log as it was, and the view as it is.
fn roll_back(data: &Path) {
    fs::remove_dir_all(data.join("log")).unwrap();
    fs::rename(data.join("old"), data.join("log")).unwrap();
}

#[test]
fn a_view_ahead_of_the_log_stops_the_start() {
    let mut recorder = Recorder::new();
    play(&mut recorder, &long_story()[..20]);
    let size = recorder.log.size();
    let mut recorder = recorder
        .again(|data| copy_to(&data.join("log"), &data.join("old")))
        .unwrap();
    recorder.record([by("uwv", Some(1), disclosed(1, Condition::Housing, 0))]);
    match recorder.again(roll_back) {
        Err(OpenWorldError::AheadOfLog { applied, log }) => {
            assert_eq!((applied, log), (size + 1, size));
        }
        other => panic!("{:?}", other.map(|recorder| recorder.world)),
    }
}

#[test]
fn a_view_that_has_seen_another_entry_than_the_log_holds_stops_the_start() {
    let mut recorder = Recorder::new();
    play(&mut recorder, &long_story()[..20]);
    let size = recorder.log.size();
    let mut recorder = recorder
        .again(|data| copy_to(&data.join("log"), &data.join("old")))
        .unwrap();
    let said = || by("uwv", Some(1), disclosed(1, Condition::Housing, 0));
    recorder.record([said(), said()]);
    // Another life of the log: the same two entries the other way round.
    let frames = [1, 0].map(|n| recorder.log.read(size + n).unwrap());
    let opened = recorder.again(|data| {
        roll_back(data);
        let mut log = Log::open(data, settings()).unwrap().log;
        log.append(size, &frames).unwrap();
    });
    assert!(matches!(opened, Err(OpenWorldError::OtherLog { index }) if index == size + 1));
}

#[test]
fn keys_that_are_gone_without_a_reason_stop_the_start_and_name_the_entry() {
    let mut recorder = Recorder::new();
    recorder.record([by("uwv", Some(1), disclosed(1, Condition::Housing, 0))]);
    recorder.record([by("utrecht", Some(2), disclosed(2, Condition::Housing, 0))]);
    let dossier = recorder.world.dossier(person(2)).unwrap();
    let slot = dossier.slots[&SlotUse::Controller(party("utrecht"))];
    recorder.keyring.destroy_slot(slot).unwrap();
    drop(dossier);
    match recorder.again(|data| fs::remove_dir_all(data.join("view")).unwrap()) {
        Err(OpenWorldError::Entry(error)) => {
            assert_eq!(error.index, 1);
            assert!(matches!(error.fault, EntryFault::MissingKey));
        }
        other => panic!("{:?}", other.map(|recorder| recorder.world)),
    }
}

fn month_over(due: Month) -> Event {
    let due = ClassMonth {
        class: RetentionClass::Standard.number(),
        month: due.number(),
    };
    Event::Erased(Erased {
        rule: Rule::retention_over(),
        covers: Covers::Month(due),
        controller: None,
        slots: Vec::new(),
        proposal: None,
    })
}

#[test]
fn a_month_that_was_due_and_not_erased_stops_the_start() {
    let mut recorder = Recorder::new();
    recorder.record([by("uwv", Some(1), disclosed(1, Condition::Housing, 0))]);
    recorder.now = recorder.now.plus_days(92);
    recorder.record([by("utrecht", Some(2), disclosed(2, Condition::Housing, 0))]);
    let due = Month::from_number(202_701).unwrap();
    recorder
        .keyring
        .destroy_month(RetentionClass::Standard, due)
        .unwrap();
    let gone = |data: &Path| fs::remove_dir_all(data.join("view")).unwrap();
    match recorder.again(gone) {
        Err(OpenWorldError::Entry(error)) => assert_eq!(error.index, 0),
        other => panic!("{:?}", other.map(|recorder| recorder.world)),
    }
}

#[test]
fn details_whose_month_was_erased_are_passed_over() {
    let mut recorder = Recorder::new();
    let said = || by("uwv", Some(1), disclosed(1, Condition::Housing, 0));
    recorder.record([said()]);
    recorder.now = recorder.now.plus_days(92);
    recorder.record([by("utrecht", Some(2), disclosed(2, Condition::Housing, 0))]);
    let due = Month::from_number(202_701).unwrap();
    recorder.record([by("broker", None, month_over(due))]);
    recorder
        .keyring
        .destroy_month(RetentionClass::Standard, due)
        .unwrap();
    let gone = |data: &Path| fs::remove_dir_all(data.join("view")).unwrap();
    let mut recorder = recorder.again(gone).unwrap();
    assert_eq!(recorder.world.applied(), 3);
    assert!(recorder.world.dossier(person(1)).unwrap().served.is_empty());
    assert!(!recorder.world.dossier(person(2)).unwrap().served.is_empty());
}

#[test]
fn a_slot_that_the_log_binds_is_never_given_out_again() {
    let mut recorder = Recorder::new();
    play(&mut recorder, &long_story());
    let bound: Vec<_> = everything()
        .subjects
        .into_iter()
        .flat_map(|subject| {
            recorder
                .world
                .dossier(subject)
                .unwrap()
                .slots
                .clone()
                .into_values()
        })
        .collect();
    assert!(bound.len() > 8);
    let gone = |data: &Path| fs::remove_dir_all(data.join("view")).unwrap();
    for made_again in [false, true] {
        recorder = recorder
            .again(|data| {
                if made_again {
                    gone(data);
                }
            })
            .unwrap();
        for _ in 0..4096 {
            let slot = recorder.keyring.take_slot().unwrap();
            assert!(!bound.contains(&slot));
        }
    }
}

#[test]
fn an_entry_out_of_order_is_refused() {
    let mut recorder = Recorder::new();
    recorder.record([by("uwv", Some(1), disclosed(1, Condition::Housing, 0))]);
    let refused = recorder.world.flush(5);
    assert!(matches!(
        refused,
        Err(WorldError::OutOfOrder {
            expected: 1,
            got: 5
        })
    ));
    let facts = recorder.facts(EntryIndex(0));
    // One for the controller concerned, and one for the broker itself.
    assert_eq!(facts.len(), 2);
}

#[test]
fn what_a_batch_did_already_is_seen_by_the_rest_of_it() {
    let mut recorder = Recorder::new();
    let before = SubjectRef::Case(case(1, 0));
    assert_eq!(recorder.world.subject_of(&before, &party("uwv")), None);
    let batch: Vec<Seed> = vec![(0, 0, 1, 0), (4, 1, 1, 0), (3, 0, 1, 0)];
    play(&mut recorder, &[batch]);
    assert_eq!(
        recorder.world.subject_of(&before, &party("uwv")),
        Some(person(1))
    );
    assert_eq!(recorder.world.subject_by_code(&[1; 32]), Some(person(1)));
    assert_eq!(recorder.world.dossier(person(1)).unwrap().statuses.len(), 1);
}

#[test]
fn progress_is_told_to_the_end() {
    let mut recorder = Recorder::new();
    play(&mut recorder, &long_story());
    let Recorder {
        data,
        log,
        keyring,
        world,
        ..
    } = recorder;
    drop(world);
    fs::remove_dir_all(data.path().join("view")).unwrap();
    let reader = log.reader();
    let mut told = Vec::new();
    let options = Options {
        log: &reader,
        origin: ORIGIN,
        keyring: &keyring,
        dir: &data.path().join("view"),
        random: Box::new(OsRandom),
    };
    let world = World::open(options, &mut |done, all| told.push((done, all)));
    drop(world.unwrap());
    assert_eq!(told.last(), Some(&(log.size(), log.size())));
    // Nothing to do, nothing to tell; and the second start waits until the first has let go.
    drop(open_world(data.path(), &log, &keyring).unwrap());
}
