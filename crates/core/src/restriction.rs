//! Restrictions (AVG 18) and objections (AVG 21). While one stands, what it covers is denied.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    code::{Condition, codes},
    dossier::Dossier,
    id::{EntryIndex, PartyId, RestrictionId},
    notice::{self, Issue, Notice, NoticeKind},
    random::Random,
    time::Timestamp,
};

codes! {
    /// What the person asked for.
    RestrictionKind, "must be RESTRICTION or OBJECTION" {
        /// Restriction of processing (AVG 18).
        Restriction = "RESTRICTION",
        /// Objection to processing (AVG 21), until it is decided.
        Objection = "OBJECTION",
    }
}

/// A restriction or objection of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// Its id.
    pub id: RestrictionId,
    /// What it is.
    pub kind: RestrictionKind,
    /// The controller it is directed at, as provider or as recipient; nobody named means every controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<PartyId>,
    /// The conditions it covers; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub conditions: BTreeSet<Condition>,
    /// Which party recorded it.
    pub recorded_by: PartyId,
    /// From when.
    pub from: Timestamp,
    /// Until when, once lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<Timestamp>,
    /// The entry that recorded it.
    pub entry: EntryIndex,
}

impl Restriction {
    /// Whether it stands in the way of this exchange at an instant.
    #[must_use]
    pub fn blocks(
        &self,
        condition: Condition,
        provider: &PartyId,
        recipient: &PartyId,
        at: Timestamp,
    ) -> bool {
        let stands = self.from <= at && self.lifted_at.is_none_or(|lifted| at < lifted);
        let directed = self
            .controller
            .as_ref()
            .is_none_or(|controller| controller == provider || controller == recipient);
        let covers = self.conditions.is_empty() || self.conditions.contains(&condition);
        stands && directed && covers
    }
}

/// The notices of a restriction or objection recorded by a party: to everyone who was ever served what
/// it covers (AVG 19).
pub fn notices(
    dossier: &Dossier,
    controller: Option<&PartyId>,
    conditions: &BTreeSet<Condition>,
    by: &PartyId,
    now: Timestamp,
    random: &mut dyn Random,
) -> Vec<Notice> {
    let issue = Issue {
        kind: NoticeKind::Restriction,
        by,
        at: now,
    };
    notice::to_served(dossier, &issue, random, |served| {
        let directed = controller.is_none_or(|controller| {
            *controller == served.recipient || served.providers.contains(controller)
        });
        directed && (conditions.is_empty() || conditions.contains(&served.condition))
    })
}
