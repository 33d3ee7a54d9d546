//! Receipts (C2SP tlog-proof): that a leaf stands in a log, in a text that can be checked years
//! later with nothing but the leaf, the origin and the log's key.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use schakel_audit::proof::TlogProof;
//!
//! let proof: TlogProof = "c2sp.org/tlog-proof@v1
//! index 5
//! SFM123z+yWXxX/dF/GJcQdXqJkaTaTAWWCj3PdS2iFQ=
//! vhV4G2KKKEFMHIoRuG24Qi+hBBIV/g18RJbSPNoeQUI=
//! l5nzB1F+9RfCIF35tndivzR1ayAJn7ffzOdrzr0nOy4=
//!
//! broker.example.org/audit/2026
//! 7
//! mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=
//!
//! — broker.example.org/audit/2026 tzUiG3eiRHaMrpwNWNSJt1UhPyIbXgV4gvh5TPGGFdYu9KpHu/Lr8jG184uYFxH+uV5npnwxJav/Cm6kRnfbTaYKkgc=
//! ".parse()?;
//!
//! let origin = "broker.example.org/audit/2026".parse()?;
//! let key = "broker.example.org/audit/2026+b735221b+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
//!     .parse()?;
//! let checkpoint = proof.verify(b"entry 5", &origin, &key)?;
//! assert_eq!(checkpoint.size, 7);
//! assert!(proof.verify(b"entry 6", &origin, &key).is_err());
//! # Ok(())
//! # }
//! ```

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use thiserror::Error;

use crate::{
    checkpoint::{Checkpoint, CheckpointError, OpenError, Origin},
    note::{Note, NoteError, VerifyingKey},
    policy::{EndorseError, Endorsed, Policy},
    text::{decimal, quote},
    tree::{Hash, InclusionError, leaf_hash, verify_inclusion},
};

/// That a leaf stands at an index of a log: an inclusion proof under a signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Data beside the proof that nothing vouches for. Schakel writes none.
    pub extra: Option<Vec<u8>>,
    /// The index of the leaf.
    pub index: u64,
    /// The inclusion proof, the leaf's sibling first.
    pub hashes: Vec<Hash>,
    /// The checkpoint as it was signed, signatures of others included.
    pub checkpoint: String,
}

/// Why a text is not a proof. It says nothing about whether the leaf is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The first line is another.
    #[error("the first line of a proof must be `{HEADER}`")]
    Header,
    /// The second line announces extra data that are not there.
    #[error("the extra data must be base64 and not empty")]
    Extra,
    /// The index is not there or not a number.
    #[error("`{0}` must be `index` and a decimal number without leading zeros")]
    Index(String),
    /// A line of the inclusion proof is no hash.
    #[error("`{0}` is no hash of the proof: it must be 32 bytes as base64")]
    Hash(String),
    /// More hashes than any tree has levels.
    #[error("the proof has more than {} hashes", TlogProof::MAX_HASHES)]
    TooManyHashes,
    /// No empty line, and no checkpoint after it.
    #[error("the proof has no empty line with a checkpoint after it")]
    NoCheckpoint,
    /// The checkpoint is not a signed note.
    #[error("the checkpoint is not a signed note")]
    Note(#[from] NoteError),
    /// The checkpoint is not one.
    #[error("what was signed is not a checkpoint")]
    Checkpoint(#[from] CheckpointError),
}

/// Why a proof does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The checkpoint is not one signed by the key.
    #[error("the checkpoint of the proof does not hold")]
    Checkpoint(#[from] OpenError),
    /// The checkpoint is of another log.
    #[error("the checkpoint is of the log `{got}`, not of `{want}`")]
    Origin {
        /// The log expected.
        want: Origin,
        /// The log that the checkpoint names.
        got: Origin,
    },
    /// The leaf does not stand where the proof says.
    #[error("the leaf is not in the tree as the proof says")]
    Inclusion(#[from] InclusionError),
}

/// Why a proof does not hold under a policy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PolicyVerifyError {
    /// The checkpoint is none of a known log's.
    #[error("the checkpoint of the proof does not hold")]
    Checkpoint(#[from] EndorseError),
    /// The leaf does not stand where the proof says.
    #[error("the leaf is not in the tree as the proof says")]
    Inclusion(#[from] InclusionError),
}

impl TlogProof {
    /// The most hashes that an inclusion proof has.
    pub const MAX_HASHES: usize = 64;

    /// A proof without extra data.
    #[must_use]
    pub const fn new(index: u64, hashes: Vec<Hash>, checkpoint: String) -> Self {
        Self {
            extra: None,
            index,
            hashes,
            checkpoint,
        }
    }

    /// Checks that exactly these bytes are the leaf at the index, in a tree of the log `origin` that
    /// `key` has signed; answers which tree.
    ///
    /// # Errors
    /// Which of the three checks failed: the checkpoint and its signature, the origin, or the place
    /// of the leaf.
    pub fn verify(
        &self,
        leaf: &[u8],
        origin: &Origin,
        key: &VerifyingKey,
    ) -> Result<Checkpoint, VerifyError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        if checkpoint.origin != *origin {
            return Err(VerifyError::Origin {
                want: origin.clone(),
                got: checkpoint.origin,
            });
        }
        let (size, root) = (checkpoint.size, checkpoint.root);
        verify_inclusion(leaf_hash(leaf), self.index, size, &self.hashes, root)?;
        Ok(checkpoint)
    }
}

impl TlogProof {
    /// As [`verify`](Self::verify), by a policy: of any log that it knows, with the signatures of the
    /// witnesses that it knows. How many of those there are is for [`Endorsed::level`] to tell.
    ///
    /// # Errors
    /// Which check failed: the checkpoint and the signatures on it, or the place of the leaf.
    pub fn verify_under<'a>(
        &self,
        leaf: &[u8],
        policy: &'a Policy,
    ) -> Result<Endorsed<'a>, PolicyVerifyError> {
        let endorsed = policy.open(&self.checkpoint)?;
        let (size, root) = (endorsed.checkpoint().size, endorsed.checkpoint().root);
        verify_inclusion(leaf_hash(leaf), self.index, size, &self.hashes, root)?;
        Ok(endorsed)
    }
}

