//! What the person reads of the own doings: introductions, and consents that were stopped.

use schakel_api::v1::{self, StatementKind as Kind};
use schakel_tests::{Scene, TestBroker, actor, at, bsn, consent, key};

use super::statement;

/// Of one kind the only line.
fn only(told: &v1::GetStatementResponse, kind: Kind) -> &v1::StatementLine {
    let mut lines = told.lines.iter().filter(|line| line.kind() == kind);
    let line = lines.next().expect("a line of that kind");
    assert!(lines.next().is_none(), "{kind:?}");
    line
}

fn id(party: Option<&v1::NamedParty>) -> &str {
    party.map_or("", |party| &party.party_id)
}

/// A partner that was introduced is named, and nobody else's line has one.
#[tokio::test(flavor = "multi_thread")]
async fn an_introduction_names_the_partner() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let officer = broker.party("fg-gemeente-oost").await;
    let told = statement(&officer, bsn(&scene.bsn)).await;
    let made = only(&told, Kind::Introduced);
    assert_eq!(id(made.partner.as_ref()), "wonen-zuid");
    assert_eq!(made.conditions, [i32::from(v1::Condition::Housing)]);
    let named = told.lines.iter().filter(|line| line.partner.is_some());
    assert_eq!(named.count(), 1);
}

/// A part that was stopped is told with when, where and what; then the whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_consent_says_when_and_where_it_was_stopped() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (town, officer) = (
        broker.party("gemeente-oost").await,
        broker.party("fg-gemeente-oost").await,
    );
    let mut recorded = consent(bsn(&scene.bsn), broker.now());
    let terms = recorded.terms.as_mut().unwrap();
    terms.recipient_party_ids.push("uwv-test".into());
    town.try_consent(recorded).await.unwrap();
    let stop = async |recipient: Option<&str>| {
        let request = v1::WithdrawConsentRequest {
            idempotency_key: key(),
            actor: actor(),
            subject: Some(bsn(&scene.bsn)),
            conditions: Vec::new(),
            recipient_party_id: recipient.map(str::to_owned),
        };
        town.consents().withdraw_consent(request).await.unwrap();
        let told = statement(&officer, bsn(&scene.bsn)).await;
        (told.consents[0].clone(), told)
    };
    let (part, _) = stop(Some("wonen-zuid")).await;
    assert_eq!(part.state(), v1::ConsentState::Given);
    let ended: Vec<_> = part
        .ended
        .iter()
        .map(|end| id(end.recipient.as_ref()))
        .collect();
    assert_eq!(ended, ["wonen-zuid"]);
    broker.clock().advance(std::time::Duration::from_secs(60));
    let stopped_at = at(broker.now());
    let (whole, told) = stop(None).await;
    assert_eq!(whole.state(), v1::ConsentState::Withdrawn);
    let [_, end] = whole.ended.as_slice() else {
        panic!("{:?}", whole.ended);
    };
    assert_eq!(end.state(), v1::ConsentState::Withdrawn);
    assert_eq!(
        (end.at, id(end.party.as_ref())),
        (stopped_at, "gemeente-oost")
    );
    assert!(end.conditions.is_empty() && end.recipient.is_none());
    let lines = told.lines.iter();
    let ends = lines.filter(|line| line.kind() == Kind::ConsentEnded);
    assert_eq!(ends.count(), 2);
}
