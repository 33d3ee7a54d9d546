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

/// What is found of one certificate: now, and in the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The organisation.
    pub oin: Oin,
    /// Its name, as the certificate says it.
    pub name: String,
    /// Until when the certificate holds.
    pub not_after: Timestamp,
    /// Whether it is accepted now.
    pub accepted_now: bool,
    /// Why it would not be accepted; empty when it would.
    pub why: Vec<String>,
}

impl Scenario {
    /// How things are now. Lists are renewed while nobody forgets to: what they are today says nothing of another
    /// day.
    #[must_use]
    pub fn today(&self) -> Conditions {
        Conditions {
            lists: Lists::Fresh,
            ..Conditions::at(self.now)
        }
    }
}

impl Judged {
    /// What is found of a certificate; none when it names no organisation.
    #[must_use]
    pub fn new(chain: &Chain, accepted_now: bool, why: Vec<String>) -> Option<Self> {
        let identity = identity::parse_peer(chain.own()).ok()?;
        Some(Self {
            oin: identity.oin,
            name: identity.organisation.unwrap_or_default(),
            not_after: identity.not_after,
            accepted_now,
            why,
        })
    }
}

/// Plays the scenario for every certificate.
#[must_use]
pub fn rehearse(acceptance: &Acceptance, chains: &[Chain], scenario: &Scenario) -> Vec<Outcome> {
    let today = scenario.today();
    fates(chains.iter().filter_map(|chain| {
        let accepted_now = acceptance.accepts(chain, &today);
        let findings = acceptance.check(chain, &scenario.then).into_iter();
        let failed = findings.filter(|finding| finding.verdict == Verdict::Failed);
        Judged::new(
            chain,
            accepted_now,
            failed.map(|found| found.said).collect(),
        )
    }))
}

/// What becomes of each organisation. It breaks when none of its certificates would be accepted: an old and a new one
/// side by side are what keeps it whole.
#[must_use]
pub fn fates(judged: impl IntoIterator<Item = Judged>) -> Vec<Outcome> {
    let mut by_oin: BTreeMap<Oin, Vec<Judged>> = BTreeMap::new();
    for one in judged {
        by_oin.entry(one.oin.clone()).or_default().push(one);
    }
    let mut outcomes: Vec<Outcome> = by_oin
        .into_iter()
        .map(|(oin, mut judged)| {
            judged.sort_by_key(|one| one.not_after);
            outcome(oin, judged)
        })
        .collect();
    outcomes.sort_by_key(|outcome| outcome.fate);
    outcomes
}

fn outcome(oin: Oin, mut judged: Vec<Judged>) -> Outcome {
    let all = judged.len();
    let now = judged.iter().filter(|one| one.accepted_now).count();
    let then = judged.iter().filter(|one| one.why.is_empty()).count();
    let fate = match (now, then) {
        (_, 1..) => Fate::Holds,
        (0, 0) => Fate::Out,
        (_, 0) => Fate::Breaks,
    };
    let last = judged.pop();
    let (name, why) = last.map_or_else(Default::default, |one| (one.name, one.why));
    Outcome {
        oin,
        name,
        fate,
        accepted: (then, all),
        why: if fate == Fate::Holds { Vec::new() } else { why },
    }
}
