//! The Merkle tree over the leaves of the log: RFC 6962 section 2.1, with SHA-256.
//!
//! Indexes count leaves from 0; sizes count leaves; the level of a node is the height of the
//! subtree below it, so that a leaf hash is at level 0. A *complete* subtree has 2^level leaves and
//! never changes again once its last leaf is there.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

mod frontier;
mod prove;
mod verify;

pub use frontier::Frontier;
pub use prove::{
    Nodes, ProveError, consistency_proof, consistency_proof_len, inclusion_proof,
    inclusion_proof_len, root,
};
pub use verify::{ConsistencyError, InclusionError, verify_consistency, verify_inclusion};

/// A hash in the tree: of a leaf, of a node or of a root.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The length of a hash in bytes.
    pub const LEN: usize = 32;
    /// The length of a hash as base64 text in bytes.
    pub const BASE64_LEN: usize = 44;

    /// The hash with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads padded standard base64, the form used in checkpoints and proofs. `None` for any other
    /// length and any other spelling of the same bytes.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        if text.len() != Self::BASE64_LEN {
            return None;
        }
        // One more than a hash: what the decoder wants to have at hand for 44 characters.
        let mut buffer = [0; 33];
        let len = BASE64_STANDARD.decode_slice(text, &mut buffer).ok()?;
        let bytes = buffer.get(..len)?.try_into().ok()?;
        Some(Self(bytes))
    }

    /// The hash as padded standard base64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        BASE64_STANDARD.encode(self.0)
    }
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl From<Hash> for [u8; 32] {
    fn from(hash: Hash) -> Self {
        hash.0
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash {
    /// 64 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The hash of a leaf with these exact bytes: SHA-256(0x00 ‖ bytes).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([0x00])
            .chain_update(leaf)
            .finalize()
            .into(),
    )
}

/// The hash of a node with these children: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([0x01])
            .chain_update(left.0)
            .chain_update(right.0)
            .finalize()
            .into(),
    )
}

/// The root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub const fn empty_root() -> Hash {
    Hash([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9,
        0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52,
        0xb8, 0x55,
    ])
}
