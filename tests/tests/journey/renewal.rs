//! The certificate of a party is renewed by itself: the key stays where it is made, nothing is interrupted, and what
//! fails is tried again.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use schakel_api::v1;
use schakel_client::{Client, ClientError, IdentityFiles, Renewal, RenewalError, Told};
use schakel_pki::{check::Chain, identity::sha256};
use schakel_tests::{Settings, TestBroker, key};
use tempfile::TempDir;

const DAY: Duration = Duration::from_hours(24);

/// A broker, and a party with its certificate in files.
struct Renewing {
    broker: TestBroker,
    dir: TempDir,
    files: IdentityFiles,
    client: Client,
}

impl Renewing {
    async fn start() -> Self {
        let broker = TestBroker::start_with(Settings {
            system_clock: true,
            ..Settings::default()
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        let issued = broker.place().issued("gemeente-oost");
        let (certificate, key) = (
            dir.path().join("own.cert.pem"),
            dir.path().join("own.key.pem"),
        );
        fs::write(&certificate, issued.cert_pem).unwrap();
        fs::write(&key, issued.key_pem).unwrap();
        let client = broker.client("gemeente-oost", None).await;
        Self {
            files: IdentityFiles::new(certificate, key),
            broker,
            dir,
            client,
        }
    }

    fn renewal(&self) -> Renewal {
        Renewal::new(self.client.clone(), self.files.clone())
    }

    /// So long after the broker's now.
    fn after(&self, while_: Duration) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.broker.now().as_millis()) + while_
    }

    /// The one enrolment that waits.
    async fn waiting(&self) -> String {
        let administrator = self.broker.party("beheer-een").await;
        let mut certificates = administrator.certificates();
        let listed = certificates.list_enrolments(v1::ListEnrolmentsRequest {
            page_size: 100,
            page_token: None,
        });
        let waiting = listed.await.unwrap().into_inner().enrolments;
        let waiting: Vec<_> = waiting
            .iter()
            .filter(|one| one.progress() == v1::EnrolmentProgress::Waiting)
            .collect();
        assert_eq!(waiting.len(), 1, "a request is repeated, not made again");
        waiting[0].enrolment_id.clone()
    }

    /// Whoever keeps the authority signs what waits; SHA-256 of the certificate.
    async fn sign(&self) -> [u8; 32] {
        let enrolment_id = self.waiting().await;
        let key_pem = fs::read_to_string(self.files.key_of(1)).unwrap();
        let issued = self.broker.place().certify("gemeente-oost", &key_pem);
        let der = Chain::read(&issued.cert_pem).unwrap().own().to_vec();
        let answer = v1::AnswerEnrolmentRequest {
            idempotency_key: key(),
            enrolment_id,
            certificate: der.clone().into(),
        };
        let administrator = self.broker.party("beheer-een").await;
        let mut certificates = administrator.certificates();
        certificates.answer_enrolment(answer).await.unwrap();
        sha256(&der)
    }

