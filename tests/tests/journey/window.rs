//! A receiver that takes nothing in: what it had no room for is decided when it has, and never before.

use std::time::Duration;

use schakel_api::v1::{self, subscribe_response::Event};
use schakel_core::event::{Details, Event as Recorded};
use schakel_tests::{
    Log, Party, Scene, TestBroker, Window, actor, at, bsn, bsn_number, consent, key, mark,
};
use tokio::time::{sleep, timeout};

use super::inbox::deliver_housing;

/// Longer than anything here takes.
const BOUND: Duration = Duration::from_secs(20);

/// Room for everything.
const WIDE: u32 = 65_535;

/// More people than those of whom the broker can hold a message that nobody reads.
const PEOPLE: u32 = 60;

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
fn handed_over(broker: &TestBroker, party: &str) -> usize {
    let details = Log::read(broker.place()).details(broker.place());
    let to = |details: &Details| {
        matches!(&details.event, Recorded::Delivered(_))
            && details
                .call
                .as_ref()
                .is_some_and(|call| call.principal.as_str() == party)
    };
    details.iter().flatten().filter(|found| to(found)).count()
}

/// Opens a stream that has room for the heartbeat before a message, and for so many bytes more; the message that waits
/// for the party is decided, and cannot leave.
async fn stuck(broker: &TestBroker, party: &str, more: u32) -> Window {
    let mut wide = Window::open(broker, "reclassering-test", WIDE).await;
    assert!(matches!(wide.next().await, Some(Event::Heartbeat(_))));
    let before = handed_over(broker, party);
    let window = Window::open(broker, party, wide.taken() + more).await;
    let decided = async {
        while handed_over(broker, party) == before {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(BOUND, decided).await.expect("it is decided");
    window
}

/// Nothing more comes over the stream than the heartbeat and these bytes.
async fn is_cut_off(mut window: Window, more: u32) {
    let end = async {
        let mut beats = 0;
        while let Some(event) = window.next().await {
            assert!(matches!(event, Event::Heartbeat(_)), "{event:?}");
            beats += 1;
        }
        (beats, window.rest())
    };
    let ended = timeout(BOUND, end).await.expect("cut off");
    assert_eq!(ended, (1, usize::try_from(more).unwrap()));
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
    assert_eq!(handed_over(&broker, "gemeente-west"), 1);
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
    assert_eq!(handed_over(&broker, "wonen-zuid"), 1);
}

/// A message that was decided and has not left does not outlive the right to it: whatever its receiver has no room
/// for yet is cut off with the connection.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_what_is_on_its_way_is_cut_off_when_the_right_to_it_ends() {
    let broker = TestBroker::start().await;
    let pi = broker.party("pi-noord").await;
    for (n, more) in [(1, 0), (2, 10)] {
        let case = pi.open_case(&bsn_number(n), Some("gemeente-west")).await;
        report(&pi, &case, v1::Condition::Housing).await;
        let window = stuck(&broker, "gemeente-west", more).await;
        returns_to(&pi, &case, "gemeente-oost").await;
        window.widen(WIDE);
        is_cut_off(window, more).await;
    }
    broker.check_log().await;
}

/// Room in HTTP/2 is not room in the socket: a receiver that reads nothing has no more of what was decided, once the
/// right to the last of it ends, than lay in its own kernel by then. TLS and the broker's kernel send nothing on.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_what_an_unread_socket_has_not_taken_in_is_thrown_away() {
    let broker = TestBroker::start().await;
    let pi = broker.party("pi-noord").await;
    let mut cases = Vec::new();
    for n in 1..=PEOPLE {
        let case = pi.open_case(&bsn_number(n), Some("gemeente-west")).await;
        report(&pi, &case, v1::Condition::Housing).await;
        cases.push(case);
    }
    let_word_go_out(&broker, PEOPLE + 1).await;
    let line = broker.line("gemeente-west").receiving(4096);
    let mut window = Window::over(&line, 1 << 20).await;
    window.read(false);
    // What was decided last is on its way once nothing is decided any more.
    let cut = async {
        let mut ended = 0;
        loop {
            let decided = handed_over(&broker, "gemeente-west");
            assert!(decided < cases.len(), "the broker holds all {decided}");
            if decided > ended {
                returns_to(&pi, &cases[decided - 1], "gemeente-oost").await;
                ended = decided;
            }
            let gone = timeout(Duration::from_millis(100), window.is_gone());
            if gone.await.is_ok() {
                return decided;
            }
        }
    };
    let cut = timeout(BOUND, cut).await;
    let decided = cut.expect("it is cut although nobody reads");
    window.read(true);
    let mut came = 0;
    while let Some(event) = window.next().await {
        came += usize::from(matches!(event, Event::Message(_)));
    }
    assert!(came * 2 < decided, "{came} of {decided}");
    broker.check_log().await;
}

/// A right that ends by time alone ends within a tick for what is on its way.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_what_is_on_its_way_is_cut_off_when_the_time_is_over() {
    let broker = TestBroker::start().await;
    deliver_housing(&broker).await;
    let scene = Scene::set(&broker, 1).await;
    let mut given = consent(bsn(&scene.bsn), broker.now());
    let terms = given.terms.as_mut().unwrap();
    terms.valid_until = at(broker.now().plus_millis(60_000));
    let municipality = broker.party("gemeente-oost").await;
    municipality.try_consent(given).await.unwrap().unwrap();
    report(
        &broker.party("pi-noord").await,
        &scene.case,
        v1::Condition::Housing,
    )
    .await;
    let window = stuck(&broker, "wonen-zuid", 0).await;
    broker.clock().advance(Duration::from_secs(61));
    is_cut_off(window, 0).await;
}

/// What happens to others is no reason to cut anybody off.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_comes_when_there_is_room_whatever_happens_to_others() {
    let broker = TestBroker::start().await;
    let pi = broker.party("pi-noord").await;
    let case = pi.open_case(&bsn_number(1), Some("gemeente-west")).await;
    let other = pi.open_case(&bsn_number(2), Some("gemeente-west")).await;
    report(&pi, &case, v1::Condition::Housing).await;
    let mut window = stuck(&broker, "gemeente-west", 0).await;
    returns_to(&pi, &other, "gemeente-oost").await;
    let_word_go_out(&broker, 3).await;
    window.widen(WIDE);
    let message = next_message(&mut window).await;
    assert_eq!(message.subject, Some(bsn(&bsn_number(1))));
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
