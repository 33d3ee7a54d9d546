//! Nothing leaves that is not in the log: invariants 1, 2, 3 and 11.

use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_tests::{Scene, TestBroker, actor, bsn, bsn_number, by_case, item};

/// Everything that every kind of call gave was in the log before it came, and stands there still.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_no_receipt_no_release() {
    let mut broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (pi, municipality) = (
        broker.party("pi-noord").await,
        broker.party("gemeente-oost").await,
    );
    let association = broker.party("wonen-zuid").await;
    municipality.consent(bsn(&scene.bsn)).await;
    for _ in 0..5 {
        let told = association
            .ask_housing(&scene.mark)
            .await
            .expect("a signal");
        assert_eq!(told.items.len(), 1);
    }
    let waiting = municipality.pull(None, 10).await;
    assert_eq!(
        waiting.messages.len(),
        1,
        "the plan is delivered to the municipality of return"
    );
    pi.report(
        &scene.case,
        v1::Condition::Debt,
        v1::ConditionStatus::InProgress,
    )
    .await;
    // While it runs: what was received is durable already.
    let log = broker.check_log().await;
    assert_eq!(log.count(EntryType::Disclosure), 5);
    assert_eq!(log.count(EntryType::Delivery), 1);
    let released = broker
        .evidence()
        .kept()
        .iter()
        .filter(|kept| kept.disclosed.is_some())
        .count();
    assert_eq!(released, 6, "one release an entry");
    broker.stop().await;
    let later = broker.check_log().await;
    assert_eq!(
        later.encoded[..log.encoded.len()],
        log.encoded[..],
        "it was only added to"
    );
}

/// A denial stands in the log, with its reason, when it is told.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_2_a_denial_is_recorded_before_it_is_told() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let association = broker.party("wonen-zuid").await;
    let before = broker.check_log().await;
    for mark in [scene.mark.as_str(), "nobody-known"] {
        for _ in 0..3 {
            assert!(association.ask_housing(mark).await.is_none());
        }
    }
    let after = broker.check_log().await;
    assert_eq!(
        after.count(EntryType::Denial),
        before.count(EntryType::Denial) + 6
    );
    assert_eq!(
        after.leaves.len(),
        before.leaves.len() + 6,
        "and nothing else"
    );
    let denials = after
        .leaves
        .iter()
        .filter(|leaf| leaf.entry_type == EntryType::Denial);
    assert!(
        denials
            .clone()
            .all(|leaf| leaf.party == "wonen-zuid" && leaf.released.is_none())
    );
    assert!(
        denials.clone().all(|leaf| leaf.subject_tag.is_some()),
        "known or not, a tag"
    );
}

/// Whoever looks something up about a person leaves an entry, denied or not, the officer too.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_11_looking_up_is_an_entry_too() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    let officer = broker.party("fg-gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let looks = broker.check_log().await.count(EntryType::LookUp);

    let request = v1::GetCaseRequest {
        actor: actor(),
        subject: Some(by_case(&scene.case)),
    };
    let shown = municipality
        .cases()
        .get_case(request)
        .await
        .unwrap()
        .into_inner();
    let Some(v1::get_case_response::Outcome::Case(case)) = shown.outcome else {
        panic!("{shown:?}")
    };
    municipality.keep(case.receipt);
    let request = v1::ListConsentsRequest {
        actor: actor(),
        subject: Some(bsn(&scene.bsn)),
    };
    let shown = municipality
        .consents()
        .list_consents(request)
        .await
        .unwrap()
        .into_inner();
    let Some(v1::list_consents_response::Outcome::Consents(consents)) = shown.outcome else {
        panic!("{shown:?}")
    };
    municipality.keep(consents.receipt);
    let found = officer.search(bsn(&scene.bsn)).await;
    assert!(
        !found.is_empty(),
        "the municipality's entries about the person"
    );
    assert!(
        officer.search(bsn(&bsn_number(77))).await.is_empty(),
        "about nobody"
    );
    for index in [found[0].index, 0] {
        let request = v1::ExplainEntryRequest {
            actor: actor(),
            index,
            reference: None,
            purpose: "P-ACCOUNTABILITY".into(),
        };
        officer.audit().explain_entry(request).await.unwrap();
    }
    let log = broker.check_log().await;
    assert_eq!(log.count(EntryType::LookUp), looks + 6);
    let again = officer.search(bsn(&scene.bsn)).await;
    let own: Vec<_> = again
        .iter()
        .filter(|entry| entry.party_id == officer.id)
        .collect();
    assert!(
        !own.is_empty(),
        "the officer's looks are found by the next look"
    );
}

/// A look that is denied is an entry as well, and asking about nobody is no different.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_11_a_denied_look_is_an_entry_too() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let stranger = broker.party("gemeente-west").await;
    let before = broker.check_log().await.leaves.len();
    for number in [scene.bsn.clone(), bsn_number(99)] {
        let request = v1::ListConsentsRequest {
            actor: actor(),
            subject: Some(bsn(&number)),
        };
        let shown = stranger
            .consents()
            .list_consents(request)
            .await
            .unwrap()
            .into_inner();
        assert!(matches!(
            shown.outcome,
            Some(v1::list_consents_response::Outcome::NotDisclosed(_))
        ));
        let housing = item(
            bsn(&number),
            "P-PLAN",
            v1::Condition::Housing,
            v1::Granularity::Status,
        );
        assert!(stranger.ask(housing).await.is_none());
    }
    let log = broker.check_log().await;
    let added = &log.leaves[before..];
    assert_eq!(added.len(), 4);
    assert!(
        added
            .iter()
            .all(|leaf| leaf.party == "gemeente-west" && leaf.subject_tag.is_some())
    );
}

