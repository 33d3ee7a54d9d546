//! Nothing a caller can do ends the broker, or makes a withdrawal unanswerable.

use std::{collections::BTreeSet, time::Duration};

use schakel_core::{
    case::ClosingReason,
    consent::{
        Attestations, CollectionMethod, Consent, ConsentKind, ConsentState, ConsentTerms, GivenBy,
        MOST_COLLECTED, NoticeText,
    },
    event::Event,
    restriction::RestrictionKind,
};
use schakel_store::{log::MAX_PART_LEN, seal};

use super::*;

fn person() -> SubjectRef {
    SubjectRef::Bsn("999999990".parse().unwrap())
}

fn terms(by: &str, recipients: &[String], now: Timestamp) -> Box<ConsentTerms> {
    Box::new(ConsentTerms {
        kind: ConsentKind::ProcessingBasis,
        explicit: true,
        case: None,
        conditions: [Condition::Housing].into(),
        purposes: ["P-ARRANGE-HOUSING".parse().unwrap()].into(),
        providers: ["gemeente-oost".parse().unwrap()].into(),
        recipients: recipients.iter().map(|id| id.parse().unwrap()).collect(),
        granularity: Granularity::Signal,
        valid_from: now,
        valid_until: now.plus_days(365),
        notice: NoticeText {
            version: "1".into(),
            language: "nl".into(),
            sha256: [3; 32],
        },
        collected_by: by.parse().unwrap(),
        method: CollectionMethod::Written,
        collected_at: now,
        given_by: GivenBy::Subject,
        interpreter: false,
        attestations: Attestations {
            own_interest: true,
            help_question: true,
            refusal_without_detriment: true,
            alternative_offered: true,
        },
    })
}

fn consent(by: &str, recipients: &[String], now: Timestamp) -> Request {
    let call = Call::RecordConsent {
        subject: person(),
        state: ConsentState::Given,
        terms: terms(by, recipients, now),
    };
    request(by, Role::HousingAssociation, call)
}

fn withdrawal() -> Call {
    Call::WithdrawConsent {
        subject: person(),
        conditions: BTreeSet::new(),
        recipient: None,
    }
}

async fn all_done(sequencer: &Sequencer, requests: Vec<Request>) {
    for answer in sequencer.submit_all(requests).await {
        answer.unwrap();
    }
}

/// The consents that a party sees of the person.
async fn consents_of(sequencer: &Sequencer, party: &str) -> Vec<Consent> {
    let call = Call::Consents {
        subject: person(),
        consent: None,
    };
    let id = party.parse().unwrap();
    let role = sequencer.registry().party(&id).unwrap().roles[0];
    match submit(sequencer, party, role, call).await.outcome {
        Outcome::Consents(consents, _) => consents,
        other => panic!("{other:?}"),
    }
}

/// The entries of an event, each as small as an entry must be; for how many controllers each is sealed.
fn parts(sequencer: &Sequencer, of: impl Fn(&Event) -> bool) -> Vec<usize> {
    let trail = sequencer.trail();
    let mut parts = Vec::new();
    for index in 0..trail.size() {
        let details = trail.entry(index).unwrap().unwrap().details;
        if details.is_some_and(|details| of(&details.event)) {
            let sealed = trail.sealed(schakel_core::id::EntryIndex(index)).unwrap();
            assert!(sealed.len() <= MAX_PART_LEN, "entry {index}");
            parts.push(seal::slots(&sealed).len());
        }
    }
    parts
}

fn ends(event: &Event) -> bool {
    matches!(event, Event::ConsentEnded(_))
}

/// All of them end by one call, however many entries that takes; nothing of it is lost at a restart.
#[tokio::test]
async fn thousands_of_consents_end_by_one_withdrawal() {
    const COLLECTORS: u32 = 17;
    let bench = Bench::new().with_associations(COLLECTORS);
    let started = bench.start();
    let now = bench.clock.now();
    for n in 0..COLLECTORS {
        let by = association(n);
        let recorded = (0..MOST_COLLECTED).map(|_| consent(&by, std::slice::from_ref(&by), now));
        all_done(&started.sequencer, recorded.collect()).await;
    }
    let done = submit(
        &started.sequencer,
        "wonen-0",
        Role::HousingAssociation,
        withdrawal(),
    );
    assert!(matches!(done.await.outcome, Outcome::Done));
    assert!(parts(&started.sequencer, ends).len() > 1);
    let mut started = Some(started);
    for restarted in [false, true] {
        if restarted {
            stop(started.take().unwrap()).await;
            fs::remove_dir_all(bench.paths.data.join("view")).unwrap();
            started = Some(bench.start());
        }
        let sequencer = &started.as_ref().unwrap().sequencer;
        for n in [0, COLLECTORS - 1] {
            let consents = consents_of(sequencer, &association(n)).await;
            assert_eq!(consents.len(), MOST_COLLECTED);
            let now = bench.clock.now();
            let withdrawn = |one: &Consent| one.state(now) == Some(ConsentState::Withdrawn);
            assert!(consents.iter().all(withdrawn), "{n}, {restarted}");
        }
    }
    stop(started.unwrap()).await;
}