impl fmt::Display for TlogProof {
    /// The proof in its text form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "{EXTRA}{}", BASE64_STANDARD.encode(extra))?;
        }
        writeln!(f, "{INDEX}{}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", hash.to_base64())?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = ProofError;

    /// Reads a proof without looking at whether it holds.
    fn from_str(text: &str) -> Result<Self, ProofError> {
        let text = text.strip_prefix(HEADER).ok_or(ProofError::Header)?;
        let text = text.strip_prefix('\n').ok_or(ProofError::Header)?;
        // An origin is never empty, so the first empty line is the one before the checkpoint.
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofError::NoCheckpoint)?;
        let (extra, head) = match head.strip_prefix(EXTRA) {
            Some(rest) => parse_extra(rest)?,
            None => (None, head),
        };
        let mut lines = head.split('\n');
        let index = parse_index(lines.next().unwrap_or_default())?;
        let hashes = parse_hashes(lines)?;
        Checkpoint::parse(Note::parse(checkpoint)?.text())?;
        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint: checkpoint.to_owned(),
        })
    }
}

/// The extra data and what follows their line.
fn parse_extra(text: &str) -> Result<(Option<Vec<u8>>, &str), ProofError> {
    let (base64, rest) = text.split_once('\n').ok_or(ProofError::Extra)?;
    let extra = BASE64_STANDARD
        .decode(base64)
        .map_err(|_| ProofError::Extra)?;
    if extra.is_empty() {
        return Err(ProofError::Extra);
    }
    Ok((Some(extra), rest))
}

fn parse_index(line: &str) -> Result<u64, ProofError> {
    line.strip_prefix(INDEX)
        .and_then(decimal)
        .ok_or_else(|| ProofError::Index(quote(line)))
}

fn parse_hashes<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Hash>, ProofError> {
    let mut hashes = Vec::new();
    for line in lines {
        if hashes.len() == TlogProof::MAX_HASHES {
            return Err(ProofError::TooManyHashes);
        }
        let hash = Hash::from_base64(line).ok_or_else(|| ProofError::Hash(quote(line)))?;
        hashes.push(hash);
    }
    Ok(hashes)
}

const HEADER: &str = "c2sp.org/tlog-proof@v1";
const EXTRA: &str = "extra ";
const INDEX: &str = "index ";
