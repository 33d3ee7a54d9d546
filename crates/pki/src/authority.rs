//! The development authority: issues certificates that are good for development and tests only.

pub(crate) mod parameters;

use std::fmt;

use rcgen::{
    CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, PublicKeyData,
    RevokedCertParams, SerialNumber,
};
use schakel_core::{random::Random, time::Timestamp};

use crate::{
    identity::{self, DEVELOPMENT_ORGANISATION, IdentityError, Serial},
    organisation::Organisation,
    pem,
    validity::{Validity, to_date_time},
};

/// How long a development authority holds, in days.
pub const AUTHORITY_DAYS: u32 = 365;

/// How long a certificate of a development organisation holds, in days.
pub const CERTIFICATE_DAYS: u32 = 90;

/// An authority for development and tests. It lives in memory; [`crate::develop`] keeps one on disk.
pub struct DevelopmentAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate_der: Vec<u8>,
    certificate_pem: String,
    validity: Validity,
}

/// A certificate and its private key, both PEM.
#[derive(Clone)]
pub struct Issued {
    /// The certificate.
    pub cert_pem: String,
    /// The private key, PKCS #8.
    pub key_pem: String,
}

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// A host is neither an address nor a DNS name.
    #[error("host `{host}` is neither an IP address nor a DNS name")]
    Host {
        /// The host.
        host: String,
    },
    /// The library that encodes and signs refused.
    #[error("the certificate cannot be made")]
    Refused(#[from] rcgen::Error),
}

/// Why a certificate and a key are not a development authority.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The certificate cannot be read.
    #[error("the certificate of the authority cannot be read")]
    Certificate(#[source] IdentityError),
    /// The key cannot be read.
    #[error("the private key of the authority cannot be read: it must be one PKCS #8 key in PEM")]
    Key(#[source] rcgen::Error),
    /// The certificate is not that of an authority at all.
    #[error("the certificate is not that of an authority")]
    NoAuthority,
    /// The key belongs to another certificate.
    #[error("the private key does not belong to the certificate of the authority")]
    OtherKey,
    /// The certificate is that of another authority.
    #[error(
        "not a development authority: its organizationName must be `{DEVELOPMENT_ORGANISATION}`"
    )]
    OtherAuthority,
}

impl DevelopmentAuthority {
    /// A new authority with a new key, good for a year from `now`.
    ///
    /// # Errors
    /// When the cryptographic library cannot make a key or sign.
    pub fn new(now: Timestamp, random: &mut dyn Random) -> Result<Self, IssueError> {
        Self::with_validity(Validity::days(AUTHORITY_DAYS, now), random)
    }

