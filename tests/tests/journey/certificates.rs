//! Certificates: asked for by a token or by the one in use, and issued for keys that never leave their holder.

mod standing;

use std::time::Duration;

use schakel_api::{
    enrolment::{EnrolRequest, EnrolResponse, enrolment_service_client::EnrolmentServiceClient},
    v1,
};
use schakel_pki::{
    identity::sha256,
    issuing::Curve,
    profile::{Holder, Profile},
    request::{CertificateRequest, NewRequest},
};
use schakel_tests::{Settings, TestBroker, key, reason, violations};
use tokio::time::timeout;
use tonic::{Code, Status};

const OIN: &str = "00000099000000020000";

pub(super) async fn broker() -> TestBroker {
    TestBroker::start_with(Settings {
        more: "[enrolment]\naddress = \"127.0.0.1:0\"\n".to_owned(),
        ..Settings::default()
    })
    .await
}

/// A key and the request for it, DER.
pub(super) fn request(oin: &str, name: &str) -> (NewRequest, Vec<u8>) {
    let holder = Holder {
        profile: Profile::Party,
        oin: oin.parse().unwrap(),
        name: name.to_owned(),
        unit: None,
        hosts: Vec::new(),
    };
    let new = NewRequest::make(&holder, Curve::P256).unwrap();
    let request = CertificateRequest::read(new.request_pem.as_bytes()).unwrap();
    let der = request.der().to_vec();
    (new, der)
}

pub(super) fn own_request() -> (NewRequest, Vec<u8>) {
    request(OIN, "Testgemeente Oost")
}

pub(super) fn der_of(cert_pem: &str) -> Vec<u8> {
    let chain = schakel_pki::check::Chain::read(cert_pem).unwrap();
    chain.own().to_vec()
}

pub(super) async fn open(
    broker: &TestBroker,
    token: [u8; 32],
    hours: u32,
) -> Result<String, Status> {
    let request = v1::OpenEnrolmentRequest {
        idempotency_key: key(),
        holder: Some(v1::CertificateHolder {
            profile: "party".into(),
            oin: OIN.into(),
            name: "Testgemeente Oost".into(),
            unit: None,
        }),
        token_sha256: sha256(&token).to_vec().into(),
        hours,
    };
    let administrator = broker.party("beheer-een").await;
    let opened = administrator.certificates().open_enrolment(request).await?;
    Ok(opened.into_inner().enrolment_id)
}

pub(super) async fn enrol(
    broker: &TestBroker,
    token: &[u8],
    request: &[u8],
) -> Result<EnrolResponse, Status> {
    let channel = broker.enrolment_line().channel().await.unwrap();
    let request = EnrolRequest {
        token: token.to_vec().into(),
        request: request.to_vec().into(),
    };
    let answer = EnrolmentServiceClient::new(channel).enrol(request).await?;
    Ok(answer.into_inner())
}

pub(super) async fn answer(
    broker: &TestBroker,
    id: &str,
    certificate: Vec<u8>,
) -> Result<(), Status> {
    let request = v1::AnswerEnrolmentRequest {
        idempotency_key: key(),
        enrolment_id: id.into(),
        certificate: certificate.into(),
    };
    let administrator = broker.party("beheer-een").await;
    let mut certificates = administrator.certificates();
    certificates.answer_enrolment(request).await.map(|_| ())
}

/// From a token to a connection: the key stays where it was made, and each step is an entry.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_leads_to_a_certificate_for_a_key_that_never_left() {
    let mut broker = broker().await;
    let (new, request) = own_request();
    let id = open(&broker, [7; 32], 24).await.unwrap();
    let waiting = enrol(&broker, &[7; 32], &request).await.unwrap();
    assert_eq!(
        (waiting.enrolment_id, waiting.certificate),
        (id.clone(), None)
    );

    // Kept over a restart, like everything in the log.
    broker.restart().await;
    let administrator = broker.party("beheer-een").await;
    let listed = administrator
        .certificates()
        .list_enrolments(v1::ListEnrolmentsRequest {
            page_size: 100,
            page_token: None,
        })
        .await
        .unwrap()
        .into_inner();
    let listed = &listed.enrolments[0];
    assert_eq!(listed.progress(), v1::EnrolmentProgress::Waiting);
    assert_eq!(listed.request.as_deref(), Some(request.as_slice()));

    let issued = broker.place().certify("gemeente-oost", &new.key_pem());
    answer(&broker, &id, der_of(&issued.cert_pem))
        .await
        .unwrap();
    let fetched = enrol(&broker, &[7; 32], &request).await.unwrap();
    assert_eq!(
        fetched.certificate.as_deref(),
        Some(der_of(&issued.cert_pem).as_slice())
    );
    let line = broker.line_with(Some(&issued));
    let channel = line.channel().await.unwrap();
    let mut own = v1::certificates_service_client::CertificatesServiceClient::new(channel);
    let own = own
        .list_issued_certificates(v1::ListIssuedCertificatesRequest {
            page_size: 100,
            page_token: None,
        })
        .await;
    let own = own.unwrap().into_inner().certificates;
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].origin(), v1::CertificateOrigin::Enrolled);
    broker.check_log().await;
}

