//! Invariant 12: validity is [from, until), by the broker's clock and no other.

use schakel_api::v1;
use schakel_core::time::Timestamp;
use schakel_tests::{Party, Scene, TestBroker, at, bsn, consent};

async fn is_told(broker: &TestBroker, association: &Party, scene: &Scene, now: Timestamp) -> bool {
    broker.clock().set(now);
    association.ask_housing(&scene.mark).await.is_some()
}

/// A consent holds from its first instant and not at its last: to the millisecond.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_12_a_consent_holds_from_its_first_instant_until_its_end() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (municipality, association) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
    );
    let (from, until) = (
        broker.now().plus_millis(10_000),
        broker.now().plus_millis(20_000),
    );
    let mut request = consent(bsn(&scene.bsn), broker.now());
    let terms = request.terms.as_mut().unwrap();
    (terms.valid_from, terms.valid_until) = (at(from), at(until));
    municipality.try_consent(request).await.unwrap().unwrap();
    for (now, told) in [
        (from.minus_millis(1), false),
        (from, true),
        (until.minus_millis(1), true),
        (until, false),
        (until.plus_millis(1), false),
    ] {
        assert_eq!(
            is_told(&broker, &association, &scene, now).await,
            told,
            "at {now}"
        );
    }
}

/// A withdrawal holds in the same millisecond, and a new consent after it as well.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_a_withdrawal_holds_within_its_own_instant() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (municipality, association) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
    );
    // The clock stands still all the while.
    for _ in 0..3 {
        municipality.consent(bsn(&scene.bsn)).await;
        assert!(association.ask_housing(&scene.mark).await.is_some());
        municipality.withdraw(bsn(&scene.bsn)).await;
        assert!(association.ask_housing(&scene.mark).await.is_none());
    }
}

/// A withdrawal for one condition or one recipient takes that away and leaves the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_takes_no_more_than_it_says() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (municipality, association) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
    );
    let mut request = consent(bsn(&scene.bsn), broker.now());
    let terms = request.terms.as_mut().unwrap();
    terms.recipient_party_ids.push("wonen-noord".into());
    terms.conditions.push(v1::Condition::Debt.into());
    municipality.try_consent(request).await.unwrap().unwrap();
    let withdraw = |conditions: Vec<v1::Condition>, recipient: Option<&str>| {
        let request = v1::WithdrawConsentRequest {
            idempotency_key: schakel_tests::key(),
            actor: schakel_tests::actor(),
            subject: Some(bsn(&scene.bsn)),
            conditions: conditions.into_iter().map(Into::into).collect(),
            recipient_party_id: recipient.map(Into::into),
        };
        async {
            municipality
                .consents()
                .withdraw_consent(request)
                .await
                .unwrap()
        }
    };
    withdraw(Vec::new(), Some("wonen-noord")).await;
    assert!(
        association.ask_housing(&scene.mark).await.is_some(),
        "another recipient's"
    );
    withdraw(vec![v1::Condition::Debt], None).await;
    assert!(
        association.ask_housing(&scene.mark).await.is_some(),
        "another condition's"
    );
    withdraw(vec![v1::Condition::Housing], Some("wonen-zuid")).await;
    assert!(association.ask_housing(&scene.mark).await.is_none());
}

/// A restriction stops what it covers, at once, for as long as it stands.
#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_stops_until_it_is_lifted() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (municipality, association) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
    );
    municipality.consent(bsn(&scene.bsn)).await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
    let request = v1::RecordRestrictionRequest {
        idempotency_key: schakel_tests::key(),
        actor: schakel_tests::actor(),
        subject: Some(bsn(&scene.bsn)),
        kind: v1::RestrictionKind::Objection.into(),
        controller_party_id: None,
        conditions: Vec::new(),
    };
    let restricted = municipality
        .consents()
        .record_restriction(request)
        .await
        .unwrap()
        .into_inner();
    assert!(association.ask_housing(&scene.mark).await.is_none());
    let lift = |party: &Party| {
        let request = v1::LiftRestrictionRequest {
            idempotency_key: schakel_tests::key(),
            actor: schakel_tests::actor(),
            subject: Some(bsn(&scene.bsn)),
            restriction_id: restricted.restriction_id.clone(),
        };
        let mut consents = party.consents();
        async move {
            consents
                .lift_restriction(request)
                .await
                .unwrap()
                .into_inner()
                .outcome
                .unwrap()
        }
    };
    let care = broker.party("zorg-midden").await;
    let same = lift(&care).await;
    assert!(matches!(
        same,
        v1::lift_restriction_response::Outcome::Lifted(_)
    ));
    assert!(
        association.ask_housing(&scene.mark).await.is_none(),
        "it is not another's to lift"
    );
    let lifted = lift(&municipality).await;
    assert!(matches!(
        lifted,
        v1::lift_restriction_response::Outcome::Lifted(_)
    ));
    assert!(association.ask_housing(&scene.mark).await.is_some());
}
