//! Each write of an append failed both ways: with the bytes on disk, and without.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::disk::{
    Disk,
    simulated::{Errno, Fault, Operation, Simulation},
};

/// A log with one entry, and its directory.
fn log() -> (TempDir, Log) {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        segment_len: 4096,
        ..Settings::new("schakel.example/log")
    };
    let mut log = Log::create(dir.path(), settings).unwrap();
    log.append(0, &[frame(0)]).unwrap();
    (dir, log)
}

fn frame(n: u8) -> Frame {
    Frame {
        leaf: vec![n; 20],
        sealed: vec![n; 900],
    }
}

/// Has the writes of a log go to a device instead of its segment.
fn divert(log: &mut Log, device: &str) {
    log.last.file = Arc::new(Disk::real().open(Path::new(device)).unwrap());
}

fn is_fatal(error: &AppendError, step: &str) -> bool {
    matches!(error, AppendError::Fatal { step: failed, .. } if *failed == step)
}

/// Every later call fails likewise, and readers see nothing of the batch.
fn is_ended(log: &mut Log, step: &str) {
    assert!(is_fatal(&log.append(1, &[frame(1)]).unwrap_err(), step));
    assert!(is_fatal(&log.prepare(1, &[frame(1)]).unwrap_err(), step));
    assert!(is_fatal(&log.ready().unwrap_err(), step));
    assert_eq!(log.reader().size(), 1);
    assert!(log.read(1).is_err());
}

fn size_after_reopening(dir: &TempDir, log: Log) -> u64 {
    let settings = log.settings.clone();
    drop(log);
    Log::open(dir.path(), settings).unwrap().log.size()
}

#[test]
fn a_failed_write_ends_the_log() {
    let (dir, mut log) = log();
    // A device that is always full refuses the write itself.
    divert(&mut log, "/dev/full");
    assert!(is_fatal(
        &log.append(1, &[frame(1)]).unwrap_err(),
        "writing a batch"
    ));
    is_ended(&mut log, "writing a batch");
    assert_eq!(size_after_reopening(&dir, log), 1);
}

#[test]
fn a_failed_sync_ends_the_log_when_nothing_was_written() {
    let (dir, mut log) = log();
    // A device that takes every write and can sync none.
    divert(&mut log, "/dev/null");
    assert!(is_fatal(
        &log.append(1, &[frame(1)]).unwrap_err(),
        "syncing a batch"
    ));
    is_ended(&mut log, "syncing a batch");
    assert_eq!(size_after_reopening(&dir, log), 1);
}

#[test]
fn a_failed_sync_ends_the_log_when_everything_was_written() {
    let (dir, mut log) = log();
    let prepared = log.prepare(1, &[frame(1)]).unwrap();
    log.last
        .file
        .write_all_at(&prepared.bytes, log.last.end)
        .unwrap();
    divert(&mut log, "/dev/null");
    assert!(is_fatal(
        &log.commit(prepared).unwrap_err(),
        "syncing a batch"
    ));
    is_ended(&mut log, "syncing a batch");
    // What was written whole counts, but only once the log has been read again.
    assert_eq!(size_after_reopening(&dir, log), 2);
}

#[test]
fn a_segment_that_cannot_be_prepared_is_no_fault_of_the_log() {
    let (dir, mut log) = log();
    log.append(1, &[frame(1), frame(2), frame(3)]).unwrap();
    // The segment in preparation cannot be created where a directory stands in its place.
    log.ahead.wait().unwrap();
    drop(log.ahead.take());
    let unfinished = dir.path().join("log/next.seg.tmp");
    fs::remove_file(&unfinished).unwrap();
    fs::create_dir(&unfinished).unwrap();
    log.ahead.ask();
    let error = log.append(4, &[frame(4)]).unwrap_err();
    assert!(matches!(error, AppendError::NoSegment(_)), "{error}");
    assert!(matches!(log.ready(), Err(AppendError::NoSegment(_))));
    assert_eq!(log.reader().size(), 4);
    fs::remove_dir(&unfinished).unwrap();
    // One more was asked for while the directory was still there.
    let _ = log.ready();
    log.append(4, &[frame(4)]).unwrap();
    assert_eq!(size_after_reopening(&dir, log), 5);
}

#[test]
fn a_segment_that_cannot_be_started_ends_the_log() {
    let (dir, mut log) = log();
    log.append(1, &[frame(1), frame(2), frame(3)]).unwrap();
    log.ahead.wait().unwrap();
    fs::remove_file(dir.path().join("log/next.seg.tmp")).unwrap();
    assert!(is_fatal(
        &log.append(4, &[frame(4)]).unwrap_err(),
        "starting a segment"
    ));
    assert_eq!(size_after_reopening(&dir, log), 4);
}

#[test]
fn nodes_that_cannot_be_stored_end_the_log_but_the_entries_are_there() {
    let disk = Simulation::new(1);
    let settings = || Settings {
        segment_len: 1 << 16,
        disk: disk.disk(),
        ..Settings::new("schakel.example/log")
    };
    let data = Path::new("/data");
    let mut log = Log::create(data, settings()).unwrap();
    log.ahead.wait().unwrap();
    let tiny = |_| Frame {
        leaf: Vec::new(),
        sealed: Vec::new(),
    };
    log.append(0, &(0..240).map(tiny).collect::<Vec<_>>())
        .unwrap();
    // The batch is written, and then the first tile that is full.
    disk.plan_in(Operation::Write, 1, Fault::Before(Errno::Device));
    let failed = log.append(240, &(0..20).map(tiny).collect::<Vec<_>>());
    assert!(is_fatal(&failed.unwrap_err(), "storing nodes of the tree"));
    assert_eq!(log.reader().size(), 240);
    drop(log);
    assert_eq!(Log::open(data, settings()).unwrap().log.size(), 260);
}