/// Entries never go back in time, whatever the clock does.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_12_times_in_the_log_never_decrease() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let association = broker.party("wonen-zuid").await;
    let start = broker.now();
    for millis in [60_000, 58_000, 30_000, 90_000] {
        broker.clock().set(start.plus_millis(millis));
        association.ask_housing(&scene.mark).await;
    }
    // `check_log` holds the times against each other.
    let log = broker.check_log().await;
    assert_eq!(
        log.leaves.last().unwrap().at_ms,
        start.plus_millis(90_000).as_millis()
    );
    assert!(
        log.count(EntryType::System) > 0,
        "a clock that jumped back is noted"
    );
}

/// A clock that is minutes behind the log is wrong: nothing is decided by it and nothing leaves.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_3_a_log_that_cannot_be_written_lets_nothing_out() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    let association = broker.party("wonen-zuid").await;
    municipality.consent(bsn(&scene.bsn)).await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
    broker.clock().advance(std::time::Duration::from_secs(300));
    association
        .ask_housing(&scene.mark)
        .await
        .expect("a signal");
    let entries = broker.check_log().await.leaves.len();
    let good = broker.now();
    broker.clock().set(good.minus_millis(120_000));
    let request = item(
        schakel_tests::mark(&scene.mark),
        schakel_tests::HOUSING,
        v1::Condition::Housing,
        v1::Granularity::Signal,
    );
    let refused = association.try_ask(request.clone()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    assert_eq!(schakel_tests::reason(&refused), "AUDIT_UNAVAILABLE");
    assert_eq!(
        broker.check_log().await.leaves.len(),
        entries,
        "nothing was recorded"
    );
    broker.clock().set(good);
    assert!(
        association.try_ask(request).await.unwrap().is_some(),
        "it recovers by itself"
    );
}

/// A clock that is set two days ahead while no time passes would let consents and terms run out: nothing is
/// recorded and nothing leaves until it is right again.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_12_a_clock_that_jumped_ahead_lets_nothing_out() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    broker
        .party("gemeente-oost")
        .await
        .consent(bsn(&scene.bsn))
        .await;
    let association = broker.party("wonen-zuid").await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
    let entries = broker.check_log().await.leaves.len();
    let good = broker.now();
    broker.clock().jump(good.plus_days(2));
    let request = item(
        schakel_tests::mark(&scene.mark),
        schakel_tests::HOUSING,
        v1::Condition::Housing,
        v1::Granularity::Signal,
    );
    let refused = association.try_ask(request.clone()).await.unwrap_err();
    assert_eq!(schakel_tests::reason(&refused), "AUDIT_UNAVAILABLE");
    assert_eq!(broker.check_log().await.leaves.len(), entries);
    broker.clock().jump(good);
    assert!(association.try_ask(request).await.unwrap().is_some());
}

/// The outsider's check is worth something: a receipt or a release that is not exactly what the log holds
/// does not pass it.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_the_outsider_notices_what_is_not_in_the_log() {
    let mut broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    broker
        .party("gemeente-oost")
        .await
        .consent(bsn(&scene.bsn))
        .await;
    broker
        .party("wonen-zuid")
        .await
        .ask_housing(&scene.mark)
        .await
        .expect("a signal");
    broker.stop().await;
    let kept = broker.evidence().kept();
    let released = kept
        .into_iter()
        .find(|kept| kept.disclosed.is_some())
        .expect("a release");
    let forgeries: [fn(&mut schakel_tests::Kept); 4] = [
        |kept| kept.receipt.index += 1,
        |kept| kept.disclosed.as_mut().unwrap().0.push(0),
        |kept| kept.receipt.hashes.swap(0, 1),
        |kept| kept.party = "wonen-noord".into(),
    ];
    for (number, forge) in forgeries.into_iter().enumerate() {
        let forged = std::sync::Arc::new(schakel_tests::Evidence::default());
        forged.trust(&broker.verifier_key().to_string());
        let mut kept = released.clone();
        forge(&mut kept);
        forged.keep(kept);
        let check = std::panic::AssertUnwindSafe(|| drop(forged.check(broker.place(), None)));
        assert!(
            std::panic::catch_unwind(check).is_err(),
            "forgery {number} passed"
        );
    }
    broker.check_log().await;
}

/// What another party did about somebody is shown to an officer whom it does not concern neither by leaf nor by proof;
/// to an auditor by both.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_proved_to_officers_whom_it_concerns_and_to_auditors_alone() {
    let broker = TestBroker::start().await;
    let stranger = broker.party("uwv-test").await;
    let entry = stranger.withdraw(bsn(&bsn_number(1))).await.index;
    for (officer, proved) in [
        ("fg-gemeente-oost", false),
        ("fg-uwv-test", true),
        ("toetser", true),
    ] {
        let request = v1::GetEntryRequest {
            actor: actor(),
            index: entry,
            purpose: Some("P-ACCOUNTABILITY".into()),
        };
        let officer = broker.party(officer).await;
        let shown = officer.audit().get_entry(request).await.unwrap();
        let shown = shown.into_inner();
        assert_eq!(shown.proof.is_some(), proved, "{}", officer.id);
        assert!(shown.receipt.is_some(), "the look is recorded");
    }
    broker.check_log().await;
}
