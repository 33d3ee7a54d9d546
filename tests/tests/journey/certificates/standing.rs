//! Whether a certificate is let in: ended at once by the registry, and judged beforehand for whoever asks.

use schakel_api::v1;
use schakel_pki::identity::sha256;
use schakel_tests::{key, reason};

use super::{broker, der_of};

/// A registered revocation ends an open connection at its next call, whatever the lists say.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_revoked_in_the_registry_is_refused_at_once() {
    let broker = broker().await;
    let party = broker.party("gemeente-oost").await;
    let der = der_of(&broker.place().issued("gemeente-oost").cert_pem);
    let own = || {
        let certificates = party.certificates();
        async move {
            let mut certificates = certificates;
            certificates
                .list_issued_certificates(v1::ListIssuedCertificatesRequest {
                    page_size: 100,
                    page_token: None,
                })
                .await
        }
    };
    let announce = v1::AnnounceCertificateRequest {
        idempotency_key: key(),
        certificate: der.clone().into(),
    };
    party
        .certificates()
        .announce_certificate(announce.clone())
        .await
        .unwrap();
    let west = broker.party("gemeente-west").await;
    let foreign = west.certificates().announce_certificate(announce).await;
    assert_eq!(reason(&foreign.unwrap_err()), "REGISTRY_CONFLICT");
    assert_eq!(own().await.unwrap().into_inner().certificates.len(), 1);
    let wests = west
        .certificates()
        .list_issued_certificates(v1::ListIssuedCertificatesRequest {
            page_size: 100,
            page_token: None,
        })
        .await;
    assert_eq!(wests.unwrap().into_inner().certificates.len(), 0);
    let revoke = || v1::RevokeCertificateRequest {
        idempotency_key: key(),
        sha256: sha256(&der).to_vec().into(),
        reason: v1::StopReason::KeyCompromise.into(),
    };
    let administrator = broker.party("beheer-een").await;
    administrator
        .certificates()
        .revoke_certificate(revoke())
        .await
        .unwrap();
    let again = administrator
        .certificates()
        .revoke_certificate(revoke())
        .await;
    assert_eq!(reason(&again.unwrap_err()), "REGISTRY_CONFLICT");
    let refused = own().await.unwrap_err();
    assert_eq!(reason(&refused), "PARTY_UNKNOWN");
    broker.check_log().await;
}

/// An administrator is told beforehand what the broker would make of a certificate, and why.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_says_beforehand_whom_it_would_let_in() {
    let broker = broker().await;
    let administrator = broker.party("beheer-een").await;
    let chain = |cert_pem: &str| v1::CertificateChain {
        certificates: vec![der_of(cert_pem).into()],
    };
    let known = broker.place().issued("gemeente-oost").cert_pem;
    let chains = vec![
        chain(&known),
        chain(&broker.place().unregistered().cert_pem),
        chain(&broker.place().foreign("gemeente-oost").cert_pem),
    ];
    let check = async |request: v1::CheckCertificatesRequest| {
        let mut certificates = administrator.certificates();
        let checked = certificates.check_certificates(request);
        checked.await.unwrap().into_inner().certificates
    };
    let failed = |checked: &v1::CheckedCertificate| {
        let findings = checked.findings.iter();
        let failed = findings.filter(|found| found.verdict() == v1::CheckVerdict::Failed);
        failed.map(|found| found.check.clone()).collect::<Vec<_>>()
    };
    let request = v1::CheckCertificatesRequest {
        chains,
        ..v1::CheckCertificatesRequest::default()
    };
    let [known_now, unregistered, foreign] = &check(request.clone()).await[..] else {
        panic!("one answer each");
    };
    assert!(known_now.accepted, "{known_now:?}");
    assert_eq!(failed(unregistered), ["party"]);
    assert_eq!(failed(foreign), ["authority"]);

    let later = v1::CheckCertificatesRequest {
        at: Some(prost_types::Timestamp {
            seconds: 4_000_000_000,
            nanos: 0,
        }),
        lists_fresh: true,
        ..request.clone()
    };
    assert!(failed(&check(later).await[0]).contains(&"dates".to_owned()));

    let stop = v1::StopRequest {
        idempotency_key: key(),
        reason: v1::StopReason::Suspicion.into(),
        what: Some(v1::stop_request::What::Certificate(hex::encode(sha256(
            &der_of(&known),
        )))),
    };
    administrator.registry().stop(stop).await.unwrap();
    assert_eq!(failed(&check(request).await[0]), ["registry"]);
}
