//! What is over is destroyed at the log's time, and nothing is by a clock that is wrong.

use std::time::Duration;

use schakel_core::{
    case::ClosingReason,
    event::{Event, Naming},
    id::EntryIndex,
    time::Timestamp,
};

use super::*;
use crate::{
    officer::{meant::Person, statement::Maker},
    wire::entry::Viewer,
};

const DAY: Duration = Duration::from_hours(24);

/// Everything that is due is destroyed.
async fn look(sequencer: &Sequencer) {
    while sequencer.look_what_is_due().await.unwrap() {}
}

async fn acknowledge(sequencer: &Sequencer) {
    let done = submit(
        sequencer,
        "beheer-een",
        Role::Administrator,
        Call::AcknowledgeClock,
    );
    assert!(matches!(done.await.outcome, Outcome::Done));
}

/// The entries of this event that can still be read.
fn readable(sequencer: &Sequencer, of: impl Fn(&Event) -> bool) -> Vec<u64> {
    let trail = sequencer.trail();
    let is_one = |index: &u64| {
        let found = trail.entry(*index).unwrap().unwrap();
        found.details.is_some_and(|details| of(&details.event))
    };
    (0..trail.size()).filter(is_one).collect()
}

/// Every entry that cannot be read has a rule by which it was erased; how many there are.
fn redacted(sequencer: &Sequencer, rule: &str) -> usize {
    let trail = sequencer.trail();
    let mut count = 0;
    for index in 0..trail.size() {
        let found = trail.entry(index).unwrap().unwrap();
        if found.details.is_none() {
            let party = found.leaf.party.parse().unwrap();
            let by = trail.redaction(EntryIndex(index), &found.leaf, &party);
            assert_eq!(by.unwrap().erased.rule.code, rule, "entry {index}");
            count += 1;
        }
    }
    count
}

/// A case with a report that was told, and a question about nobody.
async fn lived(sequencer: &Sequencer, now: Timestamp) -> SubjectRef {
    let case = case_with_housing(sequencer, now).await;
    let ask = plan_ask(case.clone());
    let told = submit(sequencer, "gemeente-oost", Role::Municipality, ask).await;
    assert!(matches!(told.outcome, Outcome::Disclosed { .. }));
    let nobody = plan_ask(SubjectRef::Bsn("111222333".parse().unwrap()));
    let denied = submit(sequencer, "gemeente-oost", Role::Municipality, nobody).await;
    assert!(matches!(denied.outcome, Outcome::NotDisclosed(_)));
    case
}

/// The same is readable after a restart, and when everything is made again from the log.
async fn begin_again(bench: &Bench, started: Started, rule: &str, count: usize) {
    stop(started).await;
    for rebuilt in [false, true] {
        if rebuilt {
            fs::remove_dir_all(bench.paths.data.join("view")).unwrap();
            fs::remove_dir_all(bench.paths.data.join("index")).unwrap();
        }
        let started = bench.start();
        assert_eq!(redacted(&started.sequencer, rule), count, "{rebuilt}");
        stop(started).await;
    }
}

#[tokio::test]
async fn details_are_destroyed_when_their_month_comes_and_open_ended_records_stay() {
    let bench = Bench::new();
    let started = bench.start();
    let sequencer = &started.sequencer;
    lived(sequencer, bench.clock.now()).await;
    // Five years to the day: the month in which they were recorded has not passed yet.
    bench.clock.set("2031-11-30T23:59:59Z".parse().unwrap());
    look(sequencer).await;
    assert_eq!(redacted(sequencer, "RETENTION_OVER"), 0);
    bench.clock.advance(DAY);
    look(sequencer).await;
    // The report, what was told of it, and what was not told about nobody.
    assert_eq!(redacted(sequencer, "RETENTION_OVER"), 3);
    let cases = readable(sequencer, |event| matches!(event, Event::CaseOpened { .. }));
    assert_eq!(cases.len(), 1, "the case was never closed");
    look(sequencer).await;
    assert_eq!(
        readable(sequencer, |event| matches!(event, Event::Erased(_))).len(),
        1,
        "a month is destroyed once"
    );
    begin_again(&bench, started, "RETENTION_OVER", 3).await;
}

