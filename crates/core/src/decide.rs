//! The decision whether something about a person may be disclosed: pure, and never without its reasons.
//!
//! A [`Permit`] comes from [`decide`] only, and is spent by [`crate::minimise::minimise`]:
//!
//! ```compile_fail,E0451
//! use schakel_core::decide::Permit;
//! let forged = Permit { grants: Vec::new(), ..todo!() };
//! ```
//!
//! ```compile_fail,E0599
//! # fn spend_twice(permit: schakel_core::decide::Permit) {
//! let again = permit.clone();
//! # }
//! ```

mod consent;
mod exchange;
mod finding;

use std::{collections::BTreeSet, sync::Arc};

use self::exchange::Exchange;
pub use self::finding::{Finding, Grant, Reason};
use crate::{
    ask::Ask,
    code::{Condition, Granularity, Role},
    dossier::Dossier,
    id::SubjectId,
    party::Peer,
    purpose::PurposeVersion,
    registry::Registry,
    time::Timestamp,
};

/// Leave to disclose: what may be told, and on what it rests. Holds no value of a status.
#[derive(Debug)]
#[must_use = "a permit is spent by minimising what it grants"]
pub struct Permit {
    subject: SubjectId,
    version: Arc<PurposeVersion>,
    outsider: bool,
    grants: Vec<Grant>,
}

/// The refusal to disclose, with its reasons.
///
/// ```compile_fail,E0451
/// use schakel_core::decide::Denial;
/// let without_a_reason = Denial { first: todo!(), rest: Vec::new() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The most telling first.
    first: Finding,
    rest: Vec<Finding>,
}

/// The most findings that a denial keeps: an entry has a bounded size.
pub const MOST_FINDINGS: usize = 32;

/// Decides whether, and on what, the peer may be told what it asks. Looks at nothing but its arguments.
///
/// Every condition asked is decided by itself. What is not granted is left out; when nothing is
/// granted, that is a denial.
///
/// # Errors
/// The denial, with what stood in the way.
pub fn decide(
    ask: &Ask,
    peer: &Peer,
    dossier: Option<&Dossier>,
    registry: &Registry,
    now: Timestamp,
) -> Result<Permit, Denial> {
    let registered = registry
        .purpose(&ask.purpose, ask.version, now)
        .ok_or_else(|| Denial::of(Reason::PurposeNotInForce))?;
    let version = &registered.version;
    let (inside, outside): (BTreeSet<Condition>, BTreeSet<Condition>) = ask
        .conditions
        .iter()
        .partition(|condition| version.conditions.contains(condition));
    let mut findings: Vec<Finding> = outside
        .into_iter()
        .map(|condition| Finding::about(Reason::ConditionNotInScope, condition))
        .collect();
    if inside.is_empty() {
        return Err(Denial::from_findings(findings));
    }
    let roles = standing_roles(peer, registry, now);
    if !version.leads_to(&roles) {
        findings.push(Finding::of(Reason::PurposeNotAllowedForRole));
        return Err(Denial::from_findings(findings));
    }
    let Some(dossier) = dossier else {
        findings.push(Finding::of(Reason::SubjectUnknown));
        return Err(Denial::from_findings(findings));
    };
    let exchange = Exchange {
        ask,
        version,
        recipient: &peer.principal,
        roles: &roles,
        dossier,
        registry,
        now,
    };
    let grants: Vec<Grant> = inside
        .into_iter()
        .flat_map(|condition| exchange.grants(condition, &mut findings))
        .collect();
    if grants.is_empty() {
        return Err(Denial::from_findings(findings));
    }
    Ok(Permit {
        subject: dossier.subject,
        version: Arc::clone(version),
        outsider: exchange.is_to_outsider(),
        grants,
    })
}

/// The roles the caller came with that the registry still gives it: between the connection and the
/// decision the party may have been suspended or have lost a role.
fn standing_roles(peer: &Peer, registry: &Registry, now: Timestamp) -> Vec<Role> {
    let standing = registry.roles(&peer.principal, now);
    let came_with = peer.roles.iter().copied();
    came_with.filter(|role| standing.contains(role)).collect()
}

impl Permit {
    /// What is granted, by condition, case and provider; never empty.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// The purpose version that decided.
    #[must_use]
    pub fn version(&self) -> &PurposeVersion {
        &self.version
    }

    /// The most that any of the grants allows to be told.
    #[must_use]
    pub fn granularity(&self) -> Granularity {
        most(&self.grants)
    }

    /// Whether the recipient may not learn that the person is or was detained.
    #[must_use]
    pub const fn is_to_outsider(&self) -> bool {
        self.outsider
    }

    /// Takes the permit apart; only minimising may.
    pub(crate) fn spend(self) -> (SubjectId, Arc<PurposeVersion>, bool, Vec<Grant>) {
        (self.subject, self.version, self.outsider, self.grants)
    }
}

/// The most that any of the grants allows to be told.
pub(crate) fn most(grants: &[Grant]) -> Granularity {
    let most = grants.iter().map(|grant| grant.granularity).max();
    most.unwrap_or(Granularity::Signal)
}

impl Denial {
    /// A denial for one reason that has nothing to do with a disclosure.
    #[must_use]
    pub const fn of(reason: Reason) -> Self {
        Self {
            first: Finding::of(reason),
            rest: Vec::new(),
        }
    }

    /// The most telling reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.first.reason
    }

    /// What stood in the way, the most telling first; never empty.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// What stood in the way, the most telling first; never empty.
    #[must_use]
    pub fn into_findings(self) -> Vec<Finding> {
        std::iter::once(self.first).chain(self.rest).collect()
    }

    /// A denial for everything that was found; when that is nothing, because there is nothing to tell.
    pub(crate) fn from_findings(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.reason.stage()));
        findings.truncate(MOST_FINDINGS);
        let mut findings = findings.into_iter();
        let first = findings.next();
        Self {
            first: first.unwrap_or(Finding::of(Reason::NothingToDisclose)),
            rest: findings.collect(),
        }
    }
}
