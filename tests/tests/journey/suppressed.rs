//! What waits and may no longer be read: dropped in a round for all alike, and never because somebody looks.

use std::time::Duration;

use schakel_api::v1::{self, replay_entry_response::Outcome};
use schakel_audit::leaf::EntryType;
use schakel_core::event::{Asked, Details, Event};
use schakel_tests::{Log, Party, TestBroker, actor, bsn, bsn_number, by_case, key, report};
use tokio::time::{sleep, timeout};

/// Has two reports wait for a municipality that has lost its place since.
async fn withhold_two(broker: &TestBroker, municipality: &str, then: &str) -> String {
    let pi = broker.party("pi-noord").await;
    let case = pi.open_case(&bsn_number(1), Some(municipality)).await;
    for condition in [v1::Condition::Housing, v1::Condition::Debt] {
        let status = v1::ConditionStatus::InProgress;
        assert!(pi.report(&case, condition, status).await);
    }
    assign(&pi, &case, then).await;
    case
}

async fn assign(pi: &Party, case: &str, municipality: &str) {
    let request = v1::AssignMunicipalityRequest {
        idempotency_key: key(),
        actor: actor(),
        case_id: case.to_owned(),
        municipality_party_id: municipality.to_owned(),
    };
    pi.cases().assign_municipality(request).await.unwrap();
}

/// What the trail says was dropped, and where.
fn dropped(log: &Log, broker: &TestBroker) -> Vec<(u64, Details)> {
    let is_drop = |details: &Details| matches!(&details.event, Event::Denied(denied) if matches!(denied.asked, Asked::Message { .. }));
    let details = (0..).zip(log.details(broker.place()));
    let read = details.filter_map(|(index, details)| Some((index, details?)));
    read.filter(|(_, details)| is_drop(details)).collect()
}

/// Waits until so many messages were dropped.
async fn until_dropped(broker: &TestBroker, count: usize) -> Vec<(u64, Details)> {
    let all = async {
        loop {
            let found = dropped(&Log::read(broker.place()), broker);
            if found.len() >= count {
                return found;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), all)
        .await
        .expect("a round")
}

/// How many entries came while a party pulled, the broker's notes of who is connected left out.
async fn grows_by(broker: &TestBroker, party: &Party) -> usize {
    let before = Log::read(broker.place()).leaves.len();
    assert!(party.pull(None, 10).await.messages.is_empty());
    let log = Log::read(broker.place());
    let came = log.leaves[before..].iter();
    came.filter(|leaf| leaf.entry_type != EntryType::Registry)
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_what_is_withheld_does_not_show_around_a_pull() {
    let mut broker = TestBroker::start().await;
    let municipality = broker.party("gemeente-oost").await;
    assert_eq!(grows_by(&broker, &municipality).await, 0, "nothing waits");
    withhold_two(&broker, "gemeente-oost", "gemeente-west").await;
    assert_eq!(
        grows_by(&broker, &municipality).await,
        0,
        "two are withheld"
    );
    assert_eq!(grows_by(&broker, &municipality).await, 0, "still");
    // A start begins a round: they are dropped though nobody looks, and not again in the next.
    broker.restart().await;
    until_dropped(&broker, 2).await;
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.unwrap();
    let municipality = broker.party("gemeente-oost").await;
    assert_eq!(grows_by(&broker, &municipality).await, 0, "dropped");
    broker.stop().await;
    let log = broker.check_log().await;
    assert_eq!(dropped(&log, &broker).len(), 2, "each once");
}

/// What was dropped is the broker's own act, concerns the receiver alone, and replays.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_dropped_is_explained_to_its_receivers_officer() {
    let mut broker = TestBroker::start().await;
    let case = withhold_two(&broker, "gemeente-oost", "gemeente-west").await;
    broker.restart().await;
    let found = until_dropped(&broker, 2).await;
    let officer = broker.party("fg-gemeente-oost").await;
    for (index, details) in &found {
        assert_eq!(details.call, None);
        let concerned: Vec<_> = details.controllers.iter().map(|one| one.as_str()).collect();
        assert_eq!(concerned, ["gemeente-oost"]);
        let request = v1::ReplayEntryRequest {
            actor: actor(),
            index: *index,
            reference: None,
            purpose: "P-ACCOUNTABILITY".into(),
        };
        let answer = officer.audit().replay_entry(request).await.unwrap();
        let Some(Outcome::Replayed(replayed)) = answer.into_inner().outcome else {
            panic!("entry {index} was not replayed");
        };
        assert_eq!(replayed.result(), v1::ReplayResult::Same, "{replayed:?}");
    }
    // Nothing of it is left: what is reported from then on comes to whoever may read it.
    let pi = broker.party("pi-noord").await;
    assert!(
        pi.try_report(report(
            &case,
            v1::Condition::Housing,
            v1::ConditionStatus::Arranged,
            broker.now()
        ))
        .await
        .unwrap()
    );
    let west = broker.party("gemeente-west").await;
    let came = west.pull(None, 10).await.messages;
    assert!(
        !came.is_empty()
            && came
                .iter()
                .all(|one| one.subject == Some(bsn(&bsn_number(1))))
    );
    assert!(
        broker
            .party("gemeente-oost")
            .await
            .pull(None, 10)
            .await
            .messages
            .is_empty()
    );
    broker.check_log().await;
}

/// Whoever had a message dropped, and may read such messages again since, is not handed it because it erases the
/// person.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_dropped_stays_so_when_its_receiver_erases_the_person() {
    let mut broker = TestBroker::start().await;
    let case = withhold_two(&broker, "gemeente-oost", "gemeente-west").await;
    broker.restart().await;
    until_dropped(&broker, 2).await;
    assign(&broker.party("pi-noord").await, &case, "gemeente-oost").await;
    let officer = broker.party("fg-gemeente-oost").await;
    let ground = v1::ErasureGround::Unlawful;
    let proposed = officer.propose_erasure(by_case(&case), ground).await;
    let v1::propose_erasure_response::Outcome::Proposed(proposed) = proposed else {
        panic!("{proposed:?}");
    };
    let municipality = broker.party("gemeente-oost").await;
    let erased = municipality.approve_erasure(&proposed.proposal_id, Some(by_case(&case)));
    let Ok(v1::approve_erasure_response::Outcome::Erased(erased)) = erased.await else {
        panic!("not erased");
    };
    assert!(erased.entries >= 2, "what was dropped is among it");
    assert_eq!(grows_by(&broker, &municipality).await, 0, "at once");
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.unwrap();
    let municipality = broker.party("gemeente-oost").await;
    assert_eq!(grows_by(&broker, &municipality).await, 0, "from the log");
}
