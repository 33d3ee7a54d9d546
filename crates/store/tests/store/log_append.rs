//! Appending, and what is refused.

use std::{
    env,
    fs::{File, TryLockError},
    process,
};

use schakel_store::log::{AppendError, Frame, Log, MAX_BATCH_LEN, OpenError, ReadError};

use super::support::{append, check, closed_log, data, frame, frames, open, segments, settings};

#[test]
fn what_was_appended_is_read_back_also_after_reopening() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(1 << 20)).unwrap();
    append(&mut log, &[1, 2, 300, 7]);
    check(&log.reader(), 310);
    drop(log);
    let opened = open(dir.path()).unwrap();
    assert_eq!(opened.cut, None);
    check(&opened.log.reader(), 310);
}

#[test]
fn a_batch_for_another_place_conflicts_and_writes_nothing() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(4096)).unwrap();
    append(&mut log, &[2]);
    for expected in [0, 1, 3, u64::MAX] {
        let error = log.append(expected, &[frame(2)]).unwrap_err();
        assert!(
            matches!(error, AppendError::Conflict { head: 2 }),
            "{error}"
        );
    }
    // Two made for the same place: the second has lost it.
    let winner = log.prepare(2, &frames(2..4)).unwrap();
    let loser = log.prepare(2, &[frame(9)]).unwrap();
    log.commit(winner).unwrap();
    let error = log.commit(loser).unwrap_err();
    assert!(
        matches!(error, AppendError::Conflict { head: 4 }),
        "{error}"
    );
    append(&mut log, &[1]);
    check(&log.reader(), 5);
}

#[test]
fn a_prepared_batch_tells_its_head_and_is_not_there_yet() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(4096)).unwrap();
    append(&mut log, &[3]);
    let prepared = log.prepare(3, &frames(3..5)).unwrap();
    assert_eq!((prepared.first_index(), prepared.size_after()), (3, 5));
    check(&log.reader(), 3);
    let root = prepared.root_after();
    log.commit(prepared).unwrap();
    assert_eq!(log.root(), root);
    check(&log.reader(), 5);
}

#[test]
fn each_limit_refuses_one_more_and_takes_the_most() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(4 << 20)).unwrap();
    let parts = |leaf, sealed| Frame {
        leaf: vec![1; leaf],
        sealed: vec![2; sealed],
    };
    let none: [Frame; 0] = [];
    assert!(matches!(log.append(0, &none), Err(AppendError::Empty)));
    for (frame, part) in [
        (parts(65_536, 0), "leaf"),
        (parts(0, 65_536), "sealed part"),
    ] {
        let error = log.append(0, &[parts(1, 1), frame]).unwrap_err();
        let AppendError::TooLarge {
            position: 1,
            part: named,
            len: 65_536,
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!(named, part);
    }
    let error = log.append(0, &vec![parts(0, 0); 1_025]).unwrap_err();
    assert!(
        matches!(error, AppendError::TooMany { count: 1_025 }),
        "{error}"
    );
    // 15 of the longest and one that fills what is left: exactly the longest batch.
    let mut batch = vec![parts(65_535, 0); 15];
    batch.push(parts(0, MAX_BATCH_LEN - 15 * (32 + 65_535) - 32 - 52 + 1));
    let error = log.append(0, &batch).unwrap_err();
    assert!(
        matches!(error, AppendError::BatchTooLarge { .. }),
        "{error}"
    );
    batch[15].sealed.pop();
    log.append(0, &batch).unwrap();
    log.append(16, &vec![parts(0, 0); 1_024]).unwrap();
    assert_eq!(log.size(), 1_040);
    assert_eq!(log.read(15).unwrap(), batch[15]);
    drop(log);
    assert_eq!(open(dir.path()).unwrap().log.size(), 1_040);
}

#[test]
fn a_batch_longer_than_a_segment_is_refused_before_it_is_written() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(4096)).unwrap();
    let huge = Frame {
        leaf: vec![1; 100],
        sealed: vec![2; 4096],
    };
    assert!(matches!(
        log.append(0, &[huge]),
        Err(AppendError::BatchTooLarge { .. })
    ));
    append(&mut log, &[1]);
    check(&log.reader(), 1);
}

