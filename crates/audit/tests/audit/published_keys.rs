//! The succession of checkpoint keys, read from a published log: every word of it proved to stand there.

use schakel_audit::{
    checkpoint::Checkpoint,
    commitment::commit,
    erasure::Opened,
    leaf::{EntryType, Leaf, RetentionClass},
    published::{Finding, KeyFault, key_statements},
    succession::{Statement, Turn, leaf_path, path},
};

use super::{
    published::{Published, leaf},
    succession::{details, life, pinned, says, seeds},
};

const BLIND: [u8; 32] = [5; 32];
/// Where the statements of a whole life stand.
const AT: [u64; 5] = [0, 300, 301, 700, 999];

/// A log of 1000 entries that says these things of its keys, and the files with them opened.
fn log(said: &[(u64, Statement)]) -> Published {
    log_of(said.iter().map(|(index, statement)| {
        let (note, vkey) = (statement.to_string(), statement.key().to_string());
        let details = details(&note, &vkey, statement.turn() == Turn::InUse);
        (*index, details)
    }))
}

/// A log of 1000 entries with these details in entries about keys.
fn log_of(said: impl Iterator<Item = (u64, Vec<u8>)>) -> Published {
    let mut entries: Vec<_> = (0..1000).map(|index| leaf(index).encode()).collect();
    let mut files = Vec::new();
    for (index, details) in said {
        let leaf = Leaf {
            entry_type: EntryType::Key,
            commitment: commit(&BLIND, &details),
            class: RetentionClass::Permanent,
            destroy: None,
            purpose: None,
            ..leaf(index)
        };
        entries[usize::try_from(index).unwrap()] = leaf.encode();
        let blind = BLIND;
        files.push((path(index), Opened { blind, details }.encode()));
    }
    let mut log = Published::of(entries);
    log.files.extend(files);
    log
}

fn whole() -> Published {
    log(&AT.into_iter().zip(life()).collect::<Vec<_>>())
}

fn read(log: &Published, under: &Checkpoint) -> (Vec<u64>, Vec<Finding>) {
    let mut findings = Vec::new();
    let said = key_statements(under, log, &mut findings);
    (said.iter().map(|(index, _)| *index).collect(), findings)
}

