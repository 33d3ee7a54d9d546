//! Signed notes (C2SP signed-note v1.0.0): a text, an empty line, and lines with signatures on it.
//!
//! ```text
//! This is an example message.
//!
//! — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
//! ```

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use thiserror::Error;

mod key;

pub(crate) use key::Kind;
pub use key::{KeyError, KeyId, SigningKey, VerifyingKey};

/// A text with signatures on it, which may or may not hold: see [`Note::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    // INVARIANT: ends in a newline and has no other control characters.
    text: String,
    signatures: Vec<Signature>,
}

/// A line with a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    name: String,
    id: KeyId,
    bytes: Vec<u8>,
}

/// Why something is not a note.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// Longer than is read.
    #[error("a note of {len} bytes is not read: the longest has {}", Note::MAX_LEN)]
    TooLong {
        /// The length given, in bytes.
        len: usize,
    },
    /// A control character other than a newline.
    #[error("byte {at} of the note is a control character: only newlines may be there")]
    Control {
        /// Where it stands.
        at: usize,
    },
    /// The text does not end its last line.
    #[error("the text of the note must end in a newline")]
    Unfinished,
    /// No empty line parts the text from signatures.
    #[error("the note has no empty line with signatures after it")]
    NoSignatures,
    /// A line after the text is no signature.
    #[error("line {line} after the text must be a signature: `— <name> <base64>` and a newline")]
    SignatureLine {
        /// Which line, from 1.
        line: usize,
    },
    /// More signatures than are read.
    #[error("the note has more than {} signatures", Note::MAX_SIGNATURES)]
    TooManySignatures,
}

/// Why the signatures on a note do not do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// A signature by a known key does not hold: the text or the signature was altered.
    #[error("the signature by key `{name}+{id}` does not hold for this text")]
    Forged {
        /// The name of the key.
        name: String,
        /// The id of the key.
        id: KeyId,
    },
    /// No known key has signed.
    #[error("no signature is by the key `{want}`; signed: `{got}`")]
    Unknown {
        /// The known keys, `name+id`, with commas.
        want: String,
        /// The keys that signed, likewise.
        got: String,
    },
}

/// Why a note cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// It is not a note.
    #[error(transparent)]
    Form(#[from] NoteError),
    /// Its signatures do not do.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// Signs a text: the whole note.
///
/// # Errors
/// When the text does not end in a newline, is too long or has control characters.
pub fn sign(text: &str, key: &SigningKey) -> Result<String, NoteError> {
    let mut note = Note::new(text)?;
    note.sign(key);
    Ok(note.to_string())
}

/// Reads a note and checks its signatures by these keys.
///
/// # Errors
/// When it is not a note, or [`Note::verify`] fails.
pub fn open(note: &str, keys: &[&VerifyingKey]) -> Result<Note, OpenError> {
    let note = Note::parse(note)?;
    note.verify(keys)?;
    Ok(note)
}

impl Note {
    /// The longest note that is read, in bytes: as long as the Go tools read.
    pub const MAX_LEN: usize = 1_000_000;
    /// The most signatures that are read.
    pub const MAX_SIGNATURES: usize = 100;

    /// A note without signatures yet.
    ///
    /// # Errors
    /// When the text does not end in a newline, is too long or has control characters.
    pub fn new(text: &str) -> Result<Self, NoteError> {
        check_characters(text)?;
        if !text.ends_with('\n') {
            return Err(NoteError::Unfinished);
        }
        Ok(Self {
            text: text.to_owned(),
            signatures: Vec::new(),
        })
    }

    /// Reads a note without looking at whether its signatures hold.
    ///
    /// # Errors
    /// When it is not a note.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        check_characters(note)?;
        // The text may have empty lines of its own: the last one parts.
        let at = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, rest) = note
            .split_at_checked(at + 1)
            .ok_or(NoteError::NoSignatures)?;
        let mut signatures = Vec::new();
        for (line, text) in rest.split_inclusive('\n').skip(1).enumerate() {
            if line == Self::MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            let signature = Signature::parse(text);
            signatures.push(signature.ok_or(NoteError::SignatureLine { line: line + 1 })?);
        }
        if signatures.is_empty() {
            return Err(NoteError::NoSignatures);
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// What was signed, its last newline included.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in the order of their lines.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature after those already there.
    pub fn sign(&mut self, key: &SigningKey) {
        self.signatures.push(Signature::make(&self.text, key));
    }

    /// Adds a line with a signature, as a witness answers with, after those already there.
    pub fn add(&mut self, signature: Signature) {
        self.signatures.push(signature);
    }

    /// Checks every signature by one of these keys; signatures by other keys are passed over.
    ///
    /// # Errors
    /// When a signature by one of these keys does not hold, or there is none.
    pub fn verify(&self, keys: &[&VerifyingKey]) -> Result<(), SignatureError> {
        let mut signed = false;
        for signature in &self.signatures {
            for key in keys.iter().filter(|key| signature.claims(key)) {
                if !key.verify(self.text.as_bytes(), &signature.bytes) {
                    return Err(SignatureError::Forged {
                        name: signature.name.clone(),
                        id: signature.id,
                    });
                }
                signed = true;
            }
        }
        if signed {
            return Ok(());
        }
        Err(SignatureError::Unknown {
            want: join(keys.iter().map(|key| (key.name(), key.id()))),
            got: join(self.signatures.iter().map(|s| (s.name(), s.id()))),
        })
    }
}

impl fmt::Display for Note {
    /// The whole note.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|s| write!(f, "{s}"))
    }
}

impl Signature {
    /// The name of the key that is said to have signed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key that is said to have signed.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The signature, of whatever kind the key makes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn make(text: &str, key: &SigningKey) -> Self {
        Self::new(key.name(), key.id(), key.sign(text.as_bytes()).to_vec())
    }

    pub(crate) fn new(name: &str, id: KeyId, bytes: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            id,
            bytes,
        }
    }

    /// Reads a line, its newline included. `None` when it is no signature.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.strip_suffix('\n')?.strip_prefix(DASH)?;
        let (name, base64) = line.split_once(' ')?;
        let bytes = BASE64_STANDARD.decode(base64).ok()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        let fits = key::is_name(name) && !bytes.is_empty();
        fits.then(|| Self::new(name, KeyId::new(*id), bytes.to_owned()))
    }

    pub(crate) fn claims(&self, key: &VerifyingKey) -> bool {
        self.id == key.id() && self.name == key.name()
    }
}

impl fmt::Display for Signature {
    /// The line, its newline included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_bytes().as_slice(), &self.bytes].concat();
        writeln!(f, "{DASH}{} {}", self.name, BASE64_STANDARD.encode(bytes))
    }
}

fn check_characters(note: &str) -> Result<(), NoteError> {
    if note.len() > Note::MAX_LEN {
        return Err(NoteError::TooLong { len: note.len() });
    }
    match note.bytes().position(|b| b < 0x20 && b != b'\n') {
        Some(at) => Err(NoteError::Control { at }),
        None => Ok(()),
    }
}

fn join<'a>(keys: impl Iterator<Item = (&'a str, KeyId)>) -> String {
    let keys: Vec<_> = keys.map(|(name, id)| format!("{name}+{id}")).collect();
    keys.join(", ")
}

/// An em dash (U+2014) and a space, with which a line of signature begins.
const DASH: &str = "\u{2014} ";