/// An entry is sealed for at most 255 controllers; what more of them must keep stands in several.
#[tokio::test]
async fn a_withdrawal_and_a_restriction_go_on_past_255_controllers() {
    const ASSOCIATIONS: u32 = 320;
    let bench = Bench::new().with_associations(ASSOCIATIONS);
    let started = bench.start();
    let sequencer = &started.sequencer;
    let all: Vec<String> = (0..ASSOCIATIONS).map(association).collect();
    let now = bench.clock.now();
    let recorded = all.chunks(16).map(|some| consent(&some[0], some, now));
    all_done(sequencer, recorded.collect()).await;

    let restrict = Call::RecordRestriction {
        subject: person(),
        kind: RestrictionKind::Restriction,
        controller: None,
        conditions: BTreeSet::new(),
    };
    let done = submit(sequencer, "wonen-0", Role::HousingAssociation, restrict).await;
    let Outcome::Restricted(restriction) = done.outcome else {
        panic!("{:?}", done.outcome);
    };
    let restricted = parts(sequencer, |event| matches!(event, Event::Restricted { .. }));
    assert!(restricted.len() > 1);
    // Each is sealed for its own part, and all of them for whoever recorded it.
    let sealed_for: usize = restricted.iter().map(|slots| slots - 1).sum();
    // The municipality that provides is one of them.
    assert_eq!(sealed_for, all.len());

    let subject = person();
    let lift = Call::LiftRestriction {
        subject,
        restriction,
    };
    let done = submit(sequencer, "wonen-0", Role::HousingAssociation, lift).await;
    assert!(matches!(done.outcome, Outcome::Done));
    let done = submit(sequencer, "wonen-0", Role::HousingAssociation, withdrawal()).await;
    assert!(matches!(done.outcome, Outcome::Done));
    assert!(parts(sequencer, ends).len() > 1);
    for party in [&all[0], &all[319]] {
        let consents = consents_of(sequencer, party).await;
        let now = bench.clock.now();
        assert_eq!(consents[0].state(now), Some(ConsentState::Withdrawn));
    }
    stop(started).await;
}

/// The bound counts what the party recorded itself: what others recorded shows in no answer.
#[tokio::test]
async fn a_party_is_told_of_the_bound_on_its_own_consents() {
    let bench = Bench::new().with_associations(2);
    let started = bench.start();
    let sequencer = &started.sequencer;
    let now = bench.clock.now();
    let by = [association(0)];
    let recorded = (0..MOST_COLLECTED).map(|_| consent(&by[0], &by, now));
    all_done(sequencer, recorded.collect()).await;
    let refused = sequencer.submit(consent(&by[0], &by, now)).await;
    match refused {
        Err(CallError::Invalid { field, rule }) => {
            assert_eq!(field, "subject");
            assert!(rule.contains("256"), "{rule}");
        }
        other => panic!("{other:?}"),
    }
    let other = [association(1)];
    sequencer
        .submit(consent(&other[0], &other, now))
        .await
        .unwrap();
    stop(started).await;
}

/// A case that knew the person before is destroyed with what only it knew. A consent goes on being found by the number
/// by which it was collected: else a withdrawal by it would be taken and not reach it.
#[tokio::test]
async fn a_consent_is_found_by_its_number_when_the_case_that_knew_it_is_gone() {
    let bench = Bench::new();
    let started = bench.start();
    let sequencer = &started.sequencer;
    let case = case_with_housing(sequencer, bench.clock.now()).await;
    let SubjectRef::Case(case) = case else {
        panic!("a case");
    };
    let recipients = ["wonen-zuid".into()];
    let record = Call::RecordConsent {
        subject: person(),
        state: ConsentState::Given,
        terms: terms("gemeente-oost", &recipients, bench.clock.now()),
    };
    submit(sequencer, "gemeente-oost", Role::Municipality, record).await;
    let reason = ClosingReason::Completed;
    let close = Call::CloseCase { case, reason };
    submit(sequencer, "pi-noord", Role::Pi, close).await;
    bench.clock.advance(Duration::from_hours(24 * 181));
    while sequencer.look_what_is_due().await.unwrap() {}
    let opened = parts(sequencer, |event| matches!(event, Event::CaseOpened { .. }));
    assert!(opened.is_empty(), "the case is gone");
    let found = consents_of(sequencer, "gemeente-oost").await;
    assert_eq!(found.len(), 1);
    let withdrawn = submit(sequencer, "zorg-midden", Role::CareProvider, withdrawal()).await;
    assert!(matches!(withdrawn.outcome, Outcome::Done));
    let found = consents_of(sequencer, "gemeente-oost").await;
    let state = found.first().and_then(|one| one.state(bench.clock.now()));
    assert_eq!(state, Some(ConsentState::Withdrawn));
    stop(started).await;
}
