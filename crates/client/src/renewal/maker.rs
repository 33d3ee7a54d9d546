//! The next key and its request, and the reading of certificates.

use std::time::Duration;

use schakel_core::time::Timestamp;
use schakel_pki::{
    check::Chain,
    identity::{self, CertificateIdentity},
    issuing::Curve,
    request::{CertificateRequest, NewRequest},
};

use super::{RenewalError, files::Pending};

/// The certificate in use, as it is needed to ask for the next one.
pub(super) struct Current {
    chain: Chain,
    identity: CertificateIdentity,
}

impl Current {
    pub(super) fn read(certificate_pem: &str) -> Result<Self, RenewalError> {
        let chain = Chain::read(certificate_pem).map_err(|_| RenewalError::Certificate)?;
        let identity = identity::parse_peer(chain.own()).map_err(|_| RenewalError::Certificate)?;
        Ok(Self { chain, identity })
    }

    /// From when and until when it holds, since the Unix epoch.
    pub(super) fn holds(&self) -> (Duration, Duration) {
        let since = |at: Timestamp| Duration::from_millis(at.as_millis());
        (
            since(self.identity.not_before),
            since(self.identity.not_after),
        )
    }

    /// A number that nobody chose, and that stays as long as the certificate.
    pub(super) fn chance(&self) -> u64 {
        let chance = self.identity.sha256.first_chunk().copied();
        u64::from_be_bytes(chance.unwrap_or_default())
    }

    /// Makes the next key, which never leaves this machine, and its request.
    pub(super) fn make_next(&self, generation: u32) -> Result<Pending, RenewalError> {
        // It says who asks and nothing else: the certificate in use tells the broker the rest.
        let made = NewRequest::of_number(&self.identity.oin, Curve::P256);
        let made = made.map_err(|error| RenewalError::Key(error.into()))?;
        Ok(Pending {
            generation,
            key_pem: made.key_pem(),
            request_pem: made.request_pem,
        })
    }

    /// The file of a certificate that answers a request: itself and the authorities that came with it; when none did,
    /// those that stood below the one in use, when the same authority issued both. For anybody else or for another
    /// key it is refused.
    pub(super) fn followed_by(
        &self,
        answered: &Chain,
        pending: &Pending,
    ) -> Result<String, RenewalError> {
        let der = answered.own();
        let next = identity::parse_peer(der).map_err(|_| RenewalError::Answer)?;
        let request = CertificateRequest::read(pending.request_pem.as_bytes());
        let request = request.map_err(|_| RenewalError::Request)?;
        if next.oin != self.identity.oin || !request.is_answered_by(der) {
            return Err(RenewalError::Answer);
        }
        let is_alone = answered.iter().nth(1).is_none();
        if !is_alone || next.issuer.der != self.identity.issuer.der {
            return Ok(answered.pem());
        }
        let below = self.chain.iter().skip(1).map(<[u8]>::to_vec).collect();
        Ok(Chain::new(der.to_vec(), below).pem())
    }
}

/// The request that waits, DER.
pub(super) fn request_of(pending: &Pending) -> Result<Vec<u8>, RenewalError> {
    let request = CertificateRequest::read(pending.request_pem.as_bytes());
    Ok(request.map_err(|_| RenewalError::Request)?.der().to_vec())
}
