//! Tiles: the published vectors, another implementation, and every tree of some size.

use std::{collections::BTreeMap, convert::Infallible};

use proptest::prelude::*;
use schakel_audit::{
    erasure,
    tile::{
        BundleError, EntryTooLong, Kind, MAX_ENTRY, PathError, Tile, TileLength, TileNodes,
        entries, push_entry,
    },
    tree::{Hash, Nodes as _, inclusion_proof, leaf_hash, root},
};
use sha2::{Digest as _, Sha256};

use super::support::{Levels, numbered};

/// How many full tiles of hashes each level has, and the width of the partial one.
fn widths(size: u64) -> Vec<(u64, u64)> {
    let mut levels = Vec::new();
    for tile in Tile::all(size) {
        let Kind::Hashes(level) = tile.kind() else {
            continue;
        };
        let level = usize::from(level);
        levels.resize(levels.len().max(level + 1), (0, 0));
        if tile.is_partial() {
            levels[level].1 = tile.width();
        } else {
            assert_eq!(tile.index(), levels[level].0);
            levels[level].0 += 1;
        }
    }
    levels
}

#[test]
fn the_tiles_of_a_size_are_those_of_the_specification() {
    assert_eq!(widths(0), []);
    assert_eq!(widths(1), [(0, 1)]);
    assert_eq!(widths(256), [(1, 0), (0, 1)]);
    assert_eq!(widths(70_000), [(273, 112), (1, 17), (0, 1)]);
    assert_eq!(
        widths((1 << 24) + 1),
        [(65_536, 1), (256, 0), (1, 0), (0, 1)]
    );
}

#[test]
fn paths_are_those_of_the_specification() {
    let paths = |size| Tile::all(size).map(|tile| tile.to_string());
    assert_eq!(
        paths(256).collect::<Vec<_>>(),
        ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    );
    let some: Vec<String> = paths(70_000).filter(|path| path.contains('p')).collect();
    assert_eq!(
        some,
        [
            "tile/entries/273.p/112",
            "tile/0/273.p/112",
            "tile/1/001.p/17",
            "tile/2/000.p/1"
        ]
    );
    for (index, path) in [
        (0, "000"),
        (273, "273"),
        (1000, "x001/000"),
        (1_234_067, "x001/x234/067"),
        (999_999, "x999/999"),
    ] {
        let tile = Tile::new(Kind::Hashes(4), index, 256).unwrap();
        assert_eq!(tile.to_string(), format!("tile/4/{path}"));
        assert_eq!(erasure::path(index), format!("erasures/{path}"));
        assert_eq!(erasure::parse_path(&erasure::path(index)), Some(index));
    }
}

#[test]
fn a_path_has_one_spelling() {
    for path in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/-1/000",
        "tile/8/000",
        "tile/63/000",
        "tile/data/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/x000/001",
        "tile/0/X001/000",
        "tile/0/+01",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/007",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/1.p/1",
        "tile/0/\u{661}\u{661}\u{661}",
        "tile/entries/x99/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        let got = path.parse::<Tile>();
        assert_eq!(got, Err(PathError(path.escape_debug().to_string())));
    }
    assert_eq!(erasure::parse_path("erasures/1"), None);
    assert_eq!(erasure::parse_path("erasures/x000/001"), None);
    assert_eq!(erasure::parse_path("tile/000"), None);
}

#[test]
fn no_tile_lies_beyond_the_largest_log() {
    assert!(Tile::new(Kind::Hashes(8), 0, 1).is_none());
    assert!(Tile::new(Kind::Hashes(7), 0, 255).is_some());
    assert!(Tile::new(Kind::Hashes(7), 0, 256).is_none());
    assert!(Tile::new(Kind::Entries, u64::MAX, 1).is_none());
    assert!(Tile::new(Kind::Entries, u64::MAX / 256, 255).is_some());
    assert!(Tile::new(Kind::Entries, u64::MAX / 256, 256).is_none());
    assert!(Tile::new(Kind::Entries, 0, 0).is_none());
    assert!(Tile::new(Kind::Entries, 0, 257).is_none());
    let last = Tile::of(Kind::Entries, u64::MAX / 256, u64::MAX).unwrap();
    assert_eq!(last.covers(), (u64::MAX - 255, u64::MAX));
    assert_eq!(last.filled(), None);
}