/// What is over and not destroyed at an instant.
fn overdue(sequencer: &Sequencer, now: Timestamp) -> usize {
    let terms = crate::config::Retention::default();
    let erasures = sequencer.trail().erasures();
    let shown = crate::wire::retention::shown(&terms, &erasures, None, now);
    shown.overdue.len()
}

/// What the statement for the person of a controller says was erased: by which rule, how many lines.
fn told(sequencer: &Sequencer, controller: &str, now: Timestamp) -> Vec<(String, u32)> {
    let trail = sequencer.trail();
    while trail.index_lag() > 0 {
        std::thread::yield_now();
    }
    let registry = sequencer.registry();
    let viewer = Viewer::new(&registry, controller.parse().unwrap());
    let maker = Maker {
        trail,
        registry: &registry,
        viewer: &viewer,
        now,
    };
    // There is one person.
    let subject = |index| trail.entry(index).unwrap().unwrap().details?.subject;
    let subject = (0..trail.size()).find_map(subject).expect("a person");
    let naming = Naming::By(Identifier::Bsn("999999990".parse().unwrap()));
    let person = Person::new(Some(subject), naming);
    let statement = maker.statement(&person, None).unwrap();
    let rows = statement.erased_by.into_iter();
    let rows: Vec<_> = rows.map(|row| (row.code, row.lines)).collect();
    assert_eq!(
        statement.erased,
        rows.iter().map(|(_, lines)| lines).sum::<u32>()
    );
    rows
}

/// The statement counts what went because its time was over, the same before and after the indexes are made
/// again, and for no controller more than was its own.
#[tokio::test]
async fn a_statement_counts_what_was_erased_by_its_rule_and_no_more() {
    let bench = Bench::new();
    let mut started = bench.start();
    lived(&started.sequencer, bench.clock.now()).await;
    let now = "2031-12-01T00:00:00Z".parse().unwrap();
    assert_eq!(overdue(&started.sequencer, now), 1);
    bench.clock.set(now);
    assert!(told(&started.sequencer, "pi-noord", now).is_empty());
    look(&started.sequencer).await;
    assert_eq!(overdue(&started.sequencer, now), 0);
    let expected = |lines| vec![("RETENTION_OVER".to_owned(), lines)];
    for round in 0..3 {
        let sequencer = &started.sequencer;
        // Its own report, and what was told of it; the municipality was told, and its question about nobody is
        // nobody's.
        assert_eq!(told(sequencer, "pi-noord", now), expected(2), "{round}");
        assert_eq!(told(sequencer, "gemeente-oost", now), expected(1));
        assert!(told(sequencer, "gemeente-west", now).is_empty());
        stop(started).await;
        if round == 1 {
            fs::remove_dir_all(bench.paths.data.join("view")).unwrap();
            fs::remove_dir_all(bench.paths.data.join("index")).unwrap();
        }
        started = bench.start();
    }
    stop(started).await;
}

#[tokio::test]
async fn a_statement_counts_what_went_with_a_record() {
    let bench = Bench::new();
    let started = bench.start();
    let sequencer = &started.sequencer;
    let SubjectRef::Case(case) = lived(sequencer, bench.clock.now()).await else {
        panic!("a case");
    };
    let reason = ClosingReason::Completed;
    let close = Call::CloseCase { case, reason };
    submit(sequencer, "pi-noord", Role::Pi, close).await;
    bench.clock.advance(DAY * 180);
    look(sequencer).await;
    let now = bench.clock.now();
    // The case opened and closed; what was told of it is kept for its own time.
    let expected = [("RECORD_OVER".to_owned(), 2)];
    assert_eq!(told(sequencer, "pi-noord", now), expected);
    stop(started).await;
    let started = bench.start();
    assert_eq!(told(&started.sequencer, "pi-noord", now), expected);
    stop(started).await;
}

