//! Private keys at rest: PKCS #8, encrypted under a passphrase (RFC 8018, PBES2).
//!
//! PBKDF2 and AES-CBC rather than anything newer, because every tool an administrator may have to open the
//! key with, in the year the program is gone, reads them.

use pkcs8::{
    EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument, pkcs5::pbes2,
};
use rcgen::KeyPair;
use schakel_core::random::Random;
use zeroize::Zeroizing;

/// The label of an encrypted key in PEM.
const LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// How often PBKDF2-HMAC-SHA-256 is repeated (OWASP Password Storage Cheat Sheet).
const ITERATIONS: u32 = 600_000;

/// What a private key is encrypted under. It is wiped from memory when it is dropped, and never shows.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

/// Why a passphrase is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a passphrase must have at least {} characters", Passphrase::LEAST)]
pub struct ShortPassphrase;

/// Why a private key cannot be kept or opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The text is not one encrypted key.
    #[error("not one encrypted private key in PEM (PKCS #8, `BEGIN {LABEL}`)")]
    Malformed,
    /// The passphrase is another.
    #[error("the passphrase does not open the private key")]
    Passphrase,
    /// The library refused.
    #[error("the private key cannot be encrypted")]
    Refused,
}

impl Passphrase {
    /// The fewest characters a passphrase may have.
    pub const LEAST: usize = 12;

    /// A passphrase; one line end after it does not count.
    ///
    /// # Errors
    /// When it is too short.
    pub fn new(text: impl Into<String>) -> Result<Self, ShortPassphrase> {
        let mut text = Zeroizing::new(text.into());
        let kept = text.trim_end_matches('\n').trim_end_matches('\r').len();
        text.truncate(kept);
        if text.chars().count() < Self::LEAST {
            return Err(ShortPassphrase);
        }
        Ok(Self(text))
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(redacted)")
    }
}

/// Encrypts a private key, as PEM.
///
/// # Errors
/// When the library refuses.
pub(crate) fn seal(
    key: &KeyPair,
    passphrase: &Passphrase,
    random: &mut dyn Random,
) -> Result<String, SecretError> {
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    random.fill(&mut salt);
    random.fill(&mut iv);
    let sealed = || -> pkcs8::Result<SecretDocument> {
        let der = Zeroizing::new(key.serialize_der());
        let parameters =
            pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, iv)?;
        PrivateKeyInfoRef::try_from(der.as_slice())?
            .encrypt_with_params(parameters, passphrase.0.as_bytes())
    };
    let sealed = sealed().map_err(|_| SecretError::Refused)?;
    let pem = sealed.to_pem(LABEL, LineEnding::LF);
    Ok(pem.map_err(|_| SecretError::Refused)?.to_string())
}

/// Opens an encrypted private key.
///
/// # Errors
/// When the text is no encrypted key, or the passphrase is another.
pub(crate) fn open(pem: &str, passphrase: &Passphrase) -> Result<KeyPair, SecretError> {
    let (label, sealed) = SecretDocument::from_pem(pem).map_err(|_| SecretError::Malformed)?;
    if label != LABEL {
        return Err(SecretError::Malformed);
    }
    let sealed = EncryptedPrivateKeyInfoRef::try_from(sealed.as_bytes())
        .map_err(|_| SecretError::Malformed)?;
    let opened = sealed
        .decrypt(passphrase.0.as_bytes())
        .map_err(|_| SecretError::Passphrase)?;
    KeyPair::try_from(opened.as_bytes()).map_err(|_| SecretError::Passphrase)
}

#[cfg(test)]
mod tests {
    use rcgen::{PKCS_ECDSA_P384_SHA384, PublicKeyData as _};

    use super::*;
    use crate::seeded::Seeded;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text).unwrap()
    }

    #[test]
    fn a_key_is_opened_by_its_passphrase_alone() {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let sealed = seal(&key, &passphrase("een lange wachtzin"), &mut Seeded(1)).unwrap();
        assert!(sealed.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        let opened = open(&sealed, &passphrase("een lange wachtzin\n")).unwrap();
        assert_eq!(
            opened.subject_public_key_info(),
            key.subject_public_key_info()
        );
        assert!(matches!(
            open(&sealed, &passphrase("een andere wachtzin")),
            Err(SecretError::Passphrase)
        ));
    }

    #[test]
    fn a_key_in_clear_is_not_taken_for_an_encrypted_one() {
        let clear = KeyPair::generate().unwrap().serialize_pem();
        for text in [clear.as_str(), "", "nothing"] {
            assert!(matches!(
                open(text, &passphrase("een lange wachtzin")),
                Err(SecretError::Malformed)
            ));
        }
    }

    #[test]
    fn a_short_passphrase_is_refused_and_none_ever_shows() {
        assert_eq!(
            Passphrase::new("elf tekens!\n").unwrap_err(),
            ShortPassphrase
        );
        let shown = format!("{:?}", passphrase("twaalf teken"));
        assert_eq!(shown, "Passphrase(redacted)");
    }
}
