//! What is said to witnesses and by them (C2SP tlog-witness v1.0): the bodies of `add-checkpoint`.
//!
//! ```text
//! old 4
//! lK+4osoFHAVFjqOdzRmxvWjn4zUp8QtDnSphWlH2NuI=
//!
//! broker.example.org/audit/2026
//! 7
//! mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=
//!
//! — broker.example.org/audit/2026 tzUiG3eiRHaMrpwNWNSJt1UhPyIbXgV4gvh5TPGGFdYu9KpHu/Lr8jG184uYFxH+uV5npnwxJav/Cm6kRnfbTaYKkgc=
//! ```

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    checkpoint::{Checkpoint, CheckpointError, Origin},
    note::{Note, NoteError, Signature},
    text::{decimal, quote},
    tree::Hash,
};

/// Asks a witness to cosign a checkpoint: the body of `POST <submission prefix>/add-checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the checkpoint that the witness cosigned last, or 0. A witness that remembers another
    /// answers with [`CONFLICT`] and that size.
    pub old: u64,
    /// The consistency proof from that size; empty when it is 0 or the size of the checkpoint.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// Why a text is not a request to cosign. It says nothing about whether the checkpoint deserves it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The first line is no size.
    #[error("`{0}` must be `old` and a decimal number without leading zeros")]
    Old(String),
    /// A line of the proof is no hash.
    #[error("`{0}` is no hash of the proof: it must be 32 bytes as base64")]
    Hash(String),
    /// More hashes than may be sent.
    #[error("the proof has more than {} hashes", AddCheckpoint::MAX_HASHES)]
    TooManyHashes,
    /// No empty line, and no checkpoint after it.
    #[error("the request has no empty line with a checkpoint after it")]
    NoCheckpoint,
    /// The checkpoint is not a signed note.
    #[error("the checkpoint is not a signed note")]
    Note(#[from] NoteError),
    /// The checkpoint is not one.
    #[error("what was signed is not a checkpoint")]
    Checkpoint(#[from] CheckpointError),
}

/// The status with which a witness answers that it remembers another size.
pub const CONFLICT: u16 = 409;
/// The type of the body that comes with [`CONFLICT`].
pub const CONFLICT_TYPE: &str = "text/x.tlog.size";

impl AddCheckpoint {
    /// The most hashes that may be sent.
    pub const MAX_HASHES: usize = 63;
}

impl fmt::Display for AddCheckpoint {
    /// The body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{OLD}{}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", hash.to_base64())?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for AddCheckpoint {
    type Err = RequestError;

    /// Reads a body without looking at whether the checkpoint follows from the old size.
    fn from_str(body: &str) -> Result<Self, RequestError> {
        let (head, checkpoint) = body.split_once("\n\n").ok_or(RequestError::NoCheckpoint)?;
        let mut lines = head.split('\n');
        let first = lines.next().unwrap_or_default();
        let old = first.strip_prefix(OLD).and_then(decimal);
        let old = old.ok_or_else(|| RequestError::Old(quote(first)))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == Self::MAX_HASHES {
                return Err(RequestError::TooManyHashes);
            }
            let hash = Hash::from_base64(line).ok_or_else(|| RequestError::Hash(quote(line)))?;
            proof.push(hash);
        }
        Checkpoint::parse(Note::parse(checkpoint)?.text())?;
        Ok(Self {
            old,
            proof,
            checkpoint: checkpoint.to_owned(),
        })
    }
}

/// The body with which a witness says what size it remembers.
#[must_use]
pub fn conflict(size: u64) -> String {
    format!("{size}\n")
}

/// The size in such a body. `None` when it is none.
#[must_use]
pub fn parse_conflict(body: &str) -> Option<u64> {
    decimal(body.strip_suffix('\n')?)
}

/// The signature lines with which a witness answers; whether any is good is for its key to tell. `None`
/// when a line is no signature, there is none, or there are more than a note may have.
#[must_use]
pub fn parse_cosignatures(body: &str) -> Option<Vec<Signature>> {
    let lines = body.split_inclusive('\n').take(Note::MAX_SIGNATURES + 1);
    let signatures: Vec<Signature> = lines.map(Signature::parse).collect::<Option<_>>()?;
    (1..=Note::MAX_SIGNATURES)
        .contains(&signatures.len())
        .then_some(signatures)
}

/// Where a witness shows the last checkpoint that it cosigned of a log, below its monitoring prefix.
#[must_use]
pub fn monitoring_path(origin: &Origin) -> String {
    let digest = Hash::new(Sha256::digest(origin.as_str()).into());
    format!("{digest}/checkpoint")
}

const OLD: &str = "old ";
