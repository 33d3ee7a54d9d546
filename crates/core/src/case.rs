//! Cases: one re-integration trajectory of one person.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    code::{Condition, codes},
    id::{CaseId, EntryIndex, PartyId},
    person::Identifier,
    time::{Period, Timestamp},
};

/// A trajectory: who opened it, which municipality the person returns to, who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The party that opened it.
    pub opened_by: PartyId,
    /// When.
    pub opened_at: Timestamp,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// The municipalities of return, each in its period, in order, never two at once.
    pub returns: Vec<Assignment>,
    /// The other parties that take part, each in its periods.
    pub members: Vec<Assignment>,
    /// The partners to whom the person was introduced for one condition.
    pub introduced: BTreeSet<(PartyId, Condition)>,
    /// The entry that opened it.
    pub entry: EntryIndex,
    /// The numbers of which the party that opened it says, for itself alone, that they are the person's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub besides: Vec<Identifier>,
    /// Whether the party that opened it closed it because it should not have: what its opening said of numbers is
    /// taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_error: bool,
}

/// A party in the period in which it has a place in the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The party.
    pub party: PartyId,
    /// Its period.
    pub period: Period,
}

/// The most assignments of one kind a case holds. Bounds its size on disk.
pub const MOST_ASSIGNMENTS: usize = 12;
/// The most introductions a case holds, a partner with a condition each. Bounds its size on disk.
pub const MOST_INTRODUCED: usize = 24;

codes! {
    /// Why a case closes.
    ClosingReason, "must be one of COMPLETED, PERSON_DECLINED, MOVED_ABROAD, DECEASED, OPENED_IN_ERROR" {
        /// The trajectory is done.
        Completed = "COMPLETED",
        /// The person wants no further help.
        PersonDeclined = "PERSON_DECLINED",
        /// The person left the country.
        MovedAbroad = "MOVED_ABROAD",
        /// The person died.
        Deceased = "DECEASED",
        /// The case should not have been opened.
        OpenedInError = "OPENED_IN_ERROR",
    }
}

impl Case {
    /// Whether the case is open at an instant.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.opened_at <= at && self.closed_at.is_none_or(|closed| at < closed)
    }

    /// The municipality of return at an instant.
    #[must_use]
    pub fn municipality(&self, at: Timestamp) -> Option<&PartyId> {
        self.returns
            .iter()
            .find(|given| given.period.contains(at))
            .map(|given| &given.party)
    }

    /// Whether the party has a place in the whole case at an instant: it opened the case, is the
    /// municipality of return, or takes part.
    #[must_use]
    pub fn has_member(&self, party: &PartyId, at: Timestamp) -> bool {
        self.opened_by == *party
            || self.municipality(at) == Some(party)
            || self
                .members
                .iter()
                .any(|given| given.party == *party && given.period.contains(at))
    }

    /// Whether the party ever had a place in the whole case, or has one in it for a condition. Of one that was
    /// introduced and removed again the case keeps nothing: see
    /// [`Dossier::ever_placed`](crate::dossier::Dossier::ever_placed).
    #[must_use]
    pub fn ever_had(&self, party: &PartyId) -> bool {
        let given = self.returns.iter().chain(&self.members);
        self.opened_by == *party
            || given.map(|given| &given.party).any(|one| one == party)
            || self.introduced.iter().any(|(partner, _)| partner == party)
    }

    /// Whether the party has a place in the case for this condition: as a member, or introduced for it.
    #[must_use]
    pub fn has_party(&self, party: &PartyId, condition: Condition, at: Timestamp) -> bool {
        self.has_member(party, at) || self.introduced.contains(&(party.clone(), condition))
    }

    /// When the place that the party has in the case for this condition ends; `None` when no end is set.
    #[must_use]
    pub fn place_ends(
        &self,
        party: &PartyId,
        condition: Condition,
        at: Timestamp,
    ) -> Option<Timestamp> {
        let introduced = self.introduced.contains(&(party.clone(), condition));
        if self.opened_by == *party || introduced {
            return None;
        }
        let mut places = self.returns.iter().chain(&self.members).collect::<Vec<_>>();
        places.retain(|given| given.party == *party);
        let mut end = at;
        // One place may follow upon another.
        loop {
            let held = places.iter().filter(|given| given.period.contains(end));
            let ends = held.map(|given| given.period.until);
            // An open end is the last of all.
            let Some(ends) = ends.max_by_key(|end| (end.is_none(), *end)) else {
                return Some(end);
            };
            end = ends?;
        }
    }
}
