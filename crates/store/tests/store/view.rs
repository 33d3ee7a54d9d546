//! The view on disk: what breaks it, and what nobody finds in it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use schakel_core::{
    code::Condition,
    event::{Disclosed, Event},
    id::ConsentId,
};

use super::{
    events::{case, disclosed, mark},
    recorder::{Recorder, by, party, person},
    story::{PEOPLE, everything, long_story, play},
    support::{damage, snapshot},
};

/// Tells a story, breaks the view, and expects the same state; how many views were put aside?
fn survives(breaking: impl FnOnce(&Path)) -> usize {
    let mut recorder = Recorder::new();
    play(&mut recorder, &long_story());
    let lived = recorder.state(&everything());
    // Only a start that finds something new writes a snapshot.
    let recorder = recorder.again(|_| {}).unwrap();
    let mut recorder = recorder.again(|data| breaking(&data.join("view"))).unwrap();
    assert_eq!(recorder.state(&everything()), lived);
    // And it can be gone on with.
    play(&mut recorder, &long_story()[..10]);
    let lived = recorder.state(&everything());
    let mut recorder = recorder.again(|_| {}).unwrap();
    assert_eq!(recorder.state(&everything()), lived);
    let names = fs::read_dir(recorder.data.path()).unwrap();
    names
        .filter(|name| {
            name.as_ref()
                .unwrap()
                .path()
                .to_string_lossy()
                .contains("quarantined")
        })
        .count()
}

fn snapshots(view: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(view)
        .unwrap()
        .map(|found| found.unwrap().path());
    files
        .filter(|path| path.to_string_lossy().contains("/snap."))
        .collect()
}

#[test]
fn nothing_is_put_aside_without_need() {
    assert_eq!(survives(|_| {}), 0);
}

#[test]
fn a_snapshot_left_half_written_is_removed() {
    let put_aside = survives(|view| {
        let snapshot = snapshots(view).pop().unwrap();
        let half = fs::read(&snapshot).unwrap();
        fs::write(
            view.join("snap.00000000FFFFFFFF.generating"),
            &half[..half.len() / 2],
        )
        .unwrap();
    });
    assert_eq!(put_aside, 0);
}

#[test]
fn an_empty_snapshot_is_passed_over() {
    let put_aside = survives(|view| fs::write(view.join("snap.00000000FFFFFFFF"), []).unwrap());
    assert_eq!(put_aside, 0);
}

#[test]
fn a_view_with_bytes_turned_over_is_put_aside_and_made_again() {
    let put_aside = survives(|view| {
        let db = view.join("db");
        let len = fs::metadata(&db).unwrap().len();
        (0..64).for_each(|n| damage(&db, len * n / 64));
        for path in snapshots(view) {
            fs::remove_file(path).unwrap();
        }
    });
    assert_eq!(put_aside, 1);
}

#[test]
fn a_view_cut_short_or_without_its_parts_is_made_again() {
    survives(|view| {
        let db = fs::OpenOptions::new()
            .write(true)
            .open(view.join("db"))
            .unwrap();
        db.set_len(1000).unwrap();
    });
    survives(|view| fs::remove_file(view.join("db")).unwrap());
    survives(|view| fs::write(view.join("conf"), b"not what it was").unwrap());
    survives(|view| {
        fs::remove_dir_all(view).unwrap();
        fs::create_dir(view).unwrap();
    });
}

#[test]
fn a_view_under_another_key_is_put_aside_and_made_again() {
    let mut recorder = Recorder::new();
    play(&mut recorder, &long_story());
    let lived = recorder.state(&everything());
    recorder.keyring.new_view_key().unwrap();
    let mut recorder = recorder.again(|_| {}).unwrap();
    assert_eq!(recorder.state(&everything()), lived);
    assert!(recorder.data.path().join("view.quarantined-1").is_dir());
}

#[test]
fn a_file_where_the_view_should_be_stops_the_start() {
    let mut recorder = Recorder::new();
    play(&mut recorder, &long_story()[..10]);
    let opened = recorder.again(|data| {
        fs::remove_dir_all(data.join("view")).unwrap();
        fs::create_dir(data.join("view")).unwrap();
        fs::create_dir(data.join("view/db")).unwrap();
        fs::remove_dir(data.join("view/db")).unwrap();
        fs::remove_dir(data.join("view")).unwrap();
        std::os::unix::fs::symlink("/dev/null/nowhere", data.join("view")).unwrap();
    });
    assert!(opened.is_err());
}

fn longest_row(view: &Path) -> usize {
    let db = sled::open(view).unwrap();
    let rows = db.iter().map(|row| row.unwrap());
    let longest = rows
        .map(|(key, value)| key.len() + value.len())
        .max()
        .unwrap();
    assert!(longest <= 4096, "{longest}");
    longest
}

/// A row of the tree longer than 4 KiB could end up in a file that sled never syncs.
#[test]
fn a_record_that_grows_long_is_kept_in_parts_and_read_back() {
    let mut recorder = Recorder::new();
    let consents = |count: u16| -> BTreeSet<ConsentId> {
        (0..count)
            .map(|n| {
                let mut id = [0; 16];
                id[..2].copy_from_slice(&n.to_be_bytes());
                ConsentId::from_bytes(id)
            })
            .collect()
    };
    let Event::Disclosed(disclosed) = disclosed(1, Condition::Debt, 0) else {
        panic!()
    };
    for hundreds in 1..=9 {
        let mut grants = disclosed.grants.clone();
        grants[0].consents = consents(hundreds * 100).into_iter().collect();
        let event = Event::Disclosed(Disclosed {
            grants,
            ..disclosed.clone()
        });
        recorder.record([by("uwv", Some(1), event)]);
    }
    let mut recorder = recorder.again(|_| {}).unwrap();
    let dossier = recorder.world.dossier(person(1)).unwrap();
    let served = &dossier.served[&(party("uwv"), Condition::Debt)];
    assert_eq!(served.consents, consents(900));
    let view = recorder.view();
    drop(
        recorder
            .again(|_| assert!(longest_row(&view) > 3000))
            .unwrap(),
    );
}

#[test]
fn nobody_finds_a_person_in_the_view() {
    let mut recorder = Recorder::new();
    play(&mut recorder, &long_story());
    let recorder = recorder.again(|_| {}).unwrap();
    let files: Vec<u8> = snapshot(&recorder.view())
        .into_iter()
        .flat_map(|(_, content)| content)
        .collect();
    let holds = |text: &[u8]| files.windows(text.len()).any(|part| part == text);
    assert!(
        holds(b"housing-utrecht") || holds(b"team@example.org"),
        "the search itself works"
    );
    for n in 0..4 {
        assert!(!holds(PEOPLE[usize::from(n)].as_bytes()));
        assert!(!holds(mark(n).as_bytes()));
        assert!(!holds(case(n, 0).as_bytes()), "nor by the case");
    }
    assert!(!holds(b"ACTION_NEEDED") && !holds(b"192.0.2.1"));
}
