//! Any batches, and any damage to the end of the last one.

use std::fs;

use proptest::prelude::*;
use schakel_store::log::{Frame, Log, OpenError};

use super::support::{data, open, overwrite, segments, settings};

fn batches() -> impl Strategy<Value = Vec<Vec<(Vec<u8>, Vec<u8>)>>> {
    let part = || prop::collection::vec(any::<u8>(), 0..60);
    let batch = prop::collection::vec((part(), part()), 1..6);
    prop::collection::vec(batch, 1..12)
}

fn frame((leaf, sealed): &(Vec<u8>, Vec<u8>)) -> Frame {
    Frame {
        leaf: leaf.clone(),
        sealed: sealed.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Whatever is done to the bytes of the last batch, all entries before it are there after opening,
    /// and the last batch is there unchanged or not at all; or the log refuses to open.
    #[test]
    fn no_damage_to_the_last_batch_reaches_what_was_before(
        batches in batches(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
    ) {
        let dir = data();
        let mut log = Log::create(dir.path(), settings(4096)).unwrap();
        let mut entries = Vec::new();
        let mut before = 0;
        for batch in &batches {
            let frames: Vec<_> = batch.iter().map(frame).collect();
            before = entries.len();
            log.append(before as u64, &frames).unwrap();
            entries.extend(frames);
        }
        drop(log);
        let last: usize = batches.last().unwrap().iter().map(|part| frame(part).stored_len()).sum();
        let path = segments(dir.path()).last().unwrap().clone();
        let end = commit_end(&fs::read(&path).unwrap());
        for (at, byte) in hits {
            overwrite(&path, (end - last - 52 + at.index(last + 52)) as u64, &[byte]);
        }
        match open(dir.path()) {
            Ok(opened) => {
                let read: Vec<_> = opened.log.iter(0).map(|(_, entry)| entry.unwrap()).collect();
                let kept = if read.len() == before { before } else { entries.len() };
                prop_assert_eq!(&read, &entries[..kept]);
            }
            Err(error) => prop_assert!(matches!(error, OpenError::Damaged { .. }), "{}", error),
        }
    }
}

/// Where the last commit frame of a segment ends.
fn commit_end(bytes: &[u8]) -> usize {
    bytes
        .windows(4)
        .rposition(|magic| magic == b"CMIT")
        .unwrap()
        + 52
}
