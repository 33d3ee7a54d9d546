//! Enrolments that are closed, and pages of them.

mod bounds;
mod same_key;

use std::{fs, time::Duration};

use schakel_api::{
    enrolment::{EnrolRequest, enrolment_service_client::EnrolmentServiceClient},
    v1,
};
use schakel_core::{enrolment::IssuanceEvent, event::Event};
use schakel_pki::{organisation::Organisations, request::CertificateRequest, validity::Validity};
use schakel_tests::{Settings, TestBroker, key, reason};
use tonic::{Code, Status};

use super::certificates::{answer, broker, der_of, enrol, open, own_request, request};

async fn close(broker: &TestBroker, by: &str, id: &str) -> Result<(), Status> {
    let request = v1::CloseEnrolmentRequest {
        idempotency_key: key(),
        enrolment_id: id.into(),
    };
    let party = broker.party(by).await;
    let closed = party.certificates().close_enrolment(request).await?;
    assert!(closed.into_inner().receipt.is_some());
    Ok(())
}

async fn renew(
    broker: &TestBroker,
    request: &[u8],
) -> Result<v1::RenewCertificateResponse, Status> {
    let request = v1::RenewCertificateRequest {
        idempotency_key: key(),
        request: request.to_vec().into(),
    };
    let party = broker.party("gemeente-oost").await;
    let renewed = party.certificates().renew_certificate(request).await?;
    Ok(renewed.into_inner())
}

/// A page of enrolments of this size, and the token of the next.
async fn page(broker: &TestBroker, size: u32, token: Option<&[u8]>) -> v1::ListEnrolmentsResponse {
    let request = v1::ListEnrolmentsRequest {
        page_size: size,
        page_token: token.map(|token| token.to_vec().into()),
    };
    let administrator = broker.party("beheer-een").await;
    let listed = administrator.certificates().list_enrolments(request).await;
    listed.unwrap().into_inner()
}

/// Every certificate and every enrolment that is known.
async fn known(broker: &TestBroker) -> (Vec<v1::IssuedCertificate>, Vec<v1::Enrolment>) {
    let request = v1::ListIssuedCertificatesRequest {
        page_size: 100,
        page_token: None,
    };
    let administrator = broker.party("beheer-een").await;
    let mut certificates = administrator.certificates();
    let issued = certificates.list_issued_certificates(request).await;
    let mut issued = issued.unwrap().into_inner().certificates;
    for one in &mut issued {
        one.last_used_at = None;
    }
    (issued, page(broker, 100, None).await.enrolments)
}

async fn announce(broker: &TestBroker, certificate: Vec<u8>) -> Result<(), Status> {
    let request = v1::AnnounceCertificateRequest {
        idempotency_key: key(),
        certificate: certificate.into(),
    };
    let party = broker.party("gemeente-oost").await;
    let mut certificates = party.certificates();
    certificates.announce_certificate(request).await.map(|_| ())
}

/// A certificate for a new key of the party.
fn another(broker: &TestBroker) -> Vec<u8> {
    let (new, _) = own_request();
    let issued = broker.place().certify("gemeente-oost", &new.key_pem());
    der_of(&issued.cert_pem)
}

/// What was closed, as the trail has it: the enrolment, and whether a request waited.
async fn closed(broker: &mut TestBroker) -> Vec<(String, bool)> {
    broker.stop().await;
    let log = broker.check_log().await;
    let details = log.details(broker.place());
    let closed = details.iter().flatten().filter_map(|entry| {
        let Event::Issuance(IssuanceEvent::Closed {
            enrolment,
            request_sha256,
        }) = &entry.event
        else {
            return None;
        };
        Some((enrolment.to_string(), request_sha256.is_some()))
    });
    closed.collect()
}

/// An administrator takes an invitation back, whoever gave it: its token is worth no more than any other.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_taken_back_and_its_token_is_worth_nothing() {
    let mut broker = broker().await;
    let (_, request) = own_request();
    let unknown = enrol(&broker, &[1; 32], &request).await.unwrap_err();
    let unused = open(&broker, [7; 32], 24).await.unwrap();
    let waiting = open(&broker, [8; 32], 24).await.unwrap();
    enrol(&broker, &[8; 32], &request).await.unwrap();
    let stranger = close(&broker, "gemeente-oost", &unused).await.unwrap_err();
    assert_eq!(stranger.code(), Code::NotFound, "it is not theirs");
    for id in [&unused, &waiting] {
        close(&broker, "beheer-twee", id).await.unwrap();
        let again = close(&broker, "beheer-twee", id).await.unwrap_err();
        assert_eq!(again.code(), Code::NotFound);
    }
    for token in [[7; 32], [8; 32]] {
        let refused = enrol(&broker, &token, &request).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.message()),
            (unknown.code(), unknown.message())
        );
    }
    broker.restart().await;
    assert_eq!(page(&broker, 100, None).await.enrolments, []);
    assert_eq!(
        closed(&mut broker).await,
        [(unused, false), (waiting, true)]
    );
}

