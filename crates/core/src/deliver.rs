//! Who is sent word that a status may have changed. Being sent word is not a right to read: that is
//! decided when the message leaves.

use std::collections::BTreeSet;

use crate::{
    ask::Ask,
    case::Case,
    code::{Condition, Granularity, Role},
    dossier::Dossier,
    id::{CaseId, PartyId, PurposeCode},
    inbox::Topic,
    party::Peer,
    person::{Identifier, SubjectRef},
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

/// What a receiver is taken to ask when a message about a status leaves its inbox. `None` when it can name
/// the person in no way, and for a notice, which is not asked for.
#[must_use]
pub fn ask(dossier: &Dossier, receiver: &Peer, topic: &Topic) -> Option<Ask> {
    let Topic::Status {
        case,
        condition,
        purpose,
    } = topic
    else {
        return None;
    };
    Some(Ask {
        subject: reference_for(dossier, receiver, Some(*case))?,
        purpose: purpose.clone(),
        version: None,
        conditions: [*condition].into(),
        granularity: Granularity::StatusWithDates,
    })
}

/// How a party can name a person: its own mark, else a number its role may use, else the case where the
/// role may know of one.
#[must_use]
pub fn reference_for(dossier: &Dossier, peer: &Peer, case: Option<CaseId>) -> Option<SubjectRef> {
    let own = dossier.identifiers.keys().find_map(|id| match id {
        Identifier::ClientRef(party, mark) if *party == peer.principal => {
            Some(SubjectRef::ClientRef(mark.clone()))
        }
        _ => None,
    });
    let numbered = || {
        dossier.identifiers.keys().find_map(|id| match id {
            Identifier::Bsn(bsn) if peer.roles.iter().any(|role| role.may_use_bsn()) => {
                Some(SubjectRef::Bsn(bsn.clone()))
            }
            Identifier::Skn(skn) if peer.roles.iter().any(|role| role.may_use_skn()) => {
                Some(SubjectRef::Skn(skn.clone()))
            }
            _ => None,
        })
    };
    let cased = || {
        let knows = peer.roles.iter().any(|role| role.knows_of_detention());
        case.filter(|_| knows).map(SubjectRef::Case)
    };
    own.or_else(numbered).or_else(cased)
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