/// The one finding about a key, of entry 300.
fn fault(log: &Published) -> KeyFault {
    let (said, mut findings) = read(log, &log.head(1000));
    assert!(!said.contains(&300), "{said:?}");
    let at = findings
        .iter()
        .position(|it| matches!(it, Finding::Key { index: 300, .. }));
    match findings.swap_remove(at.unwrap_or_else(|| panic!("{findings:?}"))) {
        Finding::Key { fault, .. } => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_turn_is_proved_and_whichever_key_was_pinned_leads_to_the_last() {
    let log = whole();
    let (_, findings) = log.check();
    assert!(findings.is_empty(), "{findings:?}");
    for size in [1000, 768] {
        let (said, findings) = read(&log, &log.head(size));
        assert!(findings.is_empty(), "{findings:?}");
        // What is laid down already for a later checkpoint is passed over.
        let want: Vec<u64> = AT.into_iter().filter(|at| *at < size).collect();
        assert_eq!(said, want);
    }
    for first in 1..=3 {
        let mut succession = pinned(first);
        let mut findings = Vec::new();
        for (_, statement) in key_statements(&log.head(1000), &log, &mut findings) {
            succession.follow(&statement).unwrap();
        }
        assert_eq!(seeds(succession.in_use()), [3], "pinned {first}");
    }
}

#[test]
fn a_turn_outlives_the_bundle_of_its_entry_by_its_leaf() {
    let mut log = whole();
    for bundle in ["tile/entries/000", "tile/entries/001"] {
        log.files.remove(bundle);
    }
    let (said, findings) = read(&log, &log.head(1000));
    assert_eq!(said, [700, 999]);
    assert!(findings.iter().all(Finding::is_absence), "{findings:?}");
    for at in [0, 300, 301] {
        let entry = log.entries[usize::try_from(at).unwrap()].clone();
        log.files.insert(leaf_path(at), entry);
    }
    let (said, findings) = read(&log, &log.head(1000));
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(said, AT);
    // The leaf counts for nothing unless the hashes lead from it to the root.
    log.files.get_mut(&leaf_path(300)).unwrap()[20] ^= 1;
    assert!(matches!(fault(&log), KeyFault::Unproved(_)));
}

#[test]
fn a_statement_that_the_log_does_not_hold_is_refused() {
    let honest = whole();
    let (first, second) = (path(300), path(301));
    // That of another entry.
    let mut other = honest.clone();
    other
        .files
        .insert(first.clone(), honest.files[&second].clone());
    assert!(matches!(fault(&other), KeyFault::Commitment));
    // One about a key of the forger's, beside an honest leaf.
    let forged = log(&[(300, says(Turn::InUse, 9, &[1, 9]))]);
    other
        .files
        .insert(first.clone(), forged.files[&first].clone());
    assert!(matches!(fault(&other), KeyFault::Commitment));
    // The same with a leaf of its own, which no hash leads from.
    let leaf = forged.entries[300].clone();
    other.files.insert(leaf_path(300), leaf);
    assert!(matches!(fault(&other), KeyFault::Unproved(_)));
    // Beside an entry that is about no key.
    let mut plain = Published::new(1000);
    plain
        .files
        .insert(first.clone(), honest.files[&first].clone());
    assert!(matches!(
        fault(&plain),
        KeyFault::Other(EntryType::Disclosure)
    ));
    // Cut, or with one bit turned over anywhere.
    for cut in [0, 31] {
        let mut bent = honest.clone();
        bent.files.get_mut(&first).unwrap().truncate(cut);
        assert!(matches!(fault(&bent), KeyFault::Short));
    }
    for at in 0..honest.files[&first].len() {
        let mut bent = honest.clone();
        bent.files.get_mut(&first).unwrap()[at] ^= 1;
        assert!(matches!(fault(&bent), KeyFault::Commitment), "byte {at}");
    }
}

#[test]
fn hashes_that_are_gone_or_altered_prove_nothing() {
    let mut gone = whole();
    gone.files.remove("tile/0/001");
    let (said, findings) = read(&gone, &gone.head(1000));
    let [Finding::Missing { file, .. }] = findings.as_slice() else {
        panic!("{findings:?}");
    };
    assert_eq!(
        (said.as_slice(), file.as_str()),
        (&[0, 700, 999][..], "tile/0/001")
    );
    let mut altered = whole();
    altered.files.get_mut("tile/0/001").unwrap()[40 * 32] ^= 1;
    assert!(matches!(fault(&altered), KeyFault::Unproved(_)));
}

#[test]
fn what_is_said_of_another_key_of_the_broker_is_passed_over() {
    let rotated = b"\xa1\x65event\x6aKekRotated".to_vec();
    let log = log_of([(300, rotated)].into_iter());
    let (said, findings) = read(&log, &log.head(1000));
    assert!(said.is_empty() && findings.is_empty(), "{findings:?}");
    // One about a checkpoint key that says nothing of it is none.
    let broken = b"\xa1\x65event\xa1\x6dCheckpointKey\xa0".to_vec();
    let log = log_of([(300, broken)].into_iter());
    assert!(matches!(fault(&log), KeyFault::Statement(_)));
}

#[test]
fn a_turn_that_is_kept_back_does_not_go_unseen() {
    let mut log = whole();
    let kept_back = path(301);
    log.files.remove(&kept_back);
    let (said, findings) = read(&log, &log.head(1000));
    assert!(findings.is_empty() && !said.contains(&301));
    let (_, findings) = log.check();
    let [Finding::Missing { file, entries }] = findings.as_slice() else {
        panic!("{findings:?}");
    };
    assert_eq!((file, entries), (&kept_back, &(301..302)));
}

#[test]
fn a_checkpoint_of_another_tree_takes_no_statement_with_it() {
    let log = whole();
    let mut under = log.head(1000);
    under.root = Published::new(1000).head(1000).root;
    let (said, findings) = read(&log, &under);
    assert!(said.is_empty());
    assert_eq!(findings.len(), AT.len());
}