/// Whoever lost the new key while its request waits gives it up, and asks with another.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_whose_key_was_lost_is_replaced_by_its_party() {
    let mut broker = broker().await;
    let (_, lost) = own_request();
    let (new, request) = own_request();
    let waiting = renew(&broker, &lost).await.unwrap().enrolment_id;
    let refused = renew(&broker, &request).await.unwrap_err();
    assert_eq!(reason(&refused), "REGISTRY_CONFLICT");
    assert!(refused.message().contains(&waiting), "{refused:?}");
    let stranger = close(&broker, "gemeente-west", &waiting).await.unwrap_err();
    assert_eq!(stranger.code(), Code::NotFound);
    close(&broker, "gemeente-oost", &waiting).await.unwrap();

    let next = renew(&broker, &request).await.unwrap().enrolment_id;
    let issued = broker.place().certify("gemeente-oost", &new.key_pem());
    answer(&broker, &next, der_of(&issued.cert_pem))
        .await
        .unwrap();
    let renewed = renew(&broker, &request).await.unwrap();
    assert_eq!(renewed.progress(), v1::EnrolmentProgress::Issued);
    let late = close(&broker, "gemeente-oost", &next).await.unwrap_err();
    assert_eq!(reason(&late), "REGISTRY_CONFLICT", "it was issued");
    assert_eq!(closed(&mut broker).await, [(waiting, true)]);
}

/// A rejected request is not taken again, though its party repeats it until it is answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_was_rejected_does_not_come_again() {
    let mut broker = broker().await;
    let (new, request) = own_request();
    let id = renew(&broker, &request).await.unwrap().enrolment_id;
    close(&broker, "beheer-een", &id).await.unwrap();
    broker.restart().await;
    let told = renew(&broker, &request).await.unwrap();
    assert_eq!(told.progress(), v1::EnrolmentProgress::Closed);
    assert_eq!((told.enrolment_id, told.certificate), (id.clone(), None));
    let issued = broker.place().certify("gemeente-oost", &new.key_pem());
    let late = answer(&broker, &id, der_of(&issued.cert_pem)).await;
    assert_eq!(reason(&late.unwrap_err()), "REGISTRY_CONFLICT");
    let again = close(&broker, "beheer-een", &id).await.unwrap_err();
    assert_eq!(reason(&again), "REGISTRY_CONFLICT");
    let listed = page(&broker, 100, None).await.enrolments;
    assert_eq!(listed[0].progress(), v1::EnrolmentProgress::Closed);
    assert_eq!(listed[0].request, None);
    let (_, other) = own_request();
    renew(&broker, &other).await.unwrap();
    broker.check_log().await;
}

/// Whoever signs is told who invited, who confirmed, and for which party.
#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_says_who_invited_and_who_confirmed() {
    let broker = broker().await;
    let id = open(&broker, [7; 32], 24).await.unwrap();
    let confirm = v1::ConfirmEnrolmentRequest {
        idempotency_key: key(),
        enrolment_id: id,
    };
    let before = page(&broker, 1, None).await.enrolments;
    assert_eq!(before[0].confirmed_by, None);
    let second = broker.party("beheer-twee").await;
    second
        .certificates()
        .confirm_enrolment(confirm)
        .await
        .unwrap();
    let (_, request) = own_request();
    enrol(&broker, &[7; 32], &request).await.unwrap();
    let listed = &page(&broker, 1, None).await.enrolments[0];
    assert_eq!(listed.opened_by, "beheer-een");
    assert_eq!(listed.confirmed_by.as_deref(), Some("beheer-twee"));
    assert_eq!(listed.party_id.as_deref(), Some("gemeente-oost"));
    let waiting = listed.request.as_deref().unwrap();
    let key_sha256 = |request: &[u8]| CertificateRequest::read(request).unwrap().key_sha256();
    assert_eq!(key_sha256(waiting), key_sha256(&request));
    broker.check_log().await;
}

/// What is over is forgotten at the same entries when the view is made again.
#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_forgot_and_one_made_again_show_the_same() {
    let mut broker = broker().await;
    announce(&broker, another(&broker)).await.unwrap();
    open(&broker, [7; 32], 24).await.unwrap();
    for _ in 0..33 {
        let (_, request) = own_request();
        let id = renew(&broker, &request).await.unwrap().enrolment_id;
        close(&broker, "beheer-een", &id).await.unwrap();
    }
    let (new, request) = own_request();
    let id = renew(&broker, &request).await.unwrap().enrolment_id;
    let issued = broker.place().certify("gemeente-oost", &new.key_pem());
    answer(&broker, &id, der_of(&issued.cert_pem))
        .await
        .unwrap();
    broker.clock().advance(Duration::from_hours(25));
    open(&broker, [8; 32], 24).await.unwrap();

    let there = known(&broker).await;
    // The first leave ended, and of what was closed the oldest went.
    assert_eq!((there.0.len(), there.1.len()), (2, 32 + 1 + 1));
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.unwrap();
    assert_eq!(known(&broker).await, there);
    broker.check_log().await;
}

