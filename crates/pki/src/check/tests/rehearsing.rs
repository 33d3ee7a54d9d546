//! Rehearsals: who breaks, and who does not.

use super::*;
use crate::rehearse::{Fate, Outcome, Scenario, rehearse};

fn play(world: &World, chains: &[Chain], then: Conditions) -> Vec<Outcome> {
    let mut acceptance = world.acceptance(&[]);
    acceptance.parties = None;
    rehearse(&acceptance, chains, &Scenario { now: now(), then })
}

fn fresh(at: Timestamp) -> Conditions {
    Conditions {
        lists: Lists::Fresh,
        ..Conditions::at(at)
    }
}

#[test]
fn a_rehearsal_tells_who_breaks_on_a_day_and_two_certificates_side_by_side_keep_one_whole() {
    let mut world = World::new(1);
    let issuing = world.issuing.certificate().to_vec();
    let mut chain = |oin: &str, days| {
        Chain::new(
            world.issue_to(oin, Profile::Party, days),
            vec![issuing.clone()],
        )
    };
    let (one, two) = ("00000001000000010000", "00000001000000020000");
    let chains = [chain(one, 30), chain(two, 30), chain(two, 90)];
    let fates = |days| -> Vec<_> {
        let outcomes = play(&world, &chains, fresh(now().plus_days(days)));
        let fate = |outcome: Outcome| (outcome.oin.to_string(), outcome.fate, outcome.accepted);
        outcomes.into_iter().map(fate).collect()
    };
    let (one, two) = (one.to_owned(), two.to_owned());
    assert_eq!(
        fates(29),
        [
            (one.clone(), Fate::Holds, (1, 1)),
            (two.clone(), Fate::Holds, (2, 2))
        ]
    );
    assert_eq!(
        fates(31),
        [
            (one.clone(), Fate::Breaks, (0, 1)),
            (two.clone(), Fate::Holds, (1, 2))
        ]
    );
    assert_eq!(
        fates(91),
        [(one, Fate::Breaks, (0, 1)), (two, Fate::Breaks, (0, 2))]
    );
}

#[test]
fn a_rehearsal_tells_what_a_revoked_authority_an_old_list_and_a_wrong_clock_do() {
    let mut world = World::new(1);
    let chains = [world.chain()];
    let fate = |then| play(&world, &chains, then).remove(0);
    assert_eq!(fate(fresh(now())).fate, Fate::Holds);
    let mut distrusted = fresh(now());
    distrusted
        .distrusted
        .insert(sha256(world.issuing.certificate()));
    let revoked = fate(distrusted);
    assert_eq!(revoked.fate, Fate::Breaks);
    assert!(
        revoked.why[0].contains("is revoked, or no longer trusted"),
        "{revoked:?}"
    );
    let hours = |hours: u64| Conditions {
        lists: Lists::Aged(hours * 3_600_000),
        ..Conditions::at(now())
    };
    assert_eq!(fate(hours(7 * 24)).fate, Fate::Holds);
    assert_eq!(fate(hours(7 * 24 + 1)).fate, Fate::Breaks);
    // Certificates begin five minutes before they are issued, for clocks that are behind.
    assert_eq!(
        fate(fresh(now().minus_millis(4 * 60_000))).fate,
        Fate::Holds
    );
    assert_eq!(
        fate(fresh(now().minus_millis(6 * 60_000))).fate,
        Fate::Breaks
    );
}
