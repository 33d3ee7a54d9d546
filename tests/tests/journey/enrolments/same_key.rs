//! Certificates of one key: what happens to the key happens to all of them.

use schakel_api::v1::{self, certificates_service_client::CertificatesServiceClient};
use schakel_pki::{authority::Issued, identity::sha256};
use schakel_tests::{TestBroker, key, reason, violations};
use tonic::Status;

use super::{announce, broker, der_of, enrol, known, open, own_request, renew};

async fn revoke(broker: &TestBroker, der: &[u8], reason: v1::StopReason) {
    let request = v1::RevokeCertificateRequest {
        idempotency_key: key(),
        sha256: sha256(der).to_vec().into(),
        reason: reason.into(),
    };
    let administrator = broker.party("beheer-een").await;
    let mut certificates = administrator.certificates();
    certificates.revoke_certificate(request).await.unwrap();
}

/// Why each certificate that is known was revoked, by its SHA-256; 0 where it was not.
async fn revoked(broker: &TestBroker, der: &[u8]) -> Option<v1::StopReason> {
    let (issued, _) = known(broker).await;
    let found = issued.iter().find(|one| one.sha256 == sha256(der)[..]);
    found.unwrap().reason.map(|_| found.unwrap().reason())
}

/// Asks for a renewal over a connection with a certificate of the municipality.
async fn renew_with(broker: &TestBroker, issued: &Issued, request: &[u8]) -> Result<(), Status> {
    let channel = broker.line_with(Some(issued)).channel().await.unwrap();
    let request = v1::RenewCertificateRequest {
        idempotency_key: key(),
        request: request.to_vec().into(),
    };
    let mut certificates = CertificatesServiceClient::new(channel);
    certificates.renew_certificate(request).await.map(|_| ())
}

/// Whoever has the key could use any of its certificates: none is left in force, and no other is had for it, neither
/// by a token nor by a certificate in use, nor announced.
#[tokio::test(flavor = "multi_thread")]
async fn a_compromised_key_takes_every_certificate_of_it_along_and_gets_no_other() {
    let mut broker = broker().await;
    let (new, request) = own_request();
    let certify = |broker: &TestBroker| broker.place().certify("gemeente-oost", &new.key_pem());
    let (first, second) = (certify(&broker), certify(&broker));
    let ders = [der_of(&first.cert_pem), der_of(&second.cert_pem)];
    let (other, _) = own_request();
    let other = broker.place().certify("gemeente-oost", &other.key_pem());
    for der in [&ders[0], &ders[1], &der_of(&other.cert_pem)] {
        announce(&broker, der.clone()).await.unwrap();
    }
    open(&broker, [7; 32], 24).await.unwrap();
    revoke(&broker, &ders[0], v1::StopReason::KeyCompromise).await;

    for der in &ders {
        let compromise = Some(v1::StopReason::KeyCompromise);
        assert_eq!(revoked(&broker, der).await, compromise);
    }
    assert_eq!(revoked(&broker, &der_of(&other.cert_pem)).await, None);
    let (_, fresh) = own_request();
    let refused = renew_with(&broker, &second, &fresh).await.unwrap_err();
    assert_eq!(reason(&refused), "PARTY_UNKNOWN", "it is blocked too");
    let third = announce(&broker, der_of(&certify(&broker).cert_pem)).await;
    let by_token = enrol(&broker, &[7; 32], &request).await.map(|_| ());
    let by_renewal = renew(&broker, &request).await.map(|_| ());
    for refused in [third, by_token, by_renewal] {
        let refused = refused.unwrap_err();
        assert_eq!(reason(&refused), "REGISTRY_CONFLICT");
        let told = violations(&refused);
        assert!(told[0].1.starts_with("must be for another key"), "{told:?}");
    }
    enrol(&broker, &[7; 32], &fresh).await.unwrap();

    // A start that makes the view again has it from the log.
    let before = known(&broker).await;
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.unwrap();
    assert_eq!(known(&broker).await, before);
    assert!(renew(&broker, &request).await.is_err());
}

/// Another reason is about one certificate; and a renewal is there to change the key.
#[tokio::test(flavor = "multi_thread")]
async fn another_reason_leaves_the_key_and_a_renewal_needs_a_new_one() {
    let broker = broker().await;
    let (new, request) = own_request();
    let certify = || broker.place().certify("gemeente-oost", &new.key_pem());
    let (first, second) = (certify(), certify());
    for issued in [&first, &second] {
        announce(&broker, der_of(&issued.cert_pem)).await.unwrap();
    }
    let der = der_of(&first.cert_pem);
    revoke(&broker, &der, v1::StopReason::Superseded).await;
    assert_eq!(revoked(&broker, &der_of(&second.cert_pem)).await, None);
    let refused = renew_with(&broker, &second, &request).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_REQUEST");
    let told = violations(&refused);
    assert!(told[0].1.starts_with("must be for a new key"), "{told:?}");
    let (_, fresh) = own_request();
    renew_with(&broker, &second, &fresh).await.unwrap();
}
