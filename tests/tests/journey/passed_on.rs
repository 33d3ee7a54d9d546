//! What somebody without a place passes on for a person: it counts, and tells the stranger nothing (invariant 5).

use schakel_api::v1::{self, get_notice_response::Outcome as Shown};
use schakel_tests::{Party, Scene, TestBroker, actor, bsn, bsn_number, consent, key};

async fn restrict(party: &Party, number: &str) -> (String, u64) {
    let request = v1::RecordRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(bsn(number)),
        kind: v1::RestrictionKind::Objection.into(),
        controller_party_id: None,
        conditions: Vec::new(),
    };
    let answer = party.consents().record_restriction(request).await.unwrap();
    let answer = answer.into_inner();
    (answer.restriction_id, answer.receipt.unwrap().index)
}

async fn lift(party: &Party, number: &str, restriction_id: &str) {
    let request = v1::LiftRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(bsn(number)),
        restriction_id: restriction_id.to_owned(),
    };
    party.consents().lift_restriction(request).await.unwrap();
}

/// The recipients of the notices that a write caused, as far as a party is shown them.
async fn recipients(party: &Party, number: &str, entry_index: u64) -> Vec<String> {
    let request = v1::GetNoticeRequest {
        actor: actor(),
        subject: Some(bsn(number)),
        entry_index,
    };
    let answer = party.notices().get_notice(request).await.unwrap();
    match answer.into_inner().outcome.unwrap() {
        Shown::Notices(states) => states
            .notices
            .into_iter()
            .map(|state| state.recipient_party_id)
            .collect(),
        Shown::NotDisclosed(_) => Vec::new(),
    }
}

/// Somebody of whom the association was served, by law and on consent.
async fn served(broker: &TestBroker) -> Scene {
    let scene = Scene::set(broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let association = broker.party("wonen-zuid").await;
    let told = association.ask_housing(&scene.mark).await;
    told.expect("a signal");
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_a_stranger_is_not_shown_who_was_served() {
    let broker = TestBroker::start().await;
    let scene = served(&broker).await;
    let numbers = [scene.bsn.clone(), bsn_number(8)];
    for stranger in ["zorg-midden", "gemeente-west", "uwv-test", "fg-oost-twee"] {
        let stranger = broker.party(stranger).await;
        let is_officer = stranger.id.starts_with("fg-");
        for number in &numbers {
            let (_, restricted) = restrict(&stranger, number).await;
            let withdrawn = stranger.withdraw(bsn(number)).await.index;
            for entry in [restricted, withdrawn] {
                let shown = recipients(&stranger, number, entry).await;
                // The officer is that of the municipality of the case.
                let of_own = is_officer && *number == scene.bsn && entry == restricted;
                assert_eq!(
                    shown,
                    vec!["wonen-zuid"; usize::from(of_own)],
                    "{}",
                    stranger.id
                );
            }
        }
    }
}

/// A stranger that makes itself the collector of a consent does not see by it what was served under another.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_a_made_up_consent_shows_nothing_of_others() {
    let broker = TestBroker::start().await;
    let scene = served(&broker).await;
    let stranger = broker.party("zorg-midden").await;
    let forged = consent(bsn(&scene.bsn), broker.now());
    stranger.try_consent(forged).await.unwrap().expect("an id");
    let withdrawn = stranger.withdraw(bsn(&scene.bsn)).await.index;
    let shown = recipients(&stranger, &scene.bsn, withdrawn).await;
    assert!(shown.is_empty(), "{shown:?}");
    let municipality = broker.party("gemeente-oost").await;
    let shown = recipients(&municipality, &scene.bsn, withdrawn).await;
    assert_eq!(
        shown,
        ["wonen-zuid"],
        "who has a place sees it all the same"
    );
}

/// An objection that a stranger passed on counts at once. Each controller decides about it for itself, by its own
/// privacy officer, who finds it; between two controllers it stands until both have lifted it.
#[tokio::test(flavor = "multi_thread")]
async fn an_objection_a_stranger_passed_on_stands_until_each_controller_lifts_it() {
    let mut broker = TestBroker::start().await;
    let scene = served(&broker).await;
    let association = broker.party("wonen-zuid").await;
    let stranger = broker.party("zorg-midden").await;
    let (restriction, entry) = restrict(&stranger, &scene.bsn).await;
    assert!(association.ask_housing(&scene.mark).await.is_none());
    let elsewhere = broker.party("fg-gemeente-oost").await;
    lift(&elsewhere, &scene.bsn, &restriction).await;
    for (officer, opens) in [("fg-pi-noord", false), ("fg-wonen-zuid", true)] {
        let officer = broker.party(officer).await;
        let found = officer.search(bsn(&scene.bsn)).await;
        let found = found.iter().find(|found| found.index == entry);
        let summary = &found.expect("the objection").summary;
        assert!(summary.contains(&restriction), "{summary}");
        lift(&officer, &scene.bsn, &restriction).await;
        let told = association.ask_housing(&scene.mark).await;
        assert_eq!(told.is_some(), opens, "{}", officer.id);
    }
    // The same when the records are made again from the log.
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.expect("it starts again");
    let association = broker.party("wonen-zuid").await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
}