#[test]
fn a_bundle_is_lengths_and_entries() {
    let mut bundle = Vec::new();
    for index in 0..7 {
        push_entry(&mut bundle, format!("entry {index}").as_bytes()).unwrap();
    }
    assert_eq!(&bundle[..11], b"\x00\x07entry 0\x00\x07");
    let read: Vec<&[u8]> = entries(&bundle).map(Result::unwrap).collect();
    assert_eq!(read.len(), 7);
    assert_eq!(read[6], b"entry 6");

    let longest = vec![7; MAX_ENTRY];
    push_entry(&mut bundle, &longest).unwrap();
    push_entry(&mut bundle, b"").unwrap();
    let read: Vec<&[u8]> = entries(&bundle).map(Result::unwrap).collect();
    assert_eq!((read[7], read[8]), (longest.as_slice(), b"".as_slice()));
    let before = bundle.clone();
    let got = push_entry(&mut bundle, &vec![7; MAX_ENTRY + 1]);
    assert_eq!((got, bundle), (Err(EntryTooLong(MAX_ENTRY + 1)), before));
}

#[test]
fn a_bundle_that_is_cut_gives_what_is_whole() {
    let mut bundle = Vec::new();
    for entry in ["one", "two", "three"] {
        push_entry(&mut bundle, entry.as_bytes()).unwrap();
    }
    for cut in 0..bundle.len() {
        let read: Vec<_> = entries(&bundle[..cut]).collect();
        let whole = [5, 10].iter().filter(|end| cut >= **end).count();
        let is_between = [0, 5, 10].contains(&cut);
        assert_eq!(read.len(), whole + usize::from(!is_between), "at {cut}");
        if !is_between {
            assert_eq!(read.last(), Some(&Err(BundleError { at: whole })));
        }
    }
}

/// The tile of hashes of the worked example, and its entry bundle.
#[test]
fn the_worked_example_has_the_tile_that_others_make_of_it() {
    let hashes = (0..7).map(|index| leaf_hash(format!("entry {index}").as_bytes()));
    let bytes: Vec<u8> = hashes.flat_map(|hash| *hash.as_bytes()).collect();
    let digest = Hash::new(Sha256::digest(&bytes).into());
    assert_eq!(
        digest.to_string(),
        "cc1abb4cd9c8ed67158d72325820cf8e05facd66b4d93f84b8544a8adcd0af81"
    );
}

#[test]
fn a_tile_of_another_length_is_refused() {
    let tile = Tile::new(Kind::Hashes(0), 0, 2).unwrap();
    assert_eq!(tile.hashes(&[7; 64]).unwrap().count(), 2);
    for got in [0, 32, 63, 65, 96, Tile::LEN] {
        let error = tile.hashes(&vec![7; got]).err();
        assert_eq!(error, Some(TileLength { want: 64, got }));
    }
}

/// The tiles of a tree, as files.
fn published(leaves: &[Hash]) -> BTreeMap<String, Vec<u8>> {
    let levels = Levels::new(leaves);
    let size = u64::try_from(leaves.len()).unwrap();
    let bytes = |tile: Tile| match tile.kind() {
        Kind::Entries => Vec::new(),
        Kind::Hashes(level) => (tile.first()..tile.first() + tile.width())
            .flat_map(|at| *levels.node(8 * level, at).unwrap().as_bytes())
            .collect(),
    };
    Tile::all(size)
        .map(|tile| (tile.to_string(), bytes(tile)))
        .collect()
}

