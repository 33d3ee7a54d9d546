//! Published logs that are whole, and those that were honestly rewritten by whoever has the key.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use ciborium::Value;
use schakel_audit::{
    checkpoint::Checkpoint,
    commitment::commit,
    erasure::{self, Opened},
    leaf::{EntryType, Leaf, Month, RetentionClass},
    published::{Erased, Files, Finding, LogCheck, Summary, Unread},
    succession,
    tile::{Kind, Tile, push_entry},
    tree::{Hash, Nodes as _, leaf_hash},
};

use super::support::Levels;

pub(crate) const ORIGIN: &str = "log.example/audit";
const BLIND: [u8; 32] = [3; 32];

/// A log and its files.
#[derive(Clone, Default)]
pub(crate) struct Published {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) entries: Vec<Vec<u8>>,
    /// The paths that were read.
    read: RefCell<Vec<String>>,
}

impl Files for Published {
    fn read(&self, path: &str, most: usize) -> Result<Vec<u8>, Unread> {
        self.read.borrow_mut().push(path.to_owned());
        match self.files.get(path) {
            Some(bytes) if bytes.len() > most => Err(Unread::TooLong),
            Some(bytes) => Ok(bytes.clone()),
            None => Err(Unread::Absent),
        }
    }

    fn key_entries(&self) -> Result<Vec<u64>, Unread> {
        let paths = self.files.keys();
        Ok(paths
            .filter_map(|path| succession::parse_path(path))
            .collect())
    }
}

impl Published {
    /// The log with these entries.
    pub(crate) fn of(entries: Vec<Vec<u8>>) -> Self {
        let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let levels = Levels::new(&hashes);
        let mut log = Self {
            entries,
            ..Self::default()
        };
        for tile in Tile::all(log.size()) {
            let mut bytes = Vec::new();
            for at in tile.first()..tile.first() + tile.width() {
                match tile.kind() {
                    Kind::Entries => {
                        push_entry(&mut bytes, &log.entries[usize::try_from(at).unwrap()]).unwrap();
                    }
                    Kind::Hashes(level) => {
                        let hash = levels.node(8 * level, at).unwrap();
                        bytes.extend_from_slice(hash.as_bytes());
                    }
                }
            }
            log.files.insert(tile.to_string(), bytes);
        }
        log
    }

    /// A log of so many entries, each of them another.
    pub(crate) fn new(size: u64) -> Self {
        Self::of((0..size).map(|index| leaf(index).encode()).collect())
    }

    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap()
    }

    /// The checkpoint of its first entries.
    pub(crate) fn head(&self, size: u64) -> Checkpoint {
        let entries = &self.entries[..usize::try_from(size).unwrap()];
        let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        Checkpoint {
            origin: ORIGIN.parse().unwrap(),
            size,
            root: Levels::new(&hashes).frontier.root(),
        }
    }

    pub(crate) fn check(&self) -> (Summary, Vec<Finding>) {
        self.check_under(self.head(self.size()), &[], None)
    }

    /// Verifies under a checkpoint, against those that are held, since one.
    pub(crate) fn check_under(
        &self,
        signed: Checkpoint,
        held: &[Checkpoint],
        since: Option<Checkpoint>,
    ) -> (Summary, Vec<Finding>) {
        let (size, mut findings) = (signed.size, Vec::new());
        let mut check = LogCheck::new(signed);
        for held in held {
            check.hold(held.clone(), &mut findings);
        }
        if let Some(since) = since {
            check.resume(since, self, &mut findings);
        }
        while check.step(self, &mut findings) {}
        assert_eq!(check.reached(), size);
        (check.finish(&mut findings), findings)
    }
}

pub(crate) fn leaf(index: u64) -> Leaf {
    Leaf {
        entry_type: EntryType::Disclosure,
        at_ms: 1_790_000_000_000 + index / 3,
        party: "wonen-zuid".into(),
        transport: None,
        purpose: Some(("P-ARRANGE-HOUSING".into(), 1)),
        id: u128::from(index).to_be_bytes(),
        commitment: [7; 32],
        released: None,
        subject_tag: None,
        class: RetentionClass::Standard,
        destroy: Some(Month::from_number(203_112).unwrap()),
        rules: None,
    }
}

