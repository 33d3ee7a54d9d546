//! The keys of months and of the view, and the tags that are made with keys.

use std::fs;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use schakel_audit::leaf::RetentionClass;

use super::{block, month, open, ready};
use crate::store::support::data;

#[test]
fn a_month_key_that_did_not_reach_the_disk_is_not_used() {
    let dir = data();
    let keyring = ready(dir.path());
    let block = block(&dir.path().join("months.keys"));
    for _ in 0..2 {
        assert!(
            keyring
                .month(RetentionClass::Standard, month(203_101))
                .is_err()
        );
        assert!(keyring.unknown(month(203_101)).is_err());
        assert!(keyring.view_key().is_err());
    }
    fs::remove_dir(block).unwrap();
    let key = keyring
        .month(RetentionClass::Standard, month(203_101))
        .unwrap();
    let unknown = keyring.unknown(month(203_101)).unwrap();
    let view = keyring.view_key().unwrap();
    drop(keyring);
    let keyring = open(dir.path());
    assert_eq!(
        keyring
            .existing_month(RetentionClass::Standard, month(203_101))
            .unwrap(),
        key
    );
    assert_eq!(keyring.unknown(month(203_101)).unwrap(), unknown);
    assert_eq!(keyring.key(unknown.0).unwrap(), unknown.1);
    assert_eq!(keyring.view_key().unwrap(), view);
}

#[test]
fn each_class_and_month_has_a_key_of_its_own() {
    let dir = data();
    let keyring = ready(dir.path());
    let mut keys = Vec::new();
    for number in [203_101, 203_102] {
        for class in [RetentionClass::Standard, RetentionClass::Care] {
            keys.push(keyring.month(class, month(number)).unwrap());
            assert_eq!(
                keyring.month(class, month(number)).unwrap(),
                *keys.last().unwrap()
            );
        }
        keys.push(keyring.unknown(month(number)).unwrap().1);
    }
    keys.push(keyring.view_key().unwrap());
    let mut different: Vec<_> = keys.iter().map(|key| **key).collect();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), 7);
}

#[test]
fn a_new_view_key_replaces_the_old_one_for_good() {
    let dir = data();
    let keyring = ready(dir.path());
    let old = keyring.view_key().unwrap();
    let new = keyring.new_view_key().unwrap();
    assert_ne!(old, new);
    drop(keyring);
    assert_eq!(open(dir.path()).view_key().unwrap(), new);
}

#[test]
fn tags_tell_persons_parties_and_months_apart() {
    let dir = data();
    let keyring = ready(dir.path());
    let [one, two] = [(); 2].map(|()| keyring.take_slot().unwrap());
    let party = |id: &str| id.parse().unwrap();
    let tag = |slot, id: &str, number| keyring.tag(slot, &party(id), month(number)).unwrap();
    let tags = [
        tag(one, "gemeente-a", 202_611),
        tag(two, "gemeente-a", 202_611),
        tag(one, "gemeente-b", 202_611),
        tag(one, "gemeente-a", 202_612),
    ];
    for (at, tag) in tags.iter().enumerate() {
        assert!(!tags[at + 1..].contains(tag));
    }
    assert_eq!(tags[0], tag(one, "gemeente-a", 202_611));
    // By the definition: HMAC-SHA256 under HKDF of the slot's key.
    let extracted = sign(
        &Key::new(HMAC_SHA256, &[]),
        keyring.key(one).unwrap().as_slice(),
    );
    let expanded = sign(
        &Key::new(HMAC_SHA256, extracted.as_ref()),
        b"schakel/tag/v1\x01",
    );
    let want = sign(
        &Key::new(HMAC_SHA256, expanded.as_ref()),
        b"gemeente-a\x00202611",
    );
    assert_eq!(tags[0], want.as_ref()[..16]);
    keyring.destroy_slot(one).unwrap();
    assert!(
        keyring
            .tag(one, &party("gemeente-a"), month(202_611))
            .is_err()
    );
}
