//! While nothing can be recorded nothing leaves; and nothing is lost that nobody would say again.

use schakel_core::event::{Event, RefusalReason};
use schakel_store::disk::simulated::{Errno, Fault, Operation, Simulation, Stop};

use super::*;

fn refusals(sequencer: &Sequencer) -> Vec<(RefusalReason, u64)> {
    let trail = sequencer.trail();
    let mut found = Vec::new();
    for index in 0..trail.size() {
        let details = trail.entry(index).unwrap().unwrap().details;
        if let Some(Event::Refused { counts, .. }) = details.map(|details| details.event) {
            found.extend(counts);
        }
    }
    found
}

#[tokio::test]
async fn what_the_broker_itself_has_to_say_waits_until_it_can_be_recorded() {
    let bench = Bench::new();
    let started = bench.start();
    let sequencer = &started.sequencer;
    let now = bench.clock.now();
    // The clock went back by an hour: nothing is recorded by it.
    case_with_housing(sequencer, now).await;
    bench.clock.set(now.minus_millis(3_600_000));
    let counted = |n| vec![(RefusalReason::Quota, n)];
    for n in [3, 4] {
        sequencer
            .record_refusals(None, now, counted(n), None)
            .unwrap();
    }
    // Whatever waits for an answer is told that there is none.
    assert!(sequencer.look_what_is_due().await.is_err());
    assert!(refusals(sequencer).is_empty());
    bench.clock.set(now);
    sequencer.look_what_is_due().await.unwrap();
    let all = [counted(3), counted(4)].concat();
    assert_eq!(refusals(sequencer), all);
    stop(started).await;
}

/// Whatever is recorded as told is told: of questions that are answered together, none is recorded when one
/// cannot be taken.
#[tokio::test]
async fn questions_that_are_answered_together_are_recorded_all_or_none() {
    let bench = Bench::new();
    let started = bench.start();
    let sequencer = &started.sequencer;
    let case = case_with_housing(sequencer, bench.clock.now()).await;
    let ask = || request("gemeente-oost", Role::Municipality, plan_ask(case.clone()));
    let nobody = || {
        let ask = plan_ask(SubjectRef::Bsn("111222333".parse().unwrap()));
        request("gemeente-oost", Role::Municipality, ask)
    };
    let told = sequencer
        .submit_together(vec![ask(), nobody(), ask()])
        .await
        .unwrap();
    assert!(matches!(
        [&told[0].outcome, &told[1].outcome, &told[2].outcome],
        [
            Outcome::Disclosed { .. },
            Outcome::NotDisclosed(_),
            Outcome::Disclosed { .. }
        ]
    ));
    let own: Vec<_> = told.iter().map(|answer| answer.receipt.index).collect();
    assert_eq!(own, [own[0], own[0] + 1, own[0] + 2], "an entry each");

    let Call::Ask(withdrawn) = plan_ask(case.clone()) else {
        panic!("an ask")
    };
    let purpose = "P-NOBODY-REGISTERED".parse().unwrap();
    let withdrawn = request(
        "gemeente-oost",
        Role::Municipality,
        Call::Ask(Ask {
            purpose,
            ..withdrawn
        }),
    );
    let size = sequencer.trail().size();
    let refused = sequencer
        .submit_together(vec![ask(), withdrawn, nobody()])
        .await;
    assert!(
        matches!(refused, Err(CallError::PurposeUnknown { .. })),
        "{refused:?}"
    );
    assert_eq!(sequencer.trail().size(), size);
    stop(started).await;
}

/// Whoever gets no answer is not told that nothing was done, because the entry may be there; and a retry of a write
/// gets its answer.
#[tokio::test]
async fn a_broker_that_ends_with_an_entry_on_the_disk_does_not_say_that_nothing_was_done() {
    let disk = Simulation::new(1);
    let mut bench = Bench::new();
    bench.disk = disk.disk();
    let started = bench.start();
    let open = || {
        let call = Call::OpenCase {
            identifiers: vec![Identifier::Bsn("999999990".parse().unwrap())],
            municipality: None,
        };
        Request {
            write: Some((IdempotencyKey::from_bytes([9; 16]), [1; 32])),
            ..request("pi-noord", Role::Pi, call)
        }
    };
    let size = started.sequencer.trail().size();
    disk.plan_in(Operation::Sync, 0, Fault::After(Errno::Device));
    let told = started.sequencer.submit(open()).await;
    assert!(matches!(told, Err(CallError::Unanswered)), "{told:?}");
    let ended = started.ended.await.unwrap();
    assert!(ended.is_err(), "{ended:?}");
    let told = started.sequencer.submit(open()).await;
    assert!(matches!(told, Err(CallError::AuditUnavailable)), "{told:?}");
    drop(started.sequencer);
    disk.restart(Stop::Process);
    let again = bench.start();
    let told = again.sequencer.submit(open()).await.unwrap();
    assert_eq!(told.receipt.index, size);
    assert!(matches!(told.outcome, Outcome::CaseOpened(_)));
    stop(again).await;
}
