//! Invariant 10: view and indexes are derived; the log is what is.

use schakel_api::v1;
use schakel_tests::{Scene, TestBroker, actor, at, bsn, by_case, item};

/// Everything parties can be told, without the receipts, which tell where the telling was recorded.
async fn everything(
    broker: &TestBroker,
    scenes: &[Scene],
    until: schakel_core::time::Timestamp,
) -> Vec<String> {
    let (pi, municipality) = (
        broker.party("pi-noord").await,
        broker.party("gemeente-oost").await,
    );
    let (association, officer) = (
        broker.party("wonen-zuid").await,
        broker.party("fg-gemeente-oost").await,
    );
    let mut told = Vec::new();
    for scene in scenes {
        told.push(format!("{:?}", association.ask_housing(&scene.mark).await));
        for condition in [v1::Condition::Housing, v1::Condition::Debt] {
            let plan = item(
                by_case(&scene.case),
                "P-PLAN",
                condition,
                v1::Granularity::StatusWithDates,
            );
            told.push(format!("{:?}", municipality.ask(plan).await));
        }
        let request = v1::ListConsentsRequest {
            actor: actor(),
            subject: Some(bsn(&scene.bsn)),
        };
        let answer = municipality
            .consents()
            .list_consents(request)
            .await
            .unwrap()
            .into_inner();
        told.push(match answer.outcome.unwrap() {
            v1::list_consents_response::Outcome::Consents(shown) => format!("{:?}", shown.consents),
            v1::list_consents_response::Outcome::NotDisclosed(_) => "denied".to_owned(),
        });
        let request = v1::GetCaseRequest {
            actor: actor(),
            subject: Some(bsn(&scene.bsn)),
        };
        let answer = pi.cases().get_case(request).await.unwrap().into_inner();
        told.push(match answer.outcome.unwrap() {
            v1::get_case_response::Outcome::Case(mut case) => {
                case.receipt = None;
                format!("{case:?}")
            }
            v1::get_case_response::Outcome::NotDisclosed(_) => "denied".to_owned(),
        });
        let request = v1::SearchEntriesRequest {
            actor: actor(),
            purpose: "P-ACCOUNTABILITY".into(),
            subject: Some(bsn(&scene.bsn)),
            period: Some(v1::Period {
                from: at(broker.place().furnished_at()),
                until: at(until),
            }),
            page_size: 100,
            ..v1::SearchEntriesRequest::default()
        };
        let found = officer
            .audit()
            .search_entries(request)
            .await
            .unwrap()
            .into_inner()
            .entries;
        assert!(!found.is_empty());
        told.push(format!("{found:?}"));
    }
    for message in municipality.pull(None, 100).await.messages {
        told.push(format!("{} {:?}", message.delivery_id, message.subject));
    }
    let parties = pi
        .registry()
        .list_parties(v1::ListPartiesRequest {})
        .await
        .unwrap();
    told.push(format!("{:?}", parties.into_inner()));
    let purposes = pi
        .registry()
        .list_purposes(v1::ListPurposesRequest {})
        .await
        .unwrap();
    told.push(format!("{:?}", purposes.into_inner()));
    told
}

/// After view and indexes are deleted, and after an ordinary restart, everybody is told the same.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_10_view_and_indexes_deleted_same_answers() {
    let mut broker = TestBroker::start().await;
    let scenes = [
        Scene::set(&broker, 1).await,
        Scene::set(&broker, 2).await,
        Scene::set(&broker, 3).await,
    ];
    let municipality = broker.party("gemeente-oost").await;
    for scene in &scenes[..2] {
        municipality.consent(bsn(&scene.bsn)).await;
    }
    municipality.withdraw(bsn(&scenes[1].bsn)).await;
    broker.clock().advance(std::time::Duration::from_secs(60));
    let until = broker.now();
    let first = everything(&broker, &scenes, until).await;
    broker.restart().await;
    assert_eq!(
        everything(&broker, &scenes, until).await,
        first,
        "after a restart"
    );
    broker.stop().await;
    broker.forget_derived();
    broker
        .run()
        .await
        .expect("the broker rebuilds what was deleted");
    assert_eq!(
        everything(&broker, &scenes, until).await,
        first,
        "after view and indexes were deleted"
    );
    broker.check_log().await;
}

/// A write is remembered in the log, not in the view: its key still means it after both were lost.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_10_a_write_is_remembered_without_the_view() {
    let mut broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    let request = schakel_tests::consent(bsn(&scene.bsn), broker.now());
    let first = municipality.try_consent(request.clone()).await.unwrap();
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.unwrap();
    let again = broker
        .party("gemeente-oost")
        .await
        .try_consent(request)
        .await
        .unwrap();
    assert_eq!(again, first);
}
