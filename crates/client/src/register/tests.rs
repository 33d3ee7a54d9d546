use schakel_audit::leaf::RetentionClass;

use super::*;

fn receipt(index: u64, at_ms: u64, kind: EntryType) -> v1::Receipt {
    let leaf = Leaf {
        entry_type: kind,
        at_ms,
        party: "wonen-zuid".to_owned(),
        transport: None,
        purpose: None,
        id: [index.to_le_bytes()[0]; 16],
        commitment: [1; 32],
        released: None,
        subject_tag: None,
        class: RetentionClass::Permanent,
        destroy: None,
        rules: None,
    };
    v1::Receipt {
        index,
        leaf: leaf.encode().into(),
        hashes: vec![vec![2; 32].into()],
        checkpoint: format!("log.example\n{}\nroot\n", index + 1).into(),
    }
}

fn disclosure(index: u64) -> v1::Receipt {
    receipt(index, index * 10, EntryType::Disclosure)
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("receipts");
    (dir, path)
}

fn indexes(register: &Register) -> Vec<u64> {
    let held = register.handed_over(&(0..u64::MAX));
    held.iter().map(|held| held.index).collect()
}

#[test]
fn what_was_kept_is_there_when_it_is_opened_again_and_once() {
    let (_dir, path) = place();
    let register = Register::open(&path).unwrap();
    assert!(register.is_empty() && register.newest_checkpoint().unwrap().is_none());
    register.keep(&[disclosure(3), disclosure(1)]).unwrap();
    register.keep(&[disclosure(3), disclosure(7)]).unwrap();
    register.keep(&[receipt(9, 5, EntryType::Consent)]).unwrap();
    drop(register);
    let register = Register::open(&path).unwrap();
    assert_eq!(register.len(), 4);
    assert_eq!(
        indexes(&register),
        [1, 3, 7],
        "a consent is not handed over"
    );
    assert_eq!(
        register.handed_over(&(10..30)).len(),
        1,
        "the end is not inside"
    );
    let leaf = leaf_hash(&disclosure(3).leaf);
    assert_eq!(register.receipt(3, leaf).unwrap(), Some(disclosure(3)));
    assert_eq!(register.receipt(4, leaf).unwrap(), None);
    let newest = register.newest_checkpoint().unwrap().unwrap();
    assert!(newest.starts_with("log.example\n10\n"), "{newest}");
}

/// It holds the entries of everything that the party did.
#[test]
fn a_register_is_for_its_owner_alone() {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    let (_dir, path) = place();
    drop(Register::open(&path).unwrap());
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn two_leaves_at_one_index_are_both_kept() {
    let (_dir, path) = place();
    let register = Register::open(&path).unwrap();
    register
        .keep(&[disclosure(3), receipt(3, 31, EntryType::Disclosure)])
        .unwrap();
    assert_eq!(indexes(&register), [3, 3]);
}

/// Whatever part of the last batch came to disk: the receipts before it are there, all of them, and it goes on.
#[test]
fn a_batch_cut_anywhere_loses_nothing_that_was_kept_before() {
    let (_dir, path) = place();
    let register = Register::open(&path).unwrap();
    register.keep(&[disclosure(1), disclosure(2)]).unwrap();
    let before = std::fs::metadata(&path).unwrap().len();
    register.keep(&[disclosure(3), disclosure(4)]).unwrap();
    drop(register);
    let bytes = std::fs::read(&path).unwrap();
    let before = usize::try_from(before).unwrap();
    for cut in before..bytes.len() {
        for zeros in [false, true] {
            let mut torn = bytes[..cut].to_vec();
            if zeros {
                torn.resize(bytes.len(), 0);
            }
            std::fs::write(&path, &torn).unwrap();
            let register = Register::open(&path).unwrap();
            // The last bytes may be zeros themselves.
            if torn != bytes {
                assert_eq!(indexes(&register), [1, 2], "cut at {cut}");
            }
            register.keep(&[disclosure(5)]).unwrap();
            drop(register);
            let again = Register::open(&path).unwrap();
            assert_eq!(indexes(&again).last(), Some(&5));
        }
    }
}

#[test]
fn a_file_cut_in_its_first_line_is_begun_again() {
    let (_dir, path) = place();
    for cut in 0..MAGIC.len() {
        std::fs::write(&path, &MAGIC[..cut]).unwrap();
        Register::open(&path)
            .unwrap()
            .keep(&[disclosure(1)])
            .unwrap();
        assert_eq!(indexes(&Register::open(&path).unwrap()), [1]);
    }
}

#[test]
fn damage_before_the_end_is_said_with_its_place_and_nothing_is_cut() {
    let (_dir, path) = place();
    let register = Register::open(&path).unwrap();
    register.keep(&[disclosure(1)]).unwrap();
    register.keep(&[disclosure(2)]).unwrap();
    drop(register);
    let bytes = std::fs::read(&path).unwrap();
    let first = MAGIC.len()..MAGIC.len() + (bytes.len() - MAGIC.len()) / 2;
    for at in first.clone() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&path, &damaged).unwrap();
        match Register::open(&path) {
            Err(RegisterError::Damaged { at, .. }) => assert_eq!(at, first.start as u64),
            other => panic!("{other:?}"),
        }
        assert_eq!(std::fs::read(&path).unwrap(), damaged);
    }
}

#[test]
fn another_file_or_one_that_is_open_is_refused() {
    let (_dir, path) = place();
    std::fs::write(&path, "something else").unwrap();
    let refused = Register::open(&path).unwrap_err();
    assert!(matches!(refused, RegisterError::Foreign(_)), "{refused}");
    std::fs::remove_file(&path).unwrap();
    let _held = Register::open(&path).unwrap();
    let refused = Register::open(&path).unwrap_err();
    assert!(matches!(refused, RegisterError::Open(_)), "{refused}");
}

#[test]
fn what_is_no_receipt_is_not_kept() {
    let (_dir, path) = place();
    let register = Register::open(&path).unwrap();
    let mut wrong = disclosure(1);
    wrong.leaf = vec![1, 2, 3].into();
    assert!(matches!(
        register.keep(&[wrong]),
        Err(RegisterError::Receipt)
    ));
    assert!(register.is_empty());
}
