//! An authority in memory: what it signs, and what stands in it. [`crate::office`] keeps one on disk, with
//! the ledger of what it signed.

mod parameters;
mod word;

use std::fmt;

use rcgen::{
    CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PublicKeyData as _, RevokedCertParams, SerialNumber,
    SubjectPublicKeyInfo,
};
use schakel_core::{random::Random, time::Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) use self::parameters::of_subject;
pub use self::word::{InvalidPolicy, PolicyId, Reason, UnknownReason};
pub use crate::authority::IssueError;
use crate::{
    identity::{self, IdentityError, Serial},
    profile::Holder,
    request::AdmittedKey,
    validity::{Validity, to_date_time},
};

/// The elliptic curve of an authority's own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256, signing with SHA-256.
    P256,
    /// NIST P-384, signing with SHA-384.
    P384,
}

/// The name of an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityName {
    /// organizationName: 1 to 64 characters.
    pub organisation: String,
    /// commonName: 1 to 64 characters.
    pub common_name: String,
}

/// What stands in every certificate that an authority issues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Where its revocation list is published: `http://` or `https://`.
    pub list_url: String,
    /// The policy under which it issues; absent when it has published none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyId>,
}

/// A certificate on a revocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Its serial number.
    pub serial: Serial,
    /// When it was revoked.
    pub at: Timestamp,
    /// The reason that stands on the list (RFC 5280 5.3.1).
    pub reason: Reason,
}

/// An authority with its private key.
pub struct SigningAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
    validity: Validity,
    terms: Terms,
}

impl SigningAuthority {
    /// A new root: it signs authorities below it and their revocation list, and nothing else.
    ///
    /// # Errors
    /// When the name does not fit or the cryptographic library refuses.
    pub fn root(
        name: &AuthorityName,
        curve: Curve,
        validity: Validity,
        terms: Terms,
        random: &mut dyn Random,
    ) -> Result<Self, IssueError> {
        let key = curve.generate()?;
        let params = parameters::of_root(name, validity, random);
        let certificate = params.self_signed(&key)?.der().to_vec();
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
            validity,
            terms,
        })
    }

    /// An authority whose certificate (DER) and private key were kept.
    ///
    /// # Errors
    /// When the certificate cannot be read, is no authority's, or is not that of the key.
    pub(crate) fn load(
        certificate: Vec<u8>,
        key: KeyPair,
        terms: Terms,
    ) -> Result<Self, LoadError> {
        let parsed = identity::parse(&certificate).map_err(LoadError::Certificate)?;
        if !parsed.is_ca() {
            return Err(LoadError::NoAuthority);
        }
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(LoadError::OtherKey);
        }
        let validity = identity::validity_of(&parsed).map_err(LoadError::Certificate)?;
        let issuer = Issuer::from_ca_cert_der(&certificate.as_slice().into(), key)
            .map_err(|error| LoadError::Refused(error.into()))?;
        Ok(Self {
            issuer,
            certificate,
            validity,
            terms,
        })
    }

    /// Certifies the key of an authority below this one. It never outlives this one.
    ///
    /// # Errors
    /// When the cryptographic library refuses.
    pub fn certify_authority(
        &self,
        name: &AuthorityName,
        spki: &[u8],
        validity: Validity,
        policy: Option<&PolicyId>,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, IssueError> {
        let key = SubjectPublicKeyInfo::from_der(spki)?;
        let validity = validity.within(self.validity);
        let params = parameters::of_issuing(name, validity, &self.terms, policy, random);
        Ok(params.signed_by(&key, &self.issuer)?.der().to_vec())
    }

    /// Issues a certificate (DER) for a key that was admitted. It never outlives the authority.
    ///
    /// # Errors
    /// When a name does not fit, or the cryptographic library refuses.
    pub fn certify(
        &self,
        key: &AdmittedKey,
        holder: &Holder,
        validity: Validity,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, IssueError> {
        let key = SubjectPublicKeyInfo::from_der(&key.spki)?;
        let validity = validity.within(self.validity);
        let params = parameters::of_holder(holder, validity, &self.terms, random)?;
        Ok(params.signed_by(&key, &self.issuer)?.der().to_vec())
    }

    /// Signs a revocation list (DER). Its number must be higher than that of every list before.
    ///
    /// # Errors
    /// When the period is empty or the cryptographic library refuses.
    pub fn list(
        &self,
        revoked: &[Revoked],
        number: u64,
        validity: Validity,
    ) -> Result<Vec<u8>, IssueError> {
        let entry = |revoked: &Revoked| RevokedCertParams {
            serial_number: SerialNumber::from_slice(revoked.serial.as_bytes()),
            revocation_time: to_date_time(revoked.at),
            reason_code: revoked.reason.on_list(),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: to_date_time(validity.not_before()),
            next_update: to_date_time(validity.not_after()),
            crl_number: number.into(),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.der().to_vec())
    }

    /// The certificate of the authority, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// From when to when the authority holds.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// What stands in every certificate it issues.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(crate) fn key(&self) -> &KeyPair {
        self.issuer.key()
    }
}

impl fmt::Debug for SigningAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningAuthority")
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

/// Why a certificate and a key are no authority.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The certificate cannot be read.
    #[error("the certificate of the authority cannot be read")]
    Certificate(#[source] IdentityError),
    /// The certificate is not that of an authority at all.
    #[error("the certificate is not that of an authority")]
    NoAuthority,
    /// The key belongs to another certificate.
    #[error("the private key does not belong to the certificate of the authority")]
    OtherKey,
    /// The library refused.
    #[error("the authority cannot be used")]
    Refused(#[source] IssueError),
}

impl Curve {
    pub(crate) fn generate(self) -> Result<KeyPair, IssueError> {
        let algorithm = match self {
            Self::P256 => &PKCS_ECDSA_P256_SHA256,
            Self::P384 => &PKCS_ECDSA_P384_SHA384,
        };
        Ok(KeyPair::generate_for(algorithm)?)
    }
}
