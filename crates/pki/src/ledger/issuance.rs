//! A certificate as the ledger knows it.

use schakel_core::{id::Oin, time::Timestamp};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName};

use super::Kind;
use crate::{
    identity::{self, IdentityError, Serial, sha256},
    issuing::Reason,
    pem,
    profile::{Holder, address},
    validity::Validity,
};

/// A certificate that the authority issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuance {
    /// Its serial number.
    pub serial: Serial,
    /// What for.
    pub kind: Kind,
    /// Subject.serialNumber, where there is one.
    pub oin: Option<Oin>,
    /// commonName.
    pub name: String,
    /// From when to when it holds.
    pub validity: Validity,
    /// SHA-256 of the certificate.
    pub sha256: [u8; 32],
    /// SHA-256 of its public key, as `SubjectPublicKeyInfo`: certificates with the same are of one private key.
    pub key_sha256: [u8; 32],
    /// The certificate.
    pub der: Vec<u8>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The certificate it was to take the place of.
    pub replaces: Option<Serial>,
    /// When and why it was revoked.
    pub revoked: Option<(Timestamp, Reason)>,
}

impl Issuance {
    /// What a certificate says of itself. It is not revoked, and takes nobody's place.
    pub(crate) fn read(der: &[u8]) -> Result<Self, IdentityError> {
        let certificate = identity::parse(der)?;
        let validity = identity::validity_of(&certificate)?;
        Ok(Self {
            serial: Serial::from_bytes(certificate.raw_serial()),
            kind: Kind::Authority,
            oin: identity::parse_peer(der).ok().map(|identity| identity.oin),
            name: common_name(&certificate),
            validity,
            sha256: sha256(der),
            key_sha256: sha256(certificate.public_key().raw),
            der: der.to_vec(),
            issued_at: validity.not_before(),
            replaces: None,
            revoked: None,
        })
    }

    /// Whether it may be used at an instant.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.validity.contains(at) && self.revoked.is_none_or(|(revoked, _)| at < revoked)
    }

    /// Whether it was revoked because its key came into other hands.
    #[must_use]
    pub fn is_compromised(&self) -> bool {
        self.revoked
            .is_some_and(|(_, reason)| reason.is_compromise())
    }

    /// For whom it was issued, as the certificate says it; none for an authority.
    #[must_use]
    pub fn holder(&self) -> Option<Holder> {
        let Kind::Holder(profile) = self.kind else {
            return None;
        };
        let identity = identity::parse_peer(&self.der).ok()?;
        let certificate = identity::parse(&self.der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let hosts = names.map_or_else(Vec::new, |names| {
            names.value.general_names.iter().filter_map(host).collect()
        });
        Some(Holder {
            profile,
            oin: identity.oin,
            name: identity.organisation?,
            unit: identity.unit,
            hosts,
        })
    }

    /// The certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        pem::block(&self.der, "CERTIFICATE")
    }
}

fn common_name(certificate: &X509Certificate<'_>) -> String {
    let mut names = certificate.subject().iter_common_name();
    let name = names.next().and_then(|name| name.as_str().ok());
    name.unwrap_or_default().to_owned()
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    }
}
