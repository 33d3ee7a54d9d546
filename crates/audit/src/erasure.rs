//! Opened details of erasures, published beside the tiles.
//!
//! An erasure entry says what it covers in its details, and those name no person. They stand at
//! `erasures/<index>`, the index of the entry in groups of three digits as in the paths of tiles, so that
//! whoever has only the published files can tell entries whose details were erased by rule from entries
//! whose details are missing.

mod told;

pub use told::{Covers, Erasure, ErasureError};

use crate::{commitment::verify_commit, leaf::Leaf, tile};

/// Where the opened details of the erasure entry with this index stand.
#[must_use]
pub fn path(index: u64) -> String {
    format!("{PREFIX}{}", tile::grouped(index))
}

/// The index of the erasure entry whose opened details stand at this path.
#[must_use]
pub fn parse_path(path: &str) -> Option<u64> {
    tile::parse_grouped(path.strip_prefix(PREFIX)?)
}

/// The details of an erasure entry, opened: what its leaf is committed to, and the blind that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The blind of the commitment.
    pub blind: [u8; 32],
    /// The details, in CBOR.
    pub details: Vec<u8>,
}

impl Opened {
    /// Reads a file: the blind, and the details until its end. `None` when it is too short for a blind.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (blind, details) = bytes.split_first_chunk()?;
        Some(Self {
            blind: *blind,
            details: details.to_owned(),
        })
    }

    /// The bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [self.blind.as_slice(), &self.details].concat()
    }

    /// Whether these are the details that the leaf is committed to.
    #[must_use]
    pub fn opens(&self, leaf: &Leaf) -> bool {
        verify_commit(&self.blind, &self.details, &leaf.commitment)
    }
}

const PREFIX: &str = "erasures/";
