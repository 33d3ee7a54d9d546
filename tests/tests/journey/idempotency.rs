//! The same key with the same body is one write; with another body it is refused.

use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_tests::{
    Scene, TestBroker, actor, bsn, bsn_number, by_case, consent, key, reason, report, violations,
};
use tonic::Code;

fn open(n: u32, idempotency_key: &str) -> v1::OpenCaseRequest {
    v1::OpenCaseRequest {
        idempotency_key: idempotency_key.into(),
        actor: actor(),
        skn: None,
        bsn: Some(bsn_number(n)),
        municipality_party_id: None,
    }
}

fn case_id(answer: v1::OpenCaseResponse) -> (String, u64) {
    match answer.outcome {
        Some(v1::open_case_response::Outcome::Opened(opened)) => {
            (opened.case_id, opened.receipt.unwrap().index)
        }
        other => panic!("{other:?}"),
    }
}

/// A retry gets the first answer with a receipt for the first entry, before and after a restart; nothing is
/// written twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_the_same_write() {
    let mut broker = TestBroker::start().await;
    let pi = broker.party("pi-noord").await;
    let key = key();
    let first = case_id(
        pi.cases()
            .open_case(open(1, &key))
            .await
            .unwrap()
            .into_inner(),
    );
    let again = case_id(
        pi.cases()
            .open_case(open(1, &key))
            .await
            .unwrap()
            .into_inner(),
    );
    assert_eq!(again, first);
    broker.restart().await;
    let pi = broker.party("pi-noord").await;
    let again = case_id(
        pi.cases()
            .open_case(open(1, &key))
            .await
            .unwrap()
            .into_inner(),
    );
    assert_eq!(again, first, "after a restart");
    assert_eq!(broker.check_log().await.count(EntryType::Case), 1);
}

/// What is retried once more after a restart: with which key, and what about.
struct Retried {
    key: String,
    proposal: String,
    case: String,
}

/// Where each of these writes stands in the log: of an administrator, of an officer about the trail, and of two about
/// an erasure that a duty to keep stops.
async fn written(broker: &TestBroker, retried: &Retried) -> [u64; 5] {
    let idempotency_key = || retried.key.clone();
    let subject = || Some(by_case(&retried.case));
    let administrator = broker.party("beheer-een").await;
    let rotate = v1::RotateKekRequest {
        idempotency_key: idempotency_key(),
    };
    let rotated = administrator.retention().rotate_kek(rotate).await;
    let clock = v1::AcknowledgeClockRequest {
        idempotency_key: idempotency_key(),
    };
    let clock = administrator.retention().acknowledge_clock(clock).await;
    let officer = broker.party("fg-gemeente-oost").await;
    let verified = v1::RecordVerificationRequest {
        idempotency_key: idempotency_key(),
        actor: actor(),
        size: 1,
        root: vec![7; 32].into(),
        sound: true,
    };
    let verified = officer.audit().record_verification(verified).await;
    let propose = v1::ProposeErasureRequest {
        idempotency_key: idempotency_key(),
        actor: actor(),
        subject: subject(),
        ground: v1::ErasureGround::NotNeeded.into(),
    };
    let proposed = officer.retention().propose_erasure(propose).await.unwrap();
    let approve = v1::ApproveErasureRequest {
        idempotency_key: idempotency_key(),
        actor: actor(),
        proposal_id: retried.proposal.clone(),
        subject: subject(),
    };
    let municipality = broker.party("gemeente-oost").await;
    let approved = municipality.retention().approve_erasure(approve).await;
    let proposed = match proposed.into_inner().outcome {
        Some(v1::propose_erasure_response::Outcome::Retained(retained)) => retained.receipt,
        other => panic!("{other:?}"),
    };
    let approved = match approved.unwrap().into_inner().outcome {
        Some(v1::approve_erasure_response::Outcome::Retained(retained)) => retained.receipt,
        other => panic!("{other:?}"),
    };
    [
        rotated.unwrap().into_inner().receipt,
        clock.unwrap().into_inner().receipt,
        verified.unwrap().into_inner().receipt,
        proposed,
        approved,
    ]
    .map(|receipt| receipt.unwrap().index)
}

