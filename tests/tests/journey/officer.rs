//! Officers look under the same law as everybody: what they may see, what it takes, and what they find.

use schakel_api::v1;
use schakel_tests::{
    Party, Scene, TestBroker, actor, at, bsn, bsn_number, by_case, item, key, reason,
};

mod breach;
mod forged;
mod outsider;
mod pages;
mod statement;

const PURPOSE: &str = "P-ACCOUNTABILITY";

fn search() -> v1::SearchEntriesRequest {
    v1::SearchEntriesRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        page_size: 100,
        ..v1::SearchEntriesRequest::default()
    }
}

fn second() -> Option<v1::Actor> {
    Some(v1::Actor {
        actor_ref: "medewerker-2".into(),
        responsible_ref: None,
    })
}

async fn statement(officer: &Party, subject: v1::SubjectRef) -> v1::GetStatementResponse {
    let request = v1::GetStatementRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        subject: Some(subject),
        period: None,
    };
    officer
        .audit()
        .get_statement(request)
        .await
        .unwrap()
        .into_inner()
}

/// A search over everybody waits for a second officer, is made as it was approved and within its time, and
/// every person it shows can see it.
#[tokio::test(flavor = "multi_thread")]
async fn a_wide_search_needs_a_second_officer() {
    let broker = TestBroker::start().await;
    let (one, two) = (Scene::set(&broker, 1).await, Scene::set(&broker, 2).await);
    let (first, other) = (
        broker.party("fg-gemeente-oost").await,
        broker.party("fg-oost-twee").await,
    );
    let refused = first.audit().search_entries(search()).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    let propose = v1::ProposeSearchRequest {
        question: Some(v1::propose_search_request::Question::Search(search())),
    };
    let proposed = first
        .audit()
        .propose_search(propose)
        .await
        .unwrap()
        .into_inner();
    let decide = |actor, approve| v1::DecideSearchRequest {
        actor,
        search_id: proposed.search_id.clone(),
        approve,
    };
    // Neither the same employee elsewhere nor another one with the same certificate is a second one.
    for (party, who) in [(&other, actor()), (&first, second())] {
        let refused = party
            .audit()
            .decide_search(decide(who, true))
            .await
            .unwrap_err();
        assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    }
    let approved = v1::SearchEntriesRequest {
        search_id: Some(proposed.search_id.clone()),
        ..search()
    };
    let refused = first
        .audit()
        .search_entries(approved.clone())
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED", "it only waits");
    let pending = async || {
        let request = v1::ListSearchesRequest { actor: actor() };
        first
            .audit()
            .list_searches(request)
            .await
            .unwrap()
            .into_inner()
            .searches
    };
    assert_eq!(pending().await.len(), 1);
    assert!(pending().await[0].approved_until.is_none());
    other
        .audit()
        .decide_search(decide(second(), true))
        .await
        .unwrap();
    assert!(pending().await[0].approved_until.is_some());
    let again = other
        .audit()
        .decide_search(decide(second(), true))
        .await
        .unwrap_err();
    assert_eq!(reason(&again), "NOT_FOUND", "it was decided");
    // Exactly the question that was approved.
    let wider = v1::SearchEntriesRequest {
        outcome: v1::Outcome::Disclosed.into(),
        ..approved.clone()
    };
    let refused = first.audit().search_entries(wider).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    let found = first
        .audit()
        .search_entries(approved.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(!found.entries.is_empty());
    for scene in [&one, &two] {
        let told = statement(&first, bsn(&scene.bsn)).await;
        let looked = |line: &&v1::StatementLine| line.kind() == v1::StatementKind::Looked;
        assert_eq!(
            told.lines.iter().filter(looked).count(),
            1,
            "it was about this person too"
        );
    }
    broker
        .clock()
        .advance(std::time::Duration::from_secs(86_400));
    let late = first.audit().search_entries(approved).await.unwrap_err();
    assert_eq!(reason(&late), "SECOND_ACTOR_REQUIRED");
    assert!(pending().await.is_empty());
    broker.check_log().await;
}

/// A period within bounds for one party needs nobody else; a question that needs nobody is not proposed.
#[tokio::test(flavor = "multi_thread")]
async fn a_narrow_search_needs_nobody_else() {
    let broker = TestBroker::start().await;
    Scene::set(&broker, 1).await;
    let officer = broker.party("fg-gemeente-oost").await;
    let day = 86_400_000;
    let within = |days: u64| v1::SearchEntriesRequest {
        party_id: Some("gemeente-oost".into()),
        period: Some(v1::Period {
            from: at(broker.now().minus_millis(days * day)),
            until: at(broker.now().plus_millis(1)),
        }),
        ..search()
    };
    officer.audit().search_entries(within(30)).await.unwrap();
    let refused = officer
        .audit()
        .search_entries(within(31))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "SECOND_ACTOR_REQUIRED");
    let propose = v1::ProposeSearchRequest {
        question: Some(v1::propose_search_request::Question::Search(within(30))),
    };
    let refused = officer.audit().propose_search(propose).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_REQUEST");
    // A look at one entry needs its purpose too.
    let look = v1::GetEntryRequest {
        actor: actor(),
        index: 1,
        purpose: None,
    };
    let refused = officer.audit().get_entry(look).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_REQUEST");
}

