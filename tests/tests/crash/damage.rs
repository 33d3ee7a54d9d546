//! A disk that does not hold what was written: refused with the place, or, at the very end, cut.

use std::{
    fs::{self, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::PathBuf,
};

use schakel_audit::leaf::EntryType;
use schakel_tests::{Log, Scene, TestBroker, bsn, copy};

fn first_segment(broker: &TestBroker) -> PathBuf {
    broker
        .place()
        .data()
        .join("log")
        .join("00000000000000000000.seg")
}

/// The offsets at which frames of entries begin, found by their mark, index by index.
fn entry_offsets(segment: &[u8]) -> Vec<usize> {
    let mut offsets: Vec<usize> = Vec::new();
    for (offset, window) in segment.windows(12).enumerate() {
        let index = u64::from_le_bytes(window[4..].try_into().unwrap());
        if &window[..4] == b"ENTR" && usize::try_from(index).ok() == Some(offsets.len()) {
            offsets.push(offset);
        }
    }
    offsets
}

/// What was written of a segment, without the zeros that follow.
fn written(path: &PathBuf) -> Vec<u8> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .unwrap()
        .take(4 << 20)
        .read_to_end(&mut bytes)
        .unwrap();
    let len = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bytes.truncate(len);
    bytes
}

fn overwrite(path: &PathBuf, offset: usize, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(u64::try_from(offset).unwrap()))
        .unwrap();
    file.write_all(bytes).unwrap();
}

async fn stopped_after_some_use() -> TestBroker {
    let mut broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    let association = broker.party("wonen-zuid").await;
    municipality.consent(bsn(&scene.bsn)).await;
    for _ in 0..5 {
        association
            .ask_housing(&scene.mark)
            .await
            .expect("a signal");
    }
    broker.stop().await;
    broker
}

/// One byte of an entry in the middle flipped: refused, with segment, byte and entry; mended, it starts.
#[tokio::test(flavor = "multi_thread")]
async fn damage_before_valid_data_is_refused_with_its_place() {
    let mut broker = stopped_after_some_use().await;
    let path = first_segment(&broker);
    let bytes = written(&path);
    let offsets = entry_offsets(&bytes);
    let entry = offsets.len() / 2;
    let at = offsets[entry] + 60;
    overwrite(&path, at, &[bytes[at] ^ 0x40]);
    let refused = broker.run().await.expect_err("it must not start");
    assert!(refused.contains("00000000000000000000.seg"), "{refused}");
    assert!(
        refused.contains(&format!("entry {entry}")),
        "entry {entry}: {refused}"
    );
    assert!(refused.contains("at byte"), "{refused}");
    overwrite(&path, at, &bytes[at..=at]);
    broker.run().await.expect("mended, it starts");
    broker.check_log().await;
}

/// The end of the last batch missing, as after a power cut: cut off, and everything before it stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_last_batch_is_cut() {
    let mut broker = stopped_after_some_use().await;
    let before = broker.check_log().await;
    let path = first_segment(&broker);
    let bytes = written(&path);
    let offsets = entry_offsets(&bytes);
    assert_eq!(offsets.len(), before.leaves.len());
    // The last entry tells that the broker stopped; nobody was sent a receipt for it. View and indexes have
    // seen it, so they go: a log that is shorter than they know is refused.
    assert_eq!(before.leaves.last().unwrap().entry_type, EntryType::System);
    let last = *offsets.last().unwrap();
    overwrite(&path, last + 20, &vec![0; bytes.len() - last - 20]);
    broker.forget_derived();
    broker
        .run()
        .await
        .expect("it cuts the torn batch off and starts");
    let after = broker.check_log().await;
    let kept = before.encoded.len() - 1;
    assert_eq!(after.encoded[..kept], before.encoded[..kept]);
    assert!(after.encoded.len() > kept, "and goes on");
}

/// A log put back from an older copy is shorter than the view knows it to have been: refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_went_back_is_refused() {
    let mut broker = stopped_after_some_use().await;
    let kept = tempfile::tempdir().unwrap();
    let log = broker.place().data().join("log");
    copy(&log, kept.path());
    broker.run().await.unwrap();
    let association = broker.party("wonen-zuid").await;
    association
        .ask_housing("huurder-1")
        .await
        .expect("a signal");
    broker.stop().await;
    let longer = tempfile::tempdir().unwrap();
    copy(&log, longer.path());
    let seen = Log::read(broker.place()).leaves.len();
    fs::remove_dir_all(&log).unwrap();
    copy(kept.path(), &log);
    let held = Log::read(broker.place()).leaves.len();
    let refused = broker.run().await.expect_err("it must not start");
    let told = format!("the view has seen {seen} entries and the log holds {held}:");
    assert!(refused.contains(&told), "{told} {refused}");
    fs::remove_dir_all(&log).unwrap();
    copy(longer.path(), &log);
    broker.run().await.expect("with the whole log it starts");
    broker.check_log().await;
}

/// A second broker on the same data is refused while the first runs.
#[tokio::test(flavor = "multi_thread")]
async fn one_broker_at_a_time() {
    let mut broker = TestBroker::start().await;
    let running = broker.take();
    let refused = broker.run().await.expect_err("the data directory is taken");
    assert!(refused.contains("lock"), "{refused}");
    running.stop().await.unwrap();
    broker.run().await.expect("it is free again");
}
