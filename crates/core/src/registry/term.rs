//! How many certificates and enrolments the registry knows, and for how long: what is over is in the trail alone.

use std::collections::BTreeMap;

use super::{Registry, RegistryKey};
use crate::{
    enrolment::{Enrolment, EnrolmentState, IssuedCertificate},
    id::Oin,
    party::Party,
    time::Timestamp,
};

/// The most certificates of one party that are registered and neither ended nor revoked.
pub const MOST_IN_FORCE: usize = 64;

/// The most certificates of one number that are still known after their end: those that ended last.
pub const MOST_ENDED: usize = 128;

/// The most invitations for one party that are under way, and the most of its renewals for which nothing was issued.
pub const MOST_UNDER_WAY: usize = 32;

/// For how many days something that is over is still known: a certificate from its end, an enrolment from the end of
/// the certificate that it brought, or from when its request could come last.
pub const KEPT_DAYS: u32 = 90;

impl Registry {
    /// How many certificates of a party are registered that have neither ended nor been revoked.
    #[must_use]
    pub fn certificates_in_force(&self, party: &Party, at: Timestamp) -> usize {
        self.all_issued()
            .filter(|one| of(party, &one.oin) && one.is_in_force(at))
            .count()
    }

    /// How many invitations for a party are under way.
    #[must_use]
    pub fn invitations(&self, party: &Party, at: Timestamp) -> usize {
        let of_party = self
            .enrolments()
            .filter(|one| of(party, &one.holder.oin) && !one.is_renewal());
        of_party.filter(|one| one.is_under_way(at)).count()
    }

    /// How many renewals of a party are known for which nothing was issued, those that were closed among them.
    #[must_use]
    pub fn unanswered_renewals(&self, party: &Party) -> usize {
        let of_party = self
            .enrolments()
            .filter(|one| of(party, &one.holder.oin) && one.is_renewal());
        of_party.filter(|one| !one.is_issued()).count()
    }

    /// Drops what has been over for long, and names the rows.
    pub(super) fn drop_ended(&mut self, at: Timestamp) -> Vec<RegistryKey> {
        let gone: Vec<_> = self
            .enrolments()
            .filter(|one| one.is_forgotten(at))
            .map(|one| one.id)
            .collect();
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
