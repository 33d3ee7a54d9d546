//! Destroying keys: gone from memory and from disk, and never back.

use std::fs;

use schakel_audit::leaf::RetentionClass;
use schakel_store::keyring::{Keyring, KeyringError};

use super::{block, month, open, ready, shards};
use crate::store::support::data;

#[test]
fn a_destroyed_key_is_gone_from_memory_and_from_disk() {
    let dir = data();
    let keyring = ready(dir.path());
    let [gone, kept] = [(); 2].map(|()| keyring.take_slot().unwrap());
    let key = keyring.key(kept).unwrap();
    keyring.destroy_slot(gone).unwrap();
    assert!(matches!(keyring.key(gone), Err(KeyringError::Gone)));
    keyring.destroy_slot(gone).unwrap();
    drop(keyring);
    let keyring = open(dir.path());
    assert!(matches!(keyring.key(gone), Err(KeyringError::Gone)));
    assert_eq!(keyring.key(kept).unwrap(), key);
    // The log still binds it: that it is destroyed is no reason not to start, nor to use it again.
    keyring.mark_used(gone);
    keyring.ready().unwrap();
}

#[test]
fn a_destroyed_slot_is_never_given_out() {
    let dir = data();
    let keyring = ready(dir.path());
    let gone = keyring.take_slot().unwrap();
    keyring.destroy_slot(gone).unwrap();
    drop(keyring);
    let keyring = ready(dir.path());
    for _ in 0..5_000 {
        assert_ne!(keyring.take_slot().unwrap(), gone);
    }
}

#[test]
fn a_destruction_that_did_not_reach_the_disk_is_not_reported_as_done_later() {
    let dir = data();
    let keyring = ready(dir.path());
    let slot = keyring.take_slot().unwrap();
    let blocks: Vec<_> = shards(dir.path())
        .iter()
        .map(|shard| block(shard))
        .collect();
    assert!(keyring.destroy_slot(slot).is_err());
    assert!(
        matches!(keyring.key(slot), Err(KeyringError::Gone)),
        "unusable at once all the same"
    );
    assert!(keyring.destroy_slot(slot).is_err(), "still on disk");
    for block in &blocks {
        fs::remove_dir(block).unwrap();
    }
    keyring.destroy_slot(slot).unwrap();
    drop(keyring);
    assert!(matches!(
        open(dir.path()).key(slot),
        Err(KeyringError::Gone)
    ));
}

#[test]
fn a_destroyed_month_is_gone_and_does_not_come_back() {
    let dir = data();
    let keyring = ready(dir.path());
    let (standard, care) = (RetentionClass::Standard, RetentionClass::Care);
    let kept = keyring.month(care, month(203_101)).unwrap();
    keyring.month(standard, month(203_101)).unwrap();
    keyring.destroy_month(standard, month(203_101)).unwrap();
    let check = |keyring: &Keyring| {
        let gone = |key| matches!(key, Err(KeyringError::Gone));
        assert!(gone(keyring.existing_month(standard, month(203_101))));
        assert!(gone(keyring.month(standard, month(203_101))), "made again");
        assert_eq!(keyring.month(care, month(203_101)).unwrap(), kept);
    };
    check(&keyring);
    drop(keyring);
    check(&open(dir.path()));
}

#[test]
fn a_month_can_be_destroyed_before_it_was_used() {
    let dir = data();
    let keyring = ready(dir.path());
    keyring
        .destroy_month(RetentionClass::Care, month(203_101))
        .unwrap();
    let made = keyring.month(RetentionClass::Care, month(203_101));
    assert!(matches!(made, Err(KeyringError::Gone)));
}
