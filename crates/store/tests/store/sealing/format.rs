//! The form of sealed details.

use proptest::prelude::*;
use schakel_store::seal::{self, Scope};

use super::{broker, by_month, leaf};
use crate::store::{
    keyring,
    support::{Counting, ORIGIN, data, hex},
};

/// Opens a sealed record by the description of the format alone, with other code than sealed it.
#[test]
fn a_sealed_record_is_built_as_the_format_says() {
    use aws_lc_rs::{
        aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
        hmac::{HMAC_SHA256, Key, sign},
    };
    let decrypt = |key: &[u8], aad: &[u8], sealed: &[u8]| {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
        let mut plain = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        key.open_in_place(nonce, Aad::from(aad), &mut plain)
            .unwrap()
            .to_vec()
    };
    let hmac = |key: &[u8], parts: &[&[u8]]| {
        sign(&Key::new(HMAC_SHA256, key), &parts.concat())
            .as_ref()
            .to_vec()
    };
    let mut broker = broker();
    let slots = broker.slots[..2].to_vec();
    let mut leaf = leaf(1);
    let sealed = broker.seal(&mut leaf, b"details", &by_month(&slots));
    assert_eq!(sealed[..4], [1, 1, 2, 0]);
    let term = broker
        .keyring
        .existing_month(leaf.class, leaf.destroy.unwrap())
        .unwrap();
    for (at, slot) in slots.iter().enumerate() {
        let wrap = &sealed[4 + 64 * at..4 + 64 * (at + 1)];
        assert_eq!(&wrap[..16], slot.as_bytes());
        let slot_key = broker.keyring.key(*slot).unwrap();
        let extracted = hmac(&leaf.id, &[slot_key.as_slice(), term.as_slice()]);
        let wrap_key = hmac(&extracted, &[b"schakel/wrap/v1", &[1]]);
        let dek = decrypt(&wrap_key, slot.as_bytes(), &wrap[16..]);
        let aad = [
            b"schakel/details/v1\0",
            leaf.commitment.as_slice(),
            ORIGIN.as_bytes(),
        ]
        .concat();
        let plain = decrypt(&dek, &aad, &sealed[4 + 128..]);
        let (blind, rest) = plain.split_at(32);
        assert_eq!(rest.len(), 256);
        assert_eq!(rest[..11], *b"\x07\0\0\0details");
        assert!(rest[11..].iter().all(|byte| *byte == 0));
        let commitment = hmac(blind, &[b"schakel/details/v1\0details"]);
        assert_eq!(leaf.commitment, commitment.as_slice());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn any_details_come_back(details in prop::collection::vec(any::<u8>(), 0..2_000), count in 1usize..5) {
        let mut broker = broker();
        let slots = broker.slots[..count].to_vec();
        let mut leaf = leaf(1);
        let sealed = broker.seal(&mut leaf, &details, &by_month(&slots));
        prop_assert_eq!(broker.open(&leaf, &sealed).unwrap(), details);
    }

    #[test]
    fn no_bytes_make_opening_panic(sealed in prop::collection::vec(any::<u8>(), 0..300), head in any::<[bool; 2]>()) {
        let broker = broker();
        let start = [1, u8::from(head[0]), 1, u8::from(head[1])];
        prop_assert!(broker.open(&leaf(1), &sealed).is_err());
        prop_assert!(broker.open(&leaf(1), &[start.as_slice(), &sealed].concat()).is_err());
    }
}

/// What was sealed once must open for ever: the same keys and randomness give these digits.
#[test]
fn a_sealed_record_has_these_digits() {
    let dir = data();
    let keyring = keyring::counting(dir.path());
    let mut leaf = leaf(1);
    let mut random = Counting(0x80);
    let sealed = seal::seal(
        &mut leaf,
        b"details",
        &Scope::Unknown,
        ORIGIN,
        &keyring,
        &mut random,
    )
    .unwrap();
    let want = include_str!("../golden/sealed.hex").replace(char::is_whitespace, "");
    assert_eq!(hex([leaf.commitment.as_slice(), &sealed].concat()), want);
}
