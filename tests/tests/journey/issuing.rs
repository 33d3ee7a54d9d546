//! A broker that issues certificates by itself, with an authority of its own.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, Instant},
};

use schakel_api::v1;
use schakel_core::{enrolment::IssuanceEvent, event::Event};
use schakel_pki::{
    identity::{parse_peer, sha256},
    issuing::{AuthorityName, Curve},
    ledger::{Ledger, OpenLedger},
    office::{Founding, Places, found},
    request::CertificateRequest,
    revocation::RevocationList,
    secret::Passphrase,
};
use schakel_store::random::OsRandom;
use schakel_tests::{START, Settings, TestBroker, key, reason};
use tonic::{Code, Status};

use super::certificates::{der_of, enrol, open, own_request};

/// A broker that issues by itself, and the directory of its authority.
async fn issuing() -> (TestBroker, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let phrase = Passphrase::new("wachtzin van de uitgever").unwrap();
    let file = dir.path().join("phrase");
    fs::write(&file, "wachtzin van de uitgever\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let name = |common_name: &str| AuthorityName {
        organisation: "Testbeheer".to_owned(),
        common_name: common_name.to_owned(),
    };
    let founding = Founding {
        root: name("Testbeheer Root CA"),
        issuing: name("Testbeheer Issuing CA"),
        curve: Curve::P256,
        root_days: 3650,
        issuing_days: 1095,
        publish_url: "http://pki.example/".to_owned(),
        policy: None,
        root_list_days: 180,
        issuing_list_days: 7,
    };
    let places = Places {
        root: dir.path().join("root"),
        issuing: dir.path().join("issuing"),
        public: dir.path().join("public"),
    };
    let now = START.parse().unwrap();
    found(&places, &founding, &phrase, &phrase, now, &mut OsRandom).unwrap();
    let at = dir.path().display();
    let broker = TestBroker::start_with(Settings {
        more: format!(
            "[enrolment]\naddress = \"127.0.0.1:0\"\nattempts_per_address = 5\n\
             [enrolment.issuing]\nauthority = \"{at}/issuing\"\npassphrase_file = \"{at}/phrase\"\n\
             public = \"{at}/public\"\n"
        ),
        ..Settings::default()
    })
    .await;
    (broker, dir)
}

/// The certificate of the authority, which the broker does not trust here: it issues for others.
fn authority(dir: &tempfile::TempDir) -> Vec<u8> {
    der_of(&fs::read_to_string(dir.path().join("public/issuing.cert.pem")).unwrap())
}

async fn confirm(broker: &TestBroker, by: &str, id: &str) -> Result<(), Status> {
    let request = v1::ConfirmEnrolmentRequest {
        idempotency_key: key(),
        enrolment_id: id.into(),
    };
    let administrator = broker.party(by).await;
    let mut certificates = administrator.certificates();
    certificates.confirm_enrolment(request).await.map(|_| ())
}

/// One administrator cannot make a certificate for somebody else; two can, and then it takes one call.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_issues_a_first_certificate_by_itself_once_two_administrators_let_it() {
    let (broker, dir) = issuing().await;
    let (_, request) = own_request();
    let id = open(&broker, [7; 32], 24).await.unwrap();
    let waiting = enrol(&broker, &[7; 32], &request).await.unwrap();
    assert_eq!(waiting.certificate, None, "nobody confirmed it");
    assert!(waiting.authorities.is_empty());
    let same = confirm(&broker, "beheer-een", &id).await.unwrap_err();
    assert_eq!(reason(&same), "SECOND_ACTOR_REQUIRED");
    confirm(&broker, "beheer-twee", &id).await.unwrap();
    let again = confirm(&broker, "beheer-twee", &id).await.unwrap_err();
    assert_eq!(reason(&again), "REGISTRY_CONFLICT");

    let issued = enrol(&broker, &[7; 32], &request).await.unwrap();
    let der = issued.certificate.unwrap();
    assert_eq!(issued.authorities, [authority(&dir)], "to be sent along");
    assert!(
        CertificateRequest::read(&request)
            .unwrap()
            .is_answered_by(&der)
    );
    let repeated = enrol(&broker, &[7; 32], &request).await.unwrap();
    assert_eq!(repeated.certificate.unwrap(), der, "once issued, the same");
    let ledger = Ledger::read(&dir.path().join("issuing/ledger.jsonl")).unwrap();
    let [entry] = ledger.issued().collect::<Vec<_>>()[..] else {
        panic!("one certificate stands in the ledger");
    };
    assert_eq!(entry.der, der);
    let life = entry.validity.not_after().as_millis() - entry.validity.not_before().as_millis();
    assert!((29..=31).contains(&(life / 86_400_000)), "short");
    broker.check_log().await;
}

