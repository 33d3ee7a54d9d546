//! What holds of every decision, in any world. Numbers are those of the invariants in ARCHITECTURE.md.

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use schakel_core::{
    code::{Basis, Condition, CriminalDataGround, Granularity, Regime, Role, Status},
    consent::ConsentKind,
    decide::{Denial, Grant, MOST_FINDINGS, Permit, Reason, decide},
    id::EntryIndex,
    person::SubjectRef,
    registry::Change,
    status::StatusRecord,
};

use super::{
    scene::{CASE, EAST, PI, decided, dossier, party, purpose, report, with_purpose},
    world::{World, any_world},
};

/// What a world's question is granted; nothing when it is denied.
fn grants(world: &World) -> Vec<Grant> {
    world
        .decide()
        .map_or_else(|_| Vec::new(), |permit| permit.grants().to_vec())
}

/// Whether every grant is among those before, and lets no more be told.
fn adds_nothing(after: &[Grant], before: &[Grant]) -> bool {
    after.iter().all(|new| {
        before.iter().any(|old| {
            let same = (old.case, old.condition, &old.provider, old.status)
                == (new.case, new.condition, &new.provider, new.status);
            same && new.granularity <= old.granularity
        })
    })
}

fn same(left: &Result<Permit, Denial>, right: &Result<Permit, Denial>) -> bool {
    match (left, right) {
        (Ok(left), Ok(right)) => left.grants() == right.grants(),
        (Err(left), Err(right)) => left == right,
        _ => false,
    }
}

#[test]
fn the_worlds_are_worth_deciding_in() {
    let mut runner = TestRunner::deterministic();
    let (mut permits, mut on_consent, mut to_outsiders, mut care) = (0, 0, 0, 0);
    for _ in 0..2000 {
        let world = any_world().new_tree(&mut runner).unwrap().current();
        let Ok(permit) = world.decide() else { continue };
        permits += 1;
        to_outsiders += usize::from(permit.is_to_outsider());
        let mut grants = permit.grants().iter();
        on_consent += usize::from(grants.any(|grant| !grant.consents.is_empty()));
        let mut grants = permit.grants().iter();
        care += usize::from(grants.any(|grant| grant.condition == Condition::Care));
    }
    let counts = (permits, on_consent, to_outsiders, care);
    let enough = permits > 300 && on_consent > 100 && to_outsiders > 80 && care > 40;
    assert!(
        enough,
        "permits, on consent, to outsiders, of care: {counts:?}"
    );
}

