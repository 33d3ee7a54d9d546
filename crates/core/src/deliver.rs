//! Who is sent word that a status may have changed. Being sent word is not a right to read: that is
//! decided when the message leaves.

use std::collections::BTreeSet;

use crate::{
    case::Case,
    code::{Condition, Role},
    dossier::Dossier,
    id::{CaseId, PartyId, PurposeCode},
    registry::Registry,
    time::Timestamp,
};

/// The parties that are sent word of a report, each with the purposes under which it may be told.
///
/// These are the parties other than the reporter with a place in the case for the condition, to which a
/// route leads under a purpose that delivers and is in force in its newest version.
#[must_use]
pub fn receivers(
    dossier: &Dossier,
    registry: &Registry,
    case: CaseId,
    condition: Condition,
    reporter: &PartyId,
    now: Timestamp,
) -> Vec<(PartyId, PurposeCode)> {
    let Some(case) = dossier.cases.get(&case) else {
        return Vec::new();
    };
    let from = registry.roles(reporter, now);
    let codes: BTreeSet<&PurposeCode> = registry
        .purposes()
        .map(|registered| &registered.version.code)
        .collect();
    let mut receivers = Vec::new();
    for party in parties(case, condition, now) {
        if party == reporter {
            continue;
        }
        let to = registry.roles(party, now);
        let purposes = codes
            .iter()
            .filter(|code| delivers(registry, code, (from, to), condition, now))
            .map(|code| (party.clone(), (*code).clone()));
        receivers.extend(purposes);
    }
    receivers
}

/// The parties with a place in the case for the condition.
fn parties(case: &Case, condition: Condition, now: Timestamp) -> BTreeSet<&PartyId> {
    let members = case.members.iter().map(|given| &given.party);
    let introduced = case.introduced.iter().map(|(party, _)| party);
    std::iter::once(&case.opened_by)
        .chain(case.municipality(now))
        .chain(members)
        .chain(introduced)
        .filter(|party| case.has_party(party, condition, now))
        .collect()
}

fn delivers(
    registry: &Registry,
    code: &PurposeCode,
    (from, to): (&[Role], &[Role]),
    condition: Condition,
    now: Timestamp,
) -> bool {
    registry.purpose(code, None, now).is_some_and(|found| {
        let version = &found.version;
        version.deliver && version.routes_between(from, to, condition).next().is_some()
    })
}
