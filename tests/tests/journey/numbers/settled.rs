//! Numbers that are said of two people: known and unknown, taken back, erased, made again.

use schakel_api::v1::{
    self, ErasureGround, approve_erasure_response::Outcome as Approved,
    propose_erasure_response::Outcome as Proposed,
};
use schakel_core::{event::Event, id::RestrictionId};
use schakel_tests::{Party, TestBroker, actor, bsn, bsn_number, by_case, key};

use super::acts::{Acts, by_skn};

const SKN: &str = "SKN0000A4";

/// A made-up number that the institution used before, with the number of somebody known elsewhere, or with that of
/// nobody.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_a_made_up_number_does_not_show_whose_another_one_is() {
    let broker = TestBroker::start().await;
    let (known, nobody) = (bsn_number(1), bsn_number(2));
    let west = broker.party("gemeente-west").await;
    west.agree(bsn(&known), "gemeente-west", "wonen-noord")
        .await
        .expect("a consent");
    let prison = broker.party("pi-noord").await;
    let (made_up, _) = prison.open(Some(SKN), None).await;
    for number in [&known, &nobody] {
        let (case, _) = prison.open(Some(SKN), Some(number)).await;
        let shown = prison.case_of(bsn(number)).await.expect("its own");
        assert_eq!(shown.case_id, case);
        let shown = prison.case_of(by_skn(SKN)).await.expect("its own");
        assert_eq!(
            shown.case_id, made_up,
            "the number goes on meaning whom it meant"
        );
    }
    // Whoever deals with the second later deals with nobody made up.
    let east = broker.party("gemeente-oost").await;
    let (honest, _) = broker
        .party("pi-zuid")
        .await
        .open(None, Some(&nobody))
        .await;
    let shown = prison.case_of(bsn(&nobody)).await.expect("its own");
    assert_ne!(shown.case_id, honest);
    let log = broker.check_log().await;
    let mut subjects = std::collections::BTreeMap::new();
    for details in log.details(broker.place()).into_iter().flatten() {
        if let Event::CaseOpened { case, .. } = details.event {
            subjects.insert(case.to_string(), details.subject);
        }
    }
    assert_ne!(subjects[&made_up], subjects[&honest]);
    assert_eq!(subjects[&shown.case_id], subjects[&honest]);
    assert!(east.case_of(bsn(&nobody)).await.is_none());
}

/// What each of these is shown of somebody, by what it names them.
async fn seen(broker: &TestBroker, cases: &[&str]) -> Vec<Option<usize>> {
    let mut seen = Vec::new();
    for id in ["pi-noord", "pi-zuid", "reclassering-test"] {
        let party = broker.party(id).await;
        let mut about = vec![by_skn(SKN)];
        if id != "reclassering-test" {
            about.extend((1..=2).map(|n| bsn(&bsn_number(n))));
        }
        for about in about {
            let shown = party.case_of(about).await;
            let at = |case: v1::Case| cases.iter().position(|id| *id == case.case_id);
            seen.push(shown.and_then(at));
        }
    }
    seen
}

async fn erase(officer: &Party, second: &Party, case: &str) -> u64 {
    let proposed = officer.propose_erasure(by_case(case), ErasureGround::Unlawful);
    let proposal = match proposed.await {
        Proposed::Proposed(proposed) => proposed.proposal_id,
        Proposed::Retained(retained) => panic!("{retained:?}"),
    };
    match second.approve_erasure(&proposal, Some(by_case(case))).await {
        Ok(Approved::Erased(done)) => done.entries,
        other => panic!("{other:?}"),
    }
}

/// Two institutions say of one number that it is this person's and that one's. To each it means whom it said, to others
/// nobody; what one said goes with what it has erased; and all of it is the same made again from the log.
#[tokio::test(flavor = "multi_thread")]
async fn what_two_parties_say_of_one_number_stays_apart_through_erasure_and_rebuild() {
    let mut broker = TestBroker::start().await;
    let numbers = [bsn_number(1), bsn_number(2)];
    let north = broker.party("pi-noord").await;
    let south = broker.party("pi-zuid").await;
    let (of_north, _) = north.open(Some(SKN), Some(&numbers[0])).await;
    let (of_south, _) = south.open(Some(SKN), Some(&numbers[1])).await;
    let cases = [&*of_north, &*of_south];
    let apart = vec![Some(0), Some(0), None, Some(1), None, Some(1), None];
    assert_eq!(seen(&broker, &cases).await, apart);
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.expect("it starts again");
    assert_eq!(seen(&broker, &cases).await, apart, "from the log");

    let (officer, north) = (
        broker.party("fg-pi-noord").await,
        broker.party("pi-noord").await,
    );
    assert!(erase(&officer, &north, &of_north).await > 0);
    let erased = vec![None, None, None, Some(1), None, Some(1), None];
    assert_eq!(seen(&broker, &cases).await, erased);
    broker.restart().await;
    assert_eq!(seen(&broker, &cases).await, erased, "from the view");
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.expect("it starts again");
    assert_eq!(seen(&broker, &cases).await, erased, "from the log");
    // A number nobody has said anything of any more can mean somebody again.
    let (again, _) = broker.party("pi-noord").await.open(Some(SKN), None).await;
    let shown = broker.party("pi-noord").await.case_of(by_skn(SKN)).await;
    assert_eq!(shown.expect("its own").case_id, again);
}

