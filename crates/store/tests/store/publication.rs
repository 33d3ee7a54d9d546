//! Publishing the log: the files are those of C2SP tlog-tiles, a crash at any step is made good, and nothing
//! is published over damage.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use schakel_audit::{
    checkpoint::Checkpoint,
    minimum::{self, MinimumIndex},
    note::SigningKey,
    tile::{self, Kind, Tile, TileNodes},
    tree::{self, leaf_hash},
};
use schakel_store::{
    disk::Disk,
    log::{Log, LogReader},
    publication::{Publication, PublicationError},
};
use tempfile::TempDir;

use super::support::{ORIGIN, append, damage, data, frame, settings};

pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap()
}

/// A log with this many entries, open.
pub(super) fn log_of(size: u64) -> (TempDir, Log) {
    let dir = data();
    let mut log = Log::create(dir.path(), settings(1 << 22)).unwrap();
    grow(&mut log, size);
    (dir, log)
}

/// Appends until the log has this many entries.
pub(super) fn grow(log: &mut Log, size: u64) {
    while log.size() < size {
        append(log, &[(size - log.size()).min(500)]);
    }
}

pub(crate) fn signed(log: &LogReader, size: u64) -> String {
    let checkpoint = Checkpoint {
        origin: ORIGIN.parse().unwrap(),
        size,
        root: log.root_at(size).unwrap(),
    };
    checkpoint.sign(&key())
}

fn publish(
    publication: &mut Publication,
    log: &LogReader,
    size: u64,
) -> Result<(), PublicationError> {
    let laid = publication.lay(log, size)?;
    publication.show(&laid, &signed(log, size))
}

