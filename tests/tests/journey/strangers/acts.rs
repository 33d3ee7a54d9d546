//! What others do with people, and what a stranger does that names them.

use schakel_api::v1;
use schakel_tests::{Party, TestBroker, actor, bsn, consent, item, key, mark};

use super::{Person, Told};
use crate::journey::numbers::acts::{Acts as _, by_skn};

/// Everybody but the stranger: the institution that has the people, and the municipality of return.
const PRISON: &str = "pi-zuid";
const TOWN: &str = "gemeente-west";

/// A broker on which others know these people: in a case by both numbers and served, in a case by the number of
/// criminal justice alone, by a consent that nobody was served on, and in a case in which nobody was served.
pub(super) async fn known_elsewhere(
    broker: &TestBroker,
    ([served, by_skn_alone, agreed, unserved], [one, two]): ([Person; 4], [Person; 2]),
) {
    let (prison, town) = (broker.party(PRISON).await, broker.party(TOWN).await);
    for person in [served, one] {
        helped(broker, &prison, &town, person).await;
    }
    for person in [by_skn_alone, two] {
        let (case, _) = prison.open(Some(&person.skn()), None).await;
        let status = v1::ConditionStatus::ActionNeeded;
        assert!(prison.report(&case, v1::Condition::Housing, status).await);
    }
    for person in [agreed, two] {
        let mut request = consent(bsn(&person.bsn()), broker.now());
        let terms = request.terms.as_mut().unwrap();
        terms.provider_party_ids = vec![TOWN.into()];
        town.try_consent(request).await.unwrap().expect("a consent");
    }
    let numbers = (unserved.skn(), unserved.bsn());
    opened(&prison, (&numbers.0, &numbers.1)).await;
}

/// A case by two numbers, of which the criminal justice number is the prison's own word.
async fn opened(prison: &Party, (skn, number): (&str, &str)) -> String {
    let request = v1::OpenCaseRequest {
        idempotency_key: key(),
        actor: actor(),
        skn: Some(skn.into()),
        bsn: Some(number.into()),
        municipality_party_id: Some(TOWN.into()),
    };
    let answer = prison.cases().open_case(request).await.unwrap();
    match answer.into_inner().outcome {
        Some(v1::open_case_response::Outcome::Opened(opened)) => opened.case_id,
        other => panic!("{other:?}"),
    }
}

/// Somebody of whom a municipality was told by law and an association on consent.
async fn helped(broker: &TestBroker, prison: &Party, town: &Party, person: Person) {
    let (skn, number) = (person.skn(), person.bsn());
    let case = opened(prison, (&skn, &number)).await;
    for condition in [v1::Condition::Housing, v1::Condition::Income] {
        let status = v1::ConditionStatus::ActionNeeded;
        assert!(prison.report(&case, condition, status).await);
    }
    let (housing, status) = (v1::Condition::Housing, v1::Granularity::StatusWithDates);
    let asked = item(bsn(&number), "P-PLAN", housing, status);
    town.ask(asked).await.expect("told by law");
    let association = broker.party("wonen-zuid").await;
    let code = town.introduce(&case, "wonen-zuid", housing).await;
    let known_as = format!("huurder-{number}");
    association.redeem(&code, &known_as).await;
    let mut request = consent(bsn(&number), broker.now());
    let terms = request.terms.as_mut().unwrap();
    terms.provider_party_ids = vec![PRISON.into(), TOWN.into()];
    town.try_consent(request).await.unwrap().expect("a consent");
    let signal = v1::Granularity::Signal;
    let asked = item(mark(&known_as), schakel_tests::HOUSING, housing, signal);
    association.ask(asked).await.expect("told on consent");
    assert!(prison.case_of(by_skn(&skn)).await.is_some());
}

