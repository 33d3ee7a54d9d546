//! The reading of a certificate request (PKCS #10).
//!
//! Only the public key is ever taken from a request. Everything else in it is looked at for one reason: what
//! asks for more than is going to be issued is refused by its name, so that nobody believes it was granted.

mod extension;
mod key;
mod make;
mod refusal;
mod subject;

use x509_parser::{
    certification_request::X509CertificationRequest,
    cri_attributes::ParsedCriAttribute,
    prelude::{FromDer as _, Pem},
    x509::SubjectPublicKeyInfo,
};

pub(crate) use self::subject::COUNTRY;
pub use self::{
    make::NewRequest,
    refusal::{Refusal, Refusals},
};
use crate::{
    identity::{self, sha256},
    ledger::Issuance,
    profile::Holder,
};

/// The largest request that is read, in bytes: RSA 4096 with everything around it takes a tenth of it.
pub const REQUEST_MAX: usize = 16 * 1024;

/// A request that was read, and of which nothing was believed yet.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    der: Vec<u8>,
}

/// A public key that came in a request which proved that its sender holds the private key, and which asked
/// for nothing beyond what its holder gets. A certificate is issued for such a key only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmittedKey {
    pub(crate) spki: Vec<u8>,
}

/// Why something is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It cannot be read.
    #[error("not one certificate request (PKCS #10) in PEM (`BEGIN CERTIFICATE REQUEST`) or DER")]
    Malformed,
    /// It holds a private key.
    #[error(
        "there is a private key in it: never send that to anybody; make a new key, and send the request alone"
    )]
    PrivateKey,
    /// It is too large.
    #[error("the request has {bytes} bytes: at most {REQUEST_MAX} are read")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
}

impl AdmittedKey {
    /// The key of a certificate that was issued for a request which was admitted.
    pub(crate) fn of(issuance: &Issuance) -> Self {
        let parsed = identity::parse(&issuance.der);
        let spki = parsed.map(|certificate| certificate.public_key().raw.to_vec());
        // What stands in a ledger was read when it was written, and every time since.
        let spki = spki.unwrap_or_default();
        Self { spki }
    }
}

impl CertificateRequest {
    /// Reads a request: one in PEM, or the bare DER.
    ///
    /// # Errors
    /// When it is too large, or not one request and nothing else.
    pub fn read(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > REQUEST_MAX {
            return Err(RequestError::TooLarge { bytes: bytes.len() });
        }
        let der = match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN ") => from_pem(text)?,
            _ => bytes.to_vec(),
        };
        parse(&der)?;
        Ok(Self { der })
    }

    /// The request, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the request: how two people on the telephone tell that they mean the same.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.der)
    }

    /// SHA-256 of the public key in it (`SubjectPublicKeyInfo`, DER): the same in every request and certificate for it.
    #[must_use]
    pub fn key_sha256(&self) -> Option<[u8; 32]> {
        let request = parse(&self.der).ok()?;
        Some(sha256(request.certification_request_info.subject_pki.raw))
    }

    /// Whether a certificate (DER) is for the key of this request.
    #[must_use]
    pub fn is_answered_by(&self, certificate: &[u8]) -> bool {
        let (Ok(request), Ok(certificate)) = (parse(&self.der), identity::parse(certificate))
        else {
            return false;
        };
        request.certification_request_info.subject_pki.raw == certificate.public_key().raw
    }

    /// Takes the public key, when the request proves possession of the private key and asks for nothing
    /// beyond what the holder gets.
    ///
    /// # Errors
    /// Everything for which it is refused.
    pub fn admit(&self, holder: &Holder) -> Result<AdmittedKey, Refusals> {
        let Ok(request) = parse(&self.der) else {
            return Err(Refusals::from_iter([Refusal::Proof]));
        };
        let info = &request.certification_request_info;
        let mut refused = Vec::new();
        key::check(&info.subject_pki, &mut refused);
        key::check_signature(&request, &mut refused);
        subject::check(&info.subject, holder, &mut refused);
        for attribute in info.iter_attributes() {
            match attribute.parsed_attribute() {
                ParsedCriAttribute::ExtensionRequest(wanted) => {
                    extension::check(&wanted.extensions, holder, &mut refused);
                }
                ParsedCriAttribute::ChallengePassword(_)
                | ParsedCriAttribute::UnsupportedAttribute => {
                    refused.push(Refusal::Attribute {
                        name: refusal::name_of(&attribute.oid),
                    });
                }
            }
        }
        if info.attributes().len() > 1 {
            refused.push(Refusal::Attributes);
        }
        if refused.is_empty() {
            let spki = info.subject_pki.raw.to_vec();
            return Ok(AdmittedKey { spki });
        }
        Err(refused.into_iter().collect())
    }
}

impl std::fmt::Debug for CertificateRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CertificateRequest({})", hex::encode(self.sha256()))
    }
}

/// Everything for which certificates are not issued for a public key.
pub(crate) fn refused_key(spki: &SubjectPublicKeyInfo<'_>) -> Vec<Refusal> {
    let mut refused = Vec::new();
    key::check(spki, &mut refused);
    refused
}

fn parse(der: &[u8]) -> Result<X509CertificationRequest<'_>, RequestError> {
    match X509CertificationRequest::from_der(der) {
        Ok(([], request)) => Ok(request),
        _ => Err(RequestError::Malformed),
    }
}

fn from_pem(text: &str) -> Result<Vec<u8>, RequestError> {
    // Said before anything else, because it is what somebody must act on.
    if text.contains("PRIVATE KEY-----") {
        return Err(RequestError::PrivateKey);
    }
    let mut blocks = Pem::iter_from_buffer(text.as_bytes());
    let block = blocks.next().and_then(Result::ok);
    let only = block.filter(|_| blocks.next().is_none());
    // Older tools write NEW before it.
    only.filter(|block| {
        matches!(
            block.label.as_str(),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST"
        )
    })
    .map(|block| block.contents)
    .ok_or(RequestError::Malformed)
}

#[cfg(test)]
mod tests;