    /// SHA-256 of the certificate with which this client calls, hexadecimal.
    async fn certificate(client: &Client) -> Result<String, ClientError> {
        let own = client.get_my_certificate(v1::GetMyCertificateRequest {});
        Ok(own.await?.certificate)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_by_itself_and_no_call_fails() {
    let it = Renewing::start().await;
    let mut renewal = it.renewal();
    let early = renewal.step(it.after(Duration::ZERO)).await;
    assert!(matches!(early.told, Told::NotDue { .. }), "{early:?}");
    assert_eq!(early.again_in, DAY, "a clock that was set is noticed");
    assert_eq!(fs::read_dir(it.dir.path()).unwrap().count(), 2);

    let due = it.after(65 * DAY);
    for _ in 0..2 {
        let step = renewal.step(due).await;
        assert!(matches!(step.told, Told::Waiting), "{step:?}");
        let mode = fs::metadata(it.files.key_of(1))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let new = it.sign().await;

    let old = Renewing::certificate(&it.client).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let caller = (it.client.clone(), Arc::clone(&stop));
    let calls = tokio::spawn(async move {
        let (client, stop) = caller;
        let mut seen = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            seen.push(Renewing::certificate(&client).await.unwrap());
        }
        seen.push(Renewing::certificate(&client).await.unwrap());
        seen
    });
    let step = renewal.step(due).await;
    assert!(matches!(step.told, Told::Renewed { .. }), "{step:?}");
    stop.store(true, Ordering::Relaxed);
    let seen = calls.await.unwrap();
    assert_eq!(seen.first(), Some(&old));
    assert_eq!(seen.last(), Some(&hex::encode(new)));

    // Old and new are let in side by side, and the next start takes the new one.
    let other = it.broker.client("gemeente-oost", None).await;
    assert_eq!(Renewing::certificate(&other).await.unwrap(), old);
    let next = it.files.load("gemeente-oost").unwrap();
    let next = Chain::read(&next.certificate_pem).unwrap();
    assert_eq!(sha256(next.own()), new);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_fails_is_tried_again_and_calls_go_on() {
    let mut it = Renewing::start().await;
    let mut renewal = it.renewal();
    let due = it.after(65 * DAY);
    assert!(matches!(renewal.step(due).await.told, Told::Waiting));
    let new = it.sign().await;

    // An administrator blocks the new one before it is used.
    let administrator = it.broker.party("beheer-een").await;
    let stop = v1::StopRequest {
        idempotency_key: key(),
        reason: v1::StopReason::Suspicion.into(),
        what: Some(v1::stop_request::What::Certificate(hex::encode(new))),
    };
    administrator.registry().stop(stop).await.unwrap();
    let mut longest = Duration::ZERO;
    for failures in 1..=3 {
        let step = renewal.step(due).await;
        let failed = matches!(step.told, Told::Failed(RenewalError::Connect(_)));
        assert!(failed, "{step:?}");
        let most = Duration::from_mins(1) * (1 << (failures - 1));
        assert!(
            step.again_in >= most / 2 && step.again_in <= most,
            "{step:?}"
        );
        assert!(step.again_in > longest, "{step:?}");
        longest = most / 2;
        let own = Renewing::certificate(&it.client).await.unwrap();
        assert_ne!(own, hex::encode(new), "calls go on with the one in use");
    }

    it.broker.stop().await;
    let step = renewal.step(due).await;
    assert!(
        step.told.to_string().contains("not renewed yet"),
        "{step:?}"
    );
}

/// A request that an administrator rejects is one of many: the party makes another key, and is renewed.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_whose_request_is_closed_goes_on_with_another_key() {
    let it = Renewing::start().await;
    let mut renewal = it.renewal();
    let due = it.after(65 * DAY);
    assert!(matches!(renewal.step(due).await.told, Told::Waiting));
    let rejected = fs::read_to_string(it.files.key_of(1)).unwrap();
    let close = v1::CloseEnrolmentRequest {
        idempotency_key: key(),
        enrolment_id: it.waiting().await,
    };
    let administrator = it.broker.party("beheer-een").await;
    let mut certificates = administrator.certificates();
    certificates.close_enrolment(close).await.unwrap();

    let step = renewal.step(due).await;
    let Told::Closed { key } = &step.told else {
        panic!("{step:?}");
    };
    assert_eq!(fs::read_to_string(key).unwrap(), rejected, "it stays");
    assert!(step.again_in >= Duration::from_mins(1), "{step:?}");
    // Another process goes on where this one ended.
    let mut renewal = it.renewal();
    assert!(matches!(renewal.step(due).await.told, Told::Waiting));
    let next = fs::read_to_string(it.files.key_of(1)).unwrap();
    assert_ne!(next, rejected);
    let new = it.sign().await;
    let step = renewal.step(due).await;
    assert!(matches!(step.told, Told::Renewed { .. }), "{step:?}");
    let own = Renewing::certificate(&it.client).await.unwrap();
    assert_eq!(own, hex::encode(new));
}
