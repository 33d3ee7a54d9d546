//! Invariant 5, from the side of who may know of detention: a municipality, an institution or probation that has
//! nothing to do with somebody learns from nothing that it and its privacy officers can ask whether the broker knows
//! them.

mod acts;
mod asked;

use std::collections::BTreeMap;

use schakel_api::v1::{self, ExportKind};
use schakel_tests::{Party, TestBroker, bsn, bsn_number};

use self::asked::Asking;
use super::{
    known::{Told, acts::uses_recorded},
    numbers::acts::by_skn,
    plain::plain,
};

/// Who is a stranger to the people, with its privacy officer.
#[derive(Clone, Copy)]
struct Stranger {
    id: &'static str,
    officer: &'static str,
    /// Whether it names people by citizen service number, and by criminal justice number.
    by: (bool, bool),
}

/// A person by number, and what the number of criminal justice is made from.
#[derive(Clone, Copy)]
pub(super) struct Person(u32);

impl Person {
    pub(super) fn bsn(self) -> String {
        bsn_number(self.0)
    }

    pub(super) fn skn(self) -> String {
        format!("SX{}", self.0)
    }
}

/// The people everything is asked about: who is named and no more, and about whom the stranger records a consent.
const NAMED: [Person; 4] = [Person(51), Person(52), Person(53), Person(54)];
const AGREED: [Person; 2] = [Person(61), Person(62)];
/// How far away those are that the other broker knows.
const OTHERS: u32 = 100;

impl Stranger {
    /// How it may name somebody.
    fn names(self, person: Person) -> Vec<v1::SubjectRef> {
        let by_bsn = self.by.0.then(|| bsn(&person.bsn()));
        let by_skn = self.by.1.then(|| by_skn(&person.skn()));
        by_bsn.into_iter().chain(by_skn).collect()
    }
}

/// The approvals of two officers.
async fn approvals(broker: &TestBroker, officer: &str) -> [prost::bytes::Bytes; 2] {
    let entries = broker.approved_export(officer, ExportKind::Entries).await;
    let lines = broker
        .approved_export(officer, ExportKind::Processings)
        .await;
    [entries, lines]
}

/// Everything that a stranger is told by a broker that knows these people, each so far from those asked about.
async fn everything(stranger: Stranger, away: u32) -> Vec<String> {
    let broker = TestBroker::start().await;
    let moved = |person: Person| Person(person.0 + away);
    acts::known_elsewhere(&broker, (NAMED.map(moved), AGREED.map(moved))).await;
    let (party, officer): (Party, Party) = (
        broker.party(stranger.id).await,
        broker.party(stranger.officer).await,
    );
    let approved = approvals(&broker, stranger.officer).await;
    party.checkpoint().await;
    uses_recorded(&broker, &[(stranger.id, 1), (stranger.officer, 2)]).await;
    let mut told = Told::default();
    for person in NAMED {
        for subject in stranger.names(person) {
            acts::names(&party, &subject, &mut told).await;
        }
        acts::officer_names(&officer, &party, person, &mut told).await;
    }
    for person in AGREED {
        for subject in stranger.names(person) {
            acts::agrees(&party, &subject, v1::ConsentState::Requested, &mut told).await;
            acts::names(&party, &subject, &mut told).await;
            acts::agrees(&party, &subject, v1::ConsentState::Given, &mut told).await;
            acts::withdraws(&party, &subject, &mut told).await;
        }
        acts::officer_names(&officer, &party, person, &mut told).await;
    }
    let asking = Asking {
        broker: &broker,
        party: &party,
        officer: &officer,
        people: NAMED.into_iter().chain(AGREED).collect(),
        approved,
    };
    for method in asked::methods() {
        asking.ask(&method, &mut told).await;
    }
    let log = broker.check_log().await;
    plain(&log, &told.lines)
}

/// What the two say, line by line. Of each kind of line that differs the first is shown, from shortly before.
fn compare(known: &[String], nobody: &[String]) {
    let mut differing = BTreeMap::new();
    for (one, other) in known.iter().zip(nobody).filter(|(one, other)| one != other) {
        let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
        let from = same.count().saturating_sub(300);
        let differs = |line: &String| line.chars().skip(from).take(700).collect::<String>();
        let kind = one.split(':').next().unwrap_or_default().to_owned();
        let shown = || format!("known: …{}\nnobody: …{}", differs(one), differs(other));
        differing.entry(kind).or_insert_with(shown);
    }
    assert!(differing.is_empty(), "{differing:#?}");
    assert_eq!(known.len(), nobody.len());
}

/// The people are known by an institution, a municipality and an association, with cases, statuses, consents and
/// numbers that were said in every way; or none of it is true of them but of others.
async fn is_told_the_same(stranger: Stranger) {
    let (known, nobody) = tokio::join!(everything(stranger, 0), everything(stranger, OTHERS));
    compare(&known, &nobody);
    // It would prove nothing if nothing were shown.
    for shown in [
        "GetEntry: Some",
        "Replayed(Replayed",
        "opened: {",
        "processing",
    ] {
        let lines = known.iter().filter(|line| line.contains(shown)).count();
        assert!(lines > 8, "{shown} {lines} times");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_a_municipality_is_told_the_same_of_somebody_known_elsewhere_and_of_nobody() {
    let stranger = Stranger {
        id: "gemeente-oost",
        officer: "fg-gemeente-oost",
        by: (true, false),
    };
    is_told_the_same(stranger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_an_institution_is_told_the_same_of_somebody_known_elsewhere_and_of_nobody() {
    let stranger = Stranger {
        id: "pi-noord",
        officer: "fg-pi-noord",
        by: (true, true),
    };
    is_told_the_same(stranger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_probation_is_told_the_same_of_somebody_known_elsewhere_and_of_nobody() {
    let stranger = Stranger {
        id: "reclassering-test",
        officer: "fg-reclassering",
        by: (false, true),
    };
    is_told_the_same(stranger).await;
}
