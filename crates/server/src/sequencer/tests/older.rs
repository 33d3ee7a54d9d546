//! A log that is not the one for which the keyring was last written.

use std::{error::Error as _, iter::successors};

use super::*;

/// Why nothing starts, from the outermost to the innermost reason.
fn refused(bench: &Bench) -> String {
    let error = bench.try_start().map(drop).unwrap_err();
    assert!(matches!(error, StartError::Seen { .. }), "{error}");
    let reasons = successors(error.source(), |&error| error.source());
    let reasons: Vec<_> = reasons.map(ToString::to_string).collect();
    format!("{error}: {}", reasons.join(": "))
}

fn put_back(bench: &Bench, copy: &Path) {
    fs::remove_dir_all(&bench.paths.data).unwrap();
    copy_all(copy, &bench.paths.data);
}

/// Its people's keys would be given to others. Log, view and everything else agree with each other: the keyring alone
/// knows better.
#[tokio::test]
async fn an_older_copy_of_the_data_does_not_start_beside_a_newer_keyring() {
    let bench = Bench::new();
    let copy = tempfile::tempdir().unwrap();
    stop(bench.start()).await;
    copy_all(&bench.paths.data, copy.path());
    for _ in 0..2 {
        stop(bench.start()).await;
    }
    let newest = tempfile::tempdir().unwrap();
    copy_all(&bench.paths.data, newest.path());
    let seen = bench.paths.keyring.join("log.keys");
    let later = fs::read(&seen).unwrap();
    put_back(&bench, copy.path());
    let said = refused(&bench);
    for told in [&bench.paths.data, &seen] {
        assert!(said.contains(told.to_str().unwrap()), "{said}");
    }
    assert!(said.contains("older copy"), "{said}");

    // The newest log belongs to it, and so does the older one when the loss is accepted.
    put_back(&bench, newest.path());
    stop(bench.start()).await;
    put_back(&bench, copy.path());
    fs::remove_file(&seen).unwrap();
    for _ in 0..3 {
        stop(bench.start()).await;
    }

    // As long by now as the one that was lost, and another.
    fs::write(&seen, later).unwrap();
    let said = refused(&bench);
    assert!(said.contains("are not those"), "{said}");
}

/// An older copy of the keyring is caught up with by what the log says.
#[tokio::test]
async fn an_older_keyring_starts_beside_a_newer_log() {
    let bench = Bench::new();
    let copy = tempfile::tempdir().unwrap();
    stop(bench.start()).await;
    copy_all(&bench.paths.keyring, copy.path());
    for _ in 0..2 {
        stop(bench.start()).await;
    }
    fs::remove_dir_all(&bench.paths.keyring).unwrap();
    copy_all(copy.path(), &bench.paths.keyring);
    stop(bench.start()).await;
}
