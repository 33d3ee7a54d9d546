//! What acts beside the log acts for whoever may call, once; and what takes two is not undone by one.

use schakel_core::{
    certificate::{Seen, StopReason, Thumbprint},
    registry::Change,
};

use super::*;

const ADMINISTRATOR: &str = "beheer-een";

fn by_nobody(call: Call) -> Request {
    request("beheer-drie", Role::Administrator, call)
}

#[tokio::test]
async fn a_change_of_the_key_that_is_refused_or_repeated_changes_nothing() {
    let bench = Bench::new();
    let started = bench.start();
    let sequencer = &started.sequencer;
    let before = fs::read(&bench.paths.kek).unwrap();
    let refused = sequencer.submit(by_nobody(Call::RotateKek)).await;
    assert!(
        matches!(refused, Err(CallError::NoStanding(_))),
        "{refused:?}"
    );
    assert_eq!(fs::read(&bench.paths.kek).unwrap(), before);

    let key = IdempotencyKey::from_bytes([9; 16]);
    let rotate = || Request {
        write: Some((key, [1; 32])),
        ..request(ADMINISTRATOR, Role::Administrator, Call::RotateKek)
    };
    sequencer.submit(rotate()).await.unwrap();
    let changed = fs::read(&bench.paths.kek).unwrap();
    assert_ne!(changed, before);
    let size = sequencer.trail().size();
    sequencer.submit(rotate()).await.unwrap();
    assert_eq!(fs::read(&bench.paths.kek).unwrap(), changed);
    assert_eq!(sequencer.trail().size(), size);
    stop(started).await;
}

#[tokio::test]
async fn a_clock_is_not_right_because_somebody_who_may_not_says_so() {
    let bench = Bench::new();
    let started = bench.start();
    case_with_housing(&started.sequencer, bench.clock.now()).await;
    stop(started).await;
    bench.clock.jump("2060-01-01T00:00:00Z".parse().unwrap());
    let started = bench.start();
    let refused = started.sequencer.submit(by_nobody(Call::AcknowledgeClock));
    assert!(refused.await.is_err());
    assert!(started.sequencer.clock_held().await.unwrap().is_some());
    stop(started).await;
}

fn seen(party: &str, oin: &str, certificate: [u8; 32], now: Timestamp) -> Seen {
    Seen {
        certificate: Thumbprint(certificate),
        party: party.parse().unwrap(),
        oin: oin.parse().unwrap(),
        anchor: "own".parse().unwrap(),
        not_after: now.plus_days(90),
        first_used_at: now,
        last_used_at: now,
    }
}

/// One administrator cannot keep everybody from mending what it did, by whatever it stops.
#[tokio::test]
async fn the_last_certificate_of_the_other_administrator_is_not_blocked_by_one() {
    let bench = Bench::new();
    let started = bench.start();
    let sequencer = &started.sequencer;
    let now = bench.clock.now();
    let other = |certificate| seen("beheer-twee", "00000099000000008000", certificate, now);
    sequencer
        .record_uses(vec![other([7; 32]), other([8; 32])])
        .unwrap();
    let block = |certificate| {
        let reason = StopReason::KeyCompromise;
        let change = Change::BlockCertificate(Thumbprint(certificate), reason);
        let call = Call::Stop(Box::new(change), reason);
        sequencer.submit(request(ADMINISTRATOR, Role::Administrator, call))
    };
    block([7; 32]).await.unwrap();
    let refused = block([8; 32]).await;
    assert!(
        matches!(refused, Err(CallError::SecondActor)),
        "{refused:?}"
    );
    // Whatever nobody needs for letting go is stopped as before.
    block([9; 32]).await.unwrap();
    stop(started).await;
}