/// Whatever is closed while it is issued: what stands in the ledger is registered, so that it can be revoked.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_for_what_was_closed_meanwhile() {
    let (broker, dir) = issuing().await;
    let (party, administrator) = (
        broker.party("gemeente-oost").await,
        broker.party("beheer-een").await,
    );
    for _ in 0..12 {
        let renew = v1::RenewCertificateRequest {
            idempotency_key: key(),
            request: own_request().1.into(),
        };
        let mut certificates = party.certificates();
        let renewing = tokio::spawn(async move { certificates.renew_certificate(renew).await });
        let mut certificates = administrator.certificates();
        while !renewing.is_finished() {
            let list = v1::ListEnrolmentsRequest {
                page_size: 100,
                page_token: None,
            };
            let listed = certificates.list_enrolments(list).await.unwrap();
            let mut listed = listed.into_inner().enrolments.into_iter();
            let waits = listed.find(|one| one.progress() == v1::EnrolmentProgress::Waiting);
            if let Some(waiting) = waits {
                let close = v1::CloseEnrolmentRequest {
                    idempotency_key: key(),
                    enrolment_id: waiting.enrolment_id,
                };
                // Whichever comes first.
                let _closed = certificates.close_enrolment(close).await;
            }
        }
        let _renewed = renewing.await.unwrap();
    }
    let list = v1::ListIssuedCertificatesRequest {
        page_size: 100,
        page_token: None,
    };
    let registered = party.certificates().list_issued_certificates(list).await;
    let registered = registered.unwrap().into_inner().certificates;
    let ledger = Ledger::read(&dir.path().join("issuing/ledger.jsonl")).unwrap();
    for issued in ledger.issued() {
        let is_it = |one: &v1::IssuedCertificate| one.sha256 == issued.sha256.as_slice();
        assert!(registered.iter().any(is_it), "valid, and out of reach");
    }
    broker.check_log().await;
}

/// The attempts of one address with tokens that nobody gave are bounded by the minute. They are not those of whoever has
/// one, though it calls from the same address; but those are as few.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_tokens_are_few_a_minute_and_close_the_door_to_nobody() {
    let (broker, _dir) = issuing().await;
    let (_, request) = own_request();
    open(&broker, [7; 32], 24).await.unwrap();
    for guess in 100..160 {
        let refused = enrol(&broker, &[guess; 32], &request).await.unwrap_err();
        let taken = guess < 105;
        let code = if taken {
            Code::PermissionDenied
        } else {
            Code::ResourceExhausted
        };
        assert_eq!(refused.code(), code);
    }
    for _ in 1..=5 {
        enrol(&broker, &[7; 32], &request).await.unwrap();
    }
    let refused = enrol(&broker, &[7; 32], &request).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    broker.clock().advance(Duration::from_secs(60));
    enrol(&broker, &[7; 32], &request).await.unwrap();
}

