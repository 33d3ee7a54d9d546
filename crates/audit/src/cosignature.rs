//! Cosignatures (C2SP tlog-cosignature v1.0): that a witness saw a log grow to a checkpoint without losing
//! anything, and when.
//!
//! A cosignature is a signature line on the checkpoint like that of the log. It signs more than the text: a
//! line that keeps it apart from every other signature, and the time.
//!
//! ```text
//! cosignature/v1
//! time 1790000000
//! broker.example.org/audit/2026
//! 7
//! mMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=
//! ```
//!
//! Only timestamped Ed25519 (key type 0x04) is read and made.

use std::{fmt, str::FromStr};

use crate::note::{
    KeyError, KeyId, Kind, Note, Signature, SignatureError, SigningKey, VerifyingKey,
};

/// A key that verifies cosignatures, with the name of its witness.
#[derive(Clone, PartialEq, Eq)]
pub struct WitnessKey(VerifyingKey);

/// A key that cosigns. Its seed is wiped from memory when it is dropped.
pub struct WitnessSigningKey(SigningKey);

/// What a witness signs: that at `at`, in seconds since 1970, this text was that of the largest checkpoint it
/// had seen of the log.
#[must_use]
pub fn message(at: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {at}\n{text}")
}

impl WitnessKey {
    /// The key with these bytes, of the witness with this name.
    ///
    /// # Errors
    /// When the name cannot stand in a note or the bytes are no sound public key.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        VerifyingKey::of(Kind::Cosignature, name, public).map(Self)
    }

    /// The name of the witness.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The id of the key.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.0.id()
    }

    /// The bytes of the public key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// When this witness saw the checkpoint, in seconds since 1970: the last time, if it signed more than
    /// once. `None` when it did not sign.
    ///
    /// # Errors
    /// When a line is said to be by this key and does not hold.
    pub fn seen(&self, note: &Note) -> Result<Option<u64>, SignatureError> {
        let mut seen = None;
        for signature in note.signatures() {
            if signature.claims(&self.0) {
                let forged = || SignatureError::Forged {
                    name: self.name().to_owned(),
                    id: self.id(),
                };
                seen = seen.max(Some(
                    self.verify(note.text(), signature).ok_or_else(forged)?,
                ));
            }
        }
        Ok(seen)
    }

    /// The time in a cosignature of this text by this key. `None` when it is not one.
    #[must_use]
    pub fn verify(&self, text: &str, signature: &Signature) -> Option<u64> {
        if !signature.claims(&self.0) {
            return None;
        }
        let (at, signature) = signature.bytes().split_first_chunk()?;
        let at = u64::from_be_bytes(*at);
        let holds = at <= MAX_TIME && self.0.verify(message(at, text).as_bytes(), signature);
        holds.then_some(at)
    }
}

impl fmt::Display for WitnessKey {
    /// The vkey: `<name>+<id>+<base64>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({self})")
    }
}

impl FromStr for WitnessKey {
    type Err = KeyError;

    /// Reads a vkey of type 0x04, in its one spelling.
    fn from_str(vkey: &str) -> Result<Self, KeyError> {
        VerifyingKey::parse(Kind::Cosignature, vkey).map(Self)
    }
}

impl WitnessSigningKey {
    /// The key that grows from this seed, of the witness with this name.
    ///
    /// # Errors
    /// When the name cannot stand in a note.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        SigningKey::of(Kind::Cosignature, name, seed).map(Self)
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn witness_key(&self) -> WitnessKey {
        WitnessKey(self.0.verifying_key().clone())
    }

    /// Cosigns the text of a checkpoint as of `at`, in seconds since 1970. Whether the log lost nothing since
    /// the checkpoint before is for the caller to verify first: that is what the signature says.
    #[must_use]
    pub fn cosign(&self, text: &str, at: u64) -> Signature {
        let signature = self.0.sign(message(at, text).as_bytes());
        let bytes = [at.to_be_bytes().as_slice(), &signature].concat();
        Signature::new(self.0.name(), self.0.id(), bytes)
    }
}

impl fmt::Debug for WitnessSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessSigningKey({}, seed withheld)", self.0.name())
    }
}

/// The greatest time that a cosignature may have.
const MAX_TIME: u64 = i64::MAX as u64;
