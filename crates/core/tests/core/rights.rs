//! What a party is shown that it may be told, held against what asking gives.

use std::collections::BTreeSet;

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use schakel_core::{
    ask::Ask,
    code::{Condition, Granularity, Status},
    consent::{ConsentKind, ConsentState},
    decide::{Denial, Grant, Reason, decide},
    dossier::Dossier,
    minimise::minimise,
    person::SubjectRef,
    right::{Right, rights},
    time::Period,
};

use super::{
    scene::{
        CASE, EAST, HOUSING, PI, consent, dossier, keep, now, party, peer, registry, report, terms,
    },
    world::{World, any_world},
};

fn shown(world: &World) -> Result<Vec<Right>, Denial> {
    let (registry, dossier) = (world.registry(), Some(&world.dossier));
    rights(
        &world.ask.subject,
        &world.peer(),
        dossier,
        &registry,
        world.now,
    )
}

/// What asking for one condition gives at an instant, as the entry holds it.
fn asked(world: &World, condition: Condition, at: schakel_core::time::Timestamp) -> Vec<Grant> {
    let ask = Ask {
        version: None,
        conditions: [condition].into(),
        granularity: Granularity::StatusWithDates,
        ..world.ask.clone()
    };
    let (registry, peer) = (world.registry(), world.peer());
    decide(&ask, &peer, Some(&world.dossier), &registry, at).map_or_else(
        |_| Vec::new(),
        |permit| {
            minimise(permit, &world.dossier, &registry, at)
                .grants()
                .to_vec()
        },
    )
}

fn seen(who: &str, dossier: &Dossier) -> Result<Vec<Right>, Denial> {
    let subject = SubjectRef::Case(CASE);
    rights(&subject, &peer(who), Some(dossier), &registry(), now())
}

fn consenting() -> Dossier {
    let mut dossier = dossier();
    let terms = terms(ConsentKind::ProcessingBasis);
    keep(&mut dossier, consent(1, terms, &[ConsentState::Given]));
    report(&mut dossier, PI, Condition::Housing, Status::ActionNeeded);
    dossier
}

#[test]
fn the_worlds_show_rights_with_and_without_an_end() {
    let mut runner = TestRunner::deterministic();
    let (mut ending, mut lasting, mut denied) = (0, 0, 0);
    for _ in 0..1000 {
        let world = any_world().new_tree(&mut runner).unwrap().current();
        let Ok(rights) = shown(&world) else {
            denied += 1;
            continue;
        };
        let ends = rights.iter().filter(|right| right.until.is_some()).count();
        ending += ends;
        lasting += rights.len() - ends;
    }
    assert!(
        ending > 100 && lasting > 100 && denied > 100,
        "{ending}, {lasting}, {denied}"
    );
}

#[test]
fn an_outsider_is_shown_one_right_a_condition_with_the_municipality_as_counterpart() {
    let mut dossier = consenting();
    report(&mut dossier, EAST, Condition::Housing, Status::ActionNeeded);
    let rights = seen(HOUSING, &dossier).unwrap();
    let of = |code: &str| {
        let found = rights.iter().filter(|right| right.purpose.as_str() == code);
        found.collect::<Vec<_>>()
    };
    let [right] = of("P-ARRANGE-HOUSING")[..] else {
        panic!("{rights:?}")
    };
    assert_eq!(right.condition, Condition::Housing);
    assert_eq!(right.granularity, Granularity::Signal);
    assert_eq!(right.counterpart.as_str(), EAST);
    assert_eq!(right.provider_basis, None);
    let consent = dossier.consents.values().next().unwrap();
    assert_eq!(right.until, Some(consent.terms.valid_until));
    assert!(!format!("{rights:?}").contains(PI));
}

