//! Published logs that are damaged: what is wrong is found where it is, and nothing else.

use proptest::prelude::*;
use schakel_audit::{
    published::{Finding, LogCheck},
    tile::{Kind, Tile, entries, push_entry},
    tree::Hash,
};

use super::published::{Published, leaf};

/// The file that a finding names, if it names one.
fn file(finding: &Finding) -> Option<String> {
    match finding {
        Finding::Missing { file, .. }
        | Finding::Unreadable { file, .. }
        | Finding::TooLong { file, .. }
        | Finding::Erasure { file, .. }
        | Finding::Key { file, .. } => Some(file.clone()),
        Finding::TileLength { tile, .. }
        | Finding::BundleCut { tile, .. }
        | Finding::BundleExtra { tile }
        | Finding::EntryHash { tile, .. }
        | Finding::TileHash { tile, .. }
        | Finding::Leaf { tile, .. } => Some(tile.to_string()),
        Finding::Order { .. }
        | Finding::Root { .. }
        | Finding::Rollback { .. }
        | Finding::Fork { .. }
        | Finding::Rewritten { .. } => None,
    }
}

/// The indexes of the entries that are not those that were hashed.
fn altered(findings: &[Finding]) -> Vec<u64> {
    let index = |finding: &Finding| match finding {
        Finding::EntryHash { index, .. } => Some(*index),
        _ => None,
    };
    findings.iter().filter_map(index).collect()
}

/// Changes the entries of a bundle.
fn rebundle(log: &mut Published, path: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let bundle = log.files.get_mut(path).unwrap();
    let mut read: Vec<Vec<u8>> = entries(bundle).map(|it| it.unwrap().to_owned()).collect();
    change(&mut read);
    bundle.clear();
    for entry in read {
        push_entry(bundle, &entry).unwrap();
    }
}

#[test]
fn every_file_that_is_missing_is_named_and_nothing_else() {
    for size in [1, 256, 600] {
        let log = Published::new(size);
        for path in log.files.keys() {
            let mut damaged = log.clone();
            damaged.files.remove(path);
            let (summary, findings) = damaged.check();
            let [Finding::Missing { file, entries }] = findings.as_slice() else {
                panic!("{path}: {findings:?}");
            };
            let (first, end) = path.parse::<Tile>().unwrap().covers();
            assert_eq!((file, entries), (path, &(first..end)));
            // The hashes alone still lead to the signed root.
            assert!(summary.root_holds, "{path} of {size}");
        }
    }
}

#[test]
fn all_that_is_missing_is_named() {
    let log = Published::new(2000);
    for kept in 0..log.files.len() {
        let mut damaged = log.clone();
        let gone: Vec<String> = log.files.keys().skip(kept).cloned().collect();
        for path in &gone {
            damaged.files.remove(path);
        }
        let (summary, findings) = damaged.check();
        assert!(findings.iter().all(Finding::is_absence), "{findings:?}");
        let found: Vec<String> = findings.iter().filter_map(file).collect();
        let is_found = |path: &&String| found.contains(path);
        assert_eq!(
            gone.iter().filter(is_found).count(),
            gone.len(),
            "{gone:?} {found:?}"
        );
        assert_eq!(found.len(), gone.len());
        let bundles_and_hashes_gone = kept == 0;
        assert!(!(bundles_and_hashes_gone && summary.root_holds));
    }
}

#[test]
fn bundles_below_what_was_pruned_need_not_be_there_but_their_hashes_must() {
    let mut log = Published::new(1000);
    for path in ["tile/entries/000", "tile/entries/001"] {
        log.files.remove(path);
    }
    let check = |log: &Published, below: u64| {
        let (mut check, mut findings) = (LogCheck::new(log.head(1000)), Vec::new());
        check.prune(below);
        while check.step(log, &mut findings) {}
        (check.finish(&mut findings), findings)
    };
    for below in [512, 600, 767] {
        let (summary, findings) = check(&log, below);
        assert!(findings.is_empty(), "{findings:?}");
        assert!(summary.root_holds && summary.entries == 1000 - 512);
        assert_eq!(summary.pruned, 512);
    }
    // What is not wholly below must be there.
    let (_, findings) = check(&log, 511);
    assert_eq!(
        findings.iter().filter_map(file).collect::<Vec<_>>(),
        ["tile/entries/001"]
    );
    // What is there all the same is verified.
    let mut damaged = log.clone();
    damaged.files.get_mut("tile/entries/002").unwrap()[70] ^= 1;
    let (summary, findings) = check(&damaged, 1000);
    assert!(summary.pruned == 512 && !findings.is_empty());
    log.files.get_mut("tile/0/001").unwrap()[70] ^= 1;
    let (summary, findings) = check(&log, 600);
    assert!(!summary.root_holds && !findings.is_empty());
}

