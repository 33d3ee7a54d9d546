//! What becomes of the files, and who waits for whom.

use std::{convert::Infallible, fs, sync::Arc, thread, time::Duration};

use schakel_core::id::EntryIndex;
use schakel_store::{
    index::{Index, Options, Query},
    keyring::Key,
};

use super::{Entries, SOON, add, brute_force, open, options, plain};
use crate::store::{
    recorder::{party, person},
    story::PARTIES,
    support::snapshot,
};

/// What a file holds instead, given what another file and it itself hold.
type Breaking = fn(&[u8], &[u8]) -> Vec<u8>;

#[test]
fn what_is_missing_damaged_or_of_another_generation_is_made_again() {
    let entries = plain();
    let about_one = Query {
        subject: Some(person(0)),
        ..Query::of(party(PARTIES[0]))
    };
    let expected = brute_force(&entries, &about_one);
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), &entries, 50));
    assert_eq!(snapshot(dir.path()).len(), 4);
    let breakings: [(&str, usize, Breaking); 5] = [
        ("nothing", 0, |_, whole| whole.to_vec()),
        ("a byte turned over", 50, |_, whole| {
            [&whole[..300], &[!whole[300]], &whole[301..]].concat()
        }),
        ("cut short", 50, |_, whole| whole[..40].to_vec()),
        ("empty", 50, |_, _| Vec::new()),
        ("another run's", 50, |other, _| other.to_vec()),
    ];
    for (what, again, breaking) in breakings {
        let files = snapshot(dir.path());
        fs::write(&files[1].0, breaking(&files[3].1, &files[1].1)).unwrap();
        let (index, needed) = open(dir.path(), &entries, 50);
        assert_eq!(needed, again, "{what}");
        assert_eq!(index.search(&about_one).unwrap(), expected, "{what}");
    }
    fs::remove_file(&snapshot(dir.path())[2].0).unwrap();
    assert_eq!(open(dir.path(), &entries, 50).1, 50, "one file missing");
    let other = Options {
        key: Key::new([6; 32]),
        ..options(dir.path(), 200, 50)
    };
    let mut needed = 0;
    let facts_of = |entry: EntryIndex| {
        needed += 1;
        Ok::<_, Infallible>(entries[usize::try_from(entry.0).unwrap()].clone())
    };
    let index = Index::open(other, facts_of, &mut |_, _| {}).unwrap();
    assert_eq!(index.search(&about_one).unwrap(), expected);
    assert_eq!(needed, 200);
}

#[test]
fn runs_beyond_the_end_of_the_log_and_unfinished_files_are_removed_and_nothing_else() {
    let entries = plain();
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), &entries, 50));
    fs::write(dir.path().join("00000000000000000000.idx.tmp"), b"half").unwrap();
    fs::write(dir.path().join("somebody-elses"), b"file").unwrap();
    let (index, _) = open(dir.path(), &entries[..120].to_vec(), 50);
    drop(index);
    let left: Vec<String> = fs::read_dir(dir.path())
        .unwrap()
        .map(|found| found.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.contains(&"somebody-elses".to_owned()));
}

#[test]
fn a_run_whose_file_cannot_be_written_is_searched_in_memory() {
    let entries = plain();
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = open(dir.path(), &Entries::new(), 50);
    fs::remove_dir_all(dir.path()).unwrap();
    fs::write(dir.path(), b"in the way").unwrap();
    add(&index, &entries, 0);
    let about_one = Query {
        subject: Some(person(0)),
        ..Query::of(party(PARTIES[0]))
    };
    assert_eq!(
        index.search(&about_one).unwrap(),
        brute_force(&entries, &about_one)
    );
    fs::remove_file(dir.path()).unwrap();
    fs::create_dir(dir.path()).unwrap();
}

#[test]
fn whoever_searches_waits_for_what_was_there_and_no_longer_than_asked() {
    let entries = plain();
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = open(dir.path(), &Entries::new(), 50);
    let index = Arc::new(index);
    assert!(index.wait(0, Duration::ZERO));
    assert!(
        !index.wait(1, Duration::from_millis(20)),
        "nothing was added"
    );
    let waiting = {
        let index = Arc::clone(&index);
        thread::spawn(move || index.wait(200, SOON))
    };
    add(&index, &entries, 0);
    assert!(waiting.join().unwrap());
    // An entry that is not the next one ends it: nobody waits for what will never come.
    index.add(EntryIndex(777), vec![Vec::new()]);
    let started = std::time::Instant::now();
    assert!(!index.wait(201, SOON));
    assert!(started.elapsed() < SOON);
}

#[test]
fn nobody_finds_a_person_or_a_party_in_the_files() {
    let entries = plain();
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), &entries, 50));
    let files: Vec<u8> = snapshot(dir.path())
        .into_iter()
        .flat_map(|(_, content)| content)
        .collect();
    let holds = |text: &[u8]| files.windows(text.len()).any(|part| part == text);
    assert!(!holds(PARTIES[0].as_bytes()) && !holds(&[1; 16]) && !holds(b"SCHKRUN6"));
}
