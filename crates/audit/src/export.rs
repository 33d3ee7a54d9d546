//! Exports: entries with their proofs, and what their leaves commit to, one JSON object a line.
//!
//! ```text
//! export  = section *section
//! section = head *entry end
//! head    = {"export":"schakel.export/1","origin":…,"checkpoint":…,"from":…[,"controller":…][,"consistency":[…]]}
//! entry   = {"index":…,"leaf":…,"proof":[…],"opened":{"blind":…,"details":…}}
//!         | {"index":…,"leaf":…,"proof":[…],"redacted":{"erasure":…,"rule":…}}
//!         | {"index":…,"leaf":…,"proof":[…],"withheld":true}
//! end     = {"end":…,"entries":…}
//! ```
//!
//! `export.schema.json` beside this crate is the published schema, `tests/vectors/export.jsonl` the
//! published example. An export grows by whole sections, so that it can be resumed years later; each
//! section stands under one signed checkpoint. Bytes are padded standard base64; every line ends in a
//! newline, and begins with the key shown first.
//!
//! Whoever verifies an export checks, in this order:
//!
//! 1. *head*: the checkpoint is signed by the log's key and is of the origin named; every section names the
//!    same origin and the same controller. `from` is 0 in the first section, or where the export says it begins,
//!    and in every other the `end` of the section before. From the second section on, `consistency` proves
//!    that the tree of the section before begins this one; it is empty when both have the same size.
//! 2. *entry*: indexes ascend, from `from` to below `end`; the leaf is one ([`Leaf::decode`]); `proof` leads
//!    from it at `index` to the root of the section's checkpoint.
//! 3. *opened*: the leaf's commitment is to exactly these details under this blind
//!    ([`verify_commit`]). *redacted*: entry `erasure` is an erasure of this rule
//!    that covers the entry. *withheld*: the details are not for whom the export is; nothing is to be checked.
//! 4. *end*: everything from `from` to before `end` was looked at, and gave so many entries. Without
//!    `controller`, the export is of the log as a whole, and every index in between must be there.
//!
//! A section without its end was cut off: everything before it holds all the same.
//!
//! [`Leaf::decode`]: crate::leaf::Leaf::decode
//! [`verify_commit`]: crate::commitment::verify_commit

mod check;
mod json;

pub use check::{ExportCheck, ExportFinding, ExportSummary};

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{checkpoint::Origin, tree::Hash};

/// The format, as the first line of every section names it.
pub const FORMAT: &str = "schakel.export/1";

/// The most bytes a line has, without its newline: details of 65,000 bytes as base64 beside the rest.
pub const MAX_LINE: usize = 128 * 1024;

/// A line of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The first of a section.
    Head(Head),
    /// An entry.
    Entry(Entry),
    /// The last of a section.
    End(End),
}

/// What the entries of a section are proved against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The log.
    pub origin: Origin,
    /// The checkpoint as it was signed, signatures of others included. Its form is looked at when it is
    /// opened with the log's key.
    pub checkpoint: String,
    /// The first index that was looked at.
    pub from: u64,
    /// The controller whose entries these are; `None` when they are all of the log.
    pub controller: Option<String>,
    /// That the tree of the section before begins this one (RFC 6962); empty in the first section.
    pub consistency: Vec<Hash>,
}

/// An entry with its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its index.
    pub index: u64,
    /// Its leaf, the exact bytes that are hashed.
    pub leaf: Vec<u8>,
    /// The inclusion proof under the section's checkpoint, the leaf's sibling first.
    pub proof: Vec<Hash>,
    /// What is shown of its details.
    pub details: Details,
}

/// What is shown of the details of an entry.
#[derive(Clone, PartialEq, Eq)]
pub enum Details {
    /// All of them.
    Opened {
        /// The entry's own random bytes.
        blind: [u8; 32],
        /// The details, in CBOR.
        details: Vec<u8>,
    },
    /// Nothing: they were erased.
    Redacted {
        /// The entry that says so.
        erasure: u64,
        /// The rule of the erasure, as that entry names it.
        rule: String,
    },
    /// Nothing: they are not for whom the export is.
    Withheld,
}

/// What a section covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The first index that was not looked at.
    pub end: u64,
    /// How many entries the section has.
    pub entries: u64,
}

/// Why a text is not a line of an export. It says nothing about whether the line holds.
#[derive(Debug, Error)]
pub enum LineError {
    /// It begins like none.
    #[error("a line of an export must begin with {{\"export\":, {{\"index\": or {{\"end\":")]
    Kind,
    /// It is longer than any.
    #[error("the line has {0} bytes, more than the {MAX_LINE} that any has")]
    Length(usize),
    /// It is not JSON, or not of these fields.
    #[error("the line is not written as it must be")]
    Json(#[source] serde_json::Error),
    /// Another format, or a later version.
    #[error("the format is `{0}`, not `{FORMAT}`")]
    Format(String),
    /// A field breaks its rule.
    #[error("`{field}` {rule}")]
    Field {
        /// The field.
        field: &'static str,
        /// Its rule.
        rule: &'static str,
    },
}

impl fmt::Display for Line {
    /// The line as JSON, without its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        json::write(self, f)
    }
}

impl FromStr for Line {
    type Err = LineError;

    /// Reads a line, with or without its newline.
    fn from_str(text: &str) -> Result<Self, LineError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        if text.len() > MAX_LINE {
            return Err(LineError::Length(text.len()));
        }
        json::read(text)
    }
}

impl fmt::Debug for Details {
    /// Shows nothing of what was opened: it describes a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { details, .. } => write!(f, "Opened({} bytes)", details.len()),
            Self::Redacted { erasure, rule } => write!(f, "Redacted({erasure}, {rule})"),
            Self::Withheld => f.write_str("Withheld"),
        }
    }
}