/// Everything a stranger does by which it names somebody.
pub(super) async fn names(party: &Party, subject: &v1::SubjectRef, told: &mut Told) {
    let subject = || Some(subject.clone());
    let (housing, status) = (v1::Condition::Housing, v1::Granularity::StatusWithDates);
    let request = v1::AskRequest {
        actor: actor(),
        item: subject().map(|subject| item(subject, "P-PLAN", housing, status)),
    };
    let answer = party.exchange().ask(request).await.unwrap();
    told.note("asked", answer.get_ref());
    let request = v1::ListConsentsRequest {
        actor: actor(),
        subject: subject(),
    };
    let answer = party.consents().list_consents(request).await.unwrap();
    let outcome = answer.into_inner().outcome;
    told.note("consents", &outcome.map(|o| std::mem::discriminant(&o)));
    let request = v1::GetMyRightsRequest {
        actor: actor(),
        subject: subject(),
    };
    let answer = party.exchange().get_my_rights(request).await.unwrap();
    let outcome = answer.into_inner().outcome;
    told.note("rights", &outcome.map(|o| std::mem::discriminant(&o)));
    withdraws(party, &subject().unwrap(), told).await;
    let own = Some(party.id().to_owned());
    let mut recorded = Vec::new();
    for controller in [None, own] {
        recorded.push(restricts(party, &subject(), controller, told).await);
    }
    // Of the three one is nobody's.
    recorded.swap(0, 1);
    recorded[1] = key();
    for restriction in recorded {
        lifts(party, &subject(), restriction, told).await;
    }
}

/// Withdrawals, of a part and of the rest.
pub(super) async fn withdraws(party: &Party, subject: &v1::SubjectRef, told: &mut Told) {
    let subject = || Some(subject.clone());
    let housing = v1::Condition::Housing;
    for (conditions, recipient) in [
        (vec![housing.into()], Some("wonen-zuid".to_owned())),
        (Vec::new(), None),
    ] {
        let request = v1::WithdrawConsentRequest {
            idempotency_key: key(),
            actor: actor(),
            subject: subject(),
            conditions,
            recipient_party_id: recipient,
        };
        let answer = party.consents().withdraw_consent(request).await.unwrap();
        passed_on(party, (&subject(), answer.into_inner().receipt), told).await;
    }
}

/// What an officer passes on, and what it lifts of its own and of what the party recorded.
pub(super) async fn officer_names(officer: &Party, party: &Party, person: Person, told: &mut Told) {
    let subject = Some(bsn(&person.bsn()));
    let withdrawn = officer.withdraw(bsn(&person.bsn())).await;
    passed_on(officer, (&subject, Some(withdrawn)), told).await;
    let own = restricts(officer, &subject, None, told).await;
    let mut recorded = vec![own, key()];
    if party.id() != "reclassering-test" {
        recorded.push(restricts(party, &subject, None, told).await);
    }
    for restriction in recorded {
        lifts(officer, &subject, restriction, told).await;
    }
}

/// A consent of the stranger's, which is made up.
pub(super) async fn agrees(
    party: &Party,
    subject: &v1::SubjectRef,
    state: v1::ConsentState,
    told: &mut Told,
) {
    let mut request = consent(subject.clone(), party.now());
    request.state = state.into();
    let terms = request.terms.as_mut().unwrap();
    terms.provider_party_ids = vec!["gemeente-oost".into()];
    let recorded = party.try_consent(request).await.unwrap();
    told.note("consent", &recorded.is_some());
}

async fn restricts(
    party: &Party,
    subject: &Option<v1::SubjectRef>,
    controller: Option<String>,
    told: &mut Told,
) -> String {
    let request = v1::RecordRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: subject.clone(),
        kind: v1::RestrictionKind::Objection.into(),
        conditions: controller
            .iter()
            .map(|_| v1::Condition::Housing.into())
            .collect(),
        controller_party_id: controller,
    };
    let answer = party.consents().record_restriction(request).await.unwrap();
    let answer = answer.into_inner();
    passed_on(party, (subject, answer.receipt), told).await;
    answer.restriction_id
}

async fn lifts(
    party: &Party,
    subject: &Option<v1::SubjectRef>,
    restriction_id: String,
    told: &mut Told,
) {
    let request = v1::LiftRestrictionRequest {
        idempotency_key: key(),
        actor: actor(),
        subject: subject.clone(),
        restriction_id,
    };
    let answer = party.consents().lift_restriction(request).await.unwrap();
    match answer.into_inner().outcome {
        Some(v1::lift_restriction_response::Outcome::Lifted(done)) => {
            told.receipt("lifted", done.receipt);
        }
        other => panic!("{other:?}"),
    }
}

/// The receipt of what was passed on, and the notices it caused.
async fn passed_on(
    party: &Party,
    (subject, receipt): (&Option<v1::SubjectRef>, Option<v1::Receipt>),
    told: &mut Told,
) {
    let request = v1::GetNoticeRequest {
        actor: actor(),
        subject: subject.clone(),
        entry_index: receipt.as_ref().map_or(0, |receipt| receipt.index),
    };
    told.receipt("passed on", receipt);
    let answer = party.notices().get_notice(request).await.unwrap();
    told.note("notices", answer.get_ref());
}
