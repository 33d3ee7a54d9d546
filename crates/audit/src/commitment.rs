//! Commitments: how a leaf binds bytes that it does not show.
//!
//! Both are HMAC-SHA256 under 32 random bytes used once. Whoever is handed those bytes and the
//! content can check them against the leaf; without them the commitment is indistinguishable from
//! noise, so that destroying them leaves nothing to guess at.

use hmac::{Hmac, KeyInit, Mac, digest::Key};
use sha2::Sha256;

/// Commits to the details of an entry, under the entry's own random `blind`.
#[must_use]
pub fn commit(blind: &[u8; 32], details: &[u8]) -> [u8; 32] {
    mac(blind, DETAILS, details).finalize().into_bytes().into()
}

/// Commits to the content that was handed to the receiver, under a random `salt` of its own.
#[must_use]
pub fn released(salt: &[u8; 32], content: &[u8]) -> [u8; 32] {
    mac(salt, RELEASED, content).finalize().into_bytes().into()
}

/// Whether `commitment` is the one [`commit`] makes of these details, in constant time.
#[must_use]
pub fn verify_commit(blind: &[u8; 32], details: &[u8], commitment: &[u8; 32]) -> bool {
    mac(blind, DETAILS, details)
        .verify(commitment.into())
        .is_ok()
}

/// Whether `commitment` is the one [`released`] makes of this content, in constant time.
#[must_use]
pub fn verify_released(salt: &[u8; 32], content: &[u8], commitment: &[u8; 32]) -> bool {
    mac(salt, RELEASED, content)
        .verify(commitment.into())
        .is_ok()
}

fn mac(secret: &[u8; 32], domain: &[u8], content: &[u8]) -> Hmac<Sha256> {
    // HMAC fills a key shorter than the hash's block with zeros (RFC 2104 section 2). Doing that
    // here leaves no key length that could be refused.
    let mut key = Key::<Hmac<Sha256>>::default();
    for (to, from) in key.iter_mut().zip(secret) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&key);
    mac.update(domain);
    mac.update(content);
    mac
}

/// Separates commitments to details from every other use of HMAC.
const DETAILS: &[u8] = b"schakel/details/v1\0";
/// Separates commitments to released content from every other use of HMAC.
const RELEASED: &[u8] = b"schakel/released/v1\0";