/// An erasure entry and the file with its opened details.
fn erasure(index: u64, covers: Value) -> (Vec<u8>, Vec<u8>) {
    let text = |text: &str| Value::Text(text.to_owned());
    let rule = Value::Map(vec![
        (text("code"), text("RETENTION_OVER")),
        (text("law"), text("AVG 5(1)(e)")),
    ]);
    let erased = Value::Map(vec![(text("rule"), rule), (text("covers"), covers)]);
    let event = Value::Map(vec![(text("Erased"), erased)]);
    let mut details = Vec::new();
    ciborium::into_writer(&Value::Map(vec![(text("event"), event)]), &mut details).unwrap();
    let leaf = Leaf {
        entry_type: EntryType::Erasure,
        commitment: commit(&BLIND, &details),
        class: RetentionClass::Permanent,
        destroy: None,
        purpose: None,
        ..leaf(index)
    };
    let opened = Opened {
        blind: BLIND,
        details,
    };
    (leaf.encode(), opened.encode())
}

fn ranges(ranges: &[(u64, u64)]) -> Value {
    let pair = |(first, last): &(u64, u64)| Value::Array(vec![(*first).into(), (*last).into()]);
    let ranges = Value::Array(ranges.iter().map(pair).collect());
    Value::Map(vec![(Value::Text("Entries".into()), ranges)])
}

fn month(class: u64, month: u64) -> Value {
    let text = |text: &str| Value::Text(text.to_owned());
    let both = vec![(text("class"), class.into()), (text("month"), month.into())];
    Value::Map(vec![(text("Month"), Value::Map(both))])
}

/// A log whose entry 300 erases what `covers` says.
fn erased(covers: Value) -> Published {
    let mut entries: Vec<_> = (0..400).map(|index| leaf(index).encode()).collect();
    let (leaf, file) = erasure(300, covers);
    entries[300] = leaf;
    let mut log = Published::of(entries);
    log.files.insert(erasure::path(300), file);
    log
}

#[test]
fn a_whole_log_holds_at_every_size() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 600, 65_536 + 300] {
        let log = Published::new(size);
        let (summary, findings) = log.check();
        assert!(findings.is_empty(), "{size}: {findings:?}");
        assert!(summary.root_holds && summary.entries == size, "{summary:?}");
        // Every file was read, and each once.
        let mut read = log.read.take();
        read.sort();
        assert_eq!(read, log.files.keys().cloned().collect::<Vec<_>>());
    }
}

#[test]
fn a_log_is_verified_under_an_earlier_checkpoint_from_the_full_tiles_of_today() {
    for size in [1, 255, 256, 300, 512, 599] {
        let (mut log, then) = (Published::new(600), Published::new(size));
        // What has become full takes the place of what was partial then.
        for (path, bytes) in then.files {
            let tile: Tile = path.parse().unwrap();
            let full = tile.filled().unwrap().to_string();
            if !log.files.contains_key(&full) {
                log.files.insert(path, bytes);
            }
        }
        let (summary, findings) = log.check_under(log.head(size), &[], None);
        assert!(findings.is_empty(), "{size}: {findings:?}");
        assert!(summary.root_holds && summary.entries == size);
    }
}

#[test]
fn what_was_erased_is_counted_by_its_rule() {
    let rule = ("RETENTION_OVER".to_owned(), "AVG 5(1)(e)".to_owned());
    for (covers, entries) in [
        (ranges(&[(0, 9), (20, 20), (200, 299)]), 111),
        (ranges(&[]), 0),
        (month(2, 203_112), 300),
        (month(3, 203_112), 0),
    ] {
        let (summary, findings) = erased(covers).check();
        assert!(findings.is_empty(), "{findings:?}");
        let want = Erased {
            erasures: 1,
            entries,
        };
        assert_eq!(summary.erased.get(&rule), Some(&want));
    }
}

#[test]
fn an_erasure_that_does_not_say_what_it_covers_is_found() {
    let mut log = erased(ranges(&[(0, 9)]));
    let path = erasure::path(300);
    let file = log.files.remove(&path).unwrap();
    let (summary, findings) = log.check();
    assert!(summary.root_holds && summary.erased.is_empty());
    let [
        Finding::Missing {
            file: missing,
            entries,
        },
    ] = findings.as_slice()
    else {
        panic!("{findings:?}");
    };
    assert_eq!((missing, entries), (&path, &(300..301)));

    for at in 0..file.len() {
        let mut bent = file.clone();
        bent[at] ^= 1;
        log.files.insert(path.clone(), bent);
        let (_, findings) = log.check();
        assert!(matches!(
            findings.as_slice(),
            [Finding::Erasure { index: 300, .. }]
        ));
    }
    for cut in [0, 5, 31, 32, file.len() - 1] {
        log.files.insert(path.clone(), file[..cut].to_owned());
        let (_, findings) = log.check();
        assert!(matches!(
            findings.as_slice(),
            [Finding::Erasure { index: 300, .. }]
        ));
    }
    for covers in [
        ranges(&[(0, 300)]),
        ranges(&[(301, 302)]),
        ranges(&[(7, 3)]),
        month(1, 203_112),
    ] {
        let (_, findings) = erased(covers).check();
        assert!(matches!(
            findings.as_slice(),
            [Finding::Erasure { index: 300, .. }]
        ));
    }
}

