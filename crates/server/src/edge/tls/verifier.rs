//! The verifier of clients' certificates: every anchor is asked.

use std::sync::Arc;

use rustls::{
    DigitallySignedStruct, DistinguishedName, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use schakel_core::{id::AnchorName, time::Timestamp};

use super::{anchor::Anchor, refused::Refused};

/// What the anchors together admit.
#[derive(Debug)]
pub(super) struct Verifier {
    anchors: Vec<Anchor>,
    hints: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// A chain that is admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Under which anchors; at least one.
    pub anchors: Arc<[AnchorName]>,
    /// The first instant at which that must be looked at again, if nothing changes before.
    pub until: Timestamp,
}

impl Verifier {
    pub(super) fn new(anchors: Vec<Anchor>, algorithms: WebPkiSupportedAlgorithms) -> Self {
        let roots = anchors.iter().flat_map(|anchor| &anchor.roots);
        let hints = roots
            .map(|root| DistinguishedName::in_sequence(&root.subject))
            .collect();
        Self {
            anchors,
            hints,
            algorithms,
        }
    }

    /// Under which anchors this chain is admitted.
    ///
    /// # Errors
    /// Why under none: the reason of the anchor it belongs to.
    pub(super) fn verify(
        &self,
        own: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<Verified, Refused> {
        let (mut names, mut until) = (Vec::new(), Timestamp::MAX);
        let mut refused = Refused::Chain(webpki::Error::UnknownIssuer);
        for anchor in &self.anchors {
            match anchor.verify(own, sent, self.algorithms.all, now) {
                Ok(end) => {
                    names.push(anchor.name.clone());
                    until = until.min(end);
                }
                Err(why) if refused.is_foreign() => refused = why,
                Err(_) => {}
            }
        }
        if names.is_empty() {
            return Err(refused);
        }
        Ok(Verified {
            anchors: names.into(),
            until,
        })
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let millis = now.as_secs().saturating_mul(1000);
        let now = Timestamp::from_millis(millis).unwrap_or(Timestamp::MAX);
        match self.verify(own, sent, now) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(refused) => {
                refused.tell();
                Err(refused.into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
