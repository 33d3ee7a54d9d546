//! Commitments: the published examples are with those of the leaf.

use proptest::prelude::*;
use schakel_audit::commitment::{commit, released, verify_commit, verify_released};

proptest! {
    #[test]
    fn a_commitment_opens_with_its_own_secret_and_content_only(
        secret: [u8; 32],
        content: Vec<u8>,
        bit in 0..256usize,
        at: prop::sample::Index,
    ) {
        let flipped = |mut bytes: [u8; 32]| {
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        let details = commit(&secret, &content);
        let told = released(&secret, &content);
        prop_assert!(verify_commit(&secret, &content, &details));
        prop_assert!(verify_released(&secret, &content, &told));
        prop_assert!(!verify_commit(&flipped(secret), &content, &details));
        prop_assert!(!verify_released(&flipped(secret), &content, &told));
        prop_assert!(!verify_commit(&secret, &content, &flipped(details)));
        prop_assert!(!verify_released(&secret, &content, &flipped(told)));

        let mut longer = content.clone();
        longer.push(0);
        prop_assert!(!verify_commit(&secret, &longer, &details));
        prop_assert!(!verify_released(&secret, &longer, &told));
        if !content.is_empty() {
            let mut other = content.clone();
            other[at.index(content.len())] ^= 1;
            prop_assert!(!verify_commit(&secret, &other, &details));
            prop_assert!(!verify_released(&secret, &other, &told));
        }
    }

    #[test]
    fn the_two_commitments_are_never_taken_for_each_other(secret: [u8; 32], content: Vec<u8>) {
        prop_assert!(!verify_released(&secret, &content, &commit(&secret, &content)));
        prop_assert!(!verify_commit(&secret, &content, &released(&secret, &content)));
    }
}
