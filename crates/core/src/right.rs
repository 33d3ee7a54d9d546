//! What a party may be told about a person at an instant, without telling it.
//!
//! There is no second rule: every purpose in force is asked for everything it is about, by [`decide`] and
//! [`minimise`] like any ask, and of what these permit only the grants are kept. So nothing shows here that
//! asking would not show, and asking for it afterwards gives it.

use std::collections::BTreeSet;

use crate::{
    ask::Ask,
    code::{Condition, Granularity},
    decide::{Denial, Finding, Grant, Reason, decide},
    dossier::Dossier,
    id::{PartyId, PurposeCode},
    minimise::minimise,
    party::Peer,
    person::SubjectRef,
    purpose::{LegalBasis, PurposeVersion},
    registry::Registry,
    time::Timestamp,
};

/// What may be told of one condition for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// What it may be asked for.
    pub purpose: PurposeCode,
    /// The version of the purpose: the one that an ask without a version gets.
    pub version: u32,
    /// The condition.
    pub condition: Condition,
    /// The most that may be told of it.
    pub granularity: Granularity,
    /// The party to talk to: who reported it; to outsiders the municipality of return.
    pub counterpart: PartyId,
    /// The basis for providing; outsiders are not told.
    pub provider_basis: Option<LegalBasis>,
    /// The basis for receiving.
    pub recipient_basis: LegalBasis,
    /// How many days the recipient must and may keep it.
    pub retention_days: u16,
    /// When it ends at the latest: the purpose, a consent it rests on, or the party's place in the case. What
    /// the person or a party does may end it sooner. `None` when no end is set.
    pub until: Option<Timestamp>,
}

/// What the peer may be told about a person, by purpose and condition; never empty. Looks at nothing but its
/// arguments.
///
/// # Errors
/// The denial, with what stood in the way, when it may be told nothing at all.
pub fn rights(
    subject: &SubjectRef,
    peer: &Peer,
    dossier: Option<&Dossier>,
    registry: &Registry,
    now: Timestamp,
) -> Result<Vec<Right>, Denial> {
    let codes: BTreeSet<&PurposeCode> = registry
        .purposes()
        .map(|registered| &registered.version.code)
        .collect();
    let mut rights = Vec::new();
    let mut findings = Vec::new();
    for code in codes {
        let registered = registry.purpose(code, None, now);
        // A purpose about no condition permits nothing, and would hide why nothing else does.
        let Some(registered) = registered.filter(|found| !found.version.conditions.is_empty())
        else {
            continue;
        };
        match of_purpose(subject, &registered.version, peer, dossier, registry, now) {
            Ok(found) => rights.extend(found),
            Err(denial) => findings.extend(denial.into_findings()),
        }
    }
    if rights.is_empty() {
        Err(Denial::from_findings(without_repeats(findings)))
    } else {
        Ok(rights)
    }
}

/// What may be told for one purpose: everything it is about is asked.
fn of_purpose(
    subject: &SubjectRef,
    version: &PurposeVersion,
    peer: &Peer,
    dossier: Option<&Dossier>,
    registry: &Registry,
    now: Timestamp,
) -> Result<Vec<Right>, Denial> {
    let ask = Ask {
        subject: subject.clone(),
        purpose: version.code.clone(),
        version: None,
        conditions: version.conditions.clone(),
        granularity: Granularity::StatusWithDates,
    };
    let permit = decide(&ask, peer, dossier, registry, now)?;
    // Nothing is permitted about nobody.
    let dossier = dossier.ok_or(Denial::of(Reason::SubjectUnknown))?;
    let told = minimise(permit, dossier, registry, now).without_values();
    let rights = told.map(|(grant, counterpart, provider_basis)| Right {
        purpose: version.code.clone(),
        version: version.version,
        condition: grant.condition,
        granularity: grant.granularity,
        counterpart,
        provider_basis,
        until: end(&grant, version, &peer.principal, dossier, now),
        recipient_basis: grant.recipient_basis,
        retention_days: version.retention_days,
    });
    Ok(rights.collect())
}

/// The first of the ends that are set for what a grant rests on.
fn end(
    grant: &Grant,
    version: &PurposeVersion,
    recipient: &PartyId,
    dossier: &Dossier,
    now: Timestamp,
) -> Option<Timestamp> {
    let consents = grant.consents.iter();
    let consents = consents.filter_map(|id| dossier.consents.get(id));
    let case = dossier.cases.get(&grant.case);
    let place = case.and_then(|case| case.place_ends(recipient, grant.condition, now));
    consents
        .map(|consent| consent.terms.valid_until)
        .chain(version.validity.until)
        .chain(place)
        .min()
}

/// The same stands in the way of many purposes.
fn without_repeats(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        if !kept.contains(&finding) {
            kept.push(finding);
        }
    }
    kept
}