#[tokio::test]
async fn a_case_is_destroyed_half_a_year_after_it_was_closed_and_what_was_told_stays() {
    let bench = Bench::new();
    let started = bench.start();
    let sequencer = &started.sequencer;
    let SubjectRef::Case(case) = lived(sequencer, bench.clock.now()).await else {
        panic!("a case");
    };
    let reason = ClosingReason::Completed;
    let close = Call::CloseCase { case, reason };
    let closed = submit(sequencer, "pi-noord", Role::Pi, close).await;
    assert!(matches!(closed.outcome, Outcome::Done));
    bench.clock.advance(DAY * 179);
    look(sequencer).await;
    assert_eq!(redacted(sequencer, "RECORD_OVER"), 0);
    // The next round over all people begins a day later.
    bench.clock.advance(DAY);
    look(sequencer).await;
    assert_eq!(redacted(sequencer, "RECORD_OVER"), 2, "opened and closed");
    let told = readable(sequencer, |event| matches!(event, Event::Disclosed(_)));
    assert_eq!(told.len(), 1);
    begin_again(&bench, started, "RECORD_OVER", 2).await;
}

#[tokio::test]
async fn a_clock_far_ahead_destroys_nothing_until_it_is_said_to_be_right() {
    let bench = Bench::new();
    let started = bench.start();
    let sequencer = &started.sequencer;
    lived(sequencer, bench.clock.now()).await;
    // While it runs nothing at all is recorded by such a clock.
    bench.clock.jump("2060-01-01T00:00:00Z".parse().unwrap());
    assert!(sequencer.look_what_is_due().await.is_err());
    assert_eq!(redacted(sequencer, "RETENTION_OVER"), 0);
    drop(started);
    // One that is started cannot tell a wrong clock from having been down: it asks.
    let bench = Bench::new();
    let started = bench.start();
    lived(&started.sequencer, bench.clock.now()).await;
    stop(started).await;
    bench.clock.jump("2060-01-01T00:00:00Z".parse().unwrap());
    let started = bench.start();
    let sequencer = &started.sequencer;
    look(sequencer).await;
    assert_eq!(redacted(sequencer, "RETENTION_OVER"), 0);
    let held = sequencer.clock_held().await.unwrap();
    assert_eq!(held, Some(bench.clock.now()));
    acknowledge(sequencer).await;
    look(sequencer).await;
    assert_eq!(redacted(sequencer, "RETENTION_OVER"), 3);
    stop(started).await;
}

#[tokio::test]
async fn the_key_encryption_key_is_changed_after_what_was_destroyed() {
    let bench = Bench::new();
    let started = bench.start();
    let sequencer = &started.sequencer;
    lived(sequencer, bench.clock.now()).await;
    let before = fs::read(&bench.paths.kek).unwrap();
    bench.clock.set("2031-12-01T00:00:00Z".parse().unwrap());
    look(sequencer).await;
    assert_eq!(fs::read(&bench.paths.kek).unwrap(), before, "not yet");
    bench.clock.advance(DAY / 2);
    look(sequencer).await;
    let after = fs::read(&bench.paths.kek).unwrap();
    assert_ne!(after, before);
    let rotated = |sequencer: &Sequencer| {
        readable(sequencer, |event| matches!(event, Event::KekRotated)).len()
    };
    assert_eq!(rotated(sequencer), 1);
    let by_hand = submit(
        sequencer,
        "beheer-een",
        Role::Administrator,
        Call::RotateKek,
    );
    assert!(matches!(by_hand.await.outcome, Outcome::Done));
    assert_ne!(fs::read(&bench.paths.kek).unwrap(), after);
    assert_eq!(rotated(sequencer), 2);
    begin_again(&bench, started, "RETENTION_OVER", 3).await;
}