/// Whatever is written, a retry after a restart is the same write, with the view as it was and without it.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_a_restart_is_the_same_write_whatever_was_written() {
    let mut broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let officer = broker.party("fg-gemeente-oost").await;
    let proposed = officer
        .propose_erasure(by_case(&scene.case), v1::ErasureGround::NotNeeded)
        .await;
    let v1::propose_erasure_response::Outcome::Proposed(proposed) = proposed else {
        panic!("{proposed:?}");
    };
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let retried = Retried {
        key: key(),
        proposal: proposed.proposal_id,
        case: scene.case,
    };
    let first = written(&broker, &retried).await;
    assert_eq!(written(&broker, &retried).await, first);
    broker.restart().await;
    assert_eq!(written(&broker, &retried).await, first, "after a restart");
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.unwrap();
    assert_eq!(written(&broker, &retried).await, first, "without the view");
}

/// Many retries at once, over many connections, are one write.
#[tokio::test(flavor = "multi_thread")]
async fn retries_at_once_are_one_write() {
    let broker = TestBroker::start().await;
    let key = key();
    let mut retries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let pi = broker.party("pi-noord").await;
        let request = open(1, &key);
        retries.spawn(
            async move { case_id(pi.cases().open_case(request).await.unwrap().into_inner()) },
        );
    }
    let answers = retries.join_all().await;
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    assert_eq!(broker.check_log().await.count(EntryType::Case), 1);
}

/// The same key with another body is refused, by the same party and method; for another party, another
/// method, or a day later it means something else.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_means_one_body_for_a_day() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 9).await;
    let pi = broker.party("pi-noord").await;
    let key = key();
    let first = case_id(
        pi.cases()
            .open_case(open(1, &key))
            .await
            .unwrap()
            .into_inner(),
    );
    let refused = pi.cases().open_case(open(2, &key)).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED")
    );
    let [(field, rule)] = &violations(&refused)[..] else {
        panic!("{refused:?}");
    };
    assert_eq!(field, "idempotency_key");
    assert!(
        rule.starts_with("must be new for each request") && rule.contains("choose a new UUID"),
        "{rule}"
    );
    let mut other = report(
        &scene.case,
        v1::Condition::Debt,
        v1::ConditionStatus::InOrder,
        broker.now(),
    );
    other.idempotency_key.clone_from(&key);
    assert!(pi.try_report(other).await.unwrap(), "another method");
    let municipality = broker.party("gemeente-oost").await;
    let mut other = consent(bsn(&scene.bsn), broker.now());
    other.idempotency_key.clone_from(&key);
    assert!(
        municipality.try_consent(other).await.unwrap().is_some(),
        "another party"
    );
    let day = std::time::Duration::from_secs(86_400);
    broker
        .clock()
        .advance(day - std::time::Duration::from_millis(1));
    assert!(
        pi.cases().open_case(open(2, &key)).await.is_err(),
        "not yet"
    );
    broker.clock().advance(std::time::Duration::from_millis(2));
    let pi = broker.party("pi-noord").await;
    let later = case_id(
        pi.cases()
            .open_case(open(2, &key))
            .await
            .unwrap()
            .into_inner(),
    );
    assert_ne!(later.0, first.0);
}

/// A denial is remembered as well: a retry is no second chance.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_a_denied_write_is_denied() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let west = broker.party("gemeente-west").await;
    let request = report(
        &scene.case,
        v1::Condition::Debt,
        v1::ConditionStatus::InOrder,
        broker.now(),
    );
    assert!(
        !west.try_report(request.clone()).await.unwrap(),
        "no place in the case"
    );
    let assign = v1::AssignMunicipalityRequest {
        idempotency_key: key(),
        actor: actor(),
        case_id: scene.case.clone(),
        municipality_party_id: "gemeente-west".into(),
    };
    broker
        .party("pi-noord")
        .await
        .cases()
        .assign_municipality(assign)
        .await
        .unwrap();
    assert!(
        !west.try_report(request).await.unwrap(),
        "the same write is still denied"
    );
    let anew = report(
        &scene.case,
        v1::Condition::Debt,
        v1::ConditionStatus::InOrder,
        broker.now(),
    );
    assert!(west.try_report(anew).await.unwrap(), "a new one is not");
}

/// A question has no key: every one is a decision and an entry of its own.
#[tokio::test(flavor = "multi_thread")]
async fn asking_twice_is_two_decisions() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (municipality, association) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
    );
    municipality.consent(bsn(&scene.bsn)).await;
    let one = association.ask_housing(&scene.mark).await.unwrap();
    let other = association.ask_housing(&scene.mark).await.unwrap();
    assert_eq!(one, other);
    assert_eq!(broker.check_log().await.count(EntryType::Disclosure), 2);
}