#[test]
fn batches_go_on_in_the_next_segment_when_one_is_full() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(4096)).unwrap();
    for _ in 0..100 {
        log.ready().unwrap();
        append(&mut log, &[3]);
    }
    let count = segments(dir.path()).len();
    assert!(count > 5, "{count}");
    check(&log.reader(), 300);
    drop(log);
    let mut log = open(dir.path()).unwrap().log;
    check(&log.reader(), 300);
    append(&mut log, &[3, 3, 3]);
    check(&log.reader(), 309);
}

#[test]
fn a_reader_outlives_the_log_and_sees_only_what_is_durable() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(4096)).unwrap();
    let reader = log.reader();
    let entries = reader.iter(0);
    append(&mut log, &[4]);
    assert_eq!(
        entries.count(),
        0,
        "an iterator ends where the log ended when it was made"
    );
    drop(log);
    check(&reader, 4);
    let error = reader.read(4).unwrap_err();
    assert!(
        matches!(error, ReadError::Beyond { index: 4, size: 4 }),
        "{error}"
    );
    assert_eq!(
        reader.iter(2).map(|(index, _)| index).collect::<Vec<_>>(),
        [2, 3]
    );
}

#[test]
fn an_entry_damaged_after_opening_is_named_when_it_is_read() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(4096)).unwrap();
    append(&mut log, &[1, 3]);
    let path = &segments(dir.path())[0];
    // The second entry of the second batch begins behind the header, two frames and a commit.
    let frame_len = |n| frame(n).stored_len() as u64;
    let start = 64 + frame_len(0) + 52 + frame_len(1);
    super::support::damage(path, start + 30);
    let error = log.read(2).unwrap_err();
    let ReadError::Damaged {
        segment,
        offset,
        index: 2,
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!((&segment, offset), (path, start));
    let read: Vec<_> = log
        .iter(0)
        .map(|(index, entry)| (index, entry.is_ok()))
        .collect();
    assert_eq!(read, [(0, true), (1, true), (2, false), (3, true)]);
}

#[test]
fn only_one_at_a_time_has_a_log_open() {
    let dir = data();
    let log = Log::create(dir.path(), settings(4096)).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Locked(_))));
    assert!(matches!(
        Log::create(dir.path(), settings(4096)),
        Err(OpenError::Locked(_))
    ));
    drop(log);
    open(dir.path()).unwrap();
}

/// Set for the second process of the test below: the file that it is to lock.
const TO_LOCK: &str = "SCHAKEL_TEST_TO_LOCK";

#[test]
fn a_second_process_is_kept_out() {
    if let Some(lock) = env::var_os(TO_LOCK) {
        let locked = File::open(lock).unwrap().try_lock();
        process::exit(match locked {
            Ok(()) => 0,
            Err(TryLockError::WouldBlock) => 9,
            Err(TryLockError::Error(error)) => panic!("{error}"),
        });
    }
    let dir = closed_log(4096, &[1]);
    let log = open(dir.path()).unwrap().log;
    let lock = dir.path().join("lock");
    let in_another_process = || {
        let mut tests = process::Command::new(env::current_exe().unwrap());
        let (_, within) = module_path!().split_once("::").unwrap();
        let this = format!("{within}::a_second_process_is_kept_out");
        tests.args(["--exact", &this]).env(TO_LOCK, &lock);
        tests.output().unwrap().status.code()
    };
    assert_eq!(in_another_process(), Some(9));
    drop(log);
    assert_eq!(in_another_process(), Some(0));
}

#[test]
fn a_log_is_created_once_and_opened_only_when_it_is_there() {
    let dir = data();
    assert!(matches!(open(dir.path()), Err(OpenError::Absent(_))));
    let deep = dir.path().join("a/b");
    drop(Log::create(&deep, settings(4096)).unwrap());
    assert!(matches!(
        Log::create(&deep, settings(4096)),
        Err(OpenError::Present(_))
    ));
    for len in [0, 4095, (1 << 30) + 1] {
        assert!(
            matches!(
                Log::open(&deep, settings(len)),
                Err(OpenError::SegmentLen(_))
            ),
            "{len}"
        );
    }
}

#[test]
fn nothing_counts_as_recorded_before_its_entry_is_durable() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(4096)).unwrap();
    append(&mut log, &[2]);
    let prepared = log.prepare(2, &[frame(2)]).unwrap();
    assert!(log.recorded(2, "the answer").is_none());
    log.commit(prepared).unwrap();
    let recorded = log.recorded(2, "the answer").unwrap();
    assert_eq!(recorded.index(), 2);
    let (value, _durable) = recorded.into_parts();
    assert_eq!(value, "the answer");
    assert!(log.recorded(3, "another").is_none());
}