/// The last bundles and tiles taken away, as when an old copy was put back beside a new checkpoint.
#[test]
fn a_log_that_was_cut_is_never_a_smaller_log_that_holds() {
    let log = Published::new(1000);
    let older = Published::new(700);
    let (summary, findings) = older.check_under(log.head(1000), &[], None);
    assert!(!findings.is_empty());
    assert!(!summary.root_holds, "{findings:?}");
    assert!(findings.iter().any(Finding::is_absence));
}

#[test]
fn entries_that_were_swapped_doubled_or_dropped_are_found_by_index() {
    let log = Published::new(600);
    let path = "tile/entries/001";
    let swapped = |log: &mut Published| rebundle(log, path, |it| it.swap(3, 200));
    let doubled = |log: &mut Published| rebundle(log, path, |it| it.insert(10, it[10].clone()));
    let dropped = |log: &mut Published| rebundle(log, path, |it| drop(it.remove(10)));

    let mut damaged = log.clone();
    swapped(&mut damaged);
    let (summary, findings) = damaged.check();
    assert_eq!(altered(&findings), [256 + 3, 256 + 200]);
    assert!(findings.len() == 2 && summary.root_holds && summary.entries == 598);

    let mut damaged = log.clone();
    doubled(&mut damaged);
    let (_, findings) = damaged.check();
    assert!(matches!(&findings[0], Finding::BundleExtra { tile } if tile.to_string() == path));
    assert_eq!(altered(&findings), (256 + 11..512).collect::<Vec<_>>());

    let mut damaged = log.clone();
    dropped(&mut damaged);
    let (_, findings) = damaged.check();
    assert!(
        matches!(&findings[0], Finding::BundleCut { index: 511, .. }),
        "{findings:?}"
    );
    assert_eq!(altered(&findings), (256 + 10..511).collect::<Vec<_>>());
}

/// Two bundles change places, with their tiles of hashes or without.
#[test]
fn bundles_that_were_swapped_are_found() {
    let mut log = Published::new(1000);
    let swap = |log: &mut Published, a: &str, b: &str| {
        let (a_bytes, b_bytes) = (log.files[a].clone(), log.files[b].clone());
        log.files.insert(a.to_owned(), b_bytes);
        log.files.insert(b.to_owned(), a_bytes);
    };
    swap(&mut log, "tile/entries/000", "tile/entries/002");
    let (summary, findings) = log.check();
    assert_eq!(altered(&findings).len(), 512);
    assert!(summary.root_holds);
    swap(&mut log, "tile/0/000", "tile/0/002");
    let (summary, findings) = log.check();
    assert!(!summary.root_holds);
    let at_level_1 = |it: &Finding| match it {
        Finding::TileHash { tile, at, .. } => (tile.kind() == Kind::Hashes(1)).then_some(*at),
        _ => None,
    };
    let places: Vec<u64> = findings.iter().filter_map(at_level_1).collect();
    assert_eq!(places, [0, 2]);
    assert!(findings.iter().any(|it| matches!(it, Finding::Root { .. })));
    assert!(
        findings
            .iter()
            .any(|it| matches!(it, Finding::Order { index: 256, .. }))
    );
}

