//! How many certificates and enrolments a party may have.

use schakel_api::v1;
use schakel_pki::identity::sha256;
use schakel_tests::{key, reason};

use super::{
    super::certificates::{answer, broker, der_of, open, own_request},
    announce, another, close, page, renew,
};

/// Invitations for a party are bounded, and every one is on exactly one page.
#[tokio::test(flavor = "multi_thread")]
async fn invitations_are_bounded_and_shown_page_by_page() {
    let broker = broker().await;
    let mut opened = Vec::new();
    for token in 0..32 {
        opened.push(open(&broker, [token; 32], 24).await.unwrap());
    }
    let refused = open(&broker, [99; 32], 24).await.unwrap_err();
    assert_eq!(reason(&refused), "REGISTRY_CONFLICT");
    close(&broker, "beheer-een", &opened[0]).await.unwrap();
    opened[0] = open(&broker, [99; 32], 24).await.unwrap();

    let (mut shown, mut token) = (Vec::new(), None);
    loop {
        let page = page(&broker, 10, token.as_deref()).await;
        assert!(page.enrolments.len() <= 10);
        shown.extend(page.enrolments.into_iter().map(|one| one.enrolment_id));
        token = page.next_page_token.map(|token| token.to_vec());
        if token.is_none() {
            break;
        }
    }
    opened.sort();
    assert_eq!(shown, opened, "in the order of their ids");
    broker.check_log().await;
}

/// No party fills the registry by what it announces, nor keeps itself from being renewed by it; what is revoked makes
/// room.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_announced_is_bounded_for_each_party_by_itself() {
    let broker = broker().await;
    let mut announced = Vec::new();
    for _ in 0..64 {
        let certificate = another(&broker);
        announce(&broker, certificate.clone()).await.unwrap();
        announced.push(certificate);
    }
    let one_more = another(&broker);
    let refused = announce(&broker, one_more.clone()).await.unwrap_err();
    assert_eq!(reason(&refused), "REGISTRY_CONFLICT");
    // Nothing that lets somebody go on hangs on it.
    let (_, request) = own_request();
    renew(&broker, &request).await.unwrap();
    open(&broker, [7; 32], 24).await.unwrap();
    let revoke = v1::RevokeCertificateRequest {
        idempotency_key: key(),
        sha256: sha256(&announced[0]).to_vec().into(),
        reason: v1::StopReason::Superseded.into(),
    };
    let administrator = broker.party("beheer-een").await;
    let mut certificates = administrator.certificates();
    certificates.revoke_certificate(revoke).await.unwrap();
    announce(&broker, one_more).await.unwrap();
    broker.check_log().await;
}

/// A certificate can be renewed when the party has as many as it may have, and no more are begun besides.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_in_force_are_bounded_and_each_can_be_renewed() {
    let broker = broker().await;
    let register = async |certificate: Vec<u8>| {
        let request = v1::RegisterCertificateRequest {
            idempotency_key: key(),
            certificate: certificate.into(),
            replaces_sha256: None,
        };
        let administrator = broker.party("beheer-een").await;
        let mut certificates = administrator.certificates();
        certificates.register_certificate(request).await.map(|_| ())
    };
    for _ in 0..64 {
        register(another(&broker)).await.unwrap();
    }
    let refused = register(another(&broker)).await.unwrap_err();
    assert_eq!(reason(&refused), "REGISTRY_CONFLICT");
    let refused = open(&broker, [7; 32], 24).await.unwrap_err();
    assert_eq!(reason(&refused), "REGISTRY_CONFLICT");
    let (new, request) = own_request();
    let id = renew(&broker, &request).await.unwrap().enrolment_id;
    let issued = broker.place().certify("gemeente-oost", &new.key_pem());
    answer(&broker, &id, der_of(&issued.cert_pem))
        .await
        .unwrap();
    // A second one for the same certificate takes a place that there is not.
    let (_, second) = own_request();
    let refused = renew(&broker, &second).await.unwrap_err();
    assert_eq!(reason(&refused), "REGISTRY_CONFLICT");
    assert!(refused.message().contains("64"), "{refused:?}");
    broker.check_log().await;
}

/// Whoever has one certificate of a party, and hands in and gives up without end, keeps nobody from renewing.
#[tokio::test(flavor = "multi_thread")]
async fn renewals_that_are_given_up_keep_nobody_from_renewing() {
    let broker = broker().await;
    for _ in 0..33 {
        let (_, request) = own_request();
        let id = renew(&broker, &request).await.unwrap().enrolment_id;
        close(&broker, "gemeente-oost", &id).await.unwrap();
    }
    let (_, request) = own_request();
    renew(&broker, &request).await.unwrap();
    assert_eq!(page(&broker, 100, None).await.enrolments.len(), 32 + 1);
    broker.check_log().await;
}
