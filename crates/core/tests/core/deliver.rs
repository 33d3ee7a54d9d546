//! Who is sent word of a report.

use schakel_core::{
    code::{Condition, Role},
    deliver,
    dossier::Dossier,
    id::{EntryIndex, PartyId},
    registry::Change,
};

use super::scene::{
    CASE, EAST, HOUSING, PI, PROBATION, dossier, now, party, registered, registry, with_purpose,
};

fn receivers(dossier: &Dossier, condition: Condition, reporter: &str) -> Vec<String> {
    let found = deliver::receivers(
        dossier,
        &registry(),
        CASE,
        condition,
        &party(reporter),
        now(),
    );
    found
        .into_iter()
        .map(|(party, purpose)| format!("{party} {purpose}"))
        .collect()
}

#[test]
fn word_goes_to_those_with_a_place_and_a_route_and_never_to_the_reporter() {
    let dossier = dossier();
    let east = format!("{EAST} P-PLAN");
    let probation = format!("{PROBATION} P-PLAN");
    assert_eq!(
        receivers(&dossier, Condition::Housing, PI),
        [east.clone(), probation.clone()]
    );
    assert_eq!(
        receivers(&dossier, Condition::Housing, EAST),
        [format!("{PI} P-PLAN"), probation]
    );
    assert_eq!(
        receivers(&dossier, Condition::Care, PI),
        [""; 0],
        "the plan is not about care"
    );
    assert_eq!(receivers(&dossier, Condition::Housing, HOUSING), [""; 0]);
}

#[test]
fn word_goes_to_nobody_who_lost_a_place_or_a_role() {
    let mut moved = dossier();
    moved.cases.get_mut(&CASE).unwrap().returns[0].period.until = Some(now());
    assert_eq!(
        receivers(&moved, Condition::Housing, PI),
        [format!("{PROBATION} P-PLAN")]
    );

    let mut suspended = registry();
    suspended.make(&Change::SuspendParty(party(EAST)), EntryIndex(1), now());
    let reporter: PartyId = party(PI);
    let to = |registry: &_| {
        deliver::receivers(
            &dossier(),
            registry,
            CASE,
            Condition::Housing,
            &reporter,
            now(),
        )
        .len()
    };
    assert_eq!(to(&registry()), 2);
    assert_eq!(to(&suspended), 1);
    assert_eq!(
        to(&with_purpose("P-PLAN", |version| version.deliver = false)),
        0
    );
    let ended = with_purpose("P-PLAN", |version| version.validity.until = Some(now()));
    assert_eq!(to(&ended), 0);
}

#[test]
fn word_goes_to_a_partner_introduced_for_the_condition() {
    let mut dossier = dossier();
    dossier.cases.get_mut(&CASE).unwrap().members.clear();
    let mut registry = with_purpose("P-ARRANGE-HOUSING", |version| version.deliver = true);
    let other = registered("wonen-noord", vec![Role::HousingAssociation]);
    registry.make(&Change::PutParty(other), EntryIndex(1), now());
    let introduced = &mut dossier.cases.get_mut(&CASE).unwrap().introduced;
    introduced.insert((party(HOUSING), Condition::Housing));
    introduced.insert((party("wonen-noord"), Condition::Debt));
    let receivers = deliver::receivers(
        &dossier,
        &registry,
        CASE,
        Condition::Housing,
        &party(PI),
        now(),
    );
    let receivers: Vec<_> = receivers.iter().map(|(party, _)| party.as_str()).collect();
    assert_eq!(receivers, [EAST, HOUSING]);
}
