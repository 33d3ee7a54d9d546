//! What depends on no person is told precisely: which field, which rule, how to mend it.

use schakel_api::v1;
use schakel_tests::{
    HOUSING, Party, Scene, TestBroker, actor, at, bsn, by_case, item, key, mark, reason, violations,
};
use tonic::{Code, Response, Status};

/// A request, and the field of it that breaks a rule.
type Row = (&'static str, &'static str, Status);

/// A valid value with something done to it.
fn with<T>(mut value: T, edit: impl FnOnce(&mut T)) -> T {
    edit(&mut value);
    value
}

fn refused<T>(what: &'static str, field: &'static str, answer: Result<Response<T>, Status>) -> Row {
    match answer {
        Ok(_) => panic!("{what} was taken"),
        Err(status) => (what, field, status),
    }
}

/// Every row is INVALID_REQUEST, names its field, and says what the field must be.
fn check(rows: Vec<Row>) {
    for (what, field, status) in rows {
        assert_eq!(status.code(), Code::InvalidArgument, "{what}: {status:?}");
        assert_eq!(reason(&status), "INVALID_REQUEST", "{what}");
        let violations = violations(&status);
        let found = violations.iter().find(|(name, _)| name == field);
        let (_, rule) = found.unwrap_or_else(|| panic!("{what}: `{field}` not in {violations:?}"));
        assert!(rule.contains("must"), "{what}: {rule}");
        assert!(status.message().contains(field), "{what}: for people as well: {status:?}");
    }
}

fn question() -> v1::AskRequest {
    let housing = item(bsn("999999990"), "P-PLAN", v1::Condition::Housing, v1::Granularity::Status);
    v1::AskRequest { actor: actor(), item: Some(housing) }
}

