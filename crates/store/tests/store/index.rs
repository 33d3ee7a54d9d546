//! The search indexes: what they find is what looking at every entry finds.

use std::{convert::Infallible, fs, path::Path, sync::Arc, thread, time::Duration};

use proptest::{collection::vec, prelude::*};
use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::Condition,
    id::{EntryIndex, PurposeCode, Reference},
    time::{Period, Timestamp},
};
use schakel_store::{
    index::{Facts, Index, LARGEST_PAGE, Options, Outcome, Page, Query, Whose},
    keyring::Key,
    random::OsRandom,
};

use super::{
    recorder::{Recorder, START_MS, party, person},
    story::{PARTIES, PEOPLE, everything, long_story, play},
    support::snapshot,
};

const PURPOSES: [&str; 2] = ["P-ONE", "P-TWO"];
const SOON: Duration = Duration::from_secs(20);

/// What each of some entries can be found by.
type Entries = Vec<Vec<Facts>>;

fn options(dir: &Path, size: usize, run: u32) -> Options {
    Options {
        dir: dir.to_owned(),
        key: Key::new([5; 32]),
        size: size as u64,
        run,
        random: Box::new(OsRandom),
    }
}

/// Opens the indexes, and says of how many entries the facts were needed.
fn open(dir: &Path, entries: &Entries, run: u32) -> (Index, usize) {
    let mut needed = 0;
    let facts_of = |entry: EntryIndex| {
        needed += 1;
        Ok::<_, Infallible>(entries[usize::try_from(entry.0).unwrap()].clone())
    };
    let index = Index::open(options(dir, entries.len(), run), facts_of, &mut |_, _| {}).unwrap();
    (index, needed)
}

fn add(index: &Index, entries: &[Vec<Facts>], from: usize) {
    for (entry, facts) in entries.iter().enumerate().skip(from) {
        index.add(EntryIndex(entry as u64), facts.clone());
    }
    assert!(index.wait(entries.len() as u64, SOON));
}

fn brute_force(entries: &Entries, query: &Query) -> Page {
    let fits = |facts: &&Facts| {
        facts.whose == query.whose
            && query
                .subject
                .is_none_or(|subject| facts.subject == Some(subject))
            && query
                .party
                .as_ref()
                .is_none_or(|party| facts.party == *party)
            && query
                .purpose
                .as_ref()
                .is_none_or(|code| facts.purpose.as_ref() == Some(code))
            && query
                .condition
                .is_none_or(|condition| facts.conditions.contains(&condition))
            && query.outcome.is_none_or(|outcome| facts.outcome == outcome)
            && query.kind.is_none_or(|kind| facts.kind == kind)
            && query
                .transport
                .as_ref()
                .is_none_or(|by| facts.transport.as_ref() == Some(by))
            && query
                .certificate
                .is_none_or(|sha256| facts.certificate == Some(sha256))
            && query
                .reference
                .is_none_or(|quoted| facts.reference == Some(quoted))
            && query.period.is_none_or(|period| period.contains(facts.at))
            && query.before.is_none_or(|before| facts.entry < before)
    };
    let mut found: Vec<EntryIndex> = entries
        .iter()
        .flatten()
        .filter(fits)
        .map(|facts| facts.entry)
        .collect();
    found.reverse();
    let limit = query.limit.clamp(1, LARGEST_PAGE);
    let next = (found.len() > limit).then(|| found[limit - 1]);
    found.truncate(limit);
    Page {
        entries: found,
        next,
    }
}

fn at(tick: u64) -> Timestamp {
    Timestamp::from_millis(START_MS + tick * 1000).unwrap()
}

fn facts() -> impl Strategy<Value = Facts> {
    let outcome = prop_oneof![
        Just(Outcome::Disclosed),
        Just(Outcome::Denied),
        Just(Outcome::Other)
    ];
    let conditions = proptest::sample::subsequence(Condition::ALL.to_vec(), 0..=3);
    let more = (
        prop_oneof![Just(EntryType::Disclosure), Just(EntryType::LookUp)],
        proptest::option::of(0..2_usize),
        proptest::option::of(0..3_u8),
        proptest::option::of(0..5_u8),
    );
    (
        0..4_usize,
        proptest::option::of(0..3_u8),
        0..2_usize,
        0..3_usize,
        conditions,
        outcome,
        more,
    )
        .prop_map(
            |(whose, subject, by, purpose, conditions, outcome, more)| Facts {
                entry: EntryIndex(0),
                at: at(0),
                whose: somebody(whose),
                subject: subject.map(person),
                party: party(PARTIES[by]),
                purpose: PURPOSES.get(purpose).map(|code| code.parse().unwrap()),
                conditions: conditions.into_iter().collect(),
                outcome,
                kind: more.0,
                transport: more.1.map(|n| party(PARTIES[n])),
                certificate: more.2.map(|byte| [byte; 32]),
                reference: more.3.map(|byte| Reference::from_bytes([byte; 16])),
            },
        )
}

