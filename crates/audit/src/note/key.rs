//! The Ed25519 keys of notes and their text forms.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::Signer as _;
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

/// The first four bytes of a digest of a key and its name, which tell keys of one name apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

/// A key that signs notes. Its name is public; its seed is wiped from memory when it is dropped.
pub struct SigningKey {
    verifying: VerifyingKey,
    key: ed25519_dalek::SigningKey,
}

/// A key that verifies notes, with the name it goes by.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    kind: Kind,
    name: String,
    id: KeyId,
    key: ed25519_dalek::VerifyingKey,
}

/// What a key signs. The numbers are those of C2SP signed-note and tlog-cosignature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The text of a note.
    Note = 0x01,
    /// The text of a checkpoint, with the time at which it was seen.
    Cosignature = 0x04,
}

/// Why a text is not a key. It never shows the text, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The parts are not there, or not spelled as they must be.
    #[error("the key must be written `{0}`")]
    Form(&'static str),
    /// The name cannot stand in a note.
    #[error("a key name must not be empty nor contain spaces, `+` or control characters")]
    Name,
    /// Another kind of key than its place wants.
    #[error(
        "a key of type {0:#04x} cannot be used here: logs sign with Ed25519 (0x01), witnesses with \
         timestamped Ed25519 (0x04)"
    )]
    Algorithm(u8),
    /// Not the length of an Ed25519 key.
    #[error("an Ed25519 key has 32 bytes, not {0}")]
    Length(usize),
    /// The bytes are no public key, or one that verifies signatures nobody made.
    #[error("the bytes are no sound Ed25519 public key")]
    Point,
    /// The id in the text is not that of the name and the key.
    #[error("the key has id {want}, not the `{got}` it is written with: it was copied wrongly")]
    Id {
        /// The id that the name and the key make.
        want: KeyId,
        /// The id in the text.
        got: KeyId,
    },
}

impl KeyId {
    /// The id with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The bytes of the id.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// SHA-256(name ‖ 0x0A ‖ type ‖ public key), its first four bytes.
    fn derive(kind: Kind, name: &str, public: &[u8; 32]) -> Self {
        let [a, b, c, d, ..] = <[u8; 32]>::from(
            Sha256::new()
                .chain_update(name)
                .chain_update([b'\n', kind as u8])
                .chain_update(public)
                .finalize(),
        );
        Self([a, b, c, d])
    }

    /// Eight lower-case hexadecimal digits and nothing else.
    fn parse(text: &str) -> Option<Self> {
        let id = Self(u32::from_str_radix(text, 16).ok()?.to_be_bytes());
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for KeyId {
    /// Eight hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl SigningKey {
    /// The key that grows from this seed, by this name. For a log, the name is its origin.
    ///
    /// # Errors
    /// When the name cannot stand in a note.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        Self::of(Kind::Note, name, seed)
    }

    pub(crate) fn of(kind: Kind, name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifying = VerifyingKey::of(kind, name, &key.verifying_key().to_bytes())?;
        Ok(Self { verifying, key })
    }

    /// Reads the form that [`to_skey`](Self::to_skey) writes.
    ///
    /// # Errors
    /// When it is spelled otherwise, or its id is not that of the key.
    pub fn from_skey(skey: &str) -> Result<Self, KeyError> {
        Self::parse(Kind::Note, skey)
    }

    pub(crate) fn parse(kind: Kind, skey: &str) -> Result<Self, KeyError> {
        let form = KeyError::Form(SKEY_FORM);
        let rest = skey.strip_prefix(SKEY_PREFIX).ok_or_else(|| form.clone())?;
        let text = KeyText::parse(rest).ok_or(form)?;
        let key = Self::of(kind, text.name, &*text.key_bytes(kind)?)?;
        text.check_id(key.id())?;
        Ok(key)
    }

    /// The key as the Go tools keep it, `PRIVATE+KEY+<name>+<id>+<base64>`: a secret.
    #[must_use]
    pub fn to_skey(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(self.key.to_bytes());
        let mut typed = Zeroizing::new(Vec::with_capacity(1 + seed.len()));
        typed.push(self.verifying.kind as u8);
        typed.extend_from_slice(seed.as_slice());
        let base64 = Zeroizing::new(BASE64_STANDARD.encode(&*typed));
        let (name, id) = (self.name(), self.id());
        Zeroizing::new(format!("{SKEY_PREFIX}{name}+{id}+{}", *base64))
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.verifying.name()
    }

    /// The id of the key.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.verifying.id()
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// Signs bytes with Ed25519 (RFC 8032).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, id) = (self.name(), self.id());
        write!(f, "SigningKey({name}+{id}, seed withheld)")
    }
}

