//! Explanations say the rule, its place in the law, and what was missing.

use schakel_core::{
    ask::Ask,
    code::{Basis, Condition, Status},
    consent::{ConsentKind, ConsentState},
    decide::Reason,
    dossier::Dossier,
    event::{Asked, Denied, Disclosed, Event},
    explain::{Decision, Explanation, explain},
    id::{ConsentId, EntryIndex, Reference},
    inbox::{Pending, Topic},
    registry::{Change, Registry},
    time::Period,
};

use super::scene::{
    CASE, EAST, HOUSING, PI, ask, at, catalogue, consent, decided, dossier, keep, now, purpose,
    registry, report, terms, with_purpose,
};

/// What the entry would hold of this question, explained as of entry 1000.
fn explained(who: &str, code: &str, dossier: &Dossier, registry: &Registry) -> Explanation {
    let asked: Ask = ask(code, &[Condition::Housing]);
    let event = match decided(who, code, Condition::Housing, dossier, registry) {
        Ok(permit) => Event::Disclosed(Disclosed {
            ask: asked,
            version: permit.version().version,
            grants: permit.grants().to_vec(),
            granularity: permit.granularity(),
            salt: [0; 32],
        }),
        Err(denial) => Event::Denied(denied(Asked::Disclosure(asked), denial.into_findings())),
    };
    explain(&event, registry, EntryIndex(1000), now())
}

fn denied(asked: Asked, findings: Vec<schakel_core::decide::Finding>) -> Denied {
    let reference = Reference::from_bytes([0; 16]);
    Denied {
        asked,
        findings,
        reference,
    }
}

fn reported() -> Dossier {
    let mut dossier = dossier();
    report(&mut dossier, PI, Condition::Housing, Status::ActionNeeded);
    dossier
}

#[test]
fn a_disclosure_is_explained_by_its_bases_and_consents() {
    let mut dossier = reported();
    keep(
        &mut dossier,
        consent(
            1,
            terms(ConsentKind::ProcessingBasis),
            &[ConsentState::Given],
        ),
    );
    let explained = explained(HOUSING, "P-ARRANGE-HOUSING", &dossier, &registry());
    assert_eq!(explained.decision, Decision::Disclosed);
    assert_eq!(
        (explained.purpose, explained.version),
        (Some(purpose("P-ARRANGE-HOUSING")), Some(1))
    );
    let [reason] = explained.reasons.as_slice() else {
        panic!("one grant")
    };
    assert_eq!(reason.reason, None);
    assert_eq!(reason.consents, [ConsentId::from_bytes([1; 16])]);
    assert_eq!(
        reason.provider_basis.as_ref().unwrap().basis,
        Basis::Wjsg51c2c
    );
    for words in [
        "whether help is needed",
        "HOUSING",
        PI,
        "Wjsg art. 51c(2)(c)",
        "AVG art. 6(1)(a)",
    ] {
        assert!(reason.text.contains(words), "{words} in {}", reason.text);
    }
    let steps = explained.wjsg_51c.unwrap().to_string();
    for number in ["(1)", "(2)", "(3)", "(4)", "(5)"] {
        assert!(steps.contains(number), "{steps}");
    }
}

#[test]
fn the_steps_of_wjsg_51c_are_shown_where_they_applied_and_nowhere_else() {
    let explained = explained(EAST, "P-PLAN", &reported(), &registry());
    assert_eq!(explained.wjsg_51c, None);
    let reason = &explained.reasons[0];
    assert!(
        reason.text.contains("detention on UAVG_33_1_A"),
        "{}",
        reason.text
    );
    assert!(
        reason.text.contains("Penitentiaire beginselenwet art. 18a"),
        "{}",
        reason.text
    );
}

#[test]
fn the_steps_of_wjsg_51c_are_not_shown_for_another_route_of_the_same_purpose() {
    let mut dossier = dossier();
    report(&mut dossier, EAST, Condition::Housing, Status::ActionNeeded);
    keep(
        &mut dossier,
        consent(
            1,
            terms(ConsentKind::ProcessingBasis),
            &[ConsentState::Given],
        ),
    );
    let explained = explained(HOUSING, "P-ARRANGE-HOUSING", &dossier, &registry());
    assert_eq!(
        (explained.decision, explained.wjsg_51c),
        (Decision::Disclosed, None)
    );
}

#[test]
fn a_denial_is_explained_by_what_was_missing() {
    let mut dossier = reported();
    let states = [ConsentState::Given, ConsentState::Withdrawn];
    keep(
        &mut dossier,
        consent(1, terms(ConsentKind::ProcessingBasis), &states),
    );
    let explained = explained(HOUSING, "P-ARRANGE-HOUSING", &dossier, &registry());
    assert_eq!(
        (explained.decision, explained.version),
        (Decision::NotDisclosed, Some(1))
    );
    let [reason] = explained.reasons.as_slice() else {
        panic!("one reason")
    };
    assert_eq!(reason.reason, Some(Reason::ConsentWithdrawn));
    assert_eq!(reason.consents, [ConsentId::from_bytes([1; 16])]);
    assert!(reason.text.contains("withdrew"), "{}", reason.text);
    assert_eq!(
        reason.provider_basis.as_ref().unwrap().law_ref,
        "Wjsg art. 51c(2)(c)"
    );
    assert!(
        explained.wjsg_51c.is_some(),
        "the route that came closest rests on it"
    );
}

#[test]
fn an_old_decision_is_explained_by_the_version_of_then() {
    let mut later = registry();
    let mut plan = catalogue().purposes.remove(0);
    plan.version = 2;
    plan.validity = Period::new(at("2026-01-01T00:00:00Z"), None).unwrap();
    plan.routes.clear();
    later.make(
        &Change::PutPurpose(plan),
        EntryIndex(2000),
        at("2026-07-01T00:00:00Z"),
    );
    let withdraw = Change::WithdrawPurpose(purpose("P-PLAN"), 1);
    later.make(&withdraw, EntryIndex(2001), at("2026-07-01T00:00:00Z"));

    let topic = Topic::Status {
        case: CASE,
        condition: Condition::Housing,
        purpose: purpose("P-PLAN"),
    };
    let message = Pending {
        subject: dossier().subject,
        topic,
    };
    let asked = Asked::Message {
        order: None,
        position: Some(1),
        message,
        receiver: None,
    };
    let none = with_purpose("P-PLAN", |version| {
        for route in &mut version.routes {
            route.criminal_data_ground = None;
        }
    });
    let denial = decided(EAST, "P-PLAN", Condition::Housing, &reported(), &none).unwrap_err();
    let event = Event::Denied(denied(asked, denial.into_findings()));
    let explained = explain(&event, &later, EntryIndex(1000), now());
    assert_eq!(
        (explained.purpose, explained.version),
        (Some(purpose("P-PLAN")), Some(1))
    );
    let basis = explained.reasons[0].recipient_basis.as_ref().unwrap();
    assert_eq!(basis.basis, Basis::Pbw18a);
}

#[test]
fn what_decided_nothing_is_said_in_a_line() {
    let explained = explain(&Event::Stopped, &registry(), EntryIndex(1), now());
    assert_eq!(explained.decision, Decision::NoDecision);
    assert_eq!(explained.summary, "the broker stopped in order");
    assert!(explained.reasons.is_empty());
}