fn edited(edit: impl FnOnce(&mut v1::AskItem)) -> v1::AskRequest {
    with(question(), |request| edit(request.item.as_mut().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_question_is_refused_precisely() {
    let broker = TestBroker::start().await;
    let party = broker.party("gemeente-oost").await;
    let ask = async |what, field, request| {
        refused(what, field, party.exchange().ask(request).await)
    };
    let long = |text: &str, times| text.repeat(times);
    check(vec![
        ask("no item", "item", with(question(), |r| r.item = None)).await,
        ask("nobody acts", "actor", with(question(), |r| r.actor = None)).await,
        ask("a long mark of who acts", "actor.actor_ref", with(question(), |r| {
            r.actor.as_mut().unwrap().actor_ref = long("a", 65);
        }))
        .await,
        ask("an empty mark of who acts", "actor.actor_ref", with(question(), |r| {
            r.actor.as_mut().unwrap().actor_ref = String::new();
        }))
        .await,
        ask("no person", "item.subject", edited(|i| i.subject = None)).await,
        ask("an empty person", "item.subject", edited(|i| {
            i.subject = Some(v1::SubjectRef { reference: None });
        }))
        .await,
        ask("a wrong number", "item.subject.bsn", edited(|i| i.subject = Some(bsn("123456789")))).await,
        ask("a short number", "item.subject.bsn", edited(|i| i.subject = Some(bsn("12345")))).await,
        ask("a long mark", "item.subject.client_ref", edited(|i| {
            i.subject = Some(mark(&long("m", 65)));
        }))
        .await,
        ask("no case", "item.subject.case_id", edited(|i| i.subject = Some(by_case("case-1")))).await,
        ask("a purpose that is none", "item.purpose", edited(|i| i.purpose = "p plan".into())).await,
        ask("no condition", "item.conditions", edited(|i| i.conditions.clear())).await,
        ask("the zero condition", "item.conditions[0]", edited(|i| i.conditions = vec![0])).await,
        ask("an unknown condition", "item.conditions[1]", edited(|i| i.conditions = vec![2, 99])).await,
        ask("a condition twice", "item.conditions", edited(|i| i.conditions = vec![2, 2])).await,
        ask("the zero granularity", "item.granularity", edited(|i| i.granularity = 0)).await,
        ask("an unknown granularity", "item.granularity", edited(|i| i.granularity = 9)).await,
    ]);
    let batch = v1::AskBatchRequest { actor: actor(), items: vec![question().item.unwrap(); 101] };
    check(vec![refused("101 items", "items", party.exchange().ask_batch(batch).await)]);
    // What was wrong is not repeated: it may be somebody's number.
    let status = party.exchange().ask(edited(|i| i.subject = Some(bsn("123456789")))).await;
    assert!(!format!("{:?}", status.unwrap_err()).contains("123456789"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_write_is_refused_precisely() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (pi, municipality) = (broker.party("pi-noord").await, broker.party("gemeente-oost").await);
    let association = broker.party("wonen-zuid").await;
    let entries = broker.check_log().await.leaves.len();
    check(of_cases(&pi, &scene).await);
    check(of_reports(&pi, &scene, broker.now()).await);
    check(of_consents(&municipality, &scene, broker.now()).await);
    check(of_inboxes(&association).await);
    assert_eq!(broker.check_log().await.leaves.len(), entries, "nothing was recorded");
}

async fn of_cases(pi: &Party, scene: &Scene) -> Vec<Row> {
    let open = || v1::OpenCaseRequest {
        idempotency_key: key(),
        actor: actor(),
        skn: None,
        bsn: Some(scene.bsn.clone()),
        municipality_party_id: None,
    };
    let call = async |what, field, request| refused(what, field, pi.cases().open_case(request).await);
    let assign = v1::AssignMunicipalityRequest {
        idempotency_key: key(),
        actor: actor(),
        case_id: scene.case.clone(),
        municipality_party_id: "wonen-zuid".into(),
    };
    vec![
        call("no key", "idempotency_key", with(open(), |r| r.idempotency_key.clear())).await,
        call("a key that is none", "idempotency_key", with(open(), |r| {
            r.idempotency_key = "1".into();
        }))
        .await,
        call("a wrong number", "bsn", with(open(), |r| r.bsn = Some("111111111".into()))).await,
        call("a wrong skn", "skn", with(open(), |r| r.skn = Some("skn 1".into()))).await,
        call("an unknown party", "municipality_party_id", with(open(), |r| {
            r.municipality_party_id = Some("gemeente-nergens".into());
        }))
        .await,
        refused(
            "no municipality",
            "municipality_party_id",
            pi.cases().assign_municipality(assign).await,
        ),
    ]
}

async fn of_reports(pi: &Party, scene: &Scene, now: schakel_core::time::Timestamp) -> Vec<Row> {
    let report = || {
        let status = v1::ConditionStatus::InOrder;
        schakel_tests::report(&scene.case, v1::Condition::Debt, status, now)
    };
    let call =
        async |what, field, request| refused(what, field, pi.exchange().report_status(request).await);
    vec![
        call("no day", "as_of", with(report(), |r| r.as_of = "yesterday".into())).await,
        call("a day to come", "as_of", with(report(), |r| r.as_of = "2030-01-01".into())).await,
        call("a day that is none", "as_of", with(report(), |r| r.as_of = "2026-02-30".into())).await,
        call("the zero status", "status", with(report(), |r| r.status = 0)).await,
        call("the zero moment", "moment", with(report(), |r| r.moment = 0)).await,
        call("help declined of nobody", "offered_by_party_id", with(report(), |r| {
            r.status = v1::ConditionStatus::HelpDeclined.into();
        }))
        .await,
    ]
}

async fn of_consents(
    municipality: &Party,
    scene: &Scene,
    now: schakel_core::time::Timestamp,
) -> Vec<Row> {
    let edited = |edit: &dyn Fn(&mut v1::ConsentTerms)| {
        with(schakel_tests::consent(bsn(&scene.bsn), now), |request| {
            edit(request.terms.as_mut().unwrap());
        })
    };
    let call = async |what, field, request| {
        refused(what, field, municipality.consents().record_consent(request).await)
    };
    let far = now.plus_millis(732 * 86_400_000);
    vec![
        call("too long", "terms.valid_until", edited(&|t| t.valid_until = at(far))).await,
        call("no end", "terms.valid_until", edited(&|t| t.valid_until = None)).await,
        call("a wrong hash", "terms.notice.sha256", edited(&|t| {
            t.notice.as_mut().unwrap().sha256 = vec![1; 31].into();
        }))
        .await,
        call("an unknown purpose", "terms.purposes", edited(&|t| t.purposes = vec!["P-NONE".into()])).await,
        call("no purpose", "terms.purposes", edited(&|t| t.purposes.clear())).await,
        call("an unknown recipient", "terms.recipient_party_ids", edited(&|t| {
            t.recipient_party_ids = vec!["niemand".into()];
        }))
        .await,
        call("the zero kind", "terms.kind", edited(&|t| t.kind = 0)).await,
        call("collected tomorrow", "terms.collected_at", edited(&|t| {
            t.collected_at = at(now.plus_millis(86_400_000));
            t.valid_from = t.collected_at;
        }))
        .await,
    ]
}

async fn of_inboxes(association: &Party) -> Vec<Row> {
    let pull = async |what, max_messages| {
        let request = v1::PullRequest { actor: actor(), cursor: None, max_messages };
        refused(what, "max_messages", association.inbox().pull(request).await)
    };
    let acknowledge = async |what, field, delivery_ids| {
        let request =
            v1::AcknowledgeRequest { idempotency_key: key(), actor: actor(), delivery_ids };
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
        acknowledge("a delivery that is none", "delivery_ids[0]", vec!["one".into()]).await,
        refused("a mistyped code", "code", association.exchange().redeem(redeem).await),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_look_is_refused_precisely() {
    let broker = TestBroker::start().await;
    let officer = broker.party("fg-gemeente-oost").await;
    let search = || v1::SearchEntriesRequest {
        actor: actor(),
        purpose: "P-ACCOUNTABILITY".into(),
        page_size: 10,
        ..v1::SearchEntriesRequest::default()
    };
    let call =
        async |what, field, request| refused(what, field, officer.audit().search_entries(request).await);
    let none = v1::GetConsistencyRequest { old_size: 0, new_size: None };
    let past = v1::GetConsistencyRequest { old_size: 1_000_000, new_size: None };
    check(vec![
        call("no page", "page_size", with(search(), |r| r.page_size = 0)).await,
        call("a large page", "page_size", with(search(), |r| r.page_size = 101)).await,
        call("an unknown outcome", "outcome", with(search(), |r| r.outcome = 9)).await,
        call("a made-up page", "page_token", with(search(), |r| {
            r.page_token = Some(vec![7; 40].into());
        }))
        .await,
        call("a purpose with conditions", "purpose", with(search(), |r| r.purpose = HOUSING.into())).await,
        refused("no size", "old_size", officer.audit().get_consistency(none).await),
        refused("a size to come", "old_size", officer.audit().get_consistency(past).await),
    ]);
    let past = v1::GetEntryRequest { actor: actor(), index: 1_000_000 };
    let status = officer.audit().get_entry(past).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "NOT_FOUND"));
}
