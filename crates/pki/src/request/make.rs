//! The making of a key and a request for it, where the key is going to stay.

use std::fmt;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use schakel_core::{id::Oin, random::Random};

use crate::{
    authority::parameters::{SERIAL_NUMBER, alternative_names, printable},
    issuing::{Curve, IssueError, of_subject},
    profile::Holder,
    secret::{self, Passphrase, SecretError},
};

/// A new key and a request that its holder sends to the authority. The key goes to nobody.
pub struct NewRequest {
    /// The request, PEM.
    pub request_pem: String,
    key: KeyPair,
}

impl NewRequest {
    /// Makes a key, and a request that says of its holder what the certificate is going to say.
    ///
    /// # Errors
    /// When a name does not fit, or the cryptographic library refuses.
    pub fn make(holder: &Holder, curve: Curve) -> Result<Self, IssueError> {
        let key = curve.generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = of_subject(holder)?;
        params.subject_alt_names = alternative_names(&holder.hosts)?;
        Ok(Self {
            request_pem: params.serialize_request(&key)?.pem()?,
            key,
        })
    }

    /// Makes a key, and a request that says no more of its holder than the number.
    ///
    /// # Errors
    /// When the number does not fit, or the cryptographic library refuses.
    pub fn of_number(oin: &Oin, curve: Curve) -> Result<Self, IssueError> {
        let key = curve.generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(
            DnType::CustomDnType(SERIAL_NUMBER.to_vec()),
            printable(oin)?,
        );
        Ok(Self {
            request_pem: params.serialize_request(&key)?.pem()?,
            key,
        })
    }

    /// The private key, PEM, in clear: for a program that starts by itself.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// The private key, PEM, encrypted.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn sealed_key_pem(
        &self,
        passphrase: &Passphrase,
        random: &mut dyn Random,
    ) -> Result<String, SecretError> {
        secret::seal(&self.key, passphrase, random)
    }
}

impl fmt::Debug for NewRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewRequest")
            .field("request_pem", &self.request_pem)
            .finish_non_exhaustive()
    }
}
