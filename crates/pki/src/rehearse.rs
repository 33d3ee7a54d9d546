//! Who could not come in any more on a day, if an authority were revoked, if the revocation lists were not
//! renewed, if the clock were off: before it happens.

use std::collections::BTreeMap;

use schakel_core::{id::Oin, time::Timestamp};

use crate::{
    check::{Acceptance, Chain, Conditions, Lists, Verdict},
    identity,
};

/// What is rehearsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Now.
    pub now: Timestamp,
    /// How it would be then.
    pub then: Conditions,
}

/// What would become of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The organisation.
    pub oin: Oin,
    /// Its name, as its certificates say it.
    pub name: String,
    /// What would become of it.
    pub fate: Fate,
    /// How many of its certificates would be accepted then, and how many there are.
    pub accepted: (usize, usize),
    /// Why not, of the certificate that would have held the longest; empty when it would be accepted.
    pub why: Vec<String>,
}

/// What would become of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It comes in now, and would not.
    Breaks,
    /// It does not come in now either.
    Out,
    /// It would come in.
    Holds,
}

/// Plays the scenario for every certificate. An organisation breaks when none of its certificates would be
/// accepted: an old and a new one side by side are what keeps it whole.
#[must_use]
pub fn rehearse(acceptance: &Acceptance, chains: &[Chain], scenario: &Scenario) -> Vec<Outcome> {
    let mut by_oin: BTreeMap<Oin, Vec<&Chain>> = BTreeMap::new();
    for chain in chains {
        if let Ok(identity) = identity::parse_peer(chain.own()) {
            by_oin.entry(identity.oin).or_default().push(chain);
        }
    }
    let mut outcomes: Vec<Outcome> = by_oin
        .into_iter()
        .map(|(oin, mut chains)| {
            chains.sort_by_key(|chain| ends_at(chain));
            outcome(acceptance, oin, &chains, scenario)
        })
        .collect();
    outcomes.sort_by_key(|outcome| outcome.fate);
    outcomes
}

fn outcome(acceptance: &Acceptance, oin: Oin, chains: &[&Chain], scenario: &Scenario) -> Outcome {
    // Lists are renewed while nobody forgets to: what they are today says nothing of another day.
    let today = Conditions {
        lists: Lists::Fresh,
        ..Conditions::at(scenario.now)
    };
    let accepted = |conditions: &Conditions| {
        let all = chains.iter();
        all.filter(|chain| acceptance.accepts(chain, conditions))
            .count()
    };
    let (now, then) = (accepted(&today), accepted(&scenario.then));
    let fate = match (now, then) {
        (_, 1..) => Fate::Holds,
        (0, 0) => Fate::Out,
        (_, 0) => Fate::Breaks,
    };
    let last = chains.last();
    let name = last.and_then(|chain| identity::parse_peer(chain.own()).ok());
    let why = last.map_or_else(Vec::new, |chain| {
        let findings = acceptance.check(chain, &scenario.then);
        let failed = findings
            .into_iter()
            .filter(|finding| finding.verdict == Verdict::Failed);
        failed.map(|finding| finding.said).collect()
    });
    Outcome {
        oin,
        name: name
            .and_then(|identity| identity.organisation)
            .unwrap_or_default(),
        fate,
        accepted: (then, chains.len()),
        why: if fate == Fate::Holds { Vec::new() } else { why },
    }
}

fn ends_at(chain: &Chain) -> Option<Timestamp> {
    identity::parse_peer(chain.own())
        .ok()
        .map(|identity| identity.not_after)
}
