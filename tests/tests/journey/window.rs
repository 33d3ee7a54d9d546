//! A receiver that takes nothing in: what it had no room for is decided when it has, and never before.

use schakel_api::v1::{self, subscribe_response::Event};
use schakel_core::event::Event as Recorded;
use schakel_tests::{Party, Scene, TestBroker, Window, actor, bsn, bsn_number, key, mark};

use super::inbox::deliver_housing;

/// Room for everything.
const WIDE: u32 = 65_535;

const CONDITIONS: [v1::Condition; 3] = [
    v1::Condition::Housing,
    v1::Condition::Debt,
    v1::Condition::Income,
];

async fn report(pi: &Party, case: &str, condition: v1::Condition) {
    assert!(
        pi.report(case, condition, v1::ConditionStatus::InProgress)
            .await
    );
}

/// Waits until whoever is subscribed has word of what was reported so far: word goes out to everybody at once.
async fn let_word_go_out(broker: &TestBroker, n: u32) {
    let pi = broker.party("pi-noord").await;
    let municipality = broker.party("gemeente-oost").await;
    let mut stream = municipality.subscribe(None).await;
    let case = pi.open_case(&bsn_number(n), Some("gemeente-oost")).await;
    report(&pi, &case, v1::Condition::Housing).await;
    let about = Some(bsn(&bsn_number(n)));
    while municipality.next(&mut stream).await.subject != about {}
}

async fn returns_to(pi: &Party, case: &str, municipality: &str) {
    let request = v1::AssignMunicipalityRequest {
        idempotency_key: key(),
        actor: actor(),
        case_id: case.into(),
        municipality_party_id: municipality.into(),
    };
    pi.cases().assign_municipality(request).await.unwrap();
}

async fn next_message(window: &mut Window) -> v1::Message {
    loop {
        match window.next().await.expect("the stream goes on") {
            Event::Message(message) => return message,
            Event::Heartbeat(_) => {}
        }
    }
}

/// How many messages the trail says were handed over to a party.
async fn handed_over(broker: &TestBroker, party: &str) -> usize {
    let log = broker.check_log().await;
    let details = log.details(broker.place());
    let to = |details: &schakel_core::event::Details| {
        matches!(&details.event, Recorded::Delivered(_))
            && details
                .call
                .as_ref()
                .is_some_and(|call| call.principal.as_str() == party)
    };
    details.iter().flatten().filter(|found| to(found)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_what_a_receiver_has_no_room_for_is_not_decided_ahead() {
    let broker = TestBroker::start().await;
    let pi = broker.party("pi-noord").await;
    let case = pi.open_case(&bsn_number(1), Some("gemeente-west")).await;
    let mut window = Window::open(&broker, "gemeente-west", 0).await;
    for condition in CONDITIONS {
        report(&pi, &case, condition).await;
    }
    let_word_go_out(&broker, 2).await;
    returns_to(&pi, &case, "gemeente-oost").await;
    window.widen(WIDE);
    let later = pi.open_case(&bsn_number(3), Some("gemeente-west")).await;
    report(&pi, &later, v1::Condition::Housing).await;
    let message = next_message(&mut window).await;
    assert_eq!(message.subject, Some(bsn(&bsn_number(3))));
    assert_eq!(handed_over(&broker, "gemeente-west").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_a_withdrawal_reaches_what_a_receiver_had_no_room_for() {
    let broker = TestBroker::start().await;
    deliver_housing(&broker).await;
    let pi = broker.party("pi-noord").await;
    let municipality = broker.party("gemeente-oost").await;
    let (kept, withdrawn) = (Scene::set(&broker, 1).await, Scene::set(&broker, 2).await);
    for scene in [&kept, &withdrawn] {
        municipality.consent(bsn(&scene.bsn)).await;
    }
    let mut window = Window::open(&broker, "wonen-zuid", 0).await;
    report(&pi, &withdrawn.case, v1::Condition::Housing).await;
    let_word_go_out(&broker, 3).await;
    municipality.withdraw(bsn(&withdrawn.bsn)).await;
    window.widen(WIDE);
    report(&pi, &kept.case, v1::Condition::Housing).await;
    let message = next_message(&mut window).await;
    assert_eq!(message.subject, Some(mark(&kept.mark)));
    assert_eq!(handed_over(&broker, "wonen-zuid").await, 1);
}

/// With room for everything, everything comes, in order.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_with_room_gets_everything_in_order() {
    let broker = TestBroker::start().await;
    let pi = broker.party("pi-noord").await;
    let mut window = Window::open(&broker, "gemeente-west", WIDE).await;
    let mut expected = Vec::new();
    for n in 1..=5 {
        let case = pi.open_case(&bsn_number(n), Some("gemeente-west")).await;
        report(&pi, &case, v1::Condition::Housing).await;
        expected.push(Some(bsn(&bsn_number(n))));
    }
    let mut came = Vec::new();
    for _ in &expected {
        came.push(next_message(&mut window).await.subject);
    }
    assert_eq!(came, expected);
    assert_eq!(window.rest(), 0);
}
