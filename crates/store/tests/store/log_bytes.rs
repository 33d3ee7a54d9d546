//! The bytes of a segment, written out by hand from the description of the format.

use std::fs;

use aws_lc_rs::digest::{SHA256, digest};
use schakel_audit::tree::leaf_hash;
use schakel_store::log::{Frame, Log};

use super::support::{
    ORIGIN, check, closed_log, data, end_of, hex, open, pair, segments, settings,
};

/// Appends the CRC-32C over everything, computed bit by bit.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in &bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
        }
    }
    bytes.extend((!crc).to_le_bytes());
    bytes
}

fn entry(index: u64, batch: u64, leaf: &[u8], sealed: &[u8]) -> Vec<u8> {
    let mut bytes = b"ENTR".to_vec();
    bytes.extend(index.to_le_bytes());
    bytes.extend(batch.to_le_bytes());
    bytes.extend((leaf.len() as u32).to_le_bytes());
    bytes.extend((sealed.len() as u32).to_le_bytes());
    bytes.extend(leaf);
    bytes.extend(sealed);
    with_checksum(bytes)
}

fn commit(batch: u64, count: u32, root: &[u8]) -> Vec<u8> {
    let mut bytes = b"CMIT".to_vec();
    bytes.extend(batch.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(root);
    with_checksum(bytes)
}

fn header(first: u64, len: u64) -> Vec<u8> {
    let mut bytes = b"SCHKLOG1\x01\0\0\0".to_vec();
    bytes.extend(first.to_le_bytes());
    bytes.extend(digest(&SHA256, ORIGIN.as_bytes()).as_ref());
    bytes.extend(len.to_le_bytes());
    let bytes = with_checksum(bytes);
    assert_eq!(bytes.len(), 64);
    bytes
}

#[test]
fn a_segment_has_the_bytes_that_the_format_says() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(4096)).unwrap();
    let first = [("one", "sealed one"), ("two", "")];
    let first = first.map(|(leaf, sealed)| Frame {
        leaf: leaf.into(),
        sealed: sealed.into(),
    });
    log.append(0, &first).unwrap();
    log.append(
        2,
        &[Frame {
            leaf: b"three".to_vec(),
            sealed: vec![0, 0, 0],
        }],
    )
    .unwrap();

    let [one, two, three] = [b"one".as_slice(), b"two", b"three"].map(leaf_hash);
    let left = pair(&one, &two);
    let mut want = header(0, 4096);
    want.extend(entry(0, 0, b"one", b"sealed one"));
    want.extend(entry(1, 0, b"two", b""));
    want.extend(commit(0, 2, left.as_ref()));
    want.extend(entry(2, 2, b"three", &[0, 0, 0]));
    want.extend(commit(2, 1, pair(&left, &three).as_ref()));
    want.resize(4096, 0);
    assert_eq!(
        hex(fs::read(dir.path().join("log/00000000000000000000.seg")).unwrap()),
        hex(want)
    );
}

/// The same, as digits: what a disk that was written once must be readable as for ever.
#[test]
fn a_header_and_a_batch_are_these_digits() {
    let dir = closed_log(4096, &[1]);
    let bytes = fs::read(&segments(dir.path())[0]).unwrap();
    let want = include_str!("golden/segment.hex").replace(char::is_whitespace, "");
    let (written, rest) = bytes.split_at(end_of(&segments(dir.path())[0]) as usize);
    assert_eq!(hex(written), want);
    assert!(rest.iter().all(|byte| *byte == 0));
}

#[test]
fn a_segment_written_by_hand_opens() {
    let dir = closed_log(4096, &[]);
    let path = &segments(dir.path())[0];
    let frame = super::support::frame(0);
    let mut bytes = header(0, 8192);
    bytes.extend(entry(0, 0, &frame.leaf, &frame.sealed));
    bytes.extend(commit(0, 1, leaf_hash(&frame.leaf).as_ref()));
    bytes.resize(8192, 0);
    fs::write(path, bytes).unwrap();
    let opened = open(dir.path()).unwrap();
    assert_eq!(opened.cut, None);
    check(&opened.log.reader(), 1);
}

#[test]
fn a_segment_of_another_version_is_refused_by_its_number() {
    let dir = closed_log(4096, &[]);
    let path = &segments(dir.path())[0];
    let mut bytes = fs::read(path).unwrap();
    bytes[8] = 2;
    bytes.truncate(60);
    let mut bytes = with_checksum(bytes);
    bytes.resize(4096, 0);
    fs::write(path, bytes).unwrap();
    let error = open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("format version 2"), "{error}");
}