/// Every file below a directory with its bytes, those with a name that begins with a dot left out.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().to_owned();
            if path.is_dir() {
                open.push(path);
            } else if !name.to_str().unwrap().starts_with('.') {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Checks that a directory has every tile of a log of this size, with the entries it should have.
fn check(dir: &Path, log: &LogReader, size: u64) {
    for tile in Tile::all(size) {
        let bytes = fs::read(dir.join(tile.to_string())).unwrap_or_else(|e| panic!("{tile}: {e}"));
        let (first, end) = tile.covers();
        match tile.kind() {
            Kind::Entries => {
                let entries: Vec<_> = tile::entries(&bytes).map(Result::unwrap).collect();
                let wanted: Vec<_> = (first..end).map(|n| frame(n).leaf).collect();
                assert_eq!(entries, wanted, "{tile}");
            }
            Kind::Hashes(0) => {
                let wanted: Vec<_> = (first..end)
                    .flat_map(|n| *leaf_hash(&frame(n).leaf).as_bytes())
                    .collect();
                assert_eq!(bytes, wanted, "{tile}");
            }
            Kind::Hashes(_) => assert_eq!(bytes.len() as u64, tile.width() * 32, "{tile}"),
        }
    }
    let nodes = TileNodes::new(size, |tile: Tile| fs::read(dir.join(tile.to_string())));
    assert_eq!(
        tree::root(size, &nodes).unwrap(),
        log.root_at(size).unwrap()
    );
    assert_eq!(
        fs::read_to_string(dir.join("checkpoint")).unwrap(),
        signed(log, size)
    );
}

#[test]
fn a_log_that_grows_is_published_as_the_same_files_as_one_that_is_published_at_once() {
    let (_data, mut log) = log_of(0);
    let (slow, fast) = (data(), data());
    let mut publication = Publication::open(Disk::real(), slow.path()).unwrap();
    for size in [0, 1, 2, 255, 256, 257, 300, 511, 700, 1024, 1500] {
        grow(&mut log, size);
        publish(&mut publication, &log.reader(), size).unwrap();
        check(slow.path(), &log.reader(), size);
        assert_eq!(publication.size(), size);
    }
    let mut once = Publication::open(Disk::real(), fast.path()).unwrap();
    publish(&mut once, &log.reader(), 1500).unwrap();
    let (slow, fast) = (files(slow.path()), files(fast.path()));
    // Those of the sizes in between are there too, as long as no full tile replaces them.
    for (name, bytes) in &fast {
        assert_eq!(slow.get(name), Some(bytes), "{}", name.display());
    }
    let rest: Vec<_> = slow
        .keys()
        .filter(|name| !fast.contains_key(*name))
        .collect();
    let newer = |name: &&&PathBuf| !name.starts_with("tile/1/000.p");
    assert_eq!(rest.iter().filter(newer).count(), 0, "left over: {rest:?}");
}

#[test]
fn a_tree_of_three_levels_has_its_tiles() {
    let (_data, log) = log_of(66_000);
    let dir = data();
    let mut publication = Publication::open(Disk::real(), dir.path()).unwrap();
    publish(&mut publication, &log.reader(), 66_000).unwrap();
    check(dir.path(), &log.reader(), 66_000);
    assert!(dir.path().join("tile/2/000.p/1").is_file());
    assert!(dir.path().join("tile/1/001.p/1").is_file());
    assert!(dir.path().join("tile/entries/257.p/208").is_file());
}

#[test]
fn a_publication_cut_short_at_any_file_is_made_whole_by_the_next() {
    let (_data, mut log) = log_of(250);
    let whole = data();
    let mut publication = Publication::open(Disk::real(), whole.path()).unwrap();
    publish(&mut publication, &log.reader(), 250).unwrap();
    let before = files(whole.path());
    grow(&mut log, 600);
    publish(&mut publication, &log.reader(), 600).unwrap();
    let after = files(whole.path());
    let new: Vec<_> = after
        .keys()
        .filter(|name| !before.contains_key(*name))
        .collect();
    assert!(new.len() > 5, "{new:?}");
    for done in 0..=new.len() {
        let dir = data();
        let put = |name: &Path, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        for (name, bytes) in &before {
            put(name, bytes);
        }
        for name in new.iter().take(done) {
            put(name, &after[*name]);
        }
        // What was being written when the process died.
        put(Path::new("tile/0/001.p/88.tmp"), b"half");
        put(Path::new("checkpoint.tmp"), b"half");
        let mut publication = Publication::open(Disk::real(), dir.path()).unwrap();
        assert_eq!(publication.size(), 250);
        publish(&mut publication, &log.reader(), 600).unwrap();
        check(dir.path(), &log.reader(), 600);
    }
}

#[test]
fn nothing_is_published_over_a_damaged_edge_and_the_file_is_named() {
    for name in ["tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"] {
        let (_data, mut log) = log_of(300);
        let dir = data();
        let mut publication = Publication::open(Disk::real(), dir.path()).unwrap();
        publish(&mut publication, &log.reader(), 300).unwrap();
        let file = dir.path().join(name);
        damage(&file, 5);
        grow(&mut log, 310);
        let before = fs::read(dir.path().join("checkpoint")).unwrap();
        let error = publish(&mut publication, &log.reader(), 310).unwrap_err();
        assert!(
            matches!(&error, PublicationError::Damaged { file: named } if *named == file),
            "{error}"
        );
        assert_eq!(fs::read(dir.path().join("checkpoint")).unwrap(), before);
        // As the error says: once removed it is written again.
        fs::remove_file(&file).unwrap();
        publish(&mut publication, &log.reader(), 310).unwrap();
        check(dir.path(), &log.reader(), 310);
    }
}

#[test]
fn an_entry_that_changed_in_the_log_is_not_published() {
    let (data_dir, log) = log_of(300);
    let dir = data();
    let mut publication = Publication::open(Disk::real(), dir.path()).unwrap();
    let segment = super::support::segments(data_dir.path()).remove(0);
    // Far enough in to be within an entry of the first bundle.
    damage(&segment, 2000);
    let error = publish(&mut publication, &log.reader(), 300).unwrap_err();
    assert!(matches!(error, PublicationError::Log(_)), "{error}");
    assert!(!dir.path().join("checkpoint").exists());
}

#[test]
fn a_checkpoint_of_other_files_is_not_shown() {
    let (_data, log) = log_of(20);
    let dir = data();
    let mut publication = Publication::open(Disk::real(), dir.path()).unwrap();
    let laid = publication.lay(&log.reader(), 20).unwrap();
    for size in [19, 5] {
        let error = publication
            .show(&laid, &signed(&log.reader(), size))
            .unwrap_err();
        assert!(matches!(error, PublicationError::Misfit { .. }), "{error}");
    }
    publication.show(&laid, &signed(&log.reader(), 20)).unwrap();
    let smaller = publication.lay(&log.reader(), 20).unwrap();
    assert_eq!(smaller.size(), 20);
}

#[test]
fn what_is_no_checkpoint_in_its_place_stops_the_start() {
    let dir = data();
    fs::write(dir.path().join("checkpoint"), "nonsense").unwrap();
    let error = Publication::open(Disk::real(), dir.path()).unwrap_err();
    assert!(error.to_string().contains("checkpoint"), "{error}");
}

#[test]
fn a_bundle_that_is_cut_short_is_not_pruned() {
    let (_data, log) = log_of(600);
    let dir = data();
    let mut publication = Publication::open(Disk::real(), dir.path()).unwrap();
    publish(&mut publication, &log.reader(), 600).unwrap();
    let bundle = dir.path().join("tile/entries/001");
    let whole = fs::read(&bundle).unwrap();
    fs::write(&bundle, &whole[..whole.len() - 1]).unwrap();
    let error = publication.prune(512).unwrap_err();
    assert!(error.to_string().contains("tile/entries/001"), "{error}");
    assert!(bundle.exists());
    fs::write(&bundle, whole).unwrap();
    assert_eq!(publication.prune(512).unwrap(), 512);
}

#[test]
fn pruned_bundles_are_gone_and_the_tree_stays() {
    let (_data, mut log) = log_of(1000);
    let dir = data();
    let mut publication = Publication::open(Disk::real(), dir.path()).unwrap();
    publish(&mut publication, &log.reader(), 1000).unwrap();
    assert_eq!(publication.prune(600).unwrap(), 512);
    let bundle = |n: u64| dir.path().join(format!("tile/entries/{n:03}"));
    assert!(!bundle(0).exists() && !bundle(1).exists() && bundle(2).exists());
    // Everything above the published size, and the bundle that is still growing, stays.
    assert_eq!(publication.prune(u64::MAX).unwrap(), 768);
    assert!(dir.path().join("tile/entries/003.p/232").exists());
    grow(&mut log, 1024);
    publish(&mut publication, &log.reader(), 1024).unwrap();
    assert_eq!(publication.prune(u64::MAX).unwrap(), 1024);
    grow(&mut log, 1300);
    let mut publication = Publication::open(Disk::real(), dir.path()).unwrap();
    publish(&mut publication, &log.reader(), 1300).unwrap();
    assert!(!bundle(3).exists(), "what was pruned came back");
    let nodes = TileNodes::new(1300, |tile: Tile| {
        fs::read(dir.path().join(tile.to_string()))
    });
    assert_eq!(
        tree::root(1300, &nodes).unwrap(),
        log.reader().root_at(1300).unwrap()
    );
    let proof = tree::inclusion_proof(3, 1300, &nodes).unwrap();
    assert_eq!(proof, log.reader().inclusion_proof(3, 1300).unwrap());
}

#[test]
fn a_minimum_index_is_announced_once_there_is_one_and_kept_up_to_date() {
    let dir = data();
    let publication = Publication::open(Disk::real(), dir.path()).unwrap();
    let origin = ORIGIN.parse().unwrap();
    let file = dir.path().join(minimum::PATH);
    let announce = |index, key| {
        let made = MinimumIndex::make(&origin, index, &[key]).unwrap();
        publication.announce(&made).unwrap();
        made.to_string()
    };
    announce(0, key());
    assert!(!file.exists());
    let other = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    for (index, key) in [(300, key()), (300, other), (0, key())] {
        let note = announce(index, key);
        assert_eq!(fs::read_to_string(&file).unwrap(), note);
    }
}
