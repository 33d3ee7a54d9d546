//! Checkpoints (C2SP tlog-checkpoint v1.0.0): the signed head of a log's tree.
//!
//! ```text
//! broker.example.org/audit/2026
//! 7
//! mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=
//!
//! — broker.example.org/audit/2026 tzUiG3eiRHaMrpwNWNSJt1UhPyIbXgV4gvh5TPGGFdYu9KpHu/Lr8jG184uYFxH+uV5npnwxJav/Cm6kRnfbTaYKkgc=
//! ```

use std::{fmt, str::FromStr, sync::Arc};

use thiserror::Error;

use crate::{
    note::{self, Note, NoteError, SignatureError, SigningKey, VerifyingKey},
    text::{decimal, quote},
    tree::{Hash, empty_root},
};

/// The head of a log's tree at one size. Two of one origin and size with different roots prove that
/// the log was forked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: Origin,
    /// How many leaves the tree has.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
}

/// The name of a log, unique to it and never changed: a URL without its scheme is advised. It is
/// not empty and has no control characters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Arc<str>);

/// The text cannot be the origin of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an origin must not be empty nor contain control characters")]
pub struct OriginError;

/// Why a text is not that of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// One of the three lines is not there, or the last line does not end.
    #[error("a checkpoint must have three lines: origin, size and root, each with its newline")]
    Lines,
    /// The first line is no origin.
    #[error("the first line of the checkpoint is no origin")]
    Origin(#[from] OriginError),
    /// The second line is no size.
    #[error("`{0}` is no tree size: it must be a decimal number without leading zeros")]
    Size(String),
    /// The third line is no hash.
    #[error("`{0}` is no root: it must be 32 bytes as base64")]
    Root(String),
    /// A tree without leaves has only one root.
    #[error("a tree of 0 leaves has root {}, not {got}", empty_root())]
    EmptyRoot {
        /// The root given.
        got: Hash,
    },
    /// A line after the third is empty.
    #[error("a checkpoint must not have empty lines")]
    EmptyLine,
}

/// Why a signed checkpoint cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// It is not a signed note.
    #[error("the checkpoint is not a signed note")]
    Note(#[from] NoteError),
    /// Its signatures do not do.
    #[error("the checkpoint is not signed as it must be")]
    Signature(#[from] SignatureError),
    /// What was signed is not a checkpoint.
    #[error("what was signed is not a checkpoint")]
    Form(#[from] CheckpointError),
}

impl Checkpoint {
    /// The text that is signed: three lines.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            self.root.to_base64()
        )
    }

    /// Reads the text that is signed. Lines after the third are passed over, as the format asks,
    /// if they are not empty.
    ///
    /// # Errors
    /// When it is not the text of a checkpoint.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let text = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        let mut lines = text.split('\n');
        let mut line = || lines.next().ok_or(CheckpointError::Lines);
        let (origin, size, root) = (line()?, line()?, line()?);
        if lines.any(str::is_empty) {
            return Err(CheckpointError::EmptyLine);
        }
        let origin = origin.parse::<Origin>()?;
        let size = decimal(size).ok_or_else(|| CheckpointError::Size(quote(size)))?;
        let root = Hash::from_base64(root).ok_or_else(|| CheckpointError::Root(quote(root)))?;
        if size == 0 && root != empty_root() {
            return Err(CheckpointError::EmptyRoot { got: root });
        }
        Ok(Self { origin, size, root })
    }

    /// The checkpoint as a note signed by this key, whose name should be the origin.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let text = self.text();
        let signature = note::Signature::make(&text, key);
        format!("{text}\n{signature}")
    }

    /// The checkpoint as a note signed by all of these keys, in this order: while one key takes over from
    /// another, each signs for those who know only that one.
    #[must_use]
    pub fn sign_by<'a>(&self, keys: impl IntoIterator<Item = &'a SigningKey>) -> String {
        let text = self.text();
        let signatures = keys
            .into_iter()
            .map(|key| note::Signature::make(&text, key).to_string());
        [text.clone(), "\n".to_owned()]
            .into_iter()
            .chain(signatures)
            .collect()
    }

    /// Reads a signed checkpoint and checks the signature by this key. Whether the origin is the one
    /// expected is for the caller to compare.
    ///
    /// # Errors
    /// When it is not a signed note, the key did not sign it, or what it signed is no checkpoint.
    pub fn open(note: &str, key: &VerifyingKey) -> Result<Self, OpenError> {
        let note = Note::parse(note)?;
        note.verify(&[key])?;
        Ok(Self::parse(note.text())?)
    }
}

impl Origin {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text.is_empty() || text.contains(char::is_control) {
            Err(OriginError)
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl AsRef<str> for Origin {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}
