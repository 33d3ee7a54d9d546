//! The search indexes: what they find is what looking at every entry finds.

mod files;
mod finding;
mod generated;
mod lives;

use std::{convert::Infallible, path::Path, time::Duration};

use schakel_audit::leaf::EntryType;
use schakel_core::{code::Condition, id::EntryIndex, time::Timestamp};
use schakel_store::{
    index::{Facts, Index, LARGEST_PAGE, Options, Outcome, Page, Query, Whose},
    keyring::Key,
    random::OsRandom,
};

use super::{
    recorder::{START_MS, party, person},
    story::PARTIES,
};

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
    // In batches of many sizes, as the log's are.
    let (mut first, mut len) = (from, 1);
    while first < entries.len() {
        let end = (first + len).min(entries.len());
        index.add(EntryIndex(first as u64), entries[first..end].to_vec());
        (first, len) = (end, len + 1);
    }
    assert!(index.wait(entries.len() as u64, SOON));
}

fn brute_force(entries: &Entries, query: &Query) -> Page {
    let fits = |facts: &&Facts| {
        facts.whose == query.whose
            && about(facts, query)
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

/// Whether an entry is about the person sought, or named whom the search names, where it seeks or names anybody.
fn about(facts: &Facts, query: &Query) -> bool {
    let nobody = query.subject.is_none() && query.named.is_none();
    let is = query.subject.is_some() && facts.subject == query.subject;
    nobody || is || (query.named.is_some() && facts.named == query.named)
}

fn at(tick: u64) -> Timestamp {
    Timestamp::from_millis(START_MS + tick * 1000).unwrap()
}

/// Two hundred entries with one controller; every tenth is about the first person.
fn plain() -> Entries {
    let facts = |n: u64| Facts {
        entry: EntryIndex(n),
        at: at(n),
        whose: Whose::Controller(party(PARTIES[0])),
        subject: Some(person(u8::from(!n.is_multiple_of(10)))),
        named: None,
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