#[test]
fn a_denial_keeps_only_so_many_findings() {
    let mut dossier = dossier();
    report(&mut dossier, PI, Condition::Housing, Status::ActionNeeded);
    let record = dossier.statuses.values().next().unwrap().clone();
    for number in 0..40 {
        let reporter = party(&format!("unregistered-{number}"));
        let key = (CASE, Condition::Housing, reporter.clone());
        dossier.statuses.insert(
            key,
            StatusRecord {
                reporter,
                ..record.clone()
            },
        );
    }
    let registry = with_purpose("P-PLAN", |version| {
        for route in &mut version.routes {
            route.criminal_data_ground = None;
        }
    });
    let denial = decided(EAST, "P-PLAN", Condition::Housing, &dossier, &registry).unwrap_err();
    assert_eq!(
        denial.reason(),
        Reason::CriminalDataGroundMissing,
        "the most telling is kept"
    );
    assert_eq!(denial.findings().count(), MOST_FINDINGS);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn removing_a_consent_never_adds_a_permit(world in any_world()) {
        let before = grants(&world);
        for id in world.dossier.consents.keys() {
            let mut without = world.clone();
            without.dossier.consents.remove(id);
            prop_assert!(adds_nothing(&grants(&without), &before));
        }
    }

    #[test]
    fn ending_or_narrowing_a_consent_never_adds_a_permit(world in any_world()) {
        let before = grants(&world);
        for id in world.dossier.consents.keys() {
            let mut lower = world.clone();
            let terms = &mut lower.dossier.consents.get_mut(id).unwrap().terms;
            terms.granularity = Granularity::Signal;
            prop_assert!(adds_nothing(&grants(&lower), &before));

            let mut implicit = world.clone();
            implicit.dossier.consents.get_mut(id).unwrap().terms.explicit = false;
            prop_assert!(adds_nothing(&grants(&implicit), &before));

            let mut ended = world.clone();
            ended.dossier.consents.get_mut(id).unwrap().terms.valid_until = world.now;
            prop_assert!(adds_nothing(&grants(&ended), &before));
        }
    }

    #[test]
    fn removing_a_basis_never_adds_a_permit(world in any_world()) {
        let before = grants(&world);
        for number in 0..world.version.routes.len() {
            let mut without = world.clone();
            without.version.routes.remove(number);
            prop_assert!(adds_nothing(&grants(&without), &before));

            let mut ungrounded = world.clone();
            let route = ungrounded.version.routes.get_mut(number).unwrap();
            route.criminal_data_ground = None;
            route.art9_ground = None;
            prop_assert!(adds_nothing(&grants(&ungrounded), &before));
        }
    }

    #[test]
    fn narrowing_a_purpose_never_adds_a_permit(world in any_world()) {
        let before = grants(&world);
        let mut narrow: Vec<World> = vec![world.clone(); 4];
        narrow[0].version.granularity = Granularity::Signal;
        narrow[1].version.conditions.pop_first();
        for route in &mut narrow[2].version.routes {
            route.from.pop_first();
            route.to.pop_last();
            route.origins.pop_first();
        }
        for route in &mut narrow[3].version.routes {
            route.secrecy_waiver = true;
        }
        for narrower in narrow {
            prop_assert!(adds_nothing(&grants(&narrower), &before));
        }
    }

    /// Invariant 6, as far as it is decided; what is told of it is in `release`.
    #[test]
    fn invariant_6_permitted_lies_within_purpose_basis_and_question(world in any_world()) {
        let Ok(permit) = world.decide() else { return Ok(()) };
        prop_assert!(!permit.grants().is_empty());
        for grant in permit.grants() {
            prop_assert!(world.ask.conditions.contains(&grant.condition));
            prop_assert!(world.version.conditions.contains(&grant.condition));
            prop_assert!(grant.granularity <= world.ask.granularity);
            prop_assert!(grant.granularity <= world.version.granularity);
            let route = &world.version.routes[usize::from(grant.route)];
            let from = world.roles(&grant.provider);
            prop_assert!(from.iter().any(|role| route.from.contains(role)));
            prop_assert!(world.peer().roles.iter().any(|role| route.to.contains(role)));
            prop_assert!(route.admits(grant.condition));
            for id in &grant.consents {
                let consent = &world.dossier.consents[id];
                prop_assert!(consent.is_in_force(world.now));
                prop_assert!(consent.terms.kind != ConsentKind::ServiceAgreement);
                prop_assert!(consent.terms.conditions.contains(&grant.condition));
                prop_assert!(consent.terms.purposes.contains(&world.ask.purpose));
                prop_assert!(consent.terms.providers.contains(&grant.provider));
                prop_assert!(consent.terms.recipients.contains(&world.asker));
                prop_assert!(consent.terms.case.is_none_or(|case| case == grant.case));
                prop_assert!(grant.granularity <= consent.terms.granularity);
                let withdrawn = consent.narrowed.iter().any(|part| {
                    part.at <= world.now && part.holds(grant.condition, &world.asker)
                });
                prop_assert!(!withdrawn);
            }
            let rests_on_consent = grant.consents.iter().any(|id| {
                world.dossier.consents[id].terms.kind == ConsentKind::ProcessingBasis
            });
            prop_assert!(!route.needs_consent() || rests_on_consent);
            prop_assert!(grant.provider != world.asker);
            let named = matches!(&world.ask.subject, SubjectRef::Case(id) if *id == grant.case);
            prop_assert!(named || !matches!(&world.ask.subject, SubjectRef::Case(_)));
            let case = &world.dossier.cases[&grant.case];
            prop_assert!(case.is_open(world.now));
            prop_assert!(case.has_party(&world.asker, grant.condition, world.now));
        }
    }

    /// Invariant 12: time is a parameter. With every instant moved alike, nothing is decided otherwise.
    #[test]
    fn invariant_12_no_decision_depends_on_the_date_itself(world in any_world(), days in 1..3000u32) {
        prop_assert!(same(&world.decide(), &world.later(days).decide()));
    }

    #[test]
    fn invariant_14_an_unknown_or_withdrawn_purpose_grants_nothing(world in any_world()) {
        let mut unknown = world.clone();
        unknown.ask.purpose = purpose("P-NOBODY-REGISTERED");
        prop_assert!(unknown.decide().is_err());

        let mut version = world.clone();
        version.ask.version = Some(2);
        prop_assert!(version.decide().is_err());

        let mut registry = world.registry();
        let withdraw = Change::WithdrawPurpose(world.ask.purpose.clone(), 1);
        registry.make(&withdraw, EntryIndex(1), world.now);
        let dossier = Some(&world.dossier);
        prop_assert!(decide(&world.ask, &world.peer(), dossier, &registry, world.now).is_err());
    }

    #[test]
    fn invariant_14_a_purpose_without_a_route_grants_nothing(mut world in any_world()) {
        world.version.routes.clear();
        prop_assert!(world.decide().is_err());
    }

    #[test]
    fn invariant_14_an_unknown_person_is_granted_nothing(world in any_world()) {
        let registry = world.registry();
        prop_assert!(decide(&world.ask, &world.peer(), None, &registry, world.now).is_err());
    }

    #[test]
    fn care_never_goes_to_a_pi_on_consent(mut world in any_world()) {
        world.asker = party(PI);
        world.ask.conditions = Condition::ALL.iter().copied().collect();
        world.version.conditions.insert(Condition::Care);
        for consent in world.dossier.consents.values_mut() {
            consent.terms.recipients.insert(party(PI));
        }
        for grant in grants(&world) {
            if grant.condition == Condition::Care {
                prop_assert!(!grant.provider_basis.basis.is_consent());
                prop_assert!(!grant.recipient_basis.basis.is_consent());
                let bases = grant.consents.iter().filter(|id| {
                    world.dossier.consents[*id].terms.kind == ConsentKind::ProcessingBasis
                });
                prop_assert_eq!(bases.count(), 0);
            }
        }
    }

    #[test]
    fn what_reveals_detention_or_health_has_its_ground(world in any_world()) {
        let insider = world.peer().roles.iter().any(|role| role.knows_of_detention());
        for grant in grants(&world) {
            let key = (grant.case, grant.condition, grant.provider.clone());
            let record = &world.dossier.statuses[&key];
            let reveals = record.regime == Regime::Wjsg
                || record.report.origin == Role::Pi
                || world.roles(&grant.provider).contains(&Role::Pi);
            prop_assert_eq!(grant.criminal_data_ground.is_some(), insider && reveals);
            prop_assert_eq!(grant.art9_ground.is_some(), grant.condition == Condition::Care);
        }
    }

    #[test]
    fn what_must_be_explicit_is(world in any_world()) {
        for grant in grants(&world) {
            let explicit_basis = [grant.provider_basis.basis, grant.recipient_basis.basis]
                .contains(&Basis::ExplicitConsent);
            let explicit_ground = grant.criminal_data_ground == Some(CriminalDataGround::Uavg32a);
            if explicit_basis || explicit_ground {
                let explicit = grant.consents.iter().any(|id| {
                    let terms = &world.dossier.consents[id].terms;
                    terms.explicit && terms.kind == ConsentKind::ProcessingBasis
                });
                prop_assert!(explicit);
            }
        }
    }

    #[test]
    fn a_restriction_never_adds_a_permit_and_stops_what_it_covers(world in any_world()) {
        let before = grants(&world);
        let mut free = world.clone();
        free.dossier.restrictions.clear();
        prop_assert!(adds_nothing(&before, &grants(&free)));
        for restriction in world.dossier.restrictions.values() {
            for grant in &before {
                let blocked = restriction.blocks(
                    grant.condition, &grant.provider, &world.asker, world.now,
                );
                prop_assert!(!blocked);
            }
        }
    }

    #[test]
    fn a_denial_always_says_why_the_most_telling_first(world in any_world()) {
        let Err(denial) = world.decide() else { return Ok(()) };
        let reason = denial.reason();
        let findings: Vec<_> = denial.findings().cloned().collect();
        prop_assert_eq!(findings.first().map(|finding| finding.reason), Some(reason));
        prop_assert!(findings.len() <= MOST_FINDINGS);
        prop_assert_eq!(denial.into_findings(), findings);
    }
}