/// One of three controllers, or the broker itself.
fn somebody(n: usize) -> Whose {
    PARTIES
        .get(n)
        .filter(|_| n < 3)
        .map_or(Whose::Anyone, |id| Whose::Controller(party(id)))
}

/// Entries in order, each a tick or none after the one before, each controller once.
fn entries(most: usize) -> impl Strategy<Value = Entries> {
    vec((vec(facts(), 0..4), 0..3_u64), 0..most).prop_map(|entries| {
        let mut tick = 0;
        let placed = entries
            .into_iter()
            .enumerate()
            .map(|(index, (mut all, later))| {
                tick += later;
                all.sort_by(|a, b| a.whose.cmp(&b.whose));
                all.dedup_by(|a, b| a.whose == b.whose);
                for facts in &mut all {
                    (facts.entry, facts.at) = (EntryIndex(index as u64), at(tick));
                }
                all
            });
        placed.collect()
    })
}

fn query() -> impl Strategy<Value = Query> {
    let what = (
        0..4_usize,
        proptest::option::of(0..4_u8),
        proptest::option::of(0..2_usize),
    );
    let rest = (
        proptest::option::of(0..2_usize),
        proptest::option::of(0..6_usize),
        proptest::option::of(0..3_usize),
        proptest::option::of((0..80_u64, proptest::option::of(1..40_u64))),
        proptest::option::of(0..80_u64),
        0..12_usize,
    );
    let more = (
        proptest::option::weighted(0.2, 0..2_usize),
        proptest::option::weighted(0.2, 0..2_usize),
        proptest::option::weighted(0.2, 0..3_u8),
        proptest::option::weighted(0.2, 0..5_u8),
    );
    (what, rest, more).prop_map(|((whose, subject, by), rest, more)| {
        let (purpose, condition, outcome, period, before, limit) = rest;
        let outcomes = [Outcome::Disclosed, Outcome::Denied, Outcome::Other];
        let kinds = [EntryType::Disclosure, EntryType::LookUp];
        let query = Query {
            whose: somebody(whose),
            subject: subject.map(person),
            party: by.map(|n| party(PARTIES[n])),
            purpose: purpose.map(|n| PURPOSES[n].parse::<PurposeCode>().unwrap()),
            condition: condition.map(|n| Condition::ALL[n]),
            period: period.map(|(from, len)| Period {
                from: at(from),
                until: len.map(|len| at(from + len)),
            }),
            outcome: outcome.map(|n| outcomes[n]),
            kind: more.0.map(|n| kinds[n]),
            transport: more.1.map(|n| party(PARTIES[n])),
            certificate: more.2.map(|byte| [byte; 32]),
            reference: more.3.map(|byte| Reference::from_bytes([byte; 16])),
            before: before.map(EntryIndex),
            limit,
        };
        as_it_can_be_asked(query)
    })
}

/// The broker itself finds by person, kind and reference alone, and always by one of them.
fn as_it_can_be_asked(query: Query) -> Query {
    if query.whose != Whose::Anyone {
        return query;
    }
    let kind = query.kind.unwrap_or(EntryType::LookUp);
    Query {
        subject: query.subject,
        reference: query.reference,
        period: query.period,
        before: query.before,
        limit: query.limit,
        ..Query::all_of(kind)
    }
}

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

/// Two hundred entries with one controller; every tenth is about the first person.
fn plain() -> Entries {
    let facts = |n: u64| Facts {
        entry: EntryIndex(n),
        at: at(n),
        whose: Whose::Controller(party(PARTIES[0])),
        subject: Some(person(u8::from(!n.is_multiple_of(10)))),
        party: party(PARTIES[1]),
        purpose: None,
        conditions: [Condition::Debt].into(),
        outcome: Outcome::Disclosed,
        kind: EntryType::Disclosure,
        transport: None,
        certificate: None,
        reference: None,
    };
    (0..200).map(|n| vec![facts(n)]).collect()
}

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
    index.add(EntryIndex(777), Vec::new());
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
    assert!(!holds(PARTIES[0].as_bytes()) && !holds(&[1; 16]) && !holds(b"SCHKRUN2"));
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