#[test]
fn every_node_is_computed_from_the_tiles() {
    for size in [1, 2, 255, 256, 257, 600, 1025] {
        let leaves = numbered(size);
        let files = published(&leaves);
        let levels = Levels::new(&leaves);
        let read = |tile: Tile| Ok::<_, Infallible>(files[&tile.to_string()].clone());
        let nodes = TileNodes::new(size, read);
        assert_eq!(root(size, &nodes), Ok(levels.frontier.root()));
        for index in (0..size).step_by(37) {
            let want = inclusion_proof(index, size, &levels).unwrap();
            assert_eq!(inclusion_proof(index, size, &nodes).unwrap(), want);
        }
        for level in 0..64 {
            let complete = size >> level;
            assert!(nodes.node(level, complete).is_err(), "{size} {level}");
            if complete > 0 {
                let want = levels.node(level, complete - 1).unwrap();
                assert_eq!(nodes.node(level, complete - 1), Ok(want));
            }
        }
    }
}

/// A tile as the Go checksum database and what follows it writes it, with the height in its path.
fn theirs(tile: Tile) -> tlog_tiles::Tile {
    let (level, is_data) = match tile.kind() {
        Kind::Entries => (0, true),
        Kind::Hashes(level) => (level, false),
    };
    let width = u32::try_from(tile.width()).unwrap();
    tlog_tiles::Tile::new(8, level, tile.index(), width, is_data)
}

fn any_tile() -> impl Strategy<Value = Tile> {
    let kind = prop_oneof![Just(Kind::Entries), (0..=7u8).prop_map(Kind::Hashes)];
    let index = (0..=56u32, any::<u64>()).prop_map(|(shift, number)| number >> 8 >> shift);
    (kind, index, 1..=256u64).prop_filter_map("beyond the largest log", |(kind, index, width)| {
        Tile::new(kind, index, width)
    })
}

/// Something like a path.
fn any_path() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "tile/",
        "entries/",
        "erasures/",
        "0/",
        "1/",
        "63/",
        "x001/",
        "000",
        "01",
        "/",
        ".p/",
        "1",
        "255",
        "256",
        "x",
        "",
    ]);
    prop::collection::vec(part, 0..9).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn a_path_is_read_as_written_and_as_others_write_it(tile in any_tile()) {
        let path = tile.to_string();
        prop_assert_eq!(path.parse::<Tile>(), Ok(tile));
        let other = theirs(tile).path().replace("tile/8/", "tile/").replace("data/", "entries/");
        prop_assert_eq!(path, other);
    }

    #[test]
    fn whatever_path_is_read_is_written_alike(path in any_path()) {
        if let Ok(tile) = path.parse::<Tile>() {
            prop_assert_eq!(tile.to_string(), path.as_str());
        }
        if let Some(index) = erasure::parse_path(&path) {
            prop_assert_eq!(erasure::path(index), path);
        }
    }

    #[test]
    fn a_log_that_grows_adds_what_others_add(old in 0..200_000u64, more in 0..70_000u64) {
        let new = old + more;
        let hashes = |tile: &Tile| tile.kind() != Kind::Entries;
        let ours: Vec<_> = Tile::added(old, new).filter(hashes).map(theirs).collect();
        prop_assert_eq!(ours, tlog_tiles::Tile::new_tiles(8, old, new));
        let bundles = Tile::added(old, new).filter(|tile| tile.kind() == Kind::Entries);
        let covered: u64 = bundles.map(Tile::width).sum();
        prop_assert_eq!(covered, if more == 0 { 0 } else { new - old / 256 * 256 });
    }

    #[test]
    fn every_entry_is_covered_once_by_each_level(size in 0..100_000u64) {
        for kind in Kind::all() {
            let mut end = 0;
            for tile in Tile::all(size).filter(|tile| tile.kind() == kind) {
                prop_assert_eq!(tile.covers().0, end);
                prop_assert_eq!(Tile::of(kind, tile.index(), size), Some(tile));
                end = tile.covers().1;
            }
            prop_assert!(end <= size && kind.count(size - end) == 0);
        }
    }

    #[test]
    fn any_bytes_are_a_bundle_or_refused(bytes in prop::collection::vec(0..4u8, 0..200)) {
        let mut again = Vec::new();
        let mut whole = true;
        for entry in entries(&bytes) {
            match entry {
                Ok(entry) => push_entry(&mut again, entry).unwrap(),
                Err(_) => whole = false,
            }
        }
        prop_assert!(bytes.starts_with(&again));
        prop_assert_eq!(whole, again.len() == bytes.len());
    }
}
