//! How many certificates and enrolments the registry knows, and for how long: what is over is in the trail alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use super::{Registry, RegistryKey};
use crate::{
    enrolment::{Enrolment, EnrolmentState, IssuedCertificate, Origin},
    id::{EnrolmentId, Oin},
    party::Party,
    time::Timestamp,
};

/// The most certificates of one party that are in force, without those that it announced and those that another
/// replaces already; and the most of its renewals that wait.
pub const MOST_IN_FORCE: usize = 64;

/// The most certificates that a party announced and that are in force.
pub const MOST_ANNOUNCED: usize = 64;

/// The most certificates in force of which each replaces the one before it.
pub const MOST_IN_A_ROW: usize = 4;

/// The most certificates of one number that are still known after their end: those that ended last.
pub const MOST_ENDED: usize = 128;

/// The most renewals of one number that are still known after they were closed: those that were asked for last.
pub const MOST_CLOSED: usize = 32;

/// The most invitations for one party that are under way.
pub const MOST_UNDER_WAY: usize = 32;

/// For how many days something that is over is still known: a certificate from its end, an enrolment from the end of
/// the certificate that it brought, or from when its request could come last.
pub const KEPT_DAYS: u32 = 90;

impl Registry {
    /// How many certificates of a party are in force, without those that it announced, and without those whose place
    /// another took that is in force.
    #[must_use]
    pub fn certificates_in_force(&self, party: &Party, at: Timestamp) -> usize {
        let in_force = || self.all_issued().filter(|one| one.is_in_force(at));
        let replaced: BTreeSet<_> = in_force().filter_map(|one| one.replaces).collect();
        in_force()
            .filter(|one| of(party, &one.oin) && one.origin != Origin::Announced)
            .filter(|one| !replaced.contains(&one.sha256))
            .count()
    }

    /// How many certificates that a party announced are in force.
    #[must_use]
    pub fn announced_in_force(&self, party: &Party, at: Timestamp) -> usize {
        self.all_issued()
            .filter(|one| of(party, &one.oin) && one.origin == Origin::Announced)
            .filter(|one| one.is_in_force(at))
            .count()
    }

    /// Whether another certificate that is in force took the place of this one.
    #[must_use]
    pub fn is_replaced(&self, sha256: &[u8; 32], at: Timestamp) -> bool {
        self.all_issued()
            .any(|one| one.replaces == Some(*sha256) && one.is_in_force(at))
    }

    /// How many certificates in force replaced each the one before it, up to this one; at most [`MOST_IN_A_ROW`].
    #[must_use]
    pub fn in_a_row(&self, sha256: &[u8; 32], at: Timestamp) -> usize {
        let in_force = |sha256: &[u8; 32]| self.issued(sha256).filter(|one| one.is_in_force(at));
        let row = iter::successors(in_force(sha256), |one| in_force(one.replaces.as_ref()?));
        row.take(MOST_IN_A_ROW).count()
    }

    /// How many invitations for a party are under way.
    #[must_use]
    pub fn invitations(&self, party: &Party, at: Timestamp) -> usize {
        let of_party = self
            .enrolments()
            .filter(|one| of(party, &one.holder.oin) && !one.is_renewal());
        of_party.filter(|one| one.is_under_way(at)).count()
    }

    /// How many renewals of a party wait.
    #[must_use]
    pub fn waiting_renewals(&self, party: &Party) -> usize {
        let of_party = self
            .enrolments()
            .filter(|one| of(party, &one.holder.oin) && one.is_renewal());
        of_party
            .filter(|one| matches!(one.state, EnrolmentState::Waiting { .. }))
            .count()
    }

    /// Drops what has been over for long, and names the rows.
    pub(super) fn drop_ended(&mut self, at: Timestamp) -> Vec<RegistryKey> {
        let ended = self.enrolments().filter(|one| one.is_forgotten(at));
        let mut gone: Vec<_> = ended.map(|one| one.id).collect();
        gone.extend(self.closed_too_many());
        let mut touched: Vec<_> = gone
            .into_iter()
            .filter_map(|id| self.drop_enrolment(id))
            .collect();
        touched.extend(self.forgotten(at).into_iter().map(|sha256| {
            self.issued.remove(&sha256);
            RegistryKey::Issued(sha256)
        }));
        touched
    }

    /// The closed renewals of each number but the last: whoever closes many takes nobody's place.
    fn closed_too_many(&self) -> Vec<EnrolmentId> {
        let mut closed: BTreeMap<&Oin, Vec<_>> = BTreeMap::new();
        for one in self.enrolments() {
            if matches!(one.state, EnrolmentState::Closed { .. }) {
                let of_number = closed.entry(&one.holder.oin).or_default();
                of_number.push((one.until, one.id));
            }
        }
        let mut too_many = Vec::new();
        for mut of_number in closed.into_values() {
            of_number.sort_unstable();
            of_number.truncate(of_number.len().saturating_sub(MOST_CLOSED));
            too_many.extend(of_number.into_iter().map(|(_, id)| id));
        }
        too_many
    }

    /// The certificates that nobody has to know of any more: those that ended long ago, and of each number all but
    /// those that ended last, however short their lives were.
    fn forgotten(&self, at: Timestamp) -> Vec<[u8; 32]> {
        let mut ended: BTreeMap<&Oin, Vec<_>> = BTreeMap::new();
        for one in self.all_issued().filter(|one| one.not_after < at) {
            let of_number = ended.entry(&one.oin).or_default();
            of_number.push((one.not_after, one.sha256));
        }
        let mut forgotten = Vec::new();
        for mut of_number in ended.into_values() {
            of_number.sort_unstable();
            let too_many = of_number.len().saturating_sub(MOST_ENDED);
            let gone = of_number.into_iter().enumerate();
            let gone = gone
                .filter(|(place, (end, _))| *place < too_many || end.plus_days(KEPT_DAYS) <= at);
            forgotten.extend(gone.map(|(_, (_, sha256))| sha256));
        }
        forgotten
    }
}

impl IssuedCertificate {
    /// Whether it has neither ended nor been revoked.
    #[must_use]
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        at <= self.not_after && self.revoked.is_none()
    }
}

impl Enrolment {
    /// Whether a certificate was issued for it.
    #[must_use]
    pub const fn is_issued(&self) -> bool {
        matches!(self.state, EnrolmentState::Issued { .. })
    }

    /// Whether nobody has to know of it any more. Leave that nobody used is worth nothing once it has ended.
    fn is_forgotten(&self, at: Timestamp) -> bool {
        let over = match self.state {
            EnrolmentState::Open => self.until,
            EnrolmentState::Waiting { .. } | EnrolmentState::Closed { .. } => {
                self.until.plus_days(KEPT_DAYS)
            }
            EnrolmentState::Issued { holds_until, .. } => {
                holds_until.unwrap_or(self.until).plus_days(KEPT_DAYS)
            }
        };
        over <= at
    }
}

/// Whether a number is or was this party's.
fn of(party: &Party, oin: &Oin) -> bool {
    party.oins.iter().any(|dated| dated.oin == *oin)
}