/// A case opened by the wrong pair of numbers, closed as opened in error: the number is free to mean the right person.
#[tokio::test(flavor = "multi_thread")]
async fn a_case_opened_in_error_takes_back_what_it_said_of_numbers() {
    let mut broker = TestBroker::start().await;
    let prison = broker.party("pi-noord").await;
    let (wrong, _) = prison.open(Some(SKN), Some(&bsn_number(1))).await;
    assert!(prison.close(&wrong, true).await);
    assert!(prison.case_of(by_skn(SKN)).await.is_none());
    let (right, _) = prison.open(Some(SKN), Some(&bsn_number(2))).await;
    let shown = prison.case_of(by_skn(SKN)).await.expect("the right one");
    assert_eq!(shown.case_id, right);
    broker.restart().await;
    let prison = broker.party("pi-noord").await;
    let shown = prison.case_of(by_skn(SKN)).await.expect("the right one");
    assert_eq!(shown.case_id, right);
}

/// The entries by which probation passed something on: whether each is about somebody known, and the objections they are of.
async fn passed_on(broker: &TestBroker) -> Vec<(bool, Option<RestrictionId>)> {
    let log = broker.check_log().await;
    let details = log.details(broker.place()).into_iter().flatten();
    let by_probation = details.filter(|details| {
        let by = details.call.as_ref().map(|call| call.principal.as_str());
        by == Some("reclassering-test")
    });
    let passed_on = by_probation.filter_map(|details| match details.event {
        Event::ConsentEnded(_) => Some((details.subject.is_some(), None)),
        Event::Restricted { restriction, .. } | Event::RestrictionLifted { restriction, .. } => {
            Some((details.subject.is_some(), Some(restriction)))
        }
        _ => None,
    });
    passed_on.collect()
}

/// Whoever the person turns to knows a number by which it keeps a consent itself, and of which another says that it is
/// somebody's with a citizen service number: the withdrawal counts for both. What that takes is the same for a number
/// nobody knows.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_passed_on_by_a_number_counts_for_everybody_it_is_said_to_mean() {
    let broker = TestBroker::start().await;
    let prison = broker.party("pi-noord").await;
    prison.open(Some(SKN), Some(&bsn_number(1))).await;
    let west = broker.party("gemeente-west").await;
    let about = || bsn(&bsn_number(1));
    let probation = broker.party("reclassering-test").await;
    // First by another's word alone, then beside what it keeps itself.
    for own in [false, true] {
        if own {
            let agreed = probation.agree(by_skn(SKN), "gemeente-west", "wonen-noord");
            agreed.await.expect("a consent");
        }
        let agreed = west.agree(about(), "gemeente-west", "wonen-noord");
        agreed.await.expect("a consent");
        let before = west.agreed(about()).await.expect("its own");
        let kept = probation.agreed(by_skn(SKN)).await;
        assert_eq!(kept.is_some(), own, "it is told of no other's");
        probation.withdraw(by_skn(SKN)).await;
        assert_ne!(west.agreed(about()).await.expect("its own"), before);
        assert_eq!(probation.agreed(by_skn(SKN)).await != kept, own);
    }
    probation.withdraw(by_skn("SKN0000000")).await;
    for number in [SKN, "SKN0000000"] {
        let restriction_id = objected(&probation, number).await;
        lifted(&probation, number, restriction_id).await;
    }
    let passed_on = passed_on(&broker).await;
    let known: Vec<_> = passed_on
        .chunks(4)
        .map(|parts| parts.iter().filter(|part| part.0).count())
        .collect();
    assert_eq!(known, [1, 2, 0, 2, 2, 0, 0]);
    for parts in passed_on.chunks(4) {
        assert!(parts.iter().all(|part| part.1 == parts[0].1), "of one act");
        assert_eq!(
            parts[3].0,
            parts.iter().any(|part| part.0),
            "the answer is about whom it means"
        );
    }
}

pub(super) async fn objected(by: &Party, number: &str) -> String {
    let request = v1::RecordRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(by_skn(number)),
        kind: v1::RestrictionKind::Objection.into(),
        controller_party_id: None,
        conditions: Vec::new(),
    };
    let answer = by.consents().record_restriction(request).await;
    answer.expect("an objection").into_inner().restriction_id
}

async fn lifted(by: &Party, number: &str, restriction_id: String) {
    let request = v1::LiftRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: Some(by_skn(number)),
        restriction_id,
    };
    by.consents()
        .lift_restriction(request)
        .await
        .expect("an answer");
}
