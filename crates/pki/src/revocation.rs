//! The reading of a certificate revocation list.

use std::collections::BTreeSet;

use x509_parser::{prelude::FromDer, revocation_list::CertificateRevocationList};

use crate::{
    identity::{self, CertificateIdentity, Issuer, Serial},
    pem,
    validity::{self, Validity},
};

/// A list of revoked certificates of one authority.
///
/// A handshake checks revocation once. A connection that stays open must be checked again with
/// [`RevocationList::revokes`] whenever a new list has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    issuer: Issuer,
    number: Option<u64>,
    validity: Validity,
    revoked: BTreeSet<Serial>,
}

/// Why a revocation list cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevocationError {
    /// Not a revocation list.
    #[error("not an X.509 revocation list in PEM, or not exactly one")]
    Malformed,
    /// The list does not say until when it may be relied on.
    #[error("the revocation list has no nextUpdate: without it an old list would count for ever")]
    NoNextUpdate,
    /// Another authority signed it, or nobody did.
    #[error("the revocation list is not signed by this authority")]
    OtherAuthority,
}

impl RevocationList {
    /// Reads the only list in a PEM text and checks that the authority with this certificate (DER) signed it.
    ///
    /// # Errors
    /// When the text is not one list, it has no end, or the authority did not sign it.
    pub fn parse(text: &str, authority: &[u8]) -> Result<Self, RevocationError> {
        let der = pem::only_block(text, "X509 CRL").ok_or(RevocationError::Malformed)?;
        Self::parse_der(&der, authority)
    }

    /// Reads a list in DER, as authorities publish it, and checks that the authority with this certificate (DER)
    /// signed it.
    ///
    /// # Errors
    /// When the bytes are not one list, it has no end, or the authority did not sign it.
    pub fn parse_der(der: &[u8], authority: &[u8]) -> Result<Self, RevocationError> {
        let Ok(([], list)) = CertificateRevocationList::from_der(der) else {
            return Err(RevocationError::Malformed);
        };
        let authority = identity::parse(authority).map_err(|_| RevocationError::OtherAuthority)?;
        if list.issuer().as_raw() != authority.subject().as_raw()
            || list.verify_signature(authority.public_key()).is_err()
        {
            return Err(RevocationError::OtherAuthority);
        }
        let read = |seconds| validity::from_seconds(seconds).ok_or(RevocationError::Malformed);
        let next_update = list.next_update().ok_or(RevocationError::NoNextUpdate)?;
        let validity = Validity::between(
            read(list.last_update().timestamp())?,
            read(next_update.timestamp())?,
        )
        .map_err(|_| RevocationError::Malformed)?;
        Ok(Self {
            issuer: Issuer::of(list.issuer()),
            number: list.crl_number().and_then(|number| number.try_into().ok()),
            validity,
            revoked: list
                .iter_revoked_certificates()
                .map(|revoked| Serial::from_bytes(revoked.raw_serial()))
                .collect(),
        })
    }

    /// Whether the list revokes this certificate.
    #[must_use]
    pub fn revokes(&self, identity: &CertificateIdentity) -> bool {
        self.names(&identity.issuer.der, &identity.serial)
    }

    /// Whether the list revokes what this issuer (its exact name, DER) gave this serial number.
    #[must_use]
    pub fn names(&self, issuer: &[u8], serial: &Serial) -> bool {
        self.issuer.der == issuer && self.revoked.contains(serial)
    }

    /// Who signed it.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// From thisUpdate to nextUpdate: when the list may be relied on.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// The number of the list, which grows with each; none when it has none, or one past 64 bits.
    #[must_use]
    pub const fn number(&self) -> Option<u64> {
        self.number
    }

    /// The serial numbers of the certificates it revokes, in ascending order of their bytes.
    pub fn revoked(&self) -> impl Iterator<Item = &Serial> {
        self.revoked.iter()
    }
}