/// Nobody shuts the last other administrator out by rejecting what it asks for until its certificate ends.
#[tokio::test(flavor = "multi_thread")]
async fn no_administrator_rejects_the_renewals_of_the_last_other_one() {
    let mut broker = broker().await;
    let organisations = Organisations::of_development().unwrap();
    let second = organisations.find("beheer-twee").unwrap();
    let (_, request) = request(&second.oin.to_string(), &second.name);
    let renew = v1::RenewCertificateRequest {
        idempotency_key: key(),
        request: request.into(),
    };
    let party = broker.party("beheer-twee").await;
    let renewed = party.certificates().renew_certificate(renew).await.unwrap();
    let id = renewed.into_inner().enrolment_id;
    // What is not told yet of the use of certificates is told now.
    broker.restart().await;
    let refused = close(&broker, "beheer-een", &id).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    close(&broker, "beheer-twee", &id).await.unwrap();
    broker.check_log().await;
}

/// On a timer the command comes by after it fetched the certificate too, and after its request was closed.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_that_renews_may_be_repeated_and_says_what_was_closed() {
    let broker = TestBroker::start_with(Settings {
        system_clock: true,
        ..Settings::default()
    })
    .await;
    let (new, request) = own_request();
    let (asked, out) = (
        broker.place().path("new.csr"),
        broker.place().path("next.cert.pem"),
    );
    let renewing = async |request: &[u8]| {
        fs::write(&asked, request).unwrap();
        let files = [asked.to_str().unwrap(), out.to_str().unwrap()];
        let arguments = [
            "enrolment",
            "renew",
            "--request",
            files[0],
            "--out",
            files[1],
        ];
        broker.command("gemeente-oost", &arguments).await
    };
    let (_, rejected) = own_request();
    let said = renewing(&rejected).await;
    assert_eq!(said.code, 0, "{said:?}");
    let waiting = page(&broker, 1, None).await.enrolments.remove(0);
    close(&broker, "beheer-een", &waiting.enrolment_id)
        .await
        .unwrap();
    let said = renewing(&rejected).await;
    assert_ne!(said.code, 0);
    assert!(said.complaint.contains("was closed"), "{said:?}");

    assert_eq!(renewing(&request).await.code, 0);
    let listed = page(&broker, 100, None).await.enrolments;
    let waits = |one: &&v1::Enrolment| one.progress() == v1::EnrolmentProgress::Waiting;
    let id = &listed.iter().find(waits).unwrap().enrolment_id;
    let issued = broker.place().certify("gemeente-oost", &new.key_pem());
    answer(&broker, id, der_of(&issued.cert_pem)).await.unwrap();
    for said_of in ["is in", "already"] {
        let said = renewing(&request).await;
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.text.contains(said_of), "{said:?}");
    }
    let other = renewing(&rejected).await;
    assert_ne!(other.code, 0, "it is for another key: {other:?}");
}

/// What has ended is of use to nobody: it is not announced, and makes room.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ended_is_not_announced() {
    let broker = broker().await;
    let organisations = Organisations::of_development().unwrap();
    let own = organisations.find("gemeente-oost").unwrap();
    let short = broker.place().issue(own, Validity::days(1, broker.now()));
    broker.clock().advance(Duration::from_hours(25));
    let refused = announce(&broker, der_of(&short.cert_pem)).await;
    assert_eq!(reason(&refused.unwrap_err()), "REGISTRY_CONFLICT");
    announce(&broker, another(&broker)).await.unwrap();
}

/// Behind a balancer each guest counts by where it came from, and one that the balancer does not announce is not let in.
#[tokio::test(flavor = "multi_thread")]
async fn guests_behind_a_balancer_count_by_where_they_came_from() {
    let broker = TestBroker::start_with(Settings {
        listen: "proxies = [\"127.0.0.1\"]".to_owned(),
        more: "[enrolment]\naddress = \"127.0.0.1:0\"\nattempts_per_address = 1\n".to_owned(),
        ..Settings::default()
    })
    .await;
    let (_, request) = own_request();
    let guess = async |origin: &str| {
        let line = broker.enrolment_line().behind(origin.parse().unwrap());
        let channel = line.channel().await.unwrap();
        let request = EnrolRequest {
            token: vec![1; 32].into(),
            request: request.clone().into(),
        };
        let guessed = EnrolmentServiceClient::new(channel).enrol(request).await;
        guessed.unwrap_err().code()
    };
    assert_eq!(guess("192.0.2.7:50000").await, Code::PermissionDenied);
    assert_eq!(guess("192.0.2.7:50001").await, Code::ResourceExhausted);
    assert_eq!(guess("192.0.2.8:50000").await, Code::PermissionDenied);
    let unannounced = broker.enrolment_line().dial().await;
    assert!(unannounced.is_err(), "it is not said where it came from");
}
