//! Entries and searches of every kind, in which much meets.

use proptest::{collection::vec, prelude::*};
use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::Condition,
    event::Naming,
    id::{CaseId, EntryIndex, PurposeCode, Reference},
    person::SubjectRef,
    time::Period,
};
use schakel_store::index::{Facts, Outcome, Query, Whose};

use super::{Entries, at};
use crate::store::{
    recorder::{party, person},
    story::PARTIES,
};

/// How many people there are: some come up all the time, most in few runs.
pub(super) const PEOPLE: u8 = 12;
const PURPOSES: [&str; 2] = ["P-ONE", "P-TWO"];

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
        proptest::option::of(0..3_u8),
    );
    (
        0..4_usize,
        proptest::option::of(prop_oneof![0..3_u8, 3..PEOPLE]),
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
                named: more.4.map(naming),
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

/// Whom a call named. The same text means another in each way of naming.
fn naming(n: u8) -> Naming {
    let subject = match n {
        0 => SubjectRef::Bsn("111222333".parse().unwrap()),
        1 => SubjectRef::ClientRef("111222333".parse().unwrap()),
        _ => SubjectRef::Case(CaseId::from_bytes([n; 16])),
    };
    Naming::of(&party(PARTIES[0]), &subject)
}

/// One of three controllers, or the broker itself.
fn somebody(n: usize) -> Whose {
    PARTIES
        .get(n)
        .filter(|_| n < 3)
        .map_or(Whose::Anyone, |id| Whose::Controller(party(id)))
}

/// Entries in order, each a tick or none after the one before, each controller once.
pub(super) fn entries(most: usize) -> impl Strategy<Value = Entries> {
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

pub(super) fn query() -> impl Strategy<Value = Query> {
    let what = (
        0..4_usize,
        proptest::option::of(0..=PEOPLE),
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
        proptest::option::weighted(0.4, 0..3_u8),
    );
    (what, rest, more).prop_map(|((whose, subject, by), rest, more)| {
        let (purpose, condition, outcome, period, before, limit) = rest;
        let outcomes = [Outcome::Disclosed, Outcome::Denied, Outcome::Other];
        let kinds = [EntryType::Disclosure, EntryType::LookUp];
        let query = Query {
            whose: somebody(whose),
            subject: subject.map(person),
            named: more.4.map(naming),
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
