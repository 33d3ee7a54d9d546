//! What the tests of the store share.

use std::{
    fs,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use schakel_audit::tree::{Frontier, Hash, leaf_hash};
use schakel_core::{
    id::{PartyId, SubjectId},
    person::{Identifier, SubjectRef},
    random::Random,
};
use schakel_store::{
    log::{Frame, Log, LogReader, OpenError, Opened, Settings},
    world::World,
};
use tempfile::TempDir;

/// The origin of every log in the tests.
pub(crate) const ORIGIN: &str = "schakel.example/log";

/// The length of the header of a segment, as the format says.
pub(crate) const HEADER_LEN: u64 = 64;

/// A data directory of its own, removed in the end.
pub(crate) fn data() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Settings with segments of this length.
pub(crate) fn settings(segment_len: u64) -> Settings {
    Settings {
        segment_len,
        ..Settings::new(ORIGIN)
    }
}

/// Entry number `n`: no two have the same bytes, nor most the same length.
pub(crate) fn frame(n: u64) -> Frame {
    Frame {
        leaf: format!("leaf {n} ").repeat(1 + n as usize % 5).into_bytes(),
        sealed: format!("sealed {n} ")
            .repeat(1 + n as usize % 7)
            .into_bytes(),
    }
}

/// Entries with these numbers.
pub(crate) fn frames(numbers: std::ops::Range<u64>) -> Vec<Frame> {
    numbers.map(frame).collect()
}

/// A log with one batch for each number given, of so many entries, closed again.
pub(crate) fn closed_log(segment_len: u64, batches: &[u64]) -> TempDir {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(segment_len)).unwrap();
    append(&mut log, batches);
    dir
}

/// Appends batches of so many entries each.
pub(crate) fn append(log: &mut Log, batches: &[u64]) {
    for count in batches {
        let size = log.size();
        log.append(size, &frames(size..size + count)).unwrap();
    }
}

/// Opens a log with segments of 4 KiB.
pub(crate) fn open(data: &Path) -> Result<Opened, OpenError> {
    Log::open(data, settings(4096))
}

/// The tree over the first `size` entries, computed from what they should be.
pub(crate) fn frontier(size: u64) -> Frontier {
    let mut frontier = Frontier::new();
    (0..size).for_each(|n| frontier.append(leaf_hash(&frame(n).leaf)));
    frontier
}

/// Checks everything about a log that should hold the entries 0 to `size`, and nothing else.
pub(crate) fn check(reader: &LogReader, size: u64) {
    let root = frontier(size).root();
    assert_eq!(reader.head(), (size, root));
    assert_eq!(reader.root_at(size).unwrap(), root);
    let entries: Vec<_> = reader
        .iter(0)
        .map(|(index, entry)| (index, entry.unwrap()))
        .collect();
    assert_eq!(entries.len() as u64, size);
    for (n, (index, entry)) in entries.iter().enumerate() {
        assert_eq!((*index, entry), (n as u64, &frame(n as u64)));
        assert_eq!(&reader.read(*index).unwrap(), entry);
    }
    assert!(reader.read(size).is_err());
}

/// The segments of a log, in order.
pub(crate) fn segments(data: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(data.join("log"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "seg"))
        .collect();
    paths.sort();
    paths
}

/// The end of the last batch of a segment: what follows is zeros.
pub(crate) fn end_of(segment: &Path) -> u64 {
    let bytes = fs::read(segment).unwrap();
    // A frame ends in a checksum, which is not zero at its end in any of the tests that use this.
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last as u64 + 1)
}

/// Overwrites a part of a file.
pub(crate) fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, offset).unwrap();
}

/// Turns over the bits of one byte of a file.
pub(crate) fn damage(path: &Path, offset: u64) {
    let byte = fs::read(path).unwrap()[offset as usize];
    overwrite(path, offset, &[!byte]);
}

/// All files below a directory with their content, apart from locks and segments in preparation.
pub(crate) fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else if path.extension().is_none_or(|end| end != "tmp") {
            files.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    files.sort();
    files
}

/// A copy of a data directory.
pub(crate) fn copy(from: &Path) -> TempDir {
    let to = data();
    copy_to(from, to.path());
    to
}

/// Copies a directory with all that is in it, but files that were being made.
pub(crate) fn copy_to(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for (path, content) in snapshot(from) {
        let path = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// Bytes that count up: the same in every run.
#[derive(Debug, Default)]
pub(crate) struct Counting(pub(crate) u8);

impl Random for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}

/// Bytes that look random and are the same in every run for the same seed (splitmix64).
#[derive(Debug)]
pub(crate) struct Seeded(pub(crate) u64);

impl Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Bytes as hexadecimal text.
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write as _;

    bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A hash in the tree over two leaves, for the vectors.
pub(crate) fn pair(left: &Hash, right: &Hash) -> Hash {
    schakel_audit::tree::node_hash(left, right)
}

/// Of whom each party, and anybody, said that these numbers of criminal justice are theirs: in that order a
/// withdrawal counts for them.
pub(crate) fn said(
    world: &World,
    references: &[SubjectRef],
    parties: &[PartyId],
) -> Vec<SubjectId> {
    let numbers = references.iter().filter_map(|reference| match reference {
        SubjectRef::Skn(skn) => Some(Identifier::Skn(skn.clone())),
        _ => None,
    });
    let said = numbers.flat_map(|number| {
        let parties = parties.iter().map(Some).chain([None]);
        let said = parties.flat_map(|party| world.subjects_said(&number, party));
        said.collect::<Vec<_>>()
    });
    said.collect()
}
