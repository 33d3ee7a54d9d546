//! What no rule permitted, put into the log by hand, and found by deciding again.

use schakel_api::v1;
use schakel_audit::leaf::Leaf;
use schakel_core::{
    event::{Details, Event, SlotUse},
    id::{PartyId, SlotId},
};
use schakel_store::{
    details,
    keyring::{Kek, Keyring},
    log::{Frame, Log, Settings as LogSettings},
    random::OsRandom,
    seal::{self, Scope, Term},
};
use schakel_tests::{ORIGIN, Scene, Settings, TestBroker, actor, bsn};

use super::PURPOSE;

/// Invariant 8, the other way round: what no rule permitted is found by deciding again, and the alarm is raised.
#[tokio::test(flavor = "multi_thread")]
async fn a_disclosure_that_was_never_permitted_is_found_by_replaying() {
    let mut broker = TestBroker::start_with(Settings {
        more: "[audit]\nreplay_every = \"1s\"\nreplay_sample = 1000\n".into(),
        ..Settings::default()
    })
    .await;
    let scene = Scene::set(&broker, 1).await;
    let (town, home) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
    );
    town.consent(bsn(&scene.bsn)).await;
    home.ask_housing(&scene.mark).await.expect("a signal");
    town.withdraw(bsn(&scene.bsn)).await;
    broker.stop().await;
    let forged = forge(&broker).await;
    broker.run().await.expect("it starts");
    let officer = broker.party("fg-gemeente-oost").await;
    let replay = v1::ReplayEntryRequest {
        actor: actor(),
        index: forged,
        reference: None,
        purpose: PURPOSE.into(),
    };
    let replayed = officer
        .audit()
        .replay_entry(replay)
        .await
        .unwrap()
        .into_inner();
    let Some(v1::replay_entry_response::Outcome::Replayed(replayed)) = replayed.outcome else {
        panic!("it concerns the municipality");
    };
    assert_eq!(replayed.result(), v1::ReplayResult::Different);
    assert_eq!(replayed.differences, ["OUTCOME"]);
    let check = v1::GetReportRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        report: v1::Report::Check.into(),
        ..v1::GetReportRequest::default()
    };
    let check = officer
        .audit()
        .get_report(check)
        .await
        .unwrap()
        .into_inner()
        .check
        .unwrap();
    assert_eq!((check.permitted, check.same), (2, 1));
    assert_eq!(check.faults[0].index, forged);
    // It stands out as well for having come after the withdrawal.
    let withdrawals = v1::GetReportRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        report: v1::Report::Withdrawals.into(),
        ..v1::GetReportRequest::default()
    };
    let withdrawals = officer.audit().get_report(withdrawals).await.unwrap();
    let [withdrawal] = &withdrawals.into_inner().withdrawals[..] else {
        panic!("one withdrawal");
    };
    assert_eq!(withdrawal.after, [forged]);
    // The broker finds it by itself and says so in the trail.
    let alarmed = tokio::time::timeout(std::time::Duration::from_secs(60), async {
        loop {
            let request = v1::GetIntegrityRequest { actor: actor() };
            let found = officer
                .audit()
                .get_integrity(request)
                .await
                .unwrap()
                .into_inner();
            if !found.differences.is_empty() {
                return found;
            }
            tokio::task::yield_now().await;
        }
    });
    let alarmed = alarmed.await.expect("the alarm");
    assert_eq!(alarmed.differences[0].index, forged);
    assert!(alarmed.replays_since_start > 0);
    broker.check_log().await;
}

/// Appends to the log of a stopped broker, with its own keys, a disclosure like one before, after the
/// withdrawal of what that rested on: what a broker with other rules would have recorded.
async fn forge(broker: &TestBroker) -> u64 {
    let log = broker.check_log().await;
    let opened = log.details(broker.place());
    let told = |details: &Option<Details>| {
        matches!(
            details,
            Some(Details {
                event: Event::Disclosed(_),
                ..
            })
        )
    };
    let at = opened.iter().rposition(told).expect("a disclosure");
    let details = opened[at].clone().expect("details");
    let slots: Vec<SlotId> = details
        .controllers
        .iter()
        .map(|controller| slot_of(&opened, controller))
        .collect();
    let mut leaf = Leaf {
        at_ms: log.leaves.last().expect("a leaf").at_ms,
        id: [0xf0; 16],
        ..log.leaves[at].clone()
    };
    let details = Details {
        binds: Vec::new(),
        ..details
    };
    let place = broker.place();
    let kek = Kek::read(&place.path("kek")).expect("a key");
    let keyring = Keyring::open(&place.path("keyring"), kek, Box::new(OsRandom)).expect("keys");
    let scope = Scope::Slots {
        slots: &slots,
        term: Term::ClassMonth,
    };
    let encoded = details::encode(&details).expect("bytes");
    let sealed = seal::seal(&mut leaf, &encoded, &scope, ORIGIN, &keyring, &mut OsRandom);
    let frame = Frame {
        leaf: leaf.encode(),
        sealed: sealed.expect("sealed"),
    };
    let opened = Log::open(&place.data(), LogSettings::new(ORIGIN)).expect("a log");
    let mut log = opened.log;
    let index = log.size();
    log.ready().expect("room");
    let prepared = log.prepare(index, &[&frame]).expect("a batch");
    log.commit(prepared).expect("durable");
    index
}

fn slot_of(opened: &[Option<Details>], controller: &PartyId) -> SlotId {
    let binds = opened.iter().flatten().flat_map(|details| &details.binds);
    let mut of = binds.filter(|(usage, _)| *usage == SlotUse::Controller(controller.clone()));
    of.next().expect("a key").1
}
