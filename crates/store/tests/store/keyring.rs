//! The keyring: what is on disk before it is used, what is gone for good, and what refuses to open.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use schakel_audit::leaf::{Month, RetentionClass};
use schakel_core::id::SlotId;
use schakel_store::keyring::{Kek, KekError, Keyring, KeyringError};

use super::support::{Counting, Seeded, data, hex, snapshot};

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
fn another_key_encryption_key_opens_nothing() {
    let dir = data();
    drop(ready(dir.path()));
    let mut other = KEK;
    other[31] ^= 1;
    let error = try_open(dir.path(), other).unwrap_err().to_string();
    assert!(
        error.contains("the key-encryption key is another"),
        "{error}"
    );
    open(dir.path());
}

#[test]
fn every_damaged_byte_of_a_file_is_noticed() {
    let dir = data();
    let keyring = open(dir.path());
    keyring
        .month(RetentionClass::Standard, month(203_101))
        .unwrap();
    drop(keyring);
    let path = dir.path().join("months.keys");
    let whole = fs::read(&path).unwrap();
    for byte in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[byte] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert!(try_open(dir.path(), KEK).is_err(), "byte {byte}");
    }
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        assert!(try_open(dir.path(), KEK).is_err(), "length {len}");
    }
    fs::write(&path, &whole).unwrap();
    open(dir.path());
}

#[test]
fn a_file_under_the_name_of_another_does_not_open() {
    let dir = data();
    let keyring = ready(dir.path());
    for _ in 0..5_000 {
        keyring.take_slot().unwrap();
    }
    drop(keyring);
    let shards = shards(dir.path());
    assert!(shards.len() > 1);
    fs::copy(&shards[0], &shards[1]).unwrap();
    assert!(try_open(dir.path(), KEK).is_err());
}

#[test]
fn a_write_torn_by_a_crash_is_ignored_and_removed() {
    let dir = data();
    let keyring = ready(dir.path());
    let slot = keyring.take_slot().unwrap();
    let key = keyring.key(slot).unwrap();
    drop(keyring);
    for name in [
        "slots-00000000.keys.tmp",
        "slots-00000009.keys.tmp",
        "months.keys.tmp",
    ] {
        fs::write(dir.path().join(name), b"SCHKKEY1 and then no more").unwrap();
    }
    let keyring = ready(dir.path());
    assert_eq!(keyring.key(slot).unwrap(), key);
    let left = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    assert_eq!(
        left.filter(|path| path.extension().is_some_and(|end| end == "tmp"))
            .count(),
        0
    );
}

#[test]
fn only_one_at_a_time_has_a_keyring_open() {
    let dir = data();
    let keyring = ready(dir.path());
    let error = try_open(dir.path(), KEK).unwrap_err();
    assert!(matches!(error, KeyringError::InUse(_)), "{error}");
    // Also when the background is at work.
    for _ in 0..3_000 {
        keyring.take_slot().unwrap();
    }
    drop(keyring);
    open(dir.path());
}

#[test]
fn nobody_but_the_owner_can_read_the_keyring() {
    let dir = data();
    let inside = dir.path().join("keyring");
    let keyring = ready(&inside);
    keyring.view_key().unwrap();
    assert_eq!(
        fs::metadata(&inside).unwrap().permissions().mode() & 0o777,
        0o700
    );
    for (path, _) in snapshot(&inside) {
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o077,
            0,
            "{path:?}"
        );
    }
}

#[test]
fn no_key_stands_in_clear_on_disk_or_in_debug_output() {
    let dir = data();
    let keyring = ready(dir.path());
    let slot = keyring.take_slot().unwrap();
    let keys = [keyring.key(slot).unwrap(), keyring.view_key().unwrap()];
    let shown = format!("{keyring:?}");
    for key in &keys {
        for (path, content) in snapshot(dir.path()) {
            assert!(
                !content.windows(32).any(|window| window == key.as_slice()),
                "{path:?}"
            );
        }
        assert!(!shown.contains(&format!("{:?}", key.as_slice())));
    }
    assert!(!shown.contains(&format!("{KEK:?}")));
}

#[test]
fn a_key_encryption_key_is_read_from_a_file_of_the_owner_alone() {
    let dir = data();
    let path = dir.path().join("kek");
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    for content in [
        KEK.to_vec(),
        hex(KEK).into_bytes(),
        format!("{}\n", hex(KEK)).into_bytes(),
    ] {
        fs::write(&path, content).unwrap();
        for wrong in [0o640, 0o604, 0o620, 0o610, 0o644] {
            mode(wrong);
            assert!(
                matches!(Kek::read(&path), Err(KekError::Exposed(_))),
                "{wrong:o}"
            );
        }
        mode(0o600);
        let keyring = data();
        drop(ready(keyring.path()));
        let kek = Kek::read(&path).unwrap();
        assert!(!format!("{kek:?}").contains('7'));
        Keyring::open(keyring.path(), kek, Box::new(Seeded(1))).unwrap();
    }
    for wrong in [
        &b""[..],
        &[7; 31],
        &[7; 33],
        b"zz",
        "7".repeat(63).as_bytes(),
    ] {
        fs::write(&path, wrong).unwrap();
        assert!(
            matches!(Kek::read(&path), Err(KekError::Malformed(_))),
            "{wrong:?}"
        );
    }
    assert!(matches!(
        Kek::read(&dir.path().join("none")),
        Err(KekError::Io { .. })
    ));
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

/// A keyring whose randomness counts up.
pub(crate) fn counting(dir: &Path) -> Arc<Keyring> {
    Keyring::open(dir, Kek::from_bytes(KEK), Box::new(Counting(0))).unwrap()
}

/// What was written once must open for ever: the same keys and randomness give these digits.
#[test]
fn a_file_of_the_keyring_has_these_digits_and_is_built_as_the_format_says() {
    use aws_lc_rs::{
        aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
        hmac::{HMAC_SHA256, Key, sign},
    };
    let dir = data();
    counting(dir.path())
        .month(RetentionClass::Standard, month(203_112))
        .unwrap();
    let file = fs::read(dir.path().join("months.keys")).unwrap();
    assert_eq!(
        file[..20],
        [b"SCHKKEY1".as_slice(), &(48..60).collect::<Vec<u8>>()].concat()
    );
    let extracted = sign(&Key::new(HMAC_SHA256, b"schakel/keyring/v1"), &KEK);
    let key = sign(
        &Key::new(HMAC_SHA256, extracted.as_ref()),
        b"months.keys\x01",
    );
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_ref()).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(&file[8..20]).unwrap();
    let mut content = file[20..].to_vec();
    let content = key.open_in_place(nonce, Aad::from(b"SCHKKEY1months.keys"), &mut content);
    // Class, month, id and key: the first 48 bytes that were drawn.
    let row = [
        &[2],
        203_112u32.to_le_bytes().as_slice(),
        &(0..48).collect::<Vec<u8>>(),
    ]
    .concat();
    assert_eq!(content.unwrap(), row);
    let want = include_str!("golden/keyring.hex").replace(char::is_whitespace, "");
    assert_eq!(hex(file), want);
}
