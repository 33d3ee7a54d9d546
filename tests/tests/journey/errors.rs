//! What depends on no person is told precisely: which field, which rule, how to mend it.

mod names;
mod writes;

use schakel_api::v1;
use schakel_tests::{HOUSING, TestBroker, actor, bsn, by_case, item, mark, reason, violations};
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
        assert!(
            status.message().contains(field),
            "{what}: for people as well: {status:?}"
        );
    }
}

fn question() -> v1::AskRequest {
    let housing = item(
        bsn("999999990"),
        "P-PLAN",
        v1::Condition::Housing,
        v1::Granularity::Status,
    );
    v1::AskRequest {
        actor: actor(),
        item: Some(housing),
    }
}

fn edited(edit: impl FnOnce(&mut v1::AskItem)) -> v1::AskRequest {
    with(question(), |request| edit(request.item.as_mut().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_question_is_refused_precisely() {
    let broker = TestBroker::start().await;
    let party = broker.party("gemeente-oost").await;
    let ask =
        async |what, field, request| refused(what, field, party.exchange().ask(request).await);
    let long = |text: &str, times| text.repeat(times);
    check(vec![
        ask("no item", "item", with(question(), |r| r.item = None)).await,
        ask("nobody acts", "actor", with(question(), |r| r.actor = None)).await,
        ask(
            "a long mark of who acts",
            "actor.actor_ref",
            with(question(), |r| {
                r.actor.as_mut().unwrap().actor_ref = long("a", 65);
            }),
        )
        .await,
        ask(
            "an empty mark of who acts",
            "actor.actor_ref",
            with(question(), |r| {
                r.actor.as_mut().unwrap().actor_ref = String::new();
            }),
        )
        .await,
        ask("no person", "item.subject", edited(|i| i.subject = None)).await,
        ask(
            "an empty person",
            "item.subject",
            edited(|i| {
                i.subject = Some(v1::SubjectRef { reference: None });
            }),
        )
        .await,
        ask(
            "a wrong number",
            "item.subject.bsn",
            edited(|i| i.subject = Some(bsn("123456789"))),
        )
        .await,
        ask(
            "a short number",
            "item.subject.bsn",
            edited(|i| i.subject = Some(bsn("12345"))),
        )
        .await,
        ask(
            "a long mark",
            "item.subject.client_ref",
            edited(|i| {
                i.subject = Some(mark(&long("m", 65)));
            }),
        )
        .await,
        ask(
            "no case",
            "item.subject.case_id",
            edited(|i| i.subject = Some(by_case("case-1"))),
        )
        .await,
        ask(
            "a purpose that is none",
            "item.purpose",
            edited(|i| i.purpose = "p plan".into()),
        )
        .await,
        ask(
            "no condition",
            "item.conditions",
            edited(|i| i.conditions.clear()),
        )
        .await,
        ask(
            "the zero condition",
            "item.conditions[0]",
            edited(|i| i.conditions = vec![0]),
        )
        .await,
        ask(
            "an unknown condition",
            "item.conditions[1]",
            edited(|i| i.conditions = vec![2, 99]),
        )
        .await,
        ask(
            "a condition twice",
            "item.conditions",
            edited(|i| i.conditions = vec![2, 2]),
        )
        .await,
        ask(
            "the zero granularity",
            "item.granularity",
            edited(|i| i.granularity = 0),
        )
        .await,
        ask(
            "an unknown granularity",
            "item.granularity",
            edited(|i| i.granularity = 9),
        )
        .await,
    ]);
    let batch = v1::AskBatchRequest {
        actor: actor(),
        items: vec![question().item.unwrap(); 101],
    };
    check(vec![refused(
        "101 items",
        "items",
        party.exchange().ask_batch(batch).await,
    )]);
    // What was wrong is not repeated: it may be somebody's number.
    let status = party
        .exchange()
        .ask(edited(|i| i.subject = Some(bsn("123456789"))))
        .await;
    assert!(!format!("{:?}", status.unwrap_err()).contains("123456789"));
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
    let call = async |what, field, request| {
        refused(what, field, officer.audit().search_entries(request).await)
    };
    let none = v1::GetConsistencyRequest {
        old_size: 0,
        new_size: None,
    };
    let past = v1::GetConsistencyRequest {
        old_size: 1_000_000,
        new_size: None,
    };
    check(vec![
        call("no page", "page_size", with(search(), |r| r.page_size = 0)).await,
        call(
            "a large page",
            "page_size",
            with(search(), |r| r.page_size = 101),
        )
        .await,
        call(
            "an unknown outcome",
            "outcome",
            with(search(), |r| r.outcome = 9),
        )
        .await,
        call(
            "a made-up page",
            "page_token",
            with(search(), |r| {
                r.page_token = Some(vec![7; 40].into());
            }),
        )
        .await,
        call(
            "a purpose with conditions",
            "purpose",
            with(search(), |r| r.purpose = HOUSING.into()),
        )
        .await,
        call(
            "a party nobody registered",
            "party_id",
            with(search(), |r| r.party_id = Some("wonen-zud".into())),
        )
        .await,
        refused(
            "no size",
            "old_size",
            officer.audit().get_consistency(none).await,
        ),
        refused(
            "a size to come",
            "old_size",
            officer.audit().get_consistency(past).await,
        ),
    ]);
    let past = v1::GetEntryRequest {
        actor: actor(),
        index: 1_000_000,
        purpose: Some("P-ACCOUNTABILITY".into()),
    };
    let status = officer.audit().get_entry(past).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::NotFound, "NOT_FOUND")
    );
}
