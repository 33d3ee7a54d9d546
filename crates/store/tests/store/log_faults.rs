//! Failures of the disk that take several turns to do harm.

use std::path::Path;

use schakel_store::{
    disk::simulated::{Errno, Fault, Operation, Simulation, Stop},
    log::{AppendError, Log, Settings},
};

use super::support::{ORIGIN, check, frames};

fn settings(disk: &Simulation) -> Settings {
    Settings {
        segment_len: 8192,
        disk: disk.disk(),
        ..Settings::new(ORIGIN)
    }
}

/// A sync that failed leaves bytes on the disk that the system shows as something else. When the sync after
/// cutting them off fails too, the next process is shown zeros, writes a shorter batch over them, and what
/// stands behind it on the disk must not be taken for damage after a power cut.
#[test]
fn what_two_failed_syncs_left_on_the_disk_does_not_refuse_the_start() {
    let eio = Fault::Before(Errno::Device);
    for seed in 0..400 {
        let disk = Simulation::new(seed);
        let data = Path::new("/data");
        let mut log = Log::create(data, settings(&disk)).unwrap();
        log.append(0, &frames(0..2)).unwrap();
        log.append(2, &frames(2..3)).unwrap();
        // The batch reaches the disk in part, and the memory of the system in part.
        disk.plan_in(Operation::Write, 0, Fault::StopWithin);
        log.append(3, &frames(3..33)).unwrap_err();
        drop(log);
        disk.restart(Stop::Machine);
        disk.plan_in(Operation::Sync, 0, eio);
        Log::open(data, settings(&disk)).unwrap_err();
        disk.restart(Stop::Process);
        let mut log = Log::open(data, settings(&disk)).unwrap().log;
        let size = log.size();
        log.append(size, &frames(size..size + 1)).unwrap();
        drop(log);
        disk.restart(Stop::Machine);
        let log =
            Log::open(data, settings(&disk)).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        check(&log.log.reader(), size + 1);
    }
}

/// A process that was told EIO ends; the next one takes nothing for granted that only memory holds.
#[test]
fn after_a_failed_sync_the_process_ends_and_the_next_one_writes_the_tail_again() {
    for seed in 0..100 {
        let disk = Simulation::new(seed);
        let data = Path::new("/data");
        let mut log = Log::create(data, settings(&disk)).unwrap();
        log.append(0, &frames(0..2)).unwrap();
        disk.plan_in(Operation::Sync, 0, Fault::Before(Errno::Device));
        let failed = log.append(2, &frames(2..9)).unwrap_err();
        assert!(matches!(failed, AppendError::Fatal { .. }), "{failed}");
        let operations = disk.operations();
        assert!(log.append(2, &frames(2..9)).is_err());
        assert_eq!(disk.operations(), operations, "the sync was tried again");
        assert_eq!(log.reader().size(), 2);
        drop(log);
        disk.restart(Stop::Process);
        let log = Log::open(data, settings(&disk)).unwrap().log;
        check(&log.reader(), 9);
        drop(log);
        disk.restart(Stop::Machine);
        check(&Log::open(data, settings(&disk)).unwrap().log.reader(), 9);
    }
}

/// A full disk refuses batches once the segment is full; everything that was there is there, and when there
/// is room again it goes on.
#[test]
fn a_full_disk_refuses_batches_and_takes_them_again_when_there_is_room() {
    let disk = Simulation::new(1);
    let data = Path::new("/data");
    let mut log = Log::create(data, settings(&disk)).unwrap();
    log.append(0, &frames(0..40)).unwrap();
    disk.set_room(disk.taken());
    let (mut size, mut refused) = (40, 0);
    while refused < 3 {
        match log.append(size, &frames(size..size + 20)) {
            Ok(()) => size += 20,
            Err(AppendError::NoSegment(error)) => {
                assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
        check(&log.reader(), size);
    }
    disk.set_room(u64::MAX);
    // What was asked for while there was no room is still refused.
    log.append(size, &frames(size..size + 20)).unwrap_err();
    log.append(size, &frames(size..size + 20)).unwrap();
    check(&log.reader(), size + 20);
    drop(log);
    disk.restart(Stop::Machine);
    check(
        &Log::open(data, settings(&disk)).unwrap().log.reader(),
        size + 20,
    );
}
