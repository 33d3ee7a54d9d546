//! Invariant 5: why somebody is not told about cannot be told from the answer.

use std::time::Instant;

use prost::Message as _;
use schakel_api::v1;
use schakel_core::decide::Reason;
use schakel_server::sequencer::GRID;
use schakel_tests::{
    HOUSING, Scene, TestBroker, actor, bsn, bsn_number, consent, item, key, mark, statistics,
};
use tonic::metadata::MetadataMap;

/// How often each class is asked about for the timings. The full campaign is `schakel bench denials`.
const ROUNDS: usize = 80;

/// The six classes, as marks by which `wonen-zuid` asks about somebody. None may be told about.
pub(super) async fn six_classes(broker: &TestBroker) -> Vec<(&'static str, String)> {
    let municipality = broker.party("gemeente-oost").await;
    let association = broker.party("wonen-zuid").await;
    let set = |n| Scene::set(broker, n);
    let no_consent = set(1).await;
    let (expired, withdrawn, outside) = (set(2).await, set(3).await, set(4).await);
    let mut short = consent(bsn(&expired.bsn), broker.now());
    short.terms.as_mut().unwrap().valid_until = schakel_tests::at(broker.now().plus_millis(1000));
    municipality.try_consent(short).await.unwrap().unwrap();
    municipality.consent(bsn(&withdrawn.bsn)).await;
    municipality.withdraw(bsn(&withdrawn.bsn)).await;
    let mut other = consent(bsn(&outside.bsn), broker.now());
    other.terms.as_mut().unwrap().recipient_party_ids = vec!["wonen-noord".into()];
    municipality.try_consent(other).await.unwrap().unwrap();
    // In a case with this person, but introduced for debt: no place in it for housing.
    let pi = broker.party("pi-noord").await;
    let case = pi.open_case(&bsn_number(5), Some("gemeente-oost")).await;
    pi.report(
        &case,
        v1::Condition::Housing,
        v1::ConditionStatus::ActionNeeded,
    )
    .await;
    let code = municipality
        .introduce(&case, "wonen-zuid", v1::Condition::Debt)
        .await;
    association.redeem(&code, "huurder-5").await;
    municipality.consent(bsn(&bsn_number(5))).await;
    broker.clock().advance(std::time::Duration::from_secs(2));
    vec![
        ("unknown person", "huurder-6".to_owned()),
        ("no consent", no_consent.mark),
        ("expired", expired.mark),
        ("withdrawn", withdrawn.mark),
        ("outside its scope", outside.mark),
        ("no place in the case", "huurder-5".to_owned()),
    ]
}

fn question(client_ref: &str) -> v1::AskRequest {
    let housing = item(
        mark(client_ref),
        HOUSING,
        v1::Condition::Housing,
        v1::Granularity::Signal,
    );
    v1::AskRequest {
        actor: actor(),
        item: Some(housing),
    }
}

/// Everything of an answer but the random reference.
fn without_reference(mut answer: v1::AskResponse) -> Vec<u8> {
    let Some(v1::ask_response::Outcome::NotDisclosed(denial)) = &mut answer.outcome else {
        panic!("{answer:?} should be a denial")
    };
    assert_eq!(denial.reference.len(), 16);
    denial.reference = vec![0; 16].into();
    answer.encode_to_vec()
}

/// Headers and trailers; the date is the transport's.
pub(super) fn headers(metadata: &MetadataMap) -> Vec<String> {
    let mut headers: Vec<_> = metadata.iter().map(|pair| format!("{pair:?}")).collect();
    headers.retain(|header| !header.contains("\"date\""));
    headers.sort();
    headers
}

