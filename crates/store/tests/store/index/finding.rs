//! What a search finds, and reading on.

use std::fs;

use proptest::{collection::vec, prelude::*};
use schakel_core::{code::Condition, id::EntryIndex};
use schakel_store::index::Query;

use super::{
    Entries, add, brute_force,
    generated::{entries, query},
    open, plain,
};
use crate::store::{
    recorder::{Recorder, party, person},
    story::{PARTIES, PEOPLE, everything, long_story, play},
    support::snapshot,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_search_finds_what_looking_at_every_entry_finds(
        entries in entries(80),
        run in 1..30_u32,
        restart in 0..80_usize,
        queries in vec(query(), 24),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let first = entries[..restart.min(entries.len())].to_vec();
        let (index, _) = open(dir.path(), &Entries::new(), run);
        add(&index, &first, 0);
        drop(index);
        let (index, needed) = open(dir.path(), &first, run);
        prop_assert_eq!(needed, first.len() % run as usize, "full runs are read from their files");
        add(&index, &entries, first.len());
        prop_assert_eq!(index.indexed(), entries.len() as u64);
        for query in &queries {
            prop_assert_eq!(&index.search(query).unwrap(), &brute_force(&entries, query), "{:?}", query);
        }
        drop(index);
        fs::remove_dir_all(dir.path()).unwrap();
        let (index, needed) = open(dir.path(), &entries, run);
        prop_assert_eq!(needed, entries.len());
        for query in &queries {
            prop_assert_eq!(&index.search(query).unwrap(), &brute_force(&entries, query));
        }
    }

    #[test]
    fn reading_on_finds_what_a_search_finds_the_other_way_round(
        entries in entries(60),
        query in query(),
        run in 1..20_u32,
        limit in 1..7_usize,
        from in 0..70_u64,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (index, _) = open(dir.path(), &entries, run);
        let whole = Query { before: None, limit: entries.len().max(1), ..query.clone() };
        let mut expected = brute_force(&entries, &whole).entries;
        expected.reverse();
        expected.retain(|entry| entry.0 >= from);
        let (mut found, mut next) = (Vec::new(), EntryIndex(from));
        loop {
            let page = index.ahead(&Query { limit, ..query.clone() }, next).unwrap();
            prop_assert!(page.entries.len() <= limit);
            prop_assert!(page.end >= next, "it goes on");
            found.extend(page.entries);
            next = page.end;
            if !page.more {
                break;
            }
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(next.0, from.max(entries.len() as u64));
    }

    #[test]
    fn pages_put_together_are_the_whole(entries in entries(60), run in 1..20_u32, limit in 1..7_usize) {
        let dir = tempfile::tempdir().unwrap();
        let (index, _) = open(dir.path(), &entries, run);
        let all = Query::of(party(PARTIES[0]));
        let mut query = Query { limit, ..all.clone() };
        let mut found = Vec::new();
        loop {
            let page = index.search(&query).unwrap();
            found.extend(page.entries);
            match page.next {
                Some(next) => query.before = Some(next),
                None => break,
            }
        }
        prop_assert_eq!(found, brute_force(&entries, &all).entries);
    }
}

/// Invariant 10: view and indexes deleted, broker restarted: same answers.
#[test]
fn facts_read_back_from_the_log_answer_as_those_that_were_added() {
    let mut recorder = Recorder::new();
    play(&mut recorder, &long_story());
    let entries: Entries = (0..recorder.log.size())
        .map(|index| recorder.facts(EntryIndex(index)))
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = open(dir.path(), &entries, 64);
    let mut found = 0;
    for controller in everything().parties {
        for n in 0..PEOPLE.len() {
            for condition in Condition::ALL {
                let query = Query {
                    subject: Some(person(u8::try_from(n).unwrap())),
                    condition: Some(*condition),
                    ..Query::of(controller.clone())
                };
                let page = index.search(&query).unwrap();
                assert_eq!(page, brute_force(&entries, &query));
                found += page.entries.len();
            }
        }
    }
    assert!(found > 100, "{found}");
}

/// However much is recorded about others, a search for a person costs what the runs with that person cost: the files
/// of all others are emptied, and it does not notice.
#[test]
fn a_search_for_a_person_reads_no_file_without_that_person() {
    const RUN: usize = 5;
    let with_person = [3, 152];
    let mut entries = plain();
    for (n, facts) in entries.iter_mut().enumerate() {
        facts[0].subject = Some(person(u8::from(!with_person.contains(&n))));
    }
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = open(dir.path(), &entries, 5);
    let files = snapshot(dir.path());
    assert_eq!(files.len(), entries.len() / RUN);
    for (number, (path, _)) in files.iter().enumerate() {
        if !with_person.map(|n| n / RUN).contains(&number) {
            fs::write(path, b"").unwrap();
        }
    }
    let about = |number| Query {
        subject: Some(person(number)),
        ..Query::of(party(PARTIES[0]))
    };
    let found = index.search(&about(0)).unwrap();
    assert_eq!(found, brute_force(&entries, &about(0)));
    assert_eq!(found.entries.len(), with_person.len());
    // A search that reads one of them does notice.
    assert!(index.search(&about(1)).is_err());
}