impl VerifyingKey {
    /// The key with these bytes, by this name.
    ///
    /// # Errors
    /// When the name cannot stand in a note or the bytes are no sound public key.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        Self::of(Kind::Note, name, public)
    }

    pub(crate) fn of(kind: Kind, name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| KeyError::Point)?;
        // Under a weak key one signature holds for many messages.
        if key.is_weak() {
            return Err(KeyError::Point);
        }
        Ok(Self {
            kind,
            name: name.to_owned(),
            id: KeyId::derive(kind, name, public),
            key,
        })
    }

    pub(crate) fn parse(kind: Kind, vkey: &str) -> Result<Self, KeyError> {
        let text = KeyText::parse(vkey).ok_or(KeyError::Form(VKEY_FORM))?;
        let key = Self::of(kind, text.name, &*text.key_bytes(kind)?)?;
        text.check_id(key.id)?;
        Ok(key)
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The bytes of the public key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether this is a signature of `message` by this key; malleable and weak ones are not.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for VerifyingKey {
    /// The vkey: `<name>+<id>+<base64>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = [self.kind as u8; 33];
        for (to, from) in typed.iter_mut().skip(1).zip(self.as_bytes()) {
            *to = *from;
        }
        let base64 = BASE64_STANDARD.encode(typed);
        write!(f, "{}+{}+{base64}", self.name, self.id)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({self})")
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyError;

    /// Reads a vkey, in its one spelling.
    fn from_str(vkey: &str) -> Result<Self, KeyError> {
        Self::parse(Kind::Note, vkey)
    }
}

/// What the text forms of both keys have in common: `<name>+<id>+<base64 of type and key>`.
struct KeyText<'a> {
    name: &'a str,
    id: KeyId,
    typed: Zeroizing<Vec<u8>>,
}

impl<'a> KeyText<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        // Base64 has plus signs of its own, so only the first two part.
        let mut parts = text.splitn(3, '+');
        let (name, id, base64) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            name,
            id: KeyId::parse(id)?,
            typed: Zeroizing::new(BASE64_STANDARD.decode(base64).ok()?),
        })
    }

    fn key_bytes(&self, kind: Kind) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        match self.typed.as_slice() {
            [got, key @ ..] if *got == kind as u8 => key
                .try_into()
                .map(Zeroizing::new)
                .map_err(|_| KeyError::Length(key.len())),
            [other, ..] => Err(KeyError::Algorithm(*other)),
            [] => Err(KeyError::Length(0)),
        }
    }

    fn check_id(&self, want: KeyId) -> Result<(), KeyError> {
        if self.id == want {
            Ok(())
        } else {
            Err(KeyError::Id { want, got: self.id })
        }
    }
}

/// Whether a key may go by this name: not empty, no Unicode space, no plus, and no control
/// character, since the name stands in notes.
pub(crate) fn is_name(name: &str) -> bool {
    let bad = |c: char| c.is_whitespace() || c == '+' || c < ' ';
    !name.is_empty() && !name.contains(bad)
}

const SKEY_PREFIX: &str = "PRIVATE+KEY+";
const SKEY_FORM: &str = "PRIVATE+KEY+<name>+<8 hex digits>+<base64>";
const VKEY_FORM: &str = "<name>+<8 hex digits>+<base64>";
