//! The leaf: the public part of an entry, in deterministic CBOR (RFC 8949 section 4.2.1).
//!
//! `leaf.cddl` beside this crate is the published schema, `tests/vectors/leaf.txt` the published
//! examples. A leaf has one encoding and no other: the decoder refuses every input that it would
//! not itself have written, so that equal leaves have equal hashes and nothing hides in a spelling.
//!
//! What stands in a leaf follows from the request, the registry and the decision alone, never from
//! who provided what: the receiver of a disclosure is handed it inside the receipt.

mod cbor;
mod check;
mod decode;
mod encode;
mod error;
mod kind;
mod month;

pub use error::LeafError;
pub use kind::{EntryType, RetentionClass};
pub use month::{Month, MonthError};

/// The public part of an entry. Its hash is [`leaf_hash`](crate::tree::leaf_hash) of the encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What happened.
    pub entry_type: EntryType,
    /// When, in milliseconds since 1970-01-01T00:00:00Z; never less than in the entry before.
    pub at_ms: u64,
    /// The party that acted: 3 to 40 characters of a-z, 0-9 and `-`.
    pub party: String,
    /// The party whose connection carried the act, when that acted by delegation; spelled likewise.
    pub transport: Option<String>,
    /// The purpose it was done for, 3 to 40 characters of A-Z, 0-9 and `-`, and which version of it.
    pub purpose: Option<(String, u32)>,
    /// The entry's own random id.
    pub id: [u8; 16],
    /// Binds the sealed details: see [`commit`](crate::commitment::commit).
    pub commitment: [u8; 32],
    /// Binds the content handed to the receiver: see [`released`](crate::commitment::released).
    pub released: Option<[u8; 32]>,
    /// Groups the entries of one person with one party in one month. On every entry about a person; random
    /// bytes when no known person was meant, and on whatever is answered the same when none was.
    pub subject_tag: Option<[u8; 16]>,
    /// How long the details are kept.
    pub class: RetentionClass,
    /// The month in which the details are destroyed, for the classes in which that is known at once.
    pub destroy: Option<Month>,
    /// SHA-256 over the canonical text of the purpose version that decided.
    pub rules: Option<[u8; 32]>,
}

impl Leaf {
    /// The version of the format, and the only one there is.
    pub const VERSION: u64 = 1;

    /// The length of the longest leaf in bytes.
    pub const MAX_LEN: usize = 299;

    /// The leaf in its one encoding.
    ///
    /// It does not look at the fields: what [`check`](Self::check) refuses is written down as it is,
    /// and then [`decode`](Self::decode) refuses it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::MAX_LEN);
        self.encode_into(&mut bytes);
        bytes
    }

    /// Appends the encoding to `bytes`, for whoever writes many leaves into one buffer.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        encode::encode(self, bytes);
    }

    /// Reads a leaf, and nothing but the one encoding of a leaf that passes [`check`](Self::check).
    ///
    /// # Errors
    /// The first thing that is wrong and where.
    pub fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        let leaf = decode::decode(bytes)?;
        leaf.check()?;
        Ok(leaf)
    }

    /// Whether the fields are within their bounds and agree with each other. To be asked before a
    /// leaf is appended, for an entry is there for good.
    ///
    /// # Errors
    /// When a name is misspelt, the party is its own transport, or the month of destruction is there
    /// or absent against the class.
    pub fn check(&self) -> Result<(), LeafError> {
        check::check(self)
    }
}
