//! What a crash leaves behind is cut off; what was durable and is not as it was refuses the start.

use std::{fs, path::Path};

use schakel_store::log::{Cut, Damage, Log, OpenError};

use super::support::{
    HEADER_LEN, append, check, closed_log, copy, damage, end_of, frame, frontier, open, overwrite,
    segments, settings, snapshot,
};

/// Where each batch ends, from its entries: `batches` entries each.
fn ends(batches: &[u64]) -> Vec<u64> {
    let (mut end, mut index) = (HEADER_LEN, 0);
    let end_after = |count: &u64| {
        end += (index..index + count)
            .map(|n| frame(n).stored_len() as u64)
            .sum::<u64>()
            + 52;
        index += count;
        end
    };
    batches.iter().map(end_after).collect()
}

/// What opening a log finds wrong, with the segments unchanged by it.
fn refusal(data: &Path) -> (std::path::PathBuf, u64, u64, Damage) {
    let before: Vec<_> = segments(data)
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    let error = open(data).unwrap_err();
    let after: Vec<_> = segments(data)
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    assert_eq!(before, after);
    let OpenError::Damaged {
        segment,
        offset,
        index,
        what,
    } = error
    else {
        panic!("{error}")
    };
    (segment, offset, index, what)
}

#[test]
fn the_last_batch_torn_at_any_byte_is_cut_off() {
    let whole = closed_log(4096, &[2, 1, 3]);
    let path = &segments(whole.path())[0];
    let &[_, start, end] = ends(&[2, 1, 3]).as_slice() else {
        panic!()
    };
    assert_eq!(end_of(path), end);
    let bytes = fs::read(path).unwrap();
    for torn in start..end {
        let dir = copy(whole.path());
        let path = &segments(dir.path())[0];
        overwrite(path, torn, &vec![0; (end - torn) as usize]);
        let left = end_of(path);
        let opened = open(dir.path()).unwrap();
        let cut = Cut {
            segment: path.clone(),
            offset: start,
            len: left.saturating_sub(start),
            index: 3,
        };
        assert_eq!(opened.cut, (left > start).then_some(cut), "torn at {torn}");
        check(&opened.log.reader(), 3);
        let cut = fs::read(path).unwrap();
        assert_eq!(cut[..start as usize], bytes[..start as usize]);
        assert!(cut[start as usize..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn a_torn_batch_with_its_beginning_missing_is_cut_off() {
    let whole = closed_log(4096, &[2, 1, 3]);
    let &[_, start, end] = ends(&[2, 1, 3]).as_slice() else {
        panic!()
    };
    for torn in start..end {
        let dir = copy(whole.path());
        overwrite(
            &segments(dir.path())[0],
            start,
            &vec![0; (torn + 1 - start) as usize],
        );
        check(&open(dir.path()).unwrap().log.reader(), 3);
    }
}

#[test]
fn a_log_goes_on_after_its_torn_end_was_cut() {
    let dir = closed_log(4096, &[2, 3]);
    damage(&segments(dir.path())[0], ends(&[2, 3])[1] - 1);
    let mut log = open(dir.path()).unwrap().log;
    append(&mut log, &[1, 4]);
    check(&log.reader(), 7);
    drop(log);
    let opened = open(dir.path()).unwrap();
    assert_eq!(opened.cut, None);
    check(&opened.log.reader(), 7);
}

#[test]
fn every_byte_damaged_before_a_later_batch_refuses_the_start() {
    let batches = [2, 1, 3];
    let whole = closed_log(4096, &batches);
    let last = ends(&batches)[1];
    let mut frames = Vec::new();
    let mut at = HEADER_LEN;
    for (first, count) in [(0, 2), (2, 1)] {
        for index in first..first + count {
            frames.push((at, index));
            at += frame(index).stored_len() as u64;
        }
        frames.push((at, first + count));
        at += 52;
    }
    assert_eq!(at, last);
    for byte in 0..last {
        let dir = copy(whole.path());
        let path = &segments(dir.path())[0];
        damage(path, byte);
        let (segment, offset, index, what) = refusal(dir.path());
        assert_eq!(&segment, path);
        if byte < HEADER_LEN {
            assert_eq!((offset, index, what), (0, 0, Damage::Header));
        } else {
            let want = *frames.iter().rfind(|(start, _)| *start <= byte).unwrap();
            assert_eq!(
                (offset, index, what),
                (want.0, want.1, Damage::Frame),
                "byte {byte}"
            );
        }
    }
}

#[test]
fn zeros_in_the_middle_refuse_the_start() {
    let dir = closed_log(4096, &[2, 1, 3]);
    let ends = ends(&[2, 1, 3]);
    let path = &segments(dir.path())[0];
    overwrite(path, ends[0], &vec![0; (ends[1] - ends[0]) as usize]);
    assert_eq!(
        refusal(dir.path()),
        (path.clone(), ends[0], 2, Damage::Frame)
    );
}

#[test]
fn damage_in_a_segment_that_has_a_successor_refuses_the_start() {
    // The last batch of the first segment: there is no later frame in that segment.
    let dir = closed_log(4096, &[3; 40]);
    let paths = segments(dir.path());
    assert!(paths.len() > 2);
    let end = end_of(&paths[0]);
    damage(&paths[0], end - 1);
    let (segment, _, _, what) = refusal(dir.path());
    assert_eq!((&segment, what), (&paths[0], Damage::Frame));
}

#[test]
fn a_batch_gone_from_the_end_of_a_full_segment_refuses_the_start() {
    let dir = closed_log(4096, &[3; 20]);
    let paths = segments(dir.path());
    let reader = open(dir.path()).unwrap().log.reader();
    let first_of_second: u64 = paths[1]
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    drop(reader);
    let start = ends(&vec![3; first_of_second as usize / 3])[first_of_second as usize / 3 - 2];
    let end = end_of(&paths[0]);
    overwrite(&paths[0], start, &vec![0; (end - start) as usize]);
    let want = Damage::Missing {
        next: first_of_second,
    };
    assert_eq!(
        refusal(dir.path()),
        (paths[0].clone(), start, first_of_second - 3, want)
    );
}

#[test]
fn a_missing_segment_refuses_the_start() {
    let whole = closed_log(4096, &[3; 30]);
    let paths = segments(whole.path());
    let firsts: Vec<u64> = paths
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().parse().unwrap())
        .collect();
    for missing in 0..paths.len() - 1 {
        let dir = copy(whole.path());
        let paths = segments(dir.path());
        fs::remove_file(&paths[missing]).unwrap();
        let (segment, offset, index, what) = refusal(dir.path());
        assert_eq!(
            (index, what),
            (
                firsts[missing],
                Damage::Missing {
                    next: firsts[missing + 1]
                }
            )
        );
        if missing == 0 {
            assert_eq!((&segment, offset), (&paths[1], 0));
        } else {
            assert_eq!((&segment, offset), (&paths[missing - 1], end_of(&segment)));
        }
    }
}

#[test]
fn a_segment_of_another_length_refuses_the_start() {
    let whole = closed_log(4096, &[2, 1, 3]);
    let end = ends(&[2, 1, 3])[1];
    for (len, index) in [(4095, 6), (end, 3), (end - 1, 2), (64, 0), (4097, 6)] {
        let dir = copy(whole.path());
        let path = &segments(dir.path())[0];
        fs::OpenOptions::new()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(len)
            .unwrap();
        let what = Damage::Length {
            want: 4096,
            got: len,
        };
        assert_eq!(refusal(dir.path()), (path.clone(), len, index, what));
    }
    let dir = copy(whole.path());
    let path = &segments(dir.path())[0];
    fs::OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(63)
        .unwrap();
    assert_eq!(refusal(dir.path()).3, Damage::Header);
}

#[test]
fn a_segment_under_another_name_refuses_the_start() {
    let dir = closed_log(4096, &[3; 20]);
    let paths = segments(dir.path());
    let renamed = paths[1].with_file_name("00000000000000000001.seg");
    fs::rename(&paths[1], &renamed).unwrap();
    let (segment, _, _, what) = refusal(dir.path());
    assert_eq!(segment, renamed);
    assert!(matches!(what, Damage::Name { .. }), "{what}");
}

#[test]
fn a_batch_that_stands_there_twice_refuses_the_start() {
    let dir = closed_log(4096, &[2]);
    let path = &segments(dir.path())[0];
    let end = ends(&[2])[0];
    let batch = fs::read(path).unwrap()[HEADER_LEN as usize..end as usize].to_vec();
    overwrite(path, end, &batch);
    assert_eq!(refusal(dir.path()), (path.clone(), end, 2, Damage::Order));
}

#[test]
fn an_entry_replaced_with_a_fitting_checksum_refuses_the_start() {
    // Another log has another first entry of the same length, and its frame is whole.
    let dir = closed_log(4096, &[1]);
    let other = closed_log(4096, &[]);
    let mut log = open(other.path()).unwrap().log;
    let mut replaced = frame(0);
    replaced.leaf[0] ^= 1;
    log.append(0, &[&replaced]).unwrap();
    let got = log.root();
    drop(log);
    let forged = fs::read(&segments(other.path())[0]).unwrap();
    let len = frame(0).stored_len();
    let path = &segments(dir.path())[0];
    overwrite(
        path,
        HEADER_LEN,
        &forged[HEADER_LEN as usize..HEADER_LEN as usize + len],
    );
    let what = Damage::Root {
        want: frontier(1).root(),
        got,
    };
    assert_eq!(
        refusal(dir.path()),
        (path.clone(), HEADER_LEN + len as u64, 1, what)
    );
}

#[test]
fn a_log_of_another_origin_is_refused() {
    let dir = closed_log(4096, &[1]);
    let mut settings = settings(4096);
    settings.origin.push('2');
    assert!(matches!(
        Log::open(dir.path(), settings),
        Err(OpenError::Origin(_))
    ));
}

#[test]
fn a_segment_that_was_being_prepared_is_ignored() {
    let dir = closed_log(4096, &[1]);
    fs::write(dir.path().join("log/next.seg.tmp"), b"half a header").unwrap();
    let mut log = open(dir.path()).unwrap().log;
    append(&mut log, &[3; 30]);
    check(&log.reader(), 91);
    drop(log);
    check(&open(dir.path()).unwrap().log.reader(), 91);
}

#[test]
fn opening_twice_changes_nothing_the_second_time() {
    let dir = closed_log(4096, &[3; 20]);
    let path = segments(dir.path()).pop().unwrap();
    damage(&path, end_of(&path) - 1);
    assert!(open(dir.path()).unwrap().cut.is_some());
    let once = snapshot(dir.path());
    assert_eq!(open(dir.path()).unwrap().cut, None);
    assert_eq!(snapshot(dir.path()), once);
}
