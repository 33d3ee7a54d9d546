//! From parts to what a handshake goes by.

use std::sync::Arc;

use rustls::{
    ServerConfig, SupportedCipherSuite,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{NoServerSessionStorage, ResolvesServerCert, danger::ClientCertVerifier},
    sign::SingleCertAndKey,
    version::{TLS12, TLS13},
};

use super::{ClockTime, Generation, TlsError, parts::Parts, verifier::Verifier};
use crate::{clock::Clock, config::TlsVersion};

/// What NCSC calls good for TLS 1.3 and sufficient for TLS 1.2 (ICT-beveiligingsrichtlijnen voor TLS), and this
/// library has.
const SUITES: &[SupportedCipherSuite] = {
    use aws_lc_rs::cipher_suite::{
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
    };
    &[
        TLS13_AES_256_GCM_SHA384,
        TLS13_CHACHA20_POLY1305_SHA256,
        TLS13_AES_128_GCM_SHA256,
        TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ]
};

pub(super) fn generation(
    parts: &Parts,
    oldest: TlsVersion,
    clock: &Arc<dyn Clock>,
    number: u64,
) -> Result<Generation, TlsError> {
    let provider = Arc::new(provider());
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Arc::new(Verifier::new(parts.anchors()?, algorithms));
    let own = SingleCertAndKey::from(Arc::clone(&parts.pair.certified));
    let own: Arc<dyn ResolvesServerCert> = Arc::new(own);
    let guest = guest(Arc::clone(&provider), Arc::clone(&own), clock)?;
    let server = server(provider, oldest, Arc::clone(&verifier) as _, own, clock)?;
    Ok(Generation {
        number,
        server: Arc::new(server),
        guest: Arc::new(guest),
        verifier,
    })
}

fn server(
    provider: Arc<CryptoProvider>,
    oldest: TlsVersion,
    verifier: Arc<dyn ClientCertVerifier>,
    own: Arc<dyn ResolvesServerCert>,
    clock: &Arc<dyn Clock>,
) -> Result<ServerConfig, TlsError> {
    let versions = match oldest {
        TlsVersion::Tls12 => &[&TLS13, &TLS12][..],
        TlsVersion::Tls13 => &[&TLS13][..],
    };
    let time = Arc::new(ClockTime(Arc::clone(clock)));
    let server = ServerConfig::builder_with_details(provider, time)
        .with_protocol_versions(versions)
        .map_err(TlsError::Pair)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(own);
    Ok(finished(server))
}

/// For whoever asks for a first certificate: TLS 1.3, and the broker's own certificate alone.
fn guest(
    provider: Arc<CryptoProvider>,
    own: Arc<dyn ResolvesServerCert>,
    clock: &Arc<dyn Clock>,
) -> Result<ServerConfig, TlsError> {
    let time = Arc::new(ClockTime(Arc::clone(clock)));
    let guest = ServerConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Pair)?
        .with_no_client_auth()
        .with_cert_resolver(own);
    Ok(finished(guest))
}

/// What holds for every handshake.
fn finished(mut server: ServerConfig) -> ServerConfig {
    server.alpn_protocols = vec![b"h2".to_vec()];
    // A resumed session would skip the verification of the client's certificate.
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    // Without it a TLS 1.2 session can be tied to another one (RFC 7627).
    server.require_ems = true;
    server
}

/// The library of this broker and no other, whatever else is linked in; the hybrid key exchange first, so
/// that what is recorded today cannot be read by a quantum computer later.
pub(super) fn provider() -> CryptoProvider {
    use aws_lc_rs::kx_group::{SECP256R1, SECP384R1, X25519, X25519MLKEM768};
    CryptoProvider {
        cipher_suites: SUITES.to_vec(),
        kx_groups: vec![X25519MLKEM768, X25519, SECP256R1, SECP384R1],
        ..aws_lc_rs::default_provider()
    }
}
