//! Proofs from the log, against proofs made from the leaves alone.

use std::{collections::HashMap, fs, path::Path};

use schakel_audit::tree::{
    Frontier, Hash, Nodes, consistency_proof, inclusion_proof, leaf_hash, verify_consistency,
    verify_inclusion,
};
use schakel_store::{
    disk::simulated::Simulation,
    log::{Frame, Log, LogReader, Settings},
};

use super::support::{ORIGIN, data, open, settings};

/// More than two full tiles of level 1 would take a million entries; this has one, and a bit of level 2.
const MANY: u64 = 256 * 256 + 300;

/// All nodes of a tree, kept naively.
#[derive(Default)]
struct AllNodes(HashMap<(u8, u64), Hash>);

impl Nodes for AllNodes {
    type Error = std::convert::Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        Ok(self.0[&(level, index)])
    }
}

fn tiny(n: u64) -> Frame {
    Frame {
        leaf: n.to_le_bytes().to_vec(),
        sealed: Vec::new(),
    }
}

fn grow(log: &mut Log, to: u64) {
    while log.size() < to {
        let (from, to) = (log.size(), to.min(log.size() + 1_000));
        log.append(from, &(from..to).map(tiny).collect::<Vec<_>>())
            .unwrap();
    }
}

fn expected(size: u64) -> (Frontier, AllNodes) {
    let (mut frontier, mut nodes) = (Frontier::new(), AllNodes::default());
    for n in 0..size {
        frontier.append_with(leaf_hash(&tiny(n).leaf), |level, index, hash| {
            nodes.0.insert((level, index), hash);
        });
    }
    (frontier, nodes)
}

fn check_proofs(reader: &LogReader, size: u64) {
    let (frontier, nodes) = expected(size);
    assert_eq!(reader.head(), (size, frontier.root()));
    let edge = [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537];
    let picks = edge
        .into_iter()
        .chain((0..size).step_by(997))
        .chain(size.saturating_sub(3)..size);
    for index in picks.filter(|index| *index < size) {
        let proof = reader.inclusion_proof(index, size).unwrap();
        assert_eq!(proof, inclusion_proof(index, size, &nodes).unwrap());
        verify_inclusion(
            leaf_hash(&tiny(index).leaf),
            index,
            size,
            &proof,
            frontier.root(),
        )
        .unwrap();
        let old = index + 1;
        let proof = reader.consistency_proof(old, size).unwrap();
        assert_eq!(proof, consistency_proof(old, size, &nodes).unwrap());
        let old_root = reader.root_at(old).unwrap();
        verify_consistency(old, old_root, size, frontier.root(), &proof).unwrap();
    }
}

#[test]
fn proofs_are_those_of_the_tree_over_the_leaves() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(8 << 20)).unwrap();
    for size in [1, 2, 3, 255, 256, 257, 1_000, 5_000, MANY] {
        grow(&mut log, size);
        check_proofs(&log.reader(), size);
    }
    drop(log);
    let log = open(dir.path()).unwrap().log;
    check_proofs(&log.reader(), MANY);
}

#[test]
fn every_node_of_a_small_tree_is_found_and_no_other() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(8 << 20)).unwrap();
    grow(&mut log, 2_100);
    let (_, nodes) = expected(2_100);
    let reader = log.reader();
    for (level, index) in (0..14).flat_map(|level| (0..2_200).map(move |index| (level, index))) {
        match nodes.0.get(&(level, index)) {
            Some(hash) => assert_eq!(reader.node(level, index).unwrap(), *hash),
            None => assert!(reader.node(level, index).is_err(), "{level} {index}"),
        }
    }
    for (level, index) in [(63, 0), (63, u64::MAX), (64, 0), (255, 0), (0, u64::MAX)] {
        assert!(reader.node(level, index).is_err(), "{level} {index}");
    }
}

#[test]
fn the_tiles_on_disk_are_the_full_tiles_of_the_tree() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(8 << 20)).unwrap();
    grow(&mut log, MANY);
    let (_, nodes) = expected(MANY);
    for (level, full) in [(0, 257), (1, 1), (2, 0)] {
        let file = fs::read(dir.path().join(format!("log/hashes/{level}"))).unwrap();
        assert_eq!(file.len(), full * 8_192);
        for (index, hash) in file.chunks(32).enumerate() {
            assert_eq!(hash, nodes.0[&(8 * level, index as u64)].as_ref());
        }
    }
}

/// Entries have room of their own, made ahead: what is derived from them keeps none of them back.
#[test]
fn tiles_that_find_the_disk_full_are_written_once_there_is_room() {
    let disk = Simulation::new(1);
    let settings = || Settings {
        segment_len: 1 << 20,
        disk: disk.disk(),
        ..Settings::new(ORIGIN)
    };
    let data = Path::new("/data");
    let mut log = Log::create(data, settings()).unwrap();
    grow(&mut log, 700);
    let stored = || {
        let tiles = disk.content(&data.join("log/hashes/0")).unwrap();
        tiles.len() / 8_192
    };
    assert_eq!(stored(), 2);
    disk.set_room(0);
    grow(&mut log, 4_000);
    assert_eq!(stored(), 2);
    check_proofs(&log.reader(), 4_000);
    drop(log);
    let mut log = Log::open(data, settings()).unwrap().log;
    check_proofs(&log.reader(), 4_000);
    disk.set_room(u64::MAX);
    grow(&mut log, 4_200);
    assert_eq!(stored(), 16);
    check_proofs(&log.reader(), 4_200);
}

#[test]
fn tiles_that_are_damaged_or_gone_or_too_many_are_made_again() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(8 << 20)).unwrap();
    grow(&mut log, 2_000);
    drop(log);
    let hashes = dir.path().join("log/hashes");
    let whole = super::support::snapshot(&hashes);
    let spoil: [&dyn Fn(); 5] = [
        &|| super::support::damage(&hashes.join("0"), 8_192 + 5),
        &|| fs::remove_dir_all(&hashes).unwrap(),
        &|| fs::write(hashes.join("0"), vec![7; 8_192 * 9 + 11]).unwrap(),
        &|| fs::write(hashes.join("3"), vec![7; 8_192]).unwrap(),
        &|| fs::write(hashes.join("stray"), b"?").unwrap(),
    ];
    for spoil in spoil {
        spoil();
        assert!(!hashes.is_dir() || super::support::snapshot(&hashes) != whole);
        check_proofs(&open(dir.path()).unwrap().log.reader(), 2_000);
        assert_eq!(super::support::snapshot(&hashes), whole);
    }
}

#[test]
fn proofs_beyond_the_log_are_refused() {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(4096)).unwrap();
    grow(&mut log, 5);
    let reader = log.reader();
    assert!(reader.inclusion_proof(5, 5).is_err());
    assert!(reader.inclusion_proof(0, 6).is_err());
    assert!(reader.consistency_proof(0, 5).is_err());
    assert!(reader.consistency_proof(5, 6).is_err());
    assert!(reader.root_at(6).is_err());
}