    /// A new authority with a new key, good in this period.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_validity(validity: Validity, random: &mut dyn Random) -> Result<Self, IssueError> {
        Self::self_signed(KeyPair::generate()?, validity, random)
    }

    /// The authority whose certificate and key were kept as PEM.
    ///
    /// # Errors
    /// When one cannot be read, they do not belong together, or the authority is not a development one.
    pub fn load(cert_pem: &str, key_pem: &str) -> Result<Self, LoadError> {
        let malformed = LoadError::Certificate(IdentityError::Malformed);
        let der = pem::only_block(cert_pem, "CERTIFICATE").ok_or(malformed)?;
        let key = KeyPair::from_pem(key_pem).map_err(LoadError::Key)?;
        let certificate = identity::parse(&der).map_err(LoadError::Certificate)?;
        if !certificate.is_ca() {
            return Err(LoadError::NoAuthority);
        }
        if !identity::is_development_authority(&der).map_err(LoadError::Certificate)? {
            return Err(LoadError::OtherAuthority);
        }
        if !is_key_of(cert_pem, key_pem) {
            return Err(LoadError::OtherKey);
        }
        let validity = identity::validity_of(&certificate).map_err(LoadError::Certificate)?;
        let issuer =
            Issuer::from_ca_cert_der(&der.as_slice().into(), key).map_err(LoadError::Key)?;
        Ok(Self {
            issuer,
            certificate_pem: cert_pem.to_owned(),
            validity,
            certificate_der: der,
        })
    }

    /// The same authority with the same key under a new certificate, good for a year from `now`. What it
    /// issued before stays valid.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn renew(self, now: Timestamp, random: &mut dyn Random) -> Result<Self, IssueError> {
        let key = KeyPair::from_pem(&self.key_pem())?;
        Self::self_signed(key, Validity::days(AUTHORITY_DAYS, now), random)
    }

    /// Issues a certificate with a new key. Expired and not yet valid ones come by the period, foreign ones
    /// from another authority. A certificate never outlives the authority.
    ///
    /// # Errors
    /// When a host of the organisation is no name and no address, or the cryptographic library refuses.
    pub fn issue(
        &self,
        organisation: &Organisation,
        validity: Validity,
        random: &mut dyn Random,
    ) -> Result<Issued, IssueError> {
        let key = KeyPair::generate()?;
        Ok(Issued {
            cert_pem: self.certify(organisation, &key, validity, random)?,
            key_pem: key.serialize_pem(),
        })
    }

    /// Issues a new certificate for a key that exists, PEM.
    ///
    /// # Errors
    /// As [`Self::issue`], and when the key cannot be read.
    pub fn reissue(
        &self,
        organisation: &Organisation,
        key_pem: &str,
        validity: Validity,
        random: &mut dyn Random,
    ) -> Result<Issued, IssueError> {
        let key = KeyPair::from_pem(key_pem)?;
        let cert_pem = self.certify(organisation, &key, validity, random)?;
        Ok(Issued {
            cert_pem,
            key_pem: key_pem.to_owned(),
        })
    }

    /// Signs a revocation list of these certificates, PEM. Its number must grow with every list.
    ///
    /// # Errors
    /// When the period is empty or the cryptographic library refuses.
    pub fn revoke(
        &self,
        revoked: &[Serial],
        number: u64,
        validity: Validity,
    ) -> Result<String, IssueError> {
        let this_update = to_date_time(validity.not_before());
        let entry = |serial: &Serial| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial.as_bytes()),
            revocation_time: this_update,
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update,
            next_update: to_date_time(validity.not_after()),
            crl_number: number.into(),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.pem()?)
    }

    /// The certificate of the authority, PEM.
    #[must_use]
    pub fn cert_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The certificate of the authority, DER.
    #[must_use]
    pub fn cert_der(&self) -> &[u8] {
        &self.certificate_der
    }

    /// The private key of the authority, PEM.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// From when to when the authority holds.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// Whether this authority signed the only certificate in the PEM text.
    #[must_use]
    pub fn has_issued(&self, cert_pem: &str) -> bool {
        let Some(der) = pem::only_block(cert_pem, "CERTIFICATE") else {
            return false;
        };
        let (Ok(certificate), Ok(own)) = (
            identity::parse(&der),
            identity::parse(&self.certificate_der),
        ) else {
            return false;
        };
        certificate.issuer().as_raw() == own.subject().as_raw()
            && certificate.verify_signature(Some(own.public_key())).is_ok()
    }

    fn self_signed(
        key: KeyPair,
        validity: Validity,
        random: &mut dyn Random,
    ) -> Result<Self, IssueError> {
        let params = parameters::of_authority(validity, random);
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            certificate_der: certificate.der().to_vec(),
            certificate_pem: certificate.pem(),
            issuer: Issuer::new(params, key),
            validity,
        })
    }

    fn certify(
        &self,
        organisation: &Organisation,
        key: &KeyPair,
        validity: Validity,
        random: &mut dyn Random,
    ) -> Result<String, IssueError> {
        let validity = validity.within(self.validity);
        let params = parameters::of_organisation(organisation, validity, random)?;
        Ok(params.signed_by(key, &self.issuer)?.pem())
    }
}

/// Whether the private key belongs to the certificate, both PEM.
pub(crate) fn is_key_of(cert_pem: &str, key_pem: &str) -> bool {
    let (Some(der), Ok(key)) = (
        pem::only_block(cert_pem, "CERTIFICATE"),
        KeyPair::from_pem(key_pem),
    ) else {
        return false;
    };
    identity::parse(&der)
        .is_ok_and(|certificate| certificate.public_key().raw == key.subject_public_key_info())
}

impl fmt::Debug for DevelopmentAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevelopmentAuthority")
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("cert_pem", &self.cert_pem)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
