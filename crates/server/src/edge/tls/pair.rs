//! The broker's own certificate and key.

use std::sync::Arc;

use rustls::{
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use schakel_core::time::Timestamp;
use schakel_pki::{identity, terms::CertificateTerms};

use super::{TlsError, files::File};
use crate::config::{self, Environment};

/// The broker's own certificate chain and its key, which belong together.
pub(super) struct Pair {
    certificate: File,
    key: File,
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) not_after: Timestamp,
}

impl Pair {
    pub(super) fn read(
        config: &config::Tls,
        environment: Environment,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let certificate = File::read("tls.certificate", &config.certificate)?;
        let key = File::read_secret("tls.key", &config.key)?;
        Self::of(certificate, key, environment, now)
    }

    /// The pair as it is now; none when it is what it was.
    pub(super) fn read_again(
        &self,
        config: &config::Tls,
        environment: Environment,
        now: Timestamp,
    ) -> Result<Option<Self>, TlsError> {
        let certificate = File::read("tls.certificate", &config.certificate)?;
        let key = File::read_secret("tls.key", &config.key)?;
        if certificate == self.certificate && key == self.key {
            return Ok(None);
        }
        Self::of(certificate, key, environment, now).map(Some)
    }

    fn of(
        certificate: File,
        key: File,
        environment: Environment,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let chain = certificate.certificates("tls.certificate")?;
        let own = chain.first().map_or(&[][..], |own| own.as_ref());
        let not_after = check(own, &certificate, environment, now)?;
        let private = PrivateKeyDer::from_pem_slice(&key.bytes).map_err(|_| TlsError::Empty {
            key: "tls.key",
            file: key.path.clone(),
            wanted: "one private key",
        })?;
        let certified = CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider())
            .map_err(TlsError::Pair)?;
        Ok(Self {
            certificate,
            key,
            certified: Arc::new(certified),
            not_after,
        })
    }
}

fn check(
    own: &[u8],
    file: &File,
    environment: Environment,
    now: Timestamp,
) -> Result<Timestamp, TlsError> {
    // A certificate without an OIN may serve; clients look at its host names.
    let development = identity::parse_peer(own).is_ok_and(|own| own.is_for_development());
    if environment == Environment::Production && development {
        return Err(TlsError::DevelopmentCertificate {
            file: file.path.clone(),
        });
    }
    let terms = CertificateTerms::parse(own).map_err(|_| TlsError::Empty {
        key: "tls.certificate",
        file: file.path.clone(),
        wanted: "one or more certificates",
    })?;
    if terms.validity.contains(now) {
        return Ok(terms.validity.not_after());
    }
    Err(TlsError::NotValid {
        file: file.path.clone(),
        from: terms.validity.not_before(),
        until: terms.validity.not_after(),
    })
}
