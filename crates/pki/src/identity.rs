//! Who a certificate is for: the reading of a peer's certificate.
//!
//! The organisation is named by its OIN, and the OIN is taken from one place only, the attribute
//! serialNumber (2.5.4.5) of the subject (Digikoppeling Beveiligingsstandaarden 2.0.1, PKI001; not to be
//! confused with the certificate's own serial number). What a name, an alternative name or an extension
//! says is never asked.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest;
use schakel_core::{id::Oin, text::shown, time::Timestamp};
use x509_parser::{
    certificate::X509Certificate,
    oid_registry::OID_X509_SERIALNUMBER,
    prelude::FromDer,
    x509::{AttributeTypeAndValue, X509Name},
};

use crate::{
    pem,
    validity::{self, Validity},
};

/// The organizationName that marks a development authority. A broker outside development refuses an
/// authority that bears it, and every certificate such an authority issued.
pub const DEVELOPMENT_ORGANISATION: &str = "Schakel development CA, not for production";

/// How every test number begins (OIN-Stelsel 2.2.2).
pub const TEST_OIN_PREFIX: &str = "00000099";

/// The length of an OIN in characters (OIN-Stelsel 2.2.2).
const OIN_LENGTH: usize = 20;

/// What a certificate says about the organisation that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateIdentity {
    /// The number of the organisation, from Subject.serialNumber.
    pub oin: Oin,
    /// organizationName of the subject. For people to read; nothing is decided by it.
    pub organisation: Option<String>,
    /// organizationalUnitName of the subject. For people to read; nothing is decided by it.
    pub unit: Option<String>,
    /// The certificate's own serial number.
    pub serial: Serial,
    /// SHA-256 of the whole certificate.
    pub sha256: [u8; 32],
    /// SHA-256 of its public key, as `SubjectPublicKeyInfo`.
    pub key_sha256: [u8; 32],
    /// The first second in which the certificate holds.
    pub not_before: Timestamp,
    /// The last second in which the certificate holds.
    pub not_after: Timestamp,
    /// Who issued it.
    pub issuer: Issuer,
}

/// The name of the authority that issued a certificate or a revocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// The exact name, DER: what revocation goes by, together with the serial number.
    pub der: Vec<u8>,
    /// The name for people to read, with whatever cannot be seen escaped.
    pub text: String,
    /// organizationName, escaped alike.
    pub organisation: Option<String>,
}

/// The serial number of a certificate: big-endian, without leading zeros, unique for its issuer only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(Box<[u8]>);

/// Not the serial number of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no serial number: 1 to 20 bytes in hexadecimal")]
pub struct InvalidSerial;

/// Why a certificate tells of no organisation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not a certificate, or one with dates outside 1970 to 9999.
    #[error("not an X.509 certificate that can be read: use the DER that the handshake verified")]
    Malformed,
    /// There is no number in the only place where it is looked for.
    #[error("the certificate has no OIN: Subject.serialNumber (2.5.4.5) must hold it")]
    NoOin,
    /// The number has characters an OIN cannot have.
    #[error(
        "Subject.serialNumber `{found}` is no OIN: 20 characters, the first 8 digits, the rest digits or capitals"
    )]
    OinCharacters {
        /// The value, with unprintable characters escaped.
        found: String,
    },
    /// The number is too short or too long.
    #[error("Subject.serialNumber has {length} characters: an OIN has exactly 20")]
    OinLength {
        /// How many characters it has.
        length: usize,
    },
    /// The value is of a kind that holds no plain text.
    #[error("Subject.serialNumber is no plain text: it must be a PrintableString or UTF8String")]
    OinNotText,
    /// More than one number: there is no saying which of them is meant.
    #[error(
        "the certificate has {count} attributes Subject.serialNumber: exactly one must hold the OIN"
    )]
    SeveralOins {
        /// How many there are.
        count: usize,
    },
}

/// Reads for whom a certificate was issued.
///
/// It checks no signature and no date: hand it the end entity's certificate of a chain that the handshake
/// has verified.
///
/// # Errors
/// When the bytes are not one certificate, or its subject does not hold exactly one OIN.
pub fn parse_peer(der: &[u8]) -> Result<CertificateIdentity, IdentityError> {
    let certificate = parse(der)?;
    let (subject, validity) = (certificate.subject(), validity_of(&certificate)?);
    Ok(CertificateIdentity {
        oin: only_oin(subject.iter_by_oid(&OID_X509_SERIALNUMBER))?,
        organisation: first_text(subject.iter_organization()),
        unit: first_text(subject.iter_organizational_unit()),
        serial: Serial::from_bytes(certificate.raw_serial()),
        sha256: sha256(der),
        key_sha256: sha256(certificate.public_key().raw),
        not_before: validity.not_before(),
        not_after: validity.not_after(),
        issuer: Issuer::of(certificate.issuer()),
    })
}

