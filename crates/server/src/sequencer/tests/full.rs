//! A disk without room for the log.

use std::time::{Duration, Instant};

use schakel_core::event::{Event, RefusalReason};
use schakel_store::disk::simulated::Simulation;

use super::*;

const SEGMENT: u64 = 1 << 22;
/// How long the next segment may take once there is room for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A broker on a disk with room for one segment of the log, and not for the next.
fn without_next_segment() -> (Simulation, Bench, Started) {
    let full = Simulation::new(1);
    let mut bench = Bench::new();
    (bench.disk, bench.segment_len) = (full.disk(), SEGMENT);
    full.set_room(SEGMENT + SEGMENT / 2);
    let started = bench.start();
    (full, bench, started)
}

/// How many bytes of the one segment are left.
fn left(disk: &Simulation) -> u64 {
    let is_segment = |path: &std::path::PathBuf| path.extension().is_some_and(|it| it == "seg");
    let segments: Vec<_> = disk.paths().into_iter().filter(is_segment).collect();
    assert_eq!(segments.len(), 1, "{segments:?}");
    let content = disk.content(&segments[0]).unwrap();
    let end = content.iter().rposition(|byte| *byte != 0).unwrap();
    SEGMENT - end as u64
}

/// Questions about nobody.
fn asks(count: usize) -> Vec<Request> {
    let nobody = SubjectRef::Bsn("111222333".parse().unwrap());
    let ask = || {
        request(
            "gemeente-oost",
            Role::Municipality,
            plan_ask(nobody.clone()),
        )
    };
    (0..count).map(|_| ask()).collect()
}

/// Asks until less is left of the segment than this.
async fn fill(sequencer: &Sequencer, disk: &Simulation, until: u64) {
    while left(disk) > until {
        sequencer.submit_together(asks(100)).await.unwrap();
    }
}

/// What takes several commits is recorded whole or not at all: the first of them must not be what the others found
/// no room after.
#[tokio::test]
async fn a_call_of_several_commits_that_finds_no_room_is_refused_and_the_broker_goes_on() {
    let (full, bench, started) = without_next_segment();
    let sequencer = &started.sequencer;
    // Room for one batch of any length, and not for two.
    fill(sequencer, &full, 3 << 19).await;
    let size = sequencer.trail().size();
    let refused = sequencer.submit_together(asks(2_000)).await;
    assert!(
        matches!(refused, Err(CallError::AuditUnavailable)),
        "{refused:?}"
    );
    assert_eq!(sequencer.trail().size(), size);
    assert!(!*sequencer.health().borrow(), "it says that it serves");
    sequencer.submit_together(asks(1)).await.unwrap();
    assert_eq!(sequencer.trail().size(), size + 1);
    assert!(*sequencer.health().borrow());
    full.set_room(u64::MAX);
    // A thread of its own prepares the next segment, once something has been refused for want of it.
    let began = Instant::now();
    let told = loop {
        match sequencer.submit_together(asks(2_000)).await {
            Ok(told) => break told,
            Err(refused) => assert!(began.elapsed() < PATIENCE, "{refused:?}"),
        }
    };
    assert_eq!(told.len(), 2_000);
    stop(started).await;
    drop(bench);
}

/// More of it than the log has room for: what fits is recorded, and the rest waits on, in its order.
#[tokio::test]
async fn what_the_broker_itself_has_to_say_is_recorded_as_far_as_there_is_room() {
    const EVENTS: u64 = 6_000;
    let (full, bench, started) = without_next_segment();
    let sequencer = &started.sequencer;
    fill(sequencer, &full, 3 << 19).await;
    let now = bench.clock.now();
    bench.clock.set(now.minus_millis(3_600_000));
    for n in 0..EVENTS {
        let counts = vec![(RefusalReason::Quota, n)];
        while sequencer
            .record_refusals(None, now, counts.clone(), None)
            .is_err()
        {
            assert!(sequencer.look_what_is_due().await.is_err());
        }
    }
    assert!(sequencer.look_what_is_due().await.is_err());
    bench.clock.set(now);
    assert!(sequencer.look_what_is_due().await.is_err());
    let some = counted(sequencer);
    assert!(
        !some.is_empty() && (some.len() as u64) < EVENTS,
        "{}",
        some.len()
    );
    full.set_room(u64::MAX);
    let began = Instant::now();
    while let Err(refused) = sequencer.look_what_is_due().await {
        assert!(began.elapsed() < PATIENCE, "{refused:?}");
    }
    assert_eq!(counted(sequencer), (0..EVENTS).collect::<Vec<_>>());
    stop(started).await;
}

/// What was counted of refused calls, in log order.
fn counted(sequencer: &Sequencer) -> Vec<u64> {
    let trail = sequencer.trail();
    let mut found = Vec::new();
    for index in 0..trail.size() {
        let details = trail.entry(index).unwrap().unwrap().details;
        if let Some(Event::Refused { counts, .. }) = details.map(|details| details.event) {
            found.extend(counts.into_iter().map(|(_, count)| count));
        }
    }
    found
}

/// Nothing is recorded and nothing leaves; whoever asks after its health is told; and it goes on by itself.
#[tokio::test]
async fn a_full_disk_refuses_every_call_until_there_is_room_and_needs_no_restart() {
    let full = Simulation::new(1);
    let mut bench = Bench::new();
    (bench.disk, bench.segment_len) = (full.disk(), 1 << 16);
    let started = bench.start();
    let sequencer = &started.sequencer;
    let case = case_with_housing(sequencer, bench.clock.now()).await;
    let ask = || {
        let call = plan_ask(case.clone());
        sequencer.submit(request("gemeente-oost", Role::Municipality, call))
    };
    let mut health = sequencer.health();
    assert!(*health.borrow_and_update());
    full.set_room(full.taken());
    let mut told = 0;
    let refused = loop {
        match ask().await {
            Ok(_) => told += 1,
            Err(refused) => break refused,
        }
    };
    // What was there for the log already is used up first.
    assert!(told > 10, "{told}");
    assert!(
        matches!(refused, CallError::AuditUnavailable),
        "{refused:?}"
    );
    assert!(!*health.borrow_and_update(), "it says that it serves");
    let size = sequencer.trail().size();
    for _ in 0..3 {
        assert!(matches!(ask().await, Err(CallError::AuditUnavailable)));
        // What the broker does by itself is not recorded either.
        assert!(!matches!(sequencer.look_what_is_due().await, Ok(true)));
    }
    assert_eq!(sequencer.trail().size(), size);
    full.set_room(u64::MAX);
    // Nobody calls a broker that says it does not serve: it looks by itself.
    for _ in 0..3 {
        let _ = sequencer.look_what_is_due().await;
    }
    assert!(
        *health.borrow_and_update(),
        "it does not say that it serves"
    );
    ask().await.unwrap();
    assert!(sequencer.trail().size() > size);
    stop(started).await;
    let again = bench.start();
    let told = submit(
        &again.sequencer,
        "gemeente-oost",
        Role::Municipality,
        plan_ask(case.clone()),
    );
    assert!(matches!(told.await.outcome, Outcome::Disclosed { .. }));
    stop(again).await;
}