/// Outside there is a reference and nothing else; inside it leads to the entry, its rule and what was missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_denial_is_found_by_the_reference_that_a_partner_quotes() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let home = broker.party("wonen-zuid").await;
    let ask = v1::AskRequest {
        actor: actor(),
        item: Some(item(
            schakel_tests::mark(&scene.mark),
            schakel_tests::HOUSING,
            v1::Condition::Housing,
            v1::Granularity::Signal,
        )),
    };
    let answer = home.exchange().ask(ask).await.unwrap().into_inner();
    let Some(v1::ask_response::Outcome::NotDisclosed(denial)) = answer.outcome else {
        panic!("it was told");
    };
    let explain = |reference: &[u8]| v1::ExplainEntryRequest {
        actor: actor(),
        index: 0,
        reference: Some(reference.to_vec().into()),
        purpose: PURPOSE.into(),
    };
    let own = broker.party("fg-wonen-zuid").await;
    let explained = own.audit().explain_entry(explain(&denial.reference)).await;
    let explained = explained.unwrap().into_inner();
    let Some(v1::explain_entry_response::Outcome::Explanation(explained)) = explained.outcome
    else {
        panic!("it is the officer's own");
    };
    assert_eq!(explained.decision, "NOT_DISCLOSED");
    // An outsider's officer is told one reason for all that follows from what is held of the person.
    assert_eq!(explained.reasons[0].code, "NO_BASIS");
    let other = broker.party("fg-gemeente-oost").await;
    for (officer, reference) in [(&other, &denial.reference[..]), (&own, &[7; 16])] {
        let told = officer
            .audit()
            .explain_entry(explain(reference))
            .await
            .unwrap();
        let told = told.into_inner().outcome;
        assert!(matches!(
            told,
            Some(v1::explain_entry_response::Outcome::NotDisclosed(_))
        ));
    }
}

/// What had been disclosed by an instant, and how it stood then and not how it stands now.
#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_told_as_of_an_instant() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (town, home, officer) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
        broker.party("fg-gemeente-oost").await,
    );
    let minute = std::time::Duration::from_secs(60);
    let before = broker.now();
    broker.clock().advance(minute);
    town.consent(bsn(&scene.bsn)).await;
    home.ask_housing(&scene.mark).await.expect("a signal");
    let during = broker.now();
    broker.clock().advance(minute);
    town.withdraw(bsn(&scene.bsn)).await;
    let after = broker.now();
    let as_of = async |subject: v1::SubjectRef, instant| {
        let request = v1::GetAsOfRequest {
            actor: actor(),
            purpose: PURPOSE.into(),
            subject: Some(subject),
            at: at(instant),
        };
        officer
            .audit()
            .get_as_of(request)
            .await
            .unwrap()
            .into_inner()
    };
    let told = as_of(bsn(&scene.bsn), before).await;
    assert!(told.disclosures.is_empty() && told.consents.is_empty());
    let told = as_of(bsn(&scene.bsn), during).await;
    assert_eq!(told.disclosures.len(), 1);
    assert_eq!(told.disclosures[0].result(), v1::ReplayResult::Same);
    assert!(told.disclosures[0].stands);
    assert_eq!(told.consents[0].state(), v1::ConsentState::Given);
    let told = as_of(bsn(&scene.bsn), after).await;
    assert_eq!(told.disclosures.len(), 1);
    assert_eq!(
        told.disclosures[0].result(),
        v1::ReplayResult::Same,
        "it held when it was made"
    );
    assert!(!told.disclosures[0].stands, "and no longer does");
    assert_eq!(told.consents[0].state(), v1::ConsentState::Withdrawn);
    // Somebody nobody knows looks like somebody of whom nothing is found.
    let told = as_of(bsn(&bsn_number(99)), after).await;
    assert!(told.disclosures.is_empty() && told.consents.is_empty() && told.receipt.is_some());
}

/// What is withheld is left out, counted where the decision lets it, and never said to be withheld by a line.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_controller_withholds_is_left_out_of_the_statement() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (town, officer) = (
        broker.party("gemeente-oost").await,
        broker.party("fg-gemeente-oost").await,
    );
    let plan = |condition| {
        item(
            by_case(&scene.case),
            "P-PLAN",
            condition,
            v1::Granularity::Status,
        )
    };
    let (_, told) = town
        .try_ask(plan(v1::Condition::Housing))
        .await
        .unwrap()
        .unwrap();
    let before = statement(&officer, bsn(&scene.bsn)).await;
    assert!(before.lines.iter().any(|line| line.index == told));
    let withhold = async |subject, until, counted| {
        let request = v1::RecordWithholdingRequest {
            idempotency_key: key(),
            actor: actor(),
            subject: Some(subject),
            ground: "UAVG_41_1_I".into(),
            entry_indexes: vec![told],
            until: at(until),
            counted,
        };
        town.audit().record_withholding(request).await
    };
    let later = broker.now().plus_days(30);
    withhold(bsn(&scene.bsn), later, false).await.unwrap();
    // Somebody nobody knows: the same answer.
    withhold(bsn(&bsn_number(99)), later, false).await.unwrap();
    let withheld = statement(&officer, bsn(&scene.bsn)).await;
    assert!(withheld.lines.iter().all(|line| line.index != told));
    assert_eq!(withheld.withheld, 0);
    // The look before, and nothing about withholding.
    assert_eq!(withheld.lines.len(), before.lines.len());
    withhold(bsn(&scene.bsn), later, true).await.unwrap();
    assert_eq!(statement(&officer, bsn(&scene.bsn)).await.withheld, 1);
    // The last decision counts, and one that has ended withholds nothing.
    withhold(bsn(&scene.bsn), broker.now(), false)
        .await
        .unwrap();
    let after = statement(&officer, bsn(&scene.bsn)).await;
    assert!(after.lines.iter().any(|line| line.index == told) && after.withheld == 0);
    let long = withhold(bsn(&scene.bsn), broker.now().plus_days(400), true).await;
    assert_eq!(reason(&long.unwrap_err()), "INVALID_REQUEST");
}
