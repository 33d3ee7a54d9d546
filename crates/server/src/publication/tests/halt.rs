//! A halt outlives the process, until an administrator lifts it, on record.

use schakel_core::event::Event;
use schakel_store::{disk::Disk, halt};

use super::*;

/// A broker that its witness stopped.
async fn halted() -> (Published, FakeWitness, u64) {
    let mut place = Published::new();
    let witness = place.witnesses(1, 1).await.remove(0);
    let mut run = place.start();
    run.publisher.tick().await;
    witness.behave(Manner::Claiming(1_000_000));
    run.grow(1).await;
    run.publisher.tick().await;
    assert!(run.sequencer.halt().why().is_some());
    let (_, size) = run.sizes();
    run.stop().await;
    (place, witness, size)
}

/// What the log says of halts that were lifted.
fn resumed(run: &Run) -> Vec<(String, String)> {
    let trail = run.sequencer.trail();
    let said = |index| {
        let details = trail.entry(index).unwrap().unwrap().details?;
        match details.event {
            Event::SigningResumed { why, ground, .. } => Some((why, ground)),
            _ => None,
        }
    };
    (0..trail.size()).filter_map(said).collect()
}

#[tokio::test]
async fn a_broker_that_a_witness_stopped_does_not_start_again_by_itself() {
    let (place, witness, _) = halted().await;
    // Nor when the witness takes back what it said.
    for manner in [Manner::Claiming(1_000_000), Manner::Honest] {
        witness.behave(manner);
        let error = place.try_start().map(drop).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, StartError::Halted(_)), "{said}");
        assert!(
            said.contains("1000000") && said.contains("schakel resume"),
            "{said}"
        );
    }
    // A file that says nothing readable stops it as well.
    let file = place.bench.paths.data.join("halted");
    assert!(file.is_file());
    fs::write(&file, [0xff, 0]).unwrap();
    assert!(matches!(
        place.try_start().map(drop),
        Err(StartError::Halted(_))
    ));
}

#[tokio::test]
async fn a_halt_that_the_disk_does_not_take_is_kept_once_it_does() {
    let mut place = Published::new();
    let witness = place.witnesses(1, 1).await.remove(0);
    let mut run = place.start();
    run.publisher.tick().await;
    let data = &place.bench.paths.data;
    let in_the_way = data.join("halted.tmp");
    fs::create_dir(&in_the_way).unwrap();
    witness.behave(Manner::Claiming(1_000_000));
    run.grow(1).await;
    run.publisher.tick().await;
    assert!(run.sequencer.halt().why().is_some());
    assert!(!data.join("halted").exists());
    fs::remove_dir(&in_the_way).unwrap();
    run.publisher.tick().await;
    assert!(data.join("halted").is_file());
    run.stop().await;
    assert!(matches!(
        place.try_start().map(drop),
        Err(StartError::Halted(_))
    ));
}

#[tokio::test]
async fn what_an_administrator_lifts_is_an_entry_and_publication_goes_on() {
    let (place, witness, size) = halted().await;
    witness.behave(Manner::Honest);
    let (disk, data) = (Disk::real(), &place.bench.paths.data);
    for ground in ["", "two\nlines", &"x".repeat(halt::MOST_GROUND + 1)] {
        let error = halt::lift(&disk, data, ground).unwrap_err();
        assert!(matches!(error, halt::LiftError::Ground), "{error}");
    }
    let lifted = halt::lift(&disk, data, "the witness lost its state").unwrap();
    assert!(lifted.why.contains("1000000"), "{}", lifted.why);
    assert_eq!(lifted.at, place.bench.clock.now());
    let error = halt::lift(&disk, data, "again").unwrap_err();
    assert!(matches!(error, halt::LiftError::NotHalted), "{error}");
    let mut run = place.start();
    assert!(run.sizes().1 > size);
    run.publisher.tick().await;
    let (published, size) = run.sizes();
    assert_eq!(published, size);
    let told = resumed(&run);
    let [(why, ground)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(why.contains("1000000") && ground == "the witness lost its state");
    run.stop().await;
    // It is said once.
    let run = place.start();
    assert_eq!(resumed(&run).len(), 1);
    run.stop().await;
}
