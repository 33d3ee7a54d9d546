//! The succession of the keys that sign a log's checkpoints.
//!
//! A log says in its own entries (leaf kind `key`) which keys sign for it: each is taken into use, signs
//! beside the one before it for a while, and outlives it. Every such entry carries a *statement*, a signed
//! note of three lines, by a key that was in use already and, when one is taken into use, by that one too:
//!
//! ```text
//! schakel.example.nl/log
//! schakel/checkpoint-key/v1 in-use
//! schakel.example.nl/log+1a2b3c4d+AbCd…
//!
//! — schakel.example.nl/log …
//! — schakel.example.nl/log …
//! ```
//!
//! Whoever pinned a key once follows the log's entries from there, and needs no word of the broker to know
//! which key signs today. A statement outside the log counts for nothing: the entry must be under a
//! checkpoint, so that a key that was taken into use in secret convinces nobody.
//!
//! The statement stands in the entry's details, which are open: `key.cddl` beside this crate. They are
//! published at `keys/<index>`, as those of erasures are. Once the bundle of the entry is pruned, its leaf stands
//! beside them at `keys/<index>.leaf`, so that every turn can be proved as long as the log is published.

use std::fmt;

use thiserror::Error;

use crate::{
    checkpoint::Origin,
    erasure::Opened,
    note::{KeyError, Note, NoteError, SignatureError, SigningKey, VerifyingKey},
    text::quote,
    tile,
};

mod details;

/// Where the opened details of the entry with this index stand, which is about a checkpoint key.
#[must_use]
pub fn path(index: u64) -> String {
    format!("{PREFIX}{}", tile::grouped(index))
}

/// The index of the entry about a checkpoint key whose opened details stand at this path.
#[must_use]
pub fn parse_path(path: &str) -> Option<u64> {
    tile::parse_grouped(path.strip_prefix(PREFIX)?)
}

/// Where the leaf of the entry with this index stands, which is about a checkpoint key, once its bundle is pruned.
#[must_use]
pub fn leaf_path(index: u64) -> String {
    path(index) + LEAF
}

/// The index of the entry about a checkpoint key whose leaf stands at this path.
#[must_use]
pub fn parse_leaf_path(path: &str) -> Option<u64> {
    parse_path(path.strip_suffix(LEAF)?)
}

/// What a log says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It signs checkpoints from now on.
    InUse,
    /// It no longer does; it never will again.
    Retired,
}

/// What a log says of a key, with the signatures on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    origin: Origin,
    turn: Turn,
    key: VerifyingKey,
    note: Note,
}

/// Why a text is no statement about a checkpoint key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StatementError {
    /// It is no signed note.
    #[error("the statement about a checkpoint key is not a signed note")]
    Note(#[from] NoteError),
    /// It has not the three lines.
    #[error(
        "the statement about a checkpoint key must have three lines: origin, `{WORD} in-use` or `{WORD} retired`, and the key"
    )]
    Lines,
    /// The third line is no key.
    #[error("the statement about a checkpoint key names no key")]
    Key(#[from] KeyError),
    /// The key is named otherwise than the log.
    #[error("the key `{name}` is not named as its log, `{origin}`")]
    Name {
        /// The name of the key.
        name: String,
        /// The log.
        origin: Origin,
    },
    /// The details of the entry are not as `key.cddl` has them.
    #[error("the details of the entry hold no statement about a checkpoint key")]
    Details,
}

/// What a statement came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// A key was taken into use.
    Taken,
    /// A key was retired.
    Retired,
    /// Nothing: no key that is known to be in use says it, or it is known already.
    Nothing,
}

/// Why a statement contradicts what was followed so far.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SuccessionError {
    /// It is about another log.
    #[error("the statement about a checkpoint key is of the log `{}`", quote(got.as_str()))]
    Origin {
        /// The log it is of.
        got: Origin,
    },
    /// A signature does not hold, or the key that is taken into use did not sign.
    #[error("the statement about key `{key}` is not signed as it must be")]
    Signature {
        /// The key it is about.
        key: String,
        /// What is wrong.
        #[source]
        fault: SignatureError,
    },
    /// It takes a key into use that was retired.
    #[error("key `{key}` is taken into use and was retired")]
    Again {
        /// The key.
        key: String,
    },
    /// It retires the only key in use.
    #[error("key `{key}` is retired, and no other is in use")]
    Last {
        /// The key.
        key: String,
    },
}

impl Statement {
    /// Says of a key that it is in use from now on, or no longer, signed by these.
    ///
    /// # Errors
    /// When the key is not named as the log.
    pub fn make(
        origin: &Origin,
        turn: Turn,
        key: &VerifyingKey,
        signers: &[&SigningKey],
    ) -> Result<Self, StatementError> {
        let text = format!("{origin}\n{WORD} {turn}\n{key}\n");
        let mut note = Note::new(&text)?;
        for signer in signers {
            note.sign(signer);
        }
        Self::from_note(note)
    }

    /// Reads the signed note. Whether its signatures hold is for [`Succession::follow`].
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(note: &str) -> Result<Self, StatementError> {
        Self::from_note(Note::parse(note)?)
    }