#[test]
fn a_bad_hash_is_told_from_a_bad_entry_by_what_lies_above() {
    let log = Published::new(600);
    for (path, is_entry) in [
        ("tile/0/001", false),
        ("tile/entries/001", true),
        ("tile/0/002.p/88", false),
        ("tile/entries/002.p/88", true),
        ("tile/1/000.p/2", false),
    ] {
        let mut damaged = log.clone();
        let bytes = damaged.files.get_mut(path).unwrap();
        bytes[37] ^= 4;
        let (summary, findings) = damaged.check();
        assert!(summary.root_holds, "{path}: {findings:?}");
        let [finding] = findings.as_slice() else {
            panic!("{path}: {findings:?}");
        };
        assert_eq!(file(finding).as_deref(), Some(path));
        match finding {
            Finding::EntryHash { .. } => assert!(is_entry),
            Finding::TileHash { at, .. } => assert!(!is_entry && *at == 1),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn entries_that_are_no_leaves_and_times_that_go_back_are_found() {
    let mut entries: Vec<Vec<u8>> = (0..600).map(|index| leaf(index).encode()).collect();
    entries[257] = b"not a leaf".to_vec();
    let mut back = leaf(400);
    back.at_ms -= 1000;
    entries[400] = back.encode();
    let (summary, findings) = Published::of(entries).check();
    assert!(summary.root_holds && summary.entries == 599);
    let [
        Finding::Leaf { index: 257, .. },
        Finding::Order {
            index: 400,
            before,
            at,
        },
    ] = findings.as_slice()
    else {
        panic!("{findings:?}");
    };
    assert_eq!((*before, *at), (leaf(399).at_ms, leaf(400).at_ms - 1000));
}

#[test]
fn a_file_that_is_longer_than_any_is_not_read_into_memory() {
    let mut log = Published::new(600);
    for path in ["tile/0/000", "tile/1/000.p/2"] {
        log.files.insert(path.to_owned(), vec![0; Tile::LEN + 1]);
    }
    let (_, findings) = log.check();
    let endless = |it: &&Finding| matches!(it, Finding::TooLong { .. });
    assert_eq!(findings.iter().filter(endless).count(), 2);
    assert!(!findings.iter().any(Finding::is_absence));
}

#[test]
fn damage_in_many_places_is_found_in_all_of_them() {
    let mut log = Published::new(3000);
    for path in [
        "tile/entries/002",
        "tile/entries/009",
        "tile/0/004",
        "tile/1/000.p/11",
    ] {
        log.files.get_mut(path).unwrap()[40] ^= 1;
    }
    log.files.remove("tile/entries/005");
    log.files.remove("tile/0/007");
    let (summary, findings) = log.check();
    let named: Vec<String> = findings.iter().filter_map(file).collect();
    assert_eq!(
        named,
        [
            "tile/1/000.p/11",
            "tile/entries/002",
            "tile/0/004",
            "tile/entries/005",
            "tile/0/007",
            "tile/entries/009"
        ],
        "{findings:?}"
    );
    assert!(summary.root_holds);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Row 4 of the fault list: any bit, in any file.
    #[test]
    fn a_bit_that_flips_in_any_file_is_found_there(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        bit in 0..8u32,
    ) {
        let mut log = Published::new(600);
        let path = which.get(&log.files.keys().cloned().collect::<Vec<_>>()).clone();
        let bytes = log.files.get_mut(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let (summary, findings) = log.check();
        prop_assert!(!findings.is_empty());
        prop_assert!(summary.root_holds, "{:?}", findings);
        for finding in &findings {
            prop_assert_eq!(file(finding), Some(path.clone()));
        }
    }

    /// Files of any length and content, beside a checkpoint of any root: no panic, and never said to hold.
    #[test]
    fn whatever_stands_in_the_files_does_not_hold(
        size in 1..1100u64,
        files in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..600)), 1..6),
    ) {
        let mut log = Published::new(size);
        let paths: Vec<String> = log.files.keys().cloned().collect();
        for (which, bytes) in files {
            log.files.insert(which.get(&paths).clone(), bytes);
        }
        let (_, findings) = log.check();
        prop_assert!(!findings.is_empty());
        let mut other = log.head(size);
        other.root = Hash::new([9; 32]);
        let (summary, _) = log.check_under(other, &[], None);
        prop_assert!(!summary.root_holds);
    }
}
