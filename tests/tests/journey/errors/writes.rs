//! What a broken write is told.

use schakel_api::v1;
use schakel_core::time::Timestamp;
use schakel_tests::{Party, Scene, TestBroker, actor, at, bsn, key};

use super::{Row, check, refused, with};

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_write_is_refused_precisely() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (pi, municipality) = (
        broker.party("pi-noord").await,
        broker.party("gemeente-oost").await,
    );
    let association = broker.party("wonen-zuid").await;
    let entries = broker.check_log().await.leaves.len();
    check(of_cases(&pi, &scene).await);
    check(of_reports(&pi, &scene, broker.now()).await);
    check(of_consents(&municipality, &scene, broker.now()).await);
    check(of_inboxes(&association).await);
    assert_eq!(
        broker.check_log().await.leaves.len(),
        entries,
        "nothing was recorded"
    );
}

async fn of_cases(pi: &Party, scene: &Scene) -> Vec<Row> {
    let open = || v1::OpenCaseRequest {
        idempotency_key: key(),
        actor: actor(),
        skn: None,
        bsn: Some(scene.bsn.clone()),
        municipality_party_id: None,
    };
    let call =
        async |what, field, request| refused(what, field, pi.cases().open_case(request).await);
    let assign = v1::AssignMunicipalityRequest {
        idempotency_key: key(),
        actor: actor(),
        case_id: scene.case.clone(),
        municipality_party_id: "wonen-zuid".into(),
    };
    vec![
        call(
            "no key",
            "idempotency_key",
            with(open(), |r| r.idempotency_key.clear()),
        )
        .await,
        call(
            "a key that is none",
            "idempotency_key",
            with(open(), |r| {
                r.idempotency_key = "1".into();
            }),
        )
        .await,
        call(
            "a wrong number",
            "bsn",
            with(open(), |r| r.bsn = Some("111111111".into())),
        )
        .await,
        call(
            "a wrong skn",
            "skn",
            with(open(), |r| r.skn = Some("skn 1".into())),
        )
        .await,
        call(
            "an unknown party",
            "municipality_party_id",
            with(open(), |r| {
                r.municipality_party_id = Some("gemeente-nergens".into());
            }),
        )
        .await,
        refused(
            "no municipality",
            "municipality_party_id",
            pi.cases().assign_municipality(assign).await,
        ),
    ]
}

async fn of_reports(pi: &Party, scene: &Scene, now: Timestamp) -> Vec<Row> {
    let report = || {
        let status = v1::ConditionStatus::InOrder;
        schakel_tests::report(&scene.case, v1::Condition::Debt, status, now)
    };
    let call = async |what, field, request| {
        refused(what, field, pi.exchange().report_status(request).await)
    };
    vec![
        call(
            "no day",
            "as_of",
            with(report(), |r| r.as_of = "yesterday".into()),
        )
        .await,
        call(
            "a day to come",
            "as_of",
            with(report(), |r| r.as_of = "2030-01-01".into()),
        )
        .await,
        call(
            "a day that is none",
            "as_of",
            with(report(), |r| r.as_of = "2026-02-30".into()),
        )
        .await,
        call(
            "the zero status",
            "status",
            with(report(), |r| r.status = 0),
        )
        .await,
        call(
            "the zero moment",
            "moment",
            with(report(), |r| r.moment = 0),
        )
        .await,
        call(
            "help declined of nobody",
            "offered_by_party_id",
            with(report(), |r| {
                r.status = v1::ConditionStatus::HelpDeclined.into();
            }),
        )
        .await,
    ]
}

async fn of_consents(municipality: &Party, scene: &Scene, now: Timestamp) -> Vec<Row> {
    let edited = |edit: &dyn Fn(&mut v1::ConsentTerms)| {
        with(schakel_tests::consent(bsn(&scene.bsn), now), |request| {
            edit(request.terms.as_mut().unwrap());
        })
    };
    let call = async |what, field, request| {
        refused(
            what,
            field,
            municipality.consents().record_consent(request).await,
        )
    };
    let far = now.plus_millis(732 * 86_400_000);
    vec![
        call(
            "too long",
            "terms.valid_until",
            edited(&|t| t.valid_until = at(far)),
        )
        .await,
        call(
            "no end",
            "terms.valid_until",
            edited(&|t| t.valid_until = None),
        )
        .await,
        call(
            "a wrong hash",
            "terms.notice.sha256",
            edited(&|t| {
                t.notice.as_mut().unwrap().sha256 = vec![1; 31].into();
            }),
        )
        .await,
        call(
            "an unknown purpose",
            "terms.purposes",
            edited(&|t| t.purposes = vec!["P-NONE".into()]),
        )
        .await,
        call(
            "no purpose",
            "terms.purposes",
            edited(&|t| t.purposes.clear()),
        )
        .await,
        call(
            "an unknown recipient",
            "terms.recipient_party_ids",
            edited(&|t| {
                t.recipient_party_ids = vec!["niemand".into()];
            }),
        )
        .await,
        call("the zero kind", "terms.kind", edited(&|t| t.kind = 0)).await,
        call(
            "collected tomorrow",
            "terms.collected_at",
            edited(&|t| {
                t.collected_at = at(now.plus_millis(86_400_000));
                t.valid_from = t.collected_at;
            }),
        )
        .await,
    ]
}

async fn of_inboxes(association: &Party) -> Vec<Row> {
    let pull = async |what, max_messages| {
        let request = v1::PullRequest {
            actor: actor(),
            cursor: None,
            max_messages,
        };
        refused(
            what,
            "max_messages",
            association.inbox().pull(request).await,
        )
    };
    let acknowledge = async |what, field, delivery_ids| {
        let request = v1::AcknowledgeRequest {
            idempotency_key: key(),
            actor: actor(),
            delivery_ids,
        };
        refused(what, field, association.inbox().acknowledge(request).await)
    };
    let redeem = v1::RedeemRequest {
        idempotency_key: key(),
        actor: actor(),
        code: "AAAA-BBBB".into(),
        client_ref: "huurder-1".into(),
    };
    vec![
        pull("nothing", 0).await,
        pull("too much", 101).await,
        acknowledge("no delivery", "delivery_ids", Vec::new()).await,
        acknowledge("101 deliveries", "delivery_ids", vec![key(); 101]).await,
        acknowledge(
            "a delivery that is none",
            "delivery_ids[0]",
            vec!["one".into()],
        )
        .await,
        refused(
            "a mistyped code",
            "code",
            association.exchange().redeem(redeem).await,
        ),
    ]
}