#[test]
fn a_log_that_grew_extends_every_checkpoint_held() {
    let log = Published::new(1000);
    let held: Vec<_> = [0, 1, 255, 256, 257, 999, 1000, 256]
        .map(|size| log.head(size))
        .into();
    let (summary, findings) = log.check_under(log.head(1000), &held, None);
    assert!(findings.is_empty(), "{findings:?}");
    let mut sizes: Vec<u64> = summary.extended.iter().map(|it| it.size).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [0, 1, 255, 256, 256, 257, 999, 1000]);
}

#[test]
fn a_log_that_is_smaller_than_a_checkpoint_held_was_rolled_back() {
    let log = Published::new(300);
    let newer = Published::new(400).head(400);
    let (summary, findings) = log.check_under(log.head(300), &[newer], None);
    let [Finding::Rollback { held }] = findings.as_slice() else {
        panic!("{findings:?}");
    };
    assert_eq!((held.size, summary.root_holds), (400, true));
}

/// The log with one entry rewritten, every hash above it made anew, and all of it signed by the log's own
/// key: nothing inside can tell, what is held from elsewhere does.
#[test]
fn what_an_insider_rewrote_is_found_by_what_others_hold() {
    let log = Published::new(700);
    let mut entries = log.entries.clone();
    let mut other = leaf(300);
    other.party = "elsewhere".to_owned();
    entries[300] = other.encode();
    let rewritten = Published::of(entries);
    let (summary, findings) = rewritten.check();
    assert!(findings.is_empty() && summary.root_holds, "{findings:?}");

    for size in 1..=700 {
        let held = log.head(size);
        let signed = rewritten.head(700);
        let (summary, findings) = rewritten.check_under(signed, std::slice::from_ref(&held), None);
        match findings.as_slice() {
            [] => assert!(size <= 300 && summary.extended == [held]),
            [
                Finding::Rewritten {
                    held: it, computed, ..
                },
            ] => {
                assert!(300 < size && size < 700 && *it == held);
                assert_eq!(*computed, Some(rewritten.head(size).root));
            }
            [Finding::Fork { held: it, .. }] => assert!(size == 700 && *it == held),
            other => panic!("{size}: {other:?}"),
        }
    }
}

#[test]
fn a_log_is_verified_from_where_it_was_verified_before() {
    let log = Published::new(70_000);
    let signed = log.head(70_000);
    for since in [1, 256, 257, 65_536, 65_537, 69_999, 70_000] {
        log.read.take();
        let held = [log.head(1), log.head(255.min(since)), log.head(since)];
        let (summary, findings) = log.check_under(signed.clone(), &held, Some(log.head(since)));
        assert!(findings.is_empty(), "{since}: {findings:?}");
        assert!(summary.root_holds);
        assert_eq!(summary.extended.len(), 4, "{since}");
        let from = (since - 1) / 256 * 256;
        assert_eq!((summary.from, summary.entries), (from, 70_000 - from));
        let bundles = log.read.take();
        let bundles: BTreeSet<_> = bundles.iter().filter(|it| it.contains("entries")).collect();
        assert_eq!(u64::try_from(bundles.len()).unwrap(), 274 - from / 256);
    }
}

#[test]
fn a_log_that_does_not_go_on_from_where_it_was_verified_is_found() {
    let log = Published::new(700);
    let mut entries = log.entries.clone();
    entries.swap(10, 11);
    let rewritten = Published::of(entries);
    let signed = rewritten.head(700);
    for since in [20, 256, 300, 512, 600, 699] {
        let (_, findings) = rewritten.check_under(signed.clone(), &[], Some(log.head(since)));
        let found =
            |it: &Finding| matches!(it, Finding::Rewritten { held, .. } if held.size == since);
        assert!(findings.iter().any(found), "{since}: {findings:?}");
    }
    // What was held before goes by the checkpoint since which is verified, whatever the tiles say now.
    let (_, findings) =
        rewritten.check_under(signed.clone(), &[log.head(100)], Some(rewritten.head(600)));
    assert!(
        matches!(
            findings.as_slice(),
            [Finding::Rewritten { computed: None, .. }]
        ),
        "{findings:?}"
    );
    let larger = Published::new(800).head(800);
    let (_, findings) = log.check_under(log.head(700), &[], Some(larger));
    assert!(
        matches!(findings.as_slice(), [Finding::Rollback { .. }]),
        "{findings:?}"
    );
}