    /// Whether the opened details are of an entry about a key that signs checkpoints: those about other keys of the
    /// broker are of the same type, and say nothing here.
    #[must_use]
    pub fn stands_in(opened: &Opened) -> bool {
        opened.details.starts_with(details::EVENT)
    }

    /// Reads the statement in the opened details of an entry about a checkpoint key. Whether the leaf is
    /// committed to them is for [`Opened::opens`].
    ///
    /// # Errors
    /// When there is none.
    pub fn in_details(opened: &Opened) -> Result<Self, StatementError> {
        let held = details::read(&opened.details).ok_or(StatementError::Details)?;
        let statement = Self::parse(held.statement)?;
        let fits =
            held.key == statement.key.to_string() && held.in_use == (statement.turn == Turn::InUse);
        fits.then_some(statement).ok_or(StatementError::Details)
    }

    /// What is said.
    #[must_use]
    pub const fn turn(&self) -> Turn {
        self.turn
    }

    /// The key it is about.
    #[must_use]
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    fn from_note(note: Note) -> Result<Self, StatementError> {
        let mut lines = note.text().split_terminator('\n');
        let mut line = || lines.next().ok_or(StatementError::Lines);
        let (origin, word, key) = (line()?, line()?, line()?);
        if lines.next().is_some() {
            return Err(StatementError::Lines);
        }
        let origin: Origin = origin.parse().map_err(|_| StatementError::Lines)?;
        let turn = match word.strip_prefix(WORD) {
            Some(" in-use") => Turn::InUse,
            Some(" retired") => Turn::Retired,
            _ => return Err(StatementError::Lines),
        };
        let key: VerifyingKey = key.parse()?;
        if key.name() != origin.as_str() {
            let name = key.name().to_owned();
            return Err(StatementError::Name { name, origin });
        }
        Ok(Self {
            origin,
            turn,
            key,
            note,
        })
    }
}

impl fmt::Display for Statement {
    /// The signed note.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InUse => "in-use",
            Self::Retired => "retired",
        })
    }
}

/// The keys of a log, followed from a pinned one through the log's entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    origin: Origin,
    in_use: Vec<VerifyingKey>,
    retired: Vec<VerifyingKey>,
}

impl Succession {
    /// Begins with keys that are known from elsewhere: one, or both of a log whose key is being changed.
    #[must_use]
    pub fn pinned(origin: Origin, keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        Self {
            origin,
            in_use: keys.into_iter().collect(),
            retired: Vec::new(),
        }
    }

    /// The log.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The keys in use, oldest first; none only when none was pinned.
    #[must_use]
    pub fn in_use(&self) -> &[VerifyingKey] {
        &self.in_use
    }

    /// The keys that were retired: what they signed before still counts.
    #[must_use]
    pub fn retired(&self) -> &[VerifyingKey] {
        &self.retired
    }

    /// Takes the next statement of the log. What no key known to be in use says is passed over: whoever
    /// pinned a newer key meets the turns of those before it.
    ///
    /// # Errors
    /// When it is about another log, a signature does not hold, or it contradicts what was said before.
    /// Then it changes nothing.
    pub fn follow(&mut self, statement: &Statement) -> Result<Followed, SuccessionError> {
        if statement.origin != self.origin {
            let got = statement.origin.clone();
            return Err(SuccessionError::Origin { got });
        }
        match Self::signed(statement, &self.in_use) {
            Err(SuccessionError::Signature {
                fault: SignatureError::Unknown { .. },
                ..
            }) => return Ok(Followed::Nothing),
            signed => signed?,
        }
        let key = || statement.key.to_string();
        let at = self.in_use.iter().position(|known| *known == statement.key);
        match (statement.turn, at) {
            (Turn::InUse, Some(_)) | (Turn::Retired, None) => Ok(Followed::Nothing),
            (Turn::InUse, None) if self.retired.contains(&statement.key) => {
                Err(SuccessionError::Again { key: key() })
            }
            (Turn::InUse, None) => {
                // That it signs too shows that whoever made the statement holds it.
                Self::signed(statement, std::slice::from_ref(&statement.key))?;
                self.in_use.push(statement.key.clone());
                Ok(Followed::Taken)
            }
            (Turn::Retired, Some(_)) if self.in_use.len() == 1 => {
                Err(SuccessionError::Last { key: key() })
            }
            (Turn::Retired, Some(at)) => {
                self.retired.push(self.in_use.remove(at));
                Ok(Followed::Retired)
            }
        }
    }

    fn signed(statement: &Statement, by: &[VerifyingKey]) -> Result<(), SuccessionError> {
        let keys: Vec<&VerifyingKey> = by.iter().collect();
        statement
            .note
            .verify(&keys)
            .map_err(|fault| SuccessionError::Signature {
                key: statement.key.to_string(),
                fault,
            })
    }
}

const PREFIX: &str = "keys/";
const LEAF: &str = ".leaf";
const WORD: &str = "schakel/checkpoint-key/v1";