/// A certificate in use gets the next one at once, and only so many.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_issues_renews_at_once_and_never_without_end() {
    let (broker, dir) = issuing().await;
    let party = broker.party("gemeente-oost").await;
    let renew = |request: &[u8]| v1::RenewCertificateRequest {
        idempotency_key: key(),
        request: request.to_vec().into(),
    };
    for _ in 0..3 {
        let (_, request) = own_request();
        let mut certificates = party.certificates();
        let renewed = certificates.renew_certificate(renew(&request)).await;
        let renewed = renewed.unwrap().into_inner();
        assert_eq!(renewed.progress(), v1::EnrolmentProgress::Issued);
        let der = renewed.certificate.unwrap();
        assert_eq!(renewed.authorities, [authority(&dir)]);
        assert!(
            CertificateRequest::read(&request)
                .unwrap()
                .is_answered_by(&der)
        );
    }
    let (_, fourth) = own_request();
    let mut certificates = party.certificates();
    let refused = certificates.renew_certificate(renew(&fourth)).await;
    assert_eq!(reason(&refused.unwrap_err()), "REGISTRY_CONFLICT");
    let ledger = Ledger::read(&dir.path().join("issuing/ledger.jsonl")).unwrap();
    assert_eq!(ledger.issued().count(), 3);
    broker.check_log().await;
}

/// The published list of the broker's authority, once it names so many certificates, or within a bound.
async fn listed(dir: &Path, names: usize) -> RevocationList {
    let authority = fs::read_to_string(dir.join("public/issuing.cert.pem")).unwrap();
    let started = Instant::now();
    loop {
        let list = fs::read(dir.join("public/issuing.crl")).unwrap();
        let list = RevocationList::parse_der(&list, &der_of(&authority)).unwrap();
        if list.revoked().count() == names {
            return list;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{list:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Takes the ledger of the authority as soon as the broker has let go of it.
async fn hold(ledger: &Path) -> OpenLedger {
    let started = Instant::now();
    loop {
        match OpenLedger::open(ledger) {
            Ok(held) => return held,
            Err(error) => assert!(started.elapsed() < Duration::from_secs(60), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What is revoked with the broker is put on the list of its own authority, which is signed and published; the trail
/// says so. What an authority in other hands, or a crash, kept from being listed is listed after the next start.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_revoked_is_put_on_the_list_of_the_brokers_own_authority() {
    let (mut broker, dir) = issuing().await;
    let party = broker.party("gemeente-oost").await;
    let mut issued = Vec::new();
    for _ in 0..2 {
        let (_, request) = own_request();
        let renew = v1::RenewCertificateRequest {
            idempotency_key: key(),
            request: request.into(),
        };
        let renewed = party.certificates().renew_certificate(renew).await.unwrap();
        issued.push(renewed.into_inner().certificate.unwrap());
    }
    let revoke = async |broker: &TestBroker, der: &[u8]| {
        let request = v1::RevokeCertificateRequest {
            idempotency_key: key(),
            sha256: sha256(der).to_vec().into(),
            reason: v1::StopReason::KeyCompromise.into(),
        };
        let administrator = broker.party("beheer-een").await;
        let mut certificates = administrator.certificates();
        certificates.revoke_certificate(request).await.unwrap();
    };
    revoke(&broker, &issued[0]).await;
    let first = listed(dir.path(), 1).await;
    let serial = |der: &[u8]| parse_peer(der).unwrap().serial;
    assert!(first.revoked().eq([&serial(&issued[0])]));

    // While somebody else is at the authority nothing can be listed.
    let held = hold(&dir.path().join("issuing/ledger.jsonl")).await;
    revoke(&broker, &issued[1]).await;
    broker.stop().await;
    assert_eq!(listed(dir.path(), 1).await.number(), first.number());
    drop(held);
    broker.run().await.unwrap();
    let second = listed(dir.path(), 2).await;
    assert!(second.number() > first.number());
    assert!(
        issued
            .iter()
            .all(|der| second.revoked().any(|one| *one == serial(der)))
    );

    broker.stop().await;
    let log = broker.check_log().await;
    let details = log.details(broker.place());
    let mut recorded = details
        .iter()
        .flatten()
        .filter_map(|entry| match &entry.event {
            Event::Issuance(IssuanceEvent::Listed {
                number, revoked, ..
            }) => Some((*number, *revoked)),
            _ => None,
        });
    let last = recorded.next_back().unwrap();
    assert_eq!((Some(last.0), last.1), (second.number(), 2));
}
