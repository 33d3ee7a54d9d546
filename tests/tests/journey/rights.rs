//! What a party is shown that it may ask: no more than asking would show, and the uniform denial otherwise.

use std::collections::BTreeSet;

use prost::Message as _;
use schakel_api::v1::{self, get_my_rights_response::Outcome};
use schakel_audit::leaf::EntryType;
use schakel_core::event::Event;
use schakel_tests::{HOUSING, Party, Scene, TestBroker, actor, at, bsn, by_case, item, mark};

use super::alike::{headers, six_classes};

fn look(subject: v1::SubjectRef) -> v1::GetMyRightsRequest {
    v1::GetMyRightsRequest {
        actor: actor(),
        subject: Some(subject),
    }
}

/// What a party is shown; nothing when that is denied.
async fn rights(party: &Party, subject: v1::SubjectRef) -> Vec<v1::Right> {
    let answer = party.exchange().get_my_rights(look(subject)).await.unwrap();
    match answer.into_inner().outcome.expect("an outcome") {
        Outcome::Rights(rights) => {
            party.keep(rights.receipt);
            rights.rights
        }
        Outcome::NotDisclosed(denial) => {
            assert_eq!(denial.reference.len(), 16);
            Vec::new()
        }
    }
}

/// What is shown is what asking gives afterwards, for every purpose in force and every condition.
#[tokio::test(flavor = "multi_thread")]
async fn rights_are_shown_when_and_only_when_asking_gives_it() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let (pi, municipality) = (
        broker.party("pi-noord").await,
        broker.party("gemeente-oost").await,
    );
    let association = broker.party("wonen-zuid").await;
    let debt = (v1::Condition::Debt, v1::ConditionStatus::InProgress);
    municipality.report(&scene.case, debt.0, debt.1).await;
    municipality.consent(bsn(&scene.bsn)).await;
    let request = v1::ListPurposesRequest::default();
    let listed = pi.registry().list_purposes(request).await.unwrap();
    let listed = listed.into_inner().purposes.into_iter();
    let purposes: BTreeSet<String> = listed.map(|version| version.code).collect();
    assert!(purposes.len() > 5, "{purposes:?}");
    for (party, subject) in [
        (&pi, by_case(&scene.case)),
        (&municipality, bsn(&scene.bsn)),
        (&association, mark(&scene.mark)),
    ] {
        let shown = rights(party, subject.clone()).await;
        assert!(!shown.is_empty());
        let mut given = Vec::new();
        for purpose in &purposes {
            for number in 1..=6 {
                let condition = v1::Condition::try_from(number).unwrap();
                let most = v1::Granularity::StatusWithDates;
                // A purpose that is not for this role is refused as such.
                let asked = item(subject.clone(), purpose, condition, most);
                let Ok(Some((told, _))) = party.try_ask(asked).await else {
                    continue;
                };
                given.extend(told.items.into_iter().map(|item| (purpose.clone(), item)));
            }
        }
        assert_eq!(shown.len(), given.len(), "{shown:?} {given:?}");
        for (right, (purpose, item)) in shown.iter().zip(&given) {
            let shown = (&right.purpose, right.condition, &right.counterpart_party_id);
            assert_eq!(shown, (purpose, item.condition, &item.counterpart_party_id));
            assert_eq!(right.provider_basis, item.provider_basis);
            assert_eq!(right.recipient_basis, item.recipient_basis);
        }
    }
}

/// The entry says who looked; what is shown ends with the consent, and is gone with it.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_11_a_look_at_rights_is_an_entry_and_ends_with_the_consent() {
    let broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    let association = broker.party("wonen-zuid").await;
    let now = broker.now();
    municipality.consent(bsn(&scene.bsn)).await;
    let shown = rights(&association, mark(&scene.mark)).await;
    let [right] = &shown[..] else {
        panic!("{shown:?}")
    };
    assert_eq!(right.purpose, HOUSING);
    assert_eq!(right.granularity(), v1::Granularity::Signal);
    assert_eq!(right.counterpart_party_id, "gemeente-oost");
    assert_eq!(right.provider_basis, None);
    assert_eq!(right.until, at(now.plus_millis(30 * 86_400_000)));
    municipality.withdraw(bsn(&scene.bsn)).await;
    assert!(rights(&association, mark(&scene.mark)).await.is_empty());

    let log = broker.check_log().await;
    let details = log.details(broker.place());
    let last = details.last().unwrap().as_ref().unwrap();
    assert!(matches!(last.event, Event::Denied(_)), "{:?}", last.event);
    let looked = details
        .iter()
        .flatten()
        .find_map(|details| match &details.event {
            Event::LookedUp(looked) => Some((looked, details)),
            _ => None,
        });
    let (looked, details) = looked.expect("the look");
    assert_eq!(
        (looked.method.as_str(), looked.results),
        ("ExchangeService/GetMyRights", 1)
    );
    let call = details.call.as_ref().unwrap();
    assert_eq!(
        call.actor.as_ref().unwrap().as_str(),
        actor().unwrap().actor_ref
    );
    assert_eq!(log.count(EntryType::LookUp), 1);
}

/// Why somebody has no right cannot be told from the answer, its headers or its trailers.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_5_six_reasons_for_no_right_are_one_answer() {
    let broker = TestBroker::start().await;
    let classes = six_classes(&broker).await;
    let association = broker.party("wonen-zuid").await;
    let mut seen = Vec::new();
    let mut references = BTreeSet::new();
    for (class, client_ref) in &classes {
        let request = look(mark(client_ref));
        let answer = association.exchange().get_my_rights(request).await.unwrap();
        let headers = headers(answer.metadata());
        let mut answer = answer.into_inner();
        let Some(Outcome::NotDisclosed(denial)) = &mut answer.outcome else {
            panic!("{class}: {answer:?}")
        };
        let len = denial.reference.len();
        assert!(references.insert(std::mem::replace(
            &mut denial.reference,
            vec![0; len].into()
        )));
        seen.push((class, answer.encode_to_vec(), headers));
    }
    for (class, bytes, headers) in &seen {
        assert_eq!((bytes, headers), (&seen[0].1, &seen[0].2), "{class}");
    }
    let log = broker.check_log().await;
    let details = log.details(broker.place());
    let reasons: BTreeSet<_> = details[details.len() - classes.len()..]
        .iter()
        .map(|details| match &details.as_ref().unwrap().event {
            Event::Denied(denied) => format!("{:?}", denied.findings[0].reason),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(
        reasons.len() >= 5,
        "each was denied for its own reason: {reasons:?}"
    );
}
