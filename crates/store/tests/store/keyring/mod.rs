//! The keyring: what is on disk before it is used, what is gone for good, and what refuses to open.

mod destroying;
mod files;
mod months;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use schakel_audit::leaf::Month;
use schakel_core::id::SlotId;
use schakel_store::keyring::{Kek, Keyring, KeyringError};

use super::support::{Counting, Seeded, data, snapshot};

const KEK: [u8; 32] = [7; 32];

pub(crate) fn open(dir: &Path) -> Arc<Keyring> {
    try_open(dir, KEK).unwrap()
}

fn try_open(dir: &Path, kek: [u8; 32]) -> Result<Arc<Keyring>, KeyringError> {
    // Other bytes for each keyring, as the operating system would give.
    static SEED: AtomicU64 = AtomicU64::new(0);
    let random = Seeded(SEED.fetch_add(1, Ordering::Relaxed) << 32);
    Keyring::open(dir, Kek::from_bytes(kek), Box::new(random))
}

/// A keyring whose pool is open.
pub(crate) fn ready(dir: &Path) -> Arc<Keyring> {
    let keyring = open(dir);
    keyring.ready().unwrap();
    keyring
}

fn month(number: u64) -> Month {
    Month::from_number(number).unwrap()
}

fn shards(dir: &Path) -> Vec<PathBuf> {
    let files = snapshot(dir).into_iter().map(|(path, _)| path);
    files
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("slots-")
        })
        .collect()
}

/// Puts a directory where the unfinished form of a file would be written, so that it cannot be.
fn block(file: &Path) -> PathBuf {
    let unfinished = file.with_added_extension("tmp");
    fs::create_dir(&unfinished).unwrap();
    unfinished
}

#[test]
fn a_slot_is_on_disk_before_it_is_given_out() {
    let dir = data();
    let keyring = ready(dir.path());
    let slots: Vec<SlotId> = (0..5_000).map(|_| keyring.take_slot().unwrap()).collect();
    let copy = super::support::copy(dir.path());
    let other = open(copy.path());
    for slot in &slots {
        assert_eq!(other.key(*slot).unwrap(), keyring.key(*slot).unwrap());
    }
    let mut different = slots.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), slots.len());
}

#[test]
fn a_slot_that_the_log_binds_is_never_given_out_again() {
    let dir = data();
    let keyring = ready(dir.path());
    let used: Vec<_> = (0..10).map(|_| keyring.take_slot().unwrap()).collect();
    drop(keyring);
    let keyring = open(dir.path());
    for slot in &used {
        keyring.mark_used(*slot);
    }
    keyring.ready().unwrap();
    for _ in 0..9_000 {
        assert!(!used.contains(&keyring.take_slot().unwrap()));
    }
}

#[test]
fn a_keyring_that_lacks_a_key_the_log_binds_does_not_start() {
    let dir = data();
    let keyring = ready(dir.path());
    let slot = keyring.take_slot().unwrap();
    drop(keyring);
    let lost = data();
    let keyring = open(lost.path());
    keyring.mark_used(slot);
    let error = keyring.ready().unwrap_err();
    assert!(
        matches!(error, KeyringError::Missing(missing) if missing == slot),
        "{error}"
    );
    assert!(
        shards(lost.path()).is_empty(),
        "a keyring that is refused is not added to"
    );
}

/// A keyring whose randomness counts up.
pub(crate) fn counting(dir: &Path) -> Arc<Keyring> {
    Keyring::open(dir, Kek::from_bytes(KEK), Box::new(Counting(0))).unwrap()
}
