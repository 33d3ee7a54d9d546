//! The units of a party: registered by two, named by a call, shown to the officer and to the person.

use std::time::Duration;

use schakel_api::v1::{self, change::Change};
use schakel_tests::{Party, Scene, TestBroker, actor, at, bsn, item, mark, reason};
use tonic::{Code, Request, Status};

const ASSOCIATION: &str = "wonen-zuid";

fn asked(client_ref: &str, unit: &'static str) -> Request<v1::AskRequest> {
    let mut request = Request::new(v1::AskRequest {
        actor: actor(),
        item: Some(item(
            mark(client_ref),
            schakel_tests::HOUSING,
            v1::Condition::Housing,
            v1::Granularity::Signal,
        )),
    });
    let unit = unit.parse().expect("a header");
    request.metadata_mut().insert("schakel-unit", unit);
    request
}

async fn registered(party: &Party) -> v1::Party {
    let mut registry = party.registry();
    let listed = registry.list_parties(v1::ListPartiesRequest {}).await;
    let listed = listed.expect("the parties").into_inner();
    let mut parties = listed.parties.into_iter();
    parties
        .find(|party| party.party_id == ASSOCIATION)
        .expect("it")
}

async fn with_unit(broker: &TestBroker, until: Option<prost_types::Timestamp>) {
    let one = broker.party("beheer-een").await;
    let mut party = registered(&one).await;
    party.units = vec![v1::Unit {
        unit_id: "verhuur".into(),
        name: "Afdeling verhuur".into(),
        period: Some(v1::Period {
            from: party.oins[0].period.as_ref().and_then(|period| period.from),
            until,
        }),
        oin: None,
    }];
    let proposal = one.propose(Change::PutParty(party)).await;
    let two = broker.party("beheer-twee").await;
    two.approve(&proposal).await.expect("approved");
}

fn is_refused(refused: &Status) {
    let told = (refused.code(), reason(refused));
    assert_eq!(told, (Code::PermissionDenied, "PARTY_UNKNOWN".to_owned()));
    assert!(refused.message().contains("schakel-unit"), "{refused:?}");
}

/// A call for a unit that nobody registered is refused; one for a unit of the party is taken, and the unit stands in
/// the entry and in what the person is told. From its end on it is refused, on the connection that was open.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_a_unit_names_one_that_the_party_has() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let town = broker.party("gemeente-oost").await;
    town.consent(bsn(&scene.bsn)).await;
    let association = broker.party(ASSOCIATION).await;
    let ask = async |unit| association.exchange().ask(asked(&scene.mark, unit)).await;
    is_refused(&ask("verhuur").await.expect_err("nobody registered it"));

    with_unit(&broker, None).await;
    let answer = ask("verhuur").await.expect("an answer").into_inner();
    let Some(v1::ask_response::Outcome::Disclosed(disclosed)) = answer.outcome else {
        panic!("not disclosed");
    };
    let index = disclosed.receipt.expect("a receipt").index;
    is_refused(&ask("burgerzaken").await.expect_err("another unit"));
    let log = broker.check_log().await;
    let details = log.details(broker.place());
    let entry = usize::try_from(index).expect("an index");
    let call = details[entry]
        .as_ref()
        .and_then(|entry| entry.call.as_ref());
    let unit = call.and_then(|call| call.unit.as_ref());
    assert_eq!(unit.map(ToString::to_string).as_deref(), Some("verhuur"));

    let officer = broker.party("fg-gemeente-oost").await;
    let request = v1::GetStatementRequest {
        actor: actor(),
        purpose: "P-ACCOUNTABILITY".into(),
        subject: Some(bsn(&scene.bsn)),
        period: None,
    };
    let statement = officer.audit().get_statement(request).await;
    let statement = statement.expect("a statement").into_inner();
    let mut lines = statement.lines.iter();
    let line = lines.find(|line| line.index == index).expect("the line");
    assert_eq!(line.unit_name.as_deref(), Some("Afdeling verhuur"));

    broker.clock().advance(Duration::from_secs(60));
    with_unit(&broker, at(broker.now())).await;
    is_refused(&ask("verhuur").await.expect_err("it has ended"));
}
