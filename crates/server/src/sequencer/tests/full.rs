//! A disk without room for the log.

use schakel_store::disk::simulated::Simulation;

use super::*;

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
