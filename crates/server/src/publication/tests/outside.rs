//! A log that was taken back, before what was signed for it.

use std::fs;

use super::*;
use crate::sequencer::tests::copy_all;

#[tokio::test]
async fn a_log_that_was_taken_back_does_not_start() {
    let place = Published::new();
    let copy = tempfile::tempdir().unwrap();
    let mut run = place.start();
    run.publisher.tick().await;
    run.stop().await;
    copy_all(&place.bench.paths.data, copy.path());
    let mut run = place.start();
    run.grow(4).await;
    run.publisher.tick().await;
    run.stop().await;
    // Somebody restores the copy of before; view and log agree with each other, and the keyring knows no better.
    fs::remove_dir_all(&place.bench.paths.data).unwrap();
    fs::remove_file(place.bench.paths.keyring.join("log.keys")).unwrap();
    copy_all(copy.path(), &place.bench.paths.data);
    let told = |error: StartError| {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    };
    let error = told(place.try_start().map(drop).unwrap_err());
    assert!(
        error.contains("anchor") && error.contains("rolled back"),
        "{error}"
    );
    // What was published shows it too, should the anchor be gone.
    fs::write(place.outside.path().join("anchor"), "").unwrap();
    let error = told(place.try_start().map(drop).unwrap_err());
    assert!(
        error.contains("published in") && error.contains("rolled back"),
        "{error}"
    );
}

#[tokio::test]
async fn a_log_that_was_taken_back_and_grew_again_is_stopped_by_its_witness() {
    let mut place = Published::new();
    let witnesses = place.witnesses(1, 1).await;
    let mut run = place.start();
    run.publisher.tick().await;
    run.stop().await;
    let copy = tempfile::tempdir().unwrap();
    copy_all(&place.bench.paths.data, copy.path());
    let mut run = place.start();
    run.grow(2).await;
    run.publisher.tick().await;
    let seen = witnesses[0].seen();
    run.stop().await;
    fs::remove_dir_all(&place.bench.paths.data).unwrap();
    copy_all(copy.path(), &place.bench.paths.data);
    // Everything of its own that could have told is gone as well.
    fs::remove_dir_all(place.outside.path().join("public")).unwrap();
    fs::write(place.outside.path().join("anchor"), "").unwrap();
    fs::remove_file(place.bench.paths.keyring.join("log.keys")).unwrap();
    let mut run = place.start();
    run.grow(6).await;
    assert!(run.sizes().1 > seen);
    run.publisher.tick().await;
    assert_eq!(run.sizes().0, 0, "a forked log was published");
    assert!(place.file("checkpoint").is_none());
    run.stop().await;
}

#[tokio::test]
async fn no_answer_leaves_that_an_anchor_for_every_batch_does_not_cover() {
    let mut place = Published::new();
    if let Some(places) = &mut place.bench.paths.outside {
        places.every_batch = true;
    }
    let run = place.start();
    let anchored = || {
        let note = fs::read_to_string(place.outside.path().join("anchor")).unwrap();
        Checkpoint::open(&note, &vkey(7)).unwrap().size
    };
    assert_eq!(anchored(), run.sizes().1);
    run.grow(3).await;
    assert_eq!(anchored(), run.sizes().1);
    // Somebody else moves it: the entry may be recorded, but nothing is told, and the writer ends.
    fs::write(place.outside.path().join("anchor"), "something else\n").unwrap();
    let refused = run.ask().await.unwrap_err();
    assert!(matches!(refused, CallError::Unanswered), "{refused:?}");
    let Run {
        sequencer,
        ended,
        publisher,
    } = run;
    drop((sequencer, publisher));
    let error = ended.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("anchor"), "{error}");
}
