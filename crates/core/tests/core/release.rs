//! What is told of what was granted, and what never is.

use std::cell::RefCell;

use proptest::prelude::*;
use schakel_core::{
    code::{Condition, Granularity, Regime, Role, Status},
    consent::{ConsentKind, ConsentState},
    decide::{Grant, Permit},
    dossier::Dossier,
    id::SubjectId,
    minimise::{Durable, Released, Told, minimise},
    registry::Registry,
    time::Timestamp,
};

use super::{
    scene::{
        DEBT, EAST, HOUSING, PI, PROBATION, consent, decided, dossier, keep, now, registry, report,
        terms,
    },
    world::any_world,
};

/// What a permit comes to: what the entry holds, and what is released once it is recorded.
struct Outcome {
    grants: Vec<Grant>,
    granularity: Granularity,
    released: Released,
    text: String,
}

fn release(permit: Permit, dossier: &Dossier, registry: &Registry, now: Timestamp) -> Outcome {
    thread_local!(static LAST: RefCell<Option<Released>> = const { RefCell::new(None) });
    fn encode(released: &Released) -> Vec<u8> {
        LAST.set(Some(released.clone()));
        format!("{released:?}").into_bytes()
    }
    fn digest(salt: &[u8; 32], content: &[u8]) -> [u8; 32] {
        let mut digest = *salt;
        for (at, byte) in content.iter().enumerate() {
            digest[at % 32] ^= byte;
        }
        digest
    }
    let minimised = minimise(permit, dossier, registry, now);
    let (grants, granularity) = (minimised.grants().to_vec(), minimised.granularity());
    let committed = minimised.commit(encode, &[5; 32], digest);
    let promised = committed.digest();
    let content = committed.release(&Durable::assertion());
    assert_eq!(
        digest(&[5; 32], &content),
        promised,
        "what leaves is what was committed to"
    );
    Outcome {
        grants,
        granularity,
        released: LAST.take().unwrap(),
        text: String::from_utf8(content).unwrap(),
    }
}

fn told(who: &str, code: &str, condition: Condition, dossier: &Dossier) -> Outcome {
    let permit = decided(who, code, condition, dossier, &registry()).unwrap();
    release(permit, dossier, &registry(), now())
}

fn consenting(condition: Condition) -> Dossier {
    let mut dossier = dossier();
    keep(
        &mut dossier,
        consent(
            1,
            terms(ConsentKind::ProcessingBasis),
            &[ConsentState::Given],
        ),
    );
    report(&mut dossier, PI, condition, Status::ActionNeeded);
    dossier
}

#[test]
fn an_insider_is_told_everything_with_the_reporter_as_counterpart() {
    let dossier = consenting(Condition::Housing);
    let outcome = told(EAST, "P-PLAN", Condition::Housing, &dossier);
    let [item] = outcome.released.items.as_slice() else {
        panic!("one item")
    };
    assert_eq!(item.counterpart.as_str(), PI);
    assert_eq!(item.contact.email, "team@pi-noord.example");
    assert!(item.moment.is_some() && item.provider_basis.is_some());
    let Told::StatusWithDates {
        status, expected, ..
    } = item.told
    else {
        panic!("with dates")
    };
    assert_eq!((status, expected.is_some()), (Status::ActionNeeded, true));
}

#[test]
fn an_outsider_is_told_one_item_with_the_municipality_as_counterpart() {
    let mut dossier = consenting(Condition::Housing);
    report(&mut dossier, EAST, Condition::Housing, Status::ActionNeeded);
    let outcome = told(HOUSING, "P-ARRANGE-HOUSING", Condition::Housing, &dossier);
    let [item] = outcome.released.items.as_slice() else {
        panic!("one item")
    };
    assert_eq!(item.counterpart.as_str(), EAST);
    assert_eq!(item.told, Told::Signal(true));
    assert_eq!((item.moment, &item.provider_basis), (None, &None));
    assert_eq!(outcome.released.regime, Regime::Avg);
    assert_eq!(
        outcome.grants.len(),
        1,
        "the entry holds what was told, and no more"
    );
}

#[test]
fn an_outsider_is_told_the_newest_and_the_later_entry_on_a_tie() {
    for (as_of_pi, newest) in [
        ("2026-04-30", EAST),
        ("2026-05-01", EAST),
        ("2026-05-02", PI),
    ] {
        let mut dossier = consenting(Condition::Debt);
        report(&mut dossier, EAST, Condition::Debt, Status::Arranged);
        for record in dossier.statuses.values_mut() {
            if record.reporter.as_str() == PI {
                record.report.as_of = as_of_pi.parse().unwrap();
            }
        }
        let outcome = told(DEBT, "P-ARRANGE-DEBT", Condition::Debt, &dossier);
        let providers: Vec<_> = outcome
            .grants
            .iter()
            .map(|grant| grant.provider.as_str())
            .collect();
        assert_eq!(providers, [newest], "{as_of_pi}");
        let status = if newest == PI {
            Status::ActionNeeded
        } else {
            Status::Arranged
        };
        assert_eq!(
            outcome.released.items[0].told,
            Told::Status(status),
            "{as_of_pi}"
        );
    }
}

