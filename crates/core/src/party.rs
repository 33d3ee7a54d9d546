//! Parties: organisations with a stable id, dated numbers and the roles the registry gives them.

mod unit;

pub use self::unit::{MOST_UNITS, Unit};

use serde::{Deserialize, Serialize};

use crate::{
    code::Role,
    id::{AnchorName, Oin, PartyId, UnitId},
    invalid::Invalid,
    time::{Period, Timestamp},
};

/// An organisation that takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its stable id.
    pub id: PartyId,
    /// Its name as people know it, 1 to 100 characters.
    pub name: String,
    /// What it is; at least one role.
    pub roles: Vec<Role>,
    /// The numbers its certificates carry, each in its period. Two parties never hold one number at one time.
    pub oins: Vec<DatedOin>,
    /// The functional contact that goes with every release: a team, never an employee.
    pub contact: Contact,
    /// For a privacy officer: the controller whose entries it may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer_for: Option<PartyId>,
    /// Who may act for this party over its own connection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegates: Vec<Delegation>,
    /// Periods in which nothing may be done by or for this party.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspensions: Vec<Period>,
    /// Who took its place after a merger or another change of organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succession: Option<Succession>,
    /// Its parts, for which its employees may act, each in its period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Unit>,
}

/// A number in the period in which it was the party's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatedOin {
    /// The number, as in Subject.serialNumber of the certificate.
    pub oin: Oin,
    /// When it is the party's.
    pub period: Period,
    /// The trust anchor under which a certificate with the number must be verified, so that no other anchor can
    /// claim the number. Absent: the one that the broker's configuration names for numbers without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<AnchorName>,
}

/// Who takes a party's place, and from when.
///
/// From then on the successor may act for the party as long as it names it: cases, consents, inbox and history
/// stay the party's, under its own id. Whether the party may still call itself is a matter of its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Succession {
    /// The successor.
    pub successor: PartyId,
    /// The first instant at which it may act for the party.
    pub from: Timestamp,
}

/// Leave for another party to act for this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// Who may act.
    pub delegate: PartyId,
    /// From when until when the delegate may act; the end is not in it.
    pub period: Period,
}

/// How to reach a team. Never a person's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The team, 1 to 100 characters.
    pub team: String,
    /// A functional mailbox, up to 100 characters; may be empty when there is a telephone number.
    #[serde(default)]
    pub email: String,
    /// A telephone number of the team, up to 30 characters; may be empty when there is a mailbox.
    #[serde(default)]
    pub telephone: String,
}

/// The most delegations and the most suspensions that are kept of a party. Bounds its size on disk.
pub const MOST_PERIODS: usize = 12;

impl Party {
    /// Checks what holds for a party by itself.
    ///
    /// # Errors
    /// The first rule that is broken, with the field it is about.
    pub fn check(&self) -> Result<(), (&'static str, Invalid)> {
        let fits = |text: &str, most| (1..=most).contains(&text.chars().count());
        if !fits(&self.name, 100) {
            return Err(("name", Invalid::new("must have 1 to 100 characters")));
        }
        if self.roles.is_empty() || self.roles.len() > 8 {
            return Err(("roles", Invalid::new("must name 1 to 8 roles")));
        }
        if self.oins.is_empty() || self.oins.len() > 8 {
            return Err(("oins", Invalid::new("must name 1 to 8 dated numbers")));
        }
        if self.officer_for.is_some() != self.has_role(Role::PrivacyOfficer) {
            let rule = "must be set for a privacy officer, and for nobody else";
            return Err(("officer_for", Invalid::new(rule)));
        }
        let rule = Invalid::new("must be at most 12");
        if self.delegates.len() > MOST_PERIODS {
            return Err(("delegates", rule));
        }
        if self.suspensions.len() > MOST_PERIODS {
            return Err(("suspensions", rule));
        }
        if self
            .succession
            .as_ref()
            .is_some_and(|found| found.successor == self.id)
        {
            let rule = "must name another party: nobody succeeds itself";
            return Err(("succession", Invalid::new(rule)));
        }
        self.check_units()?;
        self.contact.check()
    }

    /// Whether the registry gives the party this role.
    #[must_use]
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the party may do anything at this instant.
    #[must_use]
    pub fn is_active(&self, at: Timestamp) -> bool {
        !self.suspensions.iter().any(|period| period.contains(at))
    }

    /// Whether the number is the party's at this instant.
    #[must_use]
    pub fn holds(&self, oin: &Oin, at: Timestamp) -> bool {
        self.oins
            .iter()
            .any(|dated| dated.oin == *oin && dated.period.contains(at))
    }

    /// Whether a certificate with the number, verified under these anchors, is the party's at this instant. A
    /// number that names no anchor counts under the one for such numbers, if there is one.
    #[must_use]
    pub fn holds_under(
        &self,
        oin: &Oin,
        anchors: &[AnchorName],
        unpinned: Option<&AnchorName>,
        at: Timestamp,
    ) -> bool {
        self.oins.iter().any(|dated| {
            let anchor = dated.anchor.as_ref().or(unpinned);
            dated.oin == *oin
                && dated.period.contains(at)
                && anchor.is_some_and(|anchor| anchors.contains(anchor))
        })
    }

    /// The party that took this one's place by this instant.
    #[must_use]
    pub fn successor(&self, at: Timestamp) -> Option<&PartyId> {
        let succession = self.succession.as_ref()?;
        (succession.from <= at).then_some(&succession.successor)
    }

    /// Whether the other party may act for this one at this instant by a delegation of its own.
    #[must_use]
    pub fn is_served_by(&self, delegate: &PartyId, at: Timestamp) -> bool {
        self.delegates
            .iter()
            .any(|given| given.delegate == *delegate && given.period.contains(at))
    }
}

impl Contact {
    fn check(&self) -> Result<(), (&'static str, Invalid)> {
        if !(1..=100).contains(&self.team.chars().count()) {
            return Err((
                "contact.team",
                Invalid::new("must have 1 to 100 characters"),
            ));
        }
        if self.email.chars().count() > 100 || self.telephone.chars().count() > 30 {
            let rule = "a mailbox has at most 100 characters, a telephone number at most 30";
            return Err(("contact", Invalid::new(rule)));
        }
        if self.email.is_empty() && self.telephone.is_empty() {
            let rule = "needs a functional mailbox or a telephone number";
            return Err(("contact", Invalid::new(rule)));
        }
        Ok(())
    }
}

/// Who calls: proven by the certificate, resolved by the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// The party for which the call is made.
    pub principal: PartyId,
    /// The party whose certificate opened the connection.
    pub transport: PartyId,
    /// The roles of the principal.
    pub roles: Vec<Role>,
    /// The unit of the principal for which the call is made, where it says so or its certificate does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
}

/// Who proposed something that takes a second actor: the one rule for who may be that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proposer<'a> {
    pub(crate) party: &'a PartyId,
    /// The party whose connection it was, where that is known.
    pub(crate) transport: Option<&'a PartyId>,
    pub(crate) certificate: &'a [u8; 32],
}

impl Proposer<'_> {
    /// Whether this is somebody else: another party, over a connection of another party, with another certificate.
    /// Employees are not compared, because their marks are each party's own.
    pub(crate) fn may_be_seconded_by(&self, peer: &Peer, certificate: &[u8; 32]) -> bool {
        let proposers = [Some(self.party), self.transport];
        let seconds = [&peer.principal, &peer.transport];
        let mut proposers = proposers.into_iter().flatten();
        self.certificate != certificate && !proposers.any(|one| seconds.contains(&one))
    }
}

impl Peer {
    /// Whether the principal has this role.
    #[must_use]
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