/// The six reasons give answers with the same bytes and the same headers and trailers.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_six_reasons_are_one_answer() {
    let broker = TestBroker::start().await;
    let classes = six_classes(&broker).await;
    let association = broker.party("wonen-zuid").await;
    let mut seen = Vec::new();
    let mut references = std::collections::BTreeSet::new();
    for (class, client_ref) in &classes {
        let answer = association
            .exchange()
            .ask(question(client_ref))
            .await
            .unwrap();
        let headers = headers(answer.metadata());
        let answer = answer.into_inner();
        if let Some(v1::ask_response::Outcome::NotDisclosed(denial)) = &answer.outcome {
            references.insert(denial.reference.clone());
        }
        seen.push((class, without_reference(answer), headers));
    }
    for (class, bytes, headers) in &seen {
        assert_eq!((bytes, headers), (&seen[0].1, &seen[0].2), "{class}");
    }
    assert_eq!(
        references.len(),
        classes.len(),
        "every reference is another"
    );
    // Each was denied for its own reason: the test would prove nothing otherwise.
    let log = broker.check_log().await;
    let details = log.details(broker.place());
    let reasons: std::collections::BTreeSet<_> = details[details.len() - classes.len()..]
        .iter()
        .map(|details| match &details.as_ref().unwrap().event {
            schakel_core::event::Event::Denied(denied) => {
                format!("{:?}", denied.findings[0].reason)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    // A consent for somebody else is, for this association, a consent that is missing.
    let expected = [
        "ConsentExpired",
        "ConsentMissing",
        "ConsentWithdrawn",
        "NotCaseParty",
        "SubjectUnknown",
    ];
    assert_eq!(
        reasons.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
}

/// A batch of questions about all of them is as even as one.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_a_batch_is_as_even() {
    let broker = TestBroker::start().await;
    let classes = six_classes(&broker).await;
    let association = broker.party("wonen-zuid").await;
    let items = classes
        .iter()
        .map(|(_, client_ref)| question(client_ref).item.unwrap())
        .collect();
    let request = v1::AskBatchRequest {
        actor: actor(),
        items,
    };
    let answers = association
        .exchange()
        .ask_batch(request)
        .await
        .unwrap()
        .into_inner()
        .answers;
    assert_eq!(answers.len(), classes.len());
    let first = without_reference(answers[0].clone());
    assert!(
        answers
            .into_iter()
            .all(|answer| without_reference(answer) == first)
    );
}

/// What is answered the same whether or not somebody is known is as long, down to the leaf in its receipt.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_writes_about_nobody_look_like_others() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let mut leaves = Vec::new();
    for number in [scene.bsn.clone(), bsn_number(8)] {
        let withdrawn = municipality.withdraw(bsn(&number)).await;
        let request = v1::RecordRestrictionRequest {
            idempotency_key: key(),
            actor: actor(),
            subject: Some(bsn(&number)),
            kind: v1::RestrictionKind::Objection.into(),
            controller_party_id: None,
            conditions: Vec::new(),
        };
        let restricted = municipality
            .consents()
            .record_restriction(request)
            .await
            .unwrap();
        let restricted = restricted.into_inner().receipt.unwrap();
        leaves.push((withdrawn.leaf.len(), restricted.leaf.len()));
    }
    assert_eq!(leaves[0], leaves[1]);
    let association = broker.party("wonen-zuid").await;
    let code = municipality
        .introduce(&scene.case, "wonen-zuid", v1::Condition::Income)
        .await;
    let mut lens = Vec::new();
    // The code works; then it is used up.
    for client_ref in ["huurder-1", "huurder-7"] {
        let request = v1::RedeemRequest {
            idempotency_key: key(),
            actor: actor(),
            code: code.clone(),
            client_ref: client_ref.into(),
        };
        let receipt = association
            .exchange()
            .redeem(request)
            .await
            .unwrap()
            .into_inner()
            .receipt;
        lens.push(receipt.unwrap().leaf.len());
    }
    assert_eq!(lens[0], lens[1]);
}

/// How long each class takes, asked about so often. Every class comes first, second, … equally often.
async fn times(broker: &TestBroker, classes: &[(&str, String)], rounds: usize) -> Vec<Vec<f64>> {
    let association = broker.party("wonen-zuid").await;
    let mut times = vec![Vec::with_capacity(rounds); classes.len()];
    for round in 0..rounds {
        for place in 0..classes.len() {
            let class = (place + round) % classes.len();
            let start = Instant::now();
            let mut exchange = association.exchange();
            exchange.ask(question(&classes[class].1)).await.unwrap();
            times[class].push(start.elapsed().as_secs_f64());
        }
    }
    times
}

/// How well each class can be told from all others, and what chance may achieve.
fn told_apart(times: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let judge = |(class, own): (usize, &Vec<f64>)| {
        let others = times
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != class);
        let others: Vec<_> = others.flat_map(|(_, times)| times).copied().collect();
        let bound = 0.5 + 5.0 * statistics::standard_error(own.len(), others.len());
        (statistics::best_area(own, &others), bound)
    };
    times.iter().enumerate().map(judge).collect()
}

/// No class is answered sooner or later than the others. That the test can see it shows when the broker takes a step of
/// the grid longer over one, on purpose.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_six_reasons_take_as_long() {
    let broker = TestBroker::start().await;
    let classes = six_classes(&broker).await;
    let found = told_apart(&times(&broker, &classes, ROUNDS).await);
    for ((name, _), (area, bound)) in classes.iter().zip(found) {
        assert!(area < bound, "{name}: {area:.3}, at most {bound:.3}");
    }
    broker.metrics().watch_denials(|reason| {
        if reason == Reason::ConsentWithdrawn {
            std::thread::sleep(GRID);
        }
    });
    let found = told_apart(&times(&broker, &classes, ROUNDS / 2).await);
    let (area, bound) = found[3];
    assert_eq!(classes[3].0, "withdrawn");
    assert!(area > bound, "late on purpose: {area:.3} must be found");
}

/// How often a write is made about each of two people for the timings.
const WRITES: usize = 60;

/// What is answered alike for somebody known and for nobody takes as long. That the
/// test can see it shows when one is answered five steps of the grid later, on purpose.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_writes_about_nobody_take_as_long() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    let people = [scene.bsn.clone(), bsn_number(8)];
    let mut times = vec![Vec::with_capacity(WRITES); people.len()];
    for round in 0..WRITES {
        // So that there is something to withdraw each time, for the one who is known.
        municipality.consent(bsn(&scene.bsn)).await;
        // Each comes first and second equally often.
        for place in 0..people.len() {
            let who = (place + round) % people.len();
            let start = Instant::now();
            municipality.withdraw(bsn(&people[who])).await;
            times[who].push(start.elapsed().as_secs_f64());
        }
    }
    let bound = 0.5 + 5.0 * statistics::standard_error(WRITES, WRITES);
    let area = statistics::best_area(&times[0], &times[1]);
    assert!(area < bound, "{area:.3}, at most {bound:.3}");
    let late: Vec<_> = times[0]
        .iter()
        .map(|time| time + 5.0 * GRID.as_secs_f64())
        .collect();
    let area = statistics::best_area(&late, &times[1]);
    assert!(area > bound, "late on purpose: {area:.3} must be found");
}
