//! From files to what a handshake goes by.

use std::{path::Path, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    version::TLS13,
};
use schakel_core::time::Timestamp;
use schakel_pki::{
    identity::{self, CertificateIdentity},
    revocation::{RevocationError, RevocationList},
};

use super::{
    ClockTime, Generation, TlsError,
    files::{File, Files},
};
use crate::{clock::Clock, config::Environment};

pub(super) fn generation(
    files: &Files,
    environment: Environment,
    clock: &Arc<dyn Clock>,
    number: u64,
) -> Result<Generation, TlsError> {
    let now = clock.now();
    let chain = certificates(&files.certificate, "tls.certificate")?;
    check_own(&chain, &files.certificate, environment, now)?;
    let authorities = certificates(&files.authorities, "tls.client_ca")?;
    check_authorities(&authorities, &files.authorities.path, environment)?;
    check_lists(&files.lists, &authorities, &files.authorities, now)?;

    let provider = Arc::new(provider());
    let verifier = verifier(&provider, authorities, &files.lists)?;
    let key = PrivateKeyDer::from_pem_slice(&files.key.bytes).map_err(|_| TlsError::Empty {
        key: "tls.key",
        file: files.key.path.clone(),
        wanted: "one private key",
    })?;
    let time = Arc::new(ClockTime(Arc::clone(clock)));
    let mut server = ServerConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Pair)?
        .with_client_cert_verifier(Arc::clone(&verifier))
        .with_single_cert(chain, key)
        .map_err(TlsError::Pair)?;
    server.alpn_protocols = vec![b"h2".to_vec()];
    // A resumed session would skip the verification of the client's certificate.
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    Ok(Generation {
        number,
        digest: files.digest(),
        server: Arc::new(server),
        verifier,
    })
}

/// The library of this broker and no other, whatever else is linked in; the hybrid key exchange first, so
/// that what is recorded today cannot be read by a quantum computer later.
fn provider() -> CryptoProvider {
    use aws_lc_rs::kx_group::{SECP256R1, SECP384R1, X25519, X25519MLKEM768};
    CryptoProvider {
        kx_groups: vec![X25519MLKEM768, X25519, SECP256R1, SECP384R1],
        ..aws_lc_rs::default_provider()
    }
}

fn verifier(
    provider: &Arc<CryptoProvider>,
    authorities: Vec<CertificateDer<'static>>,
    lists: &[File],
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(unusable)?;
    }
    let lists: Vec<_> = lists
        .iter()
        .map(|file| CertificateRevocationListDer::from_pem_slice(&file.bytes))
        .collect::<Result<_, _>>()
        .map_err(unusable)?;
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .with_crls(lists)
        // Without this a list counts for ever, whatever its nextUpdate says.
        .enforce_revocation_expiration()
        .build()
        .map_err(unusable)
}

fn check_own(
    chain: &[CertificateDer<'_>],
    file: &File,
    environment: Environment,
    now: Timestamp,
) -> Result<(), TlsError> {
    // A certificate without an OIN may serve; clients look at its host names.
    let Some(Ok(own)) = chain.first().map(|own| identity::parse_peer(own)) else {
        return Ok(());
    };
    if environment == Environment::Production && own.is_for_development() {
        return Err(TlsError::DevelopmentCertificate {
            file: file.path.clone(),
        });
    }
    let CertificateIdentity {
        not_before,
        not_after,
        ..
    } = own;
    if now < not_before || not_after < now {
        return Err(TlsError::NotValid {
            file: file.path.clone(),
            from: not_before,
            until: not_after,
        });
    }
    Ok(())
}

pub(super) fn check_authorities(
    authorities: &[CertificateDer<'_>],
    file: &Path,
    environment: Environment,
) -> Result<(), TlsError> {
    for authority in authorities {
        let development = identity::is_development_authority(authority);
        if development.map_err(unusable)? && environment == Environment::Production {
            return Err(TlsError::DevelopmentAuthority {
                file: file.to_owned(),
            });
        }
    }
    Ok(())
}

/// Every list is one of an authority's and counts now; every authority has one.
fn check_lists(
    lists: &[File],
    authorities: &[CertificateDer<'_>],
    authorities_file: &File,
    now: Timestamp,
) -> Result<(), TlsError> {
    let mut listed = vec![false; authorities.len()];
    for file in lists {
        let text = String::from_utf8_lossy(&file.bytes);
        let mut own = Err(RevocationError::OtherAuthority);
        for (authority, listed) in authorities.iter().zip(&mut listed) {
            match RevocationList::parse(&text, authority) {
                // Two certificates of one authority, old and new, share its lists.
                Ok(list) => (*listed, own) = (true, Ok(list)),
                Err(error) if own.is_err() => own = Err(error),
                Err(_) => {}
            }
        }
        check_current(file, own, now)?;
    }
    match listed.iter().position(|listed| !listed) {
        None => Ok(()),
        Some(at) => Err(TlsError::Unlisted {
            file: authorities_file.path.clone(),
            position: at.saturating_add(1),
        }),
    }
}

fn check_current(
    file: &File,
    list: Result<RevocationList, RevocationError>,
    now: Timestamp,
) -> Result<(), TlsError> {
    let list = list.map_err(|source| TlsError::Revocation {
        file: file.path.clone(),
        source,
    })?;
    let validity = list.validity();
    if validity.contains(now) {
        return Ok(());
    }
    Err(TlsError::Outdated {
        file: file.path.clone(),
        from: validity.not_before(),
        until: validity.not_after(),
    })
}

fn certificates(file: &File, key: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wanted = "one or more certificates";
    let empty = || TlsError::Empty {
        key,
        file: file.path.clone(),
        wanted,
    };
    let found: Vec<_> = CertificateDer::pem_slice_iter(&file.bytes)
        .collect::<Result<_, _>>()
        .map_err(|_| empty())?;
    if found.is_empty() {
        return Err(empty());
    }
    Ok(found)
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> TlsError {
    TlsError::Unusable(Box::new(error))
}