#[test]
fn a_signal_tells_whether_help_is_needed_and_nothing_else() {
    for status in Status::ALL {
        let mut dossier = consenting(Condition::Housing);
        report(&mut dossier, PI, Condition::Housing, *status);
        let decision = decided(
            HOUSING,
            "P-ARRANGE-HOUSING",
            Condition::Housing,
            &dossier,
            &registry(),
        );
        match (decision, status.signal()) {
            (Ok(permit), Some(signal)) => {
                let outcome = release(permit, &dossier, &registry(), now());
                assert_eq!(outcome.released.items[0].told, Told::Signal(signal));
                assert!(
                    !outcome.text.contains(&format!("{status:?}")),
                    "{}",
                    outcome.text
                );
            }
            (Err(_), None) => {}
            (decision, signal) => panic!("{status}: {decision:?}, {signal:?}"),
        }
    }
}

#[test]
fn what_goes_to_a_pi_is_held_under_the_wjsg() {
    let mut dossier = dossier();
    report(
        &mut dossier,
        PROBATION,
        Condition::Housing,
        Status::Arranged,
    );
    let outcome = told(PI, "P-PLAN", Condition::Housing, &dossier);
    assert_eq!(outcome.released.regime, Regime::Wjsg);
    assert_eq!(outcome.released.retention_days, 365);
}

#[test]
fn a_permit_for_one_person_opens_nothing_of_another() {
    let ours = consenting(Condition::Housing);
    let permit = decided(EAST, "P-PLAN", Condition::Housing, &ours, &registry()).unwrap();
    let mut theirs = ours.clone();
    theirs.subject = SubjectId::from_bytes([8; 16]);
    let outcome = release(permit, &theirs, &registry(), now());
    assert_eq!((outcome.released.items.len(), outcome.grants.len()), (0, 0));
}

#[test]
fn a_report_replaced_after_the_decision_is_not_told() {
    let mut dossier = consenting(Condition::Housing);
    let permit = decided(EAST, "P-PLAN", Condition::Housing, &dossier, &registry()).unwrap();
    report(&mut dossier, PI, Condition::Housing, Status::Arranged);
    let outcome = release(permit, &dossier, &registry(), now());
    assert_eq!((outcome.released.items.len(), outcome.grants.len()), (0, 0));
}

#[test]
fn what_is_minimised_and_not_yet_recorded_shows_no_value() {
    let dossier = consenting(Condition::Housing);
    let permit = decided(EAST, "P-PLAN", Condition::Housing, &dossier, &registry()).unwrap();
    let minimised = minimise(permit, &dossier, &registry(), now());
    assert!(!format!("{minimised:?}").contains("ActionNeeded"));
    let committed = minimised.commit(|_| b"secret".to_vec(), &[0; 32], |_, _| [0; 32]);
    assert_eq!(format!("{committed:?}"), "Committed { .. }");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    /// Invariant 6, the other half: nothing is told but what was permitted.
    #[test]
    fn invariant_6_released_lies_within_what_is_permitted(world in any_world()) {
        let Ok(permit) = world.decide() else { return Ok(()) };
        let (permitted, outsider) = (permit.grants().to_vec(), permit.is_to_outsider());
        let outcome = release(permit, &world.dossier, &world.registry(), world.now);
        prop_assert!(!outcome.released.items.is_empty());
        prop_assert_eq!(outcome.released.items.len(), outcome.grants.len());
        if !outsider {
            prop_assert_eq!(&outcome.grants, &permitted, "insiders are told all that is granted");
        }
        let most = outcome.grants.iter().map(|grant| grant.granularity).max();
        prop_assert_eq!(Some(outcome.granularity), most);
        for (item, grant) in outcome.released.items.iter().zip(&outcome.grants) {
            prop_assert!(permitted.contains(grant));
            prop_assert_eq!(item.condition, grant.condition);
            let key = (grant.case, grant.condition, grant.provider.clone());
            let report = &world.dossier.statuses[&key].report;
            let permitted = match grant.granularity {
                Granularity::Signal => Told::Signal(report.status.signal().unwrap()),
                Granularity::Status => Told::Status(report.status),
                Granularity::StatusWithDates => Told::StatusWithDates {
                    status: report.status, as_of: report.as_of, expected: report.expected,
                },
            };
            prop_assert_eq!(&item.told, &permitted);
            let declined = report.status == Status::HelpDeclined;
            prop_assert!(!declined || report.offered_by.as_ref() == Some(&world.asker));
        }
    }

    #[test]
    fn what_outsiders_are_told_never_betrays_detention(world in any_world()) {
        let Ok(permit) = world.decide() else { return Ok(()) };
        prop_assume!(permit.is_to_outsider());
        let outcome = release(permit, &world.dossier, &world.registry(), world.now);
        let mut conditions: Vec<_> =
            outcome.released.items.iter().map(|item| item.condition).collect();
        conditions.dedup();
        prop_assert_eq!(conditions.len(), outcome.released.items.len(), "one item a condition");
        for item in &outcome.released.items {
            prop_assert_eq!(item.moment, None);
            prop_assert_eq!(&item.provider_basis, &None);
            prop_assert!(world.roles(&item.counterpart).contains(&Role::Municipality));
        }
        for (id, roles) in &world.parties {
            if roles.contains(&Role::Pi) {
                let text = &outcome.text;
                prop_assert!(!text.contains(id.as_str()), "{} in {}", id, text);
            }
        }
        for word in ["Wjsg", "WJSG", "Pbw", "PBW", "moment: Some", "provider_basis: Some"] {
            prop_assert!(!outcome.text.contains(word), "{} in {}", word, outcome.text);
        }
    }
}