/// Reads for whom the only certificate in a PEM text was issued.
///
/// # Errors
/// As [`parse_peer`], and when the text does not hold exactly one certificate.
pub fn parse_peer_pem(text: &str) -> Result<CertificateIdentity, IdentityError> {
    parse_peer(&pem::only_block(text, "CERTIFICATE").ok_or(IdentityError::Malformed)?)
}

/// Whether a number is a test number, which no organisation holds.
#[must_use]
pub fn is_test_oin(oin: &Oin) -> bool {
    oin.as_str().starts_with(TEST_OIN_PREFIX)
}

/// Whether a certificate of an authority is that of a development authority, which must not be trusted
/// outside development.
///
/// # Errors
/// When the bytes are not one certificate.
pub fn is_development_authority(der: &[u8]) -> Result<bool, IdentityError> {
    let certificate = parse(der)?;
    Ok([certificate.subject(), certificate.issuer()]
        .into_iter()
        .flat_map(X509Name::iter_organization)
        .any(|name| name.as_str().is_ok_and(is_development_name)))
}

impl CertificateIdentity {
    /// Whether it is time to speak of the end of the certificate: so many milliseconds before it, and of a certificate
    /// that holds shortly not before a quarter of its life is left. Who renews by itself does so when a third is.
    #[must_use]
    pub fn ends_soon(&self, within_ms: u64, now: Timestamp) -> bool {
        let (begin, end) = (self.not_before.as_millis(), self.not_after.as_millis());
        let within = within_ms.min(end.saturating_sub(begin) / 4);
        self.not_after.minus_millis(within) <= now
    }

    /// Whether the certificate is for development: issued by a development authority, or for a test number.
    /// Outside development such a certificate must be refused.
    #[must_use]
    pub fn is_for_development(&self) -> bool {
        is_test_oin(&self.oin) || self.issuer.is_development()
    }
}

impl Issuer {
    pub(crate) fn of(name: &X509Name<'_>) -> Self {
        Self {
            der: name.as_raw().to_vec(),
            text: shown(&name.to_string()).into_owned(),
            organisation: first_text(name.iter_organization()),
        }
    }

    /// Whether this is the name of a development authority.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.organisation
            .as_deref()
            .is_some_and(is_development_name)
    }
}

impl Serial {
    /// The number with these big-endian bytes; leading zeros do not count.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(
            bytes
                .iter()
                .copied()
                .skip_while(|byte| *byte == 0)
                .collect(),
        )
    }

    /// Big-endian, without leading zeros; empty for 0.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Serial {
    type Err = InvalidSerial;

    /// Reads hexadecimal digits, with or without colons between the bytes, as other tools print them.
    fn from_str(text: &str) -> Result<Self, InvalidSerial> {
        let digits: String = text.chars().filter(|digit| *digit != ':').collect();
        let even = if digits.len().is_multiple_of(2) {
            ""
        } else {
            "0"
        };
        let bytes = hex::decode(format!("{even}{digits}")).map_err(|_| InvalidSerial)?;
        let fits = (1..=20).contains(&bytes.len());
        fits.then(|| Self::from_bytes(&bytes)).ok_or(InvalidSerial)
    }
}

impl fmt::Display for Serial {
    /// Lower-case hexadecimal, two digits a byte.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

/// The certificate, when the bytes are one and nothing else.
pub(crate) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, IdentityError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(IdentityError::Malformed),
    }
}

/// From when to when a certificate holds.
pub(crate) fn validity_of(certificate: &X509Certificate<'_>) -> Result<Validity, IdentityError> {
    let read = |at: i64| validity::from_seconds(at).ok_or(IdentityError::Malformed);
    let period = certificate.validity();
    Validity::between(
        read(period.not_before.timestamp())?,
        read(period.not_after.timestamp())?,
    )
    .map_err(|_| IdentityError::Malformed)
}

fn only_oin<'a>(
    mut values: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>,
) -> Result<Oin, IdentityError> {
    let value = values.next().ok_or(IdentityError::NoOin)?;
    let others = values.count();
    if others > 0 {
        return Err(IdentityError::SeveralOins { count: others + 1 });
    }
    let text = value.as_str().map_err(|_| IdentityError::OinNotText)?;
    let length = text.chars().count();
    if length != OIN_LENGTH {
        return Err(IdentityError::OinLength { length });
    }
    text.parse().map_err(|_| IdentityError::OinCharacters {
        found: text.escape_debug().to_string(),
    })
}

/// For people to read: what a terminal would act on, or what looks like something else, is escaped.
fn first_text<'a>(
    mut values: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>,
) -> Option<String> {
    let text = values.next()?.as_str().ok()?;
    Some(shown(text).into_owned())
}

fn is_development_name(organisation: &str) -> bool {
    organisation == DEVELOPMENT_ORGANISATION
}

/// SHA-256 of a certificate: its fingerprint.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    sum
}

#[cfg(test)]
mod tests;