/// A token is good for one request, of one organisation, for a time.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_once_and_for_what_it_was_given() {
    let broker = broker().await;
    let (_, request) = own_request();
    let unknown = enrol(&broker, &[1; 32], &request).await.unwrap_err();
    assert_eq!(unknown.code(), Code::PermissionDenied);
    open(&broker, [7; 32], 1).await.unwrap();
    let again = open(&broker, [7; 32], 1).await.unwrap_err();
    assert_eq!(reason(&again), "REGISTRY_CONFLICT");

    let (_, foreign) = self::request("00000099000000030000", "Testgemeente West");
    let refused = enrol(&broker, &[7; 32], &foreign).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let said = format!("{:?}", violations(&refused));
    assert!(said.contains("00000099000000030000"), "{said}");

    enrol(&broker, &[7; 32], &request).await.unwrap();
    let (_, other_key) = own_request();
    let second = enrol(&broker, &[7; 32], &other_key).await.unwrap_err();
    assert_eq!(
        (second.code(), second.message()),
        (unknown.code(), unknown.message())
    );

    open(&broker, [8; 32], 1).await.unwrap();
    broker.clock().advance(Duration::from_secs(3600));
    let late = enrol(&broker, &[8; 32], &request).await.unwrap_err();
    assert_eq!(late.message(), unknown.message());
}

/// Only a certificate for the key and the number of the request answers it.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_certificate_for_the_key_that_asked_answers() {
    let broker = broker().await;
    let (new, request) = own_request();
    let id = open(&broker, [7; 32], 24).await.unwrap();
    let early = broker.place().certify("gemeente-oost", &new.key_pem());
    let refused = answer(&broker, &id, der_of(&early.cert_pem)).await;
    assert_eq!(reason(&refused.unwrap_err()), "REGISTRY_CONFLICT");
    enrol(&broker, &[7; 32], &request).await.unwrap();
    let (other, _) = own_request();
    let other_key = broker.place().certify("gemeente-oost", &other.key_pem());
    let other_number = broker.place().certify("gemeente-west", &new.key_pem());
    for wrong in [other_key, other_number] {
        let refused = answer(&broker, &id, der_of(&wrong.cert_pem)).await;
        assert_eq!(reason(&refused.unwrap_err()), "REGISTRY_CONFLICT");
    }
    answer(&broker, &id, der_of(&early.cert_pem)).await.unwrap();
}

/// A certificate in use asks for the next one; both are let in.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_in_use_renews_itself_and_old_and_new_are_let_in() {
    let broker = broker().await;
    let party = broker.party("gemeente-oost").await;
    let (new, request) = own_request();
    let renew = |request: &[u8]| v1::RenewCertificateRequest {
        idempotency_key: key(),
        request: request.to_vec().into(),
    };
    let first = party
        .certificates()
        .renew_certificate(renew(&request))
        .await;
    let first = first.unwrap().into_inner();
    assert_eq!(first.progress(), v1::EnrolmentProgress::Waiting);
    let same = party
        .certificates()
        .renew_certificate(renew(&request))
        .await;
    assert_eq!(same.unwrap().into_inner().enrolment_id, first.enrolment_id);
    let (_, another) = own_request();
    let another = party
        .certificates()
        .renew_certificate(renew(&another))
        .await;
    assert_eq!(reason(&another.unwrap_err()), "REGISTRY_CONFLICT");
    let (_, foreign) = self::request("00000099000000030000", "Testgemeente West");
    let foreign = party
        .certificates()
        .renew_certificate(renew(&foreign))
        .await;
    assert_eq!(foreign.unwrap_err().code(), Code::InvalidArgument);

    let issued = broker.place().certify("gemeente-oost", &new.key_pem());
    let der = der_of(&issued.cert_pem);
    answer(&broker, &first.enrolment_id, der.clone())
        .await
        .unwrap();
    let ready = party
        .certificates()
        .renew_certificate(renew(&request))
        .await;
    assert_eq!(ready.unwrap().into_inner().certificate.unwrap(), der);
    let replaced = sha256(&der_of(&broker.place().issued("gemeente-oost").cert_pem));
    let listed = party
        .certificates()
        .list_issued_certificates(v1::ListIssuedCertificatesRequest {
            page_size: 100,
            page_token: None,
        })
        .await;
    let listed = listed.unwrap().into_inner().certificates;
    assert_eq!(
        listed[0].replaces_sha256.as_deref(),
        Some(replaced.as_slice())
    );
    let channel = broker.line_with(Some(&issued)).channel().await.unwrap();
    let mut next = v1::certificates_service_client::CertificatesServiceClient::new(channel);
    next.list_issued_certificates(v1::ListIssuedCertificatesRequest {
        page_size: 100,
        page_token: None,
    })
    .await
    .unwrap();
}

/// Whoever connects from many addresses and says nothing keeps nobody from asking.
#[tokio::test(flavor = "multi_thread")]
async fn silent_guests_give_way_to_those_that_speak() {
    let broker = broker().await;
    let (_, request) = own_request();
    open(&broker, [7; 32], 24).await.unwrap();
    let mut silent = Vec::new();
    for host in 10..80 {
        silent.push(broker.enrolment_line().silent(host).await.unwrap());
    }
    let asked = timeout(Duration::from_secs(8), enrol(&broker, &[7; 32], &request));
    asked.await.expect("it waits for the silent ones").unwrap();
}