#[test]
fn a_right_ends_with_the_place_in_the_case_even_when_another_follows() {
    let mut dossier = consenting();
    let end = now().plus_days(3);
    let case = dossier.cases.get_mut(&CASE).unwrap();
    let place = case
        .members
        .iter_mut()
        .find(|given| given.party == party(HOUSING))
        .unwrap();
    place.period.until = Some(end);
    let until = |dossier: &Dossier| seen(HOUSING, dossier).unwrap()[0].until;
    assert_eq!(until(&dossier), Some(end));
    let case = dossier.cases.get_mut(&CASE).unwrap();
    let mut next = case.members[2].clone();
    assert_eq!(next.party.as_str(), HOUSING);
    next.period = Period::new(end, Some(end.plus_days(4))).unwrap();
    case.members.push(next);
    assert_eq!(until(&dossier), Some(end.plus_days(4)));
    let case = dossier.cases.get_mut(&CASE).unwrap();
    case.introduced.insert((party(HOUSING), Condition::Housing));
    let consent = dossier.consents.values().next().unwrap().terms.valid_until;
    assert_eq!(
        until(&dossier),
        Some(consent),
        "then the consent ends first"
    );
}

#[test]
fn who_may_be_told_nothing_is_denied_for_the_most_telling_reason() {
    let mut dossier = consenting();
    dossier.consents.clear();
    let denial = seen(HOUSING, &dossier).unwrap_err();
    assert_eq!(denial.reason(), Reason::ConsentMissing);
    let findings = denial.into_findings();
    for (at, finding) in findings.iter().enumerate() {
        assert!(!findings[..at].contains(finding), "once is enough");
    }
    let subject = SubjectRef::Case(CASE);
    let unknown = rights(&subject, &peer(HOUSING), None, &registry(), now()).unwrap_err();
    assert_eq!(unknown.reason(), Reason::SubjectUnknown);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    /// Invariant 6 for rights: what is shown lies within what is permitted, and asking for it gives it.
    #[test]
    fn invariant_6_a_right_is_shown_when_and_only_when_asking_gives_it(world in any_world()) {
        let shown = shown(&world).unwrap_or_default();
        let told: BTreeSet<_> = shown.iter().map(|right| right.condition).collect();
        for condition in Condition::ALL.iter().copied() {
            let grants = asked(&world, condition, world.now);
            prop_assert_eq!(!grants.is_empty(), told.contains(&condition));
            let of: Vec<_> = shown.iter().filter(|right| right.condition == condition).collect();
            prop_assert_eq!(of.len(), grants.len());
            for (right, grant) in of.into_iter().zip(&grants) {
                prop_assert_eq!(right.granularity, grant.granularity);
                prop_assert_eq!(&right.recipient_basis, &grant.recipient_basis);
                prop_assert!(right.until.is_none_or(|until| world.now < until));
                let outsider = !world.peer().roles.iter().any(|role| role.knows_of_detention());
                let basis = (!outsider).then_some(&grant.provider_basis);
                prop_assert_eq!(right.provider_basis.as_ref(), basis);
                prop_assert!(outsider || right.counterpart == grant.provider);
            }
        }
    }

    /// What a right rests on gives it no more at its end.
    #[test]
    fn at_its_end_a_right_rests_on_something_else_or_is_gone(world in any_world()) {
        let shown = shown(&world).unwrap_or_default();
        for condition in Condition::ALL.iter().copied() {
            let of = shown.iter().filter(|right| right.condition == condition);
            for (right, grant) in of.zip(asked(&world, condition, world.now)) {
                let Some(until) = right.until else { continue };
                prop_assert!(!asked(&world, condition, until).contains(&grant), "{:?}", right);
            }
        }
    }

    #[test]
    fn what_outsiders_are_shown_never_betrays_detention(world in any_world()) {
        let outsider = !world.peer().roles.iter().any(|role| role.knows_of_detention());
        let Ok(shown) = shown(&world) else { return Ok(()) };
        if !outsider {
            return Ok(());
        }
        let text = format!("{shown:?}");
        for (id, roles) in &world.parties {
            if roles.contains(&schakel_core::code::Role::Pi) {
                prop_assert!(!text.contains(id.as_str()), "{} in {}", id, text);
            }
        }
        for word in ["Wjsg", "WJSG", "Pbw", "PBW"] {
            prop_assert!(!text.contains(word), "{} in {}", word, text);
        }
    }
}
