//! The files of the keyring: what does not open, who may read them, and their form.

use std::{fs, os::unix::fs::PermissionsExt as _};

use schakel_audit::leaf::RetentionClass;
use schakel_store::keyring::{Kek, KekError, Keyring, KeyringError};

use super::{KEK, counting, month, open, ready, shards, try_open};
use crate::store::support::{Seeded, data, hex, snapshot};

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
    let want = include_str!("../golden/keyring.hex").replace(char::is_whitespace, "");
    assert_eq!(hex(file), want);
}
