//! The minimum index: below which entry an operator no longer publishes bundles, by a retention policy (C2SP
//! tlog-tiles, *pruning*). The hashes of those entries stay, and with them every proof.
//!
//! It is announced in the file `minimum-index` beside the checkpoint, a signed note of three lines by the keys
//! that sign checkpoints, so that whoever verifies tells bundles that are pruned from bundles that are gone:
//!
//! ```text
//! schakel.example.nl/log
//! schakel/minimum-index/v1
//! 70000
//!
//! — schakel.example.nl/log …
//! ```

use thiserror::Error;

use crate::{
    checkpoint::Origin,
    note::{Note, NoteError, SignatureError, SigningKey, VerifyingKey},
    text::decimal,
};

/// The path of the file.
pub const PATH: &str = "minimum-index";

/// A minimum index as it is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinimumIndex {
    index: u64,
    origin: Origin,
    note: Note,
}

/// Why an announcement is none, or none of this log's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MinimumError {
    /// It is no signed note.
    #[error("the minimum index is not a signed note")]
    Note(#[from] NoteError),
    /// It has not the three lines.
    #[error("the minimum index must have three lines: origin, `{WORD}`, and a number")]
    Lines,
    /// It is of another log.
    #[error("the minimum index is of the log `{got}`")]
    Origin {
        /// The log it is of.
        got: Origin,
    },
    /// No key that signs for the log has signed it, or a signature does not hold.
    #[error("the minimum index is not signed as it must be")]
    Signature(#[from] SignatureError),
}

impl MinimumIndex {
    /// Announces that entries below this index need no longer be published.
    ///
    /// # Errors
    /// When the origin has characters that no note may have.
    pub fn make(origin: &Origin, index: u64, signers: &[SigningKey]) -> Result<Self, MinimumError> {
        let mut note = Note::new(&format!("{origin}\n{WORD}\n{index}\n"))?;
        for signer in signers {
            note.sign(signer);
        }
        let origin = origin.clone();
        Ok(Self {
            index,
            origin,
            note,
        })
    }

    /// Reads an announcement of this log, signed by one of these keys.
    ///
    /// # Errors
    /// When it is none.
    pub fn open(note: &str, origin: &Origin, keys: &[&VerifyingKey]) -> Result<Self, MinimumError> {
        let announced = Self::read(Note::parse(note)?)?;
        if announced.origin != *origin {
            let got = announced.origin;
            return Err(MinimumError::Origin { got });
        }
        announced.note.verify(keys)?;
        Ok(announced)
    }

    /// Below which entry bundles need no longer be there.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    fn read(note: Note) -> Result<Self, MinimumError> {
        let mut lines = note.text().split_terminator('\n');
        let mut line = || lines.next().ok_or(MinimumError::Lines);
        let (origin, word, index) = (line()?, line()?, line()?);
        if word != WORD || lines.next().is_some() {
            return Err(MinimumError::Lines);
        }
        let origin = origin.parse().map_err(|_| MinimumError::Lines)?;
        let index = decimal(index).ok_or(MinimumError::Lines)?;
        Ok(Self {
            index,
            origin,
            note,
        })
    }
}

impl std::fmt::Display for MinimumIndex {
    /// The signed note.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.note.fmt(f)
    }
}

const WORD: &str = "schakel/minimum-index/v1";
