//! Restrictions (AVG 18) and objections (AVG 21). While one stands, what it covers is denied.
//!
//! Whoever the person turns to records it, and it counts at once. What comes of it is for each controller to decide
//! about its own processing (AVG 18(3), 21(1)): a privacy officer lifts it for the own controller and for no other,
//! so that between two controllers it stands until both have decided. The party that recorded it lifts it whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    code::{Condition, codes},
    dossier::{Dossier, Served},
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
    /// Drawn at random; whoever lifts it names it.
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
    /// Whether it stands between others alone: what that party provides or receives is left alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub between_others: bool,
    /// From this instant on, in log time.
    pub from: Timestamp,
    /// The instant from which it no longer stands, once it is lifted as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_at: Option<Timestamp>,
    /// The controllers whose privacy officers lifted it for them, and when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lifted_for: BTreeMap<PartyId, Timestamp>,
    /// The entry that recorded it.
    pub entry: EntryIndex,
}

/// For how many controllers one restriction is lifted before only those it concerns may lift it for themselves.
/// Bounds its size on disk: whoever finds an objection could take a place, whoever must decide always has one.
pub const MOST_LIFTED: usize = 24;

impl Restriction {
    /// Whether a controller, which the records of the person concern or not, may lift it for itself: it may be
    /// directed at it, and was not lifted for it.
    #[must_use]
    pub fn is_open_to(&self, controller: &PartyId, concerned: bool) -> bool {
        let directed = self.controller.as_ref();
        self.lifted_at.is_none()
            && directed.is_none_or(|directed| directed == controller)
            && !self.lifted_for.contains_key(controller)
            && (concerned || self.lifted_for.len() < MOST_LIFTED)
    }

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
        let directed = [provider, recipient].into_iter().any(|party| {
            let at_it = self.controller.as_ref().is_none_or(|named| named == party);
            let lifted = self.lifted_for.get(party);
            at_it && lifted.is_none_or(|lifted| at < *lifted)
        });
        let covers = self.conditions.is_empty() || self.conditions.contains(&condition);
        let left = self.between_others && [provider, recipient].contains(&&self.recorded_by);
        stands && directed && covers && !left
    }
}

/// The controllers that have to decide about a restriction or objection, beside those that get a notice of it: who
/// has a place in an open case, as far as it is directed at them. Their privacy officers find it, and may lift it
/// for them; so may those of any other controller for that one, until it was lifted for [`MOST_LIFTED`].
#[must_use]
pub fn must_decide(
    dossier: &Dossier,
    controller: Option<&PartyId>,
    now: Timestamp,
) -> BTreeSet<PartyId> {
    let mut placed = BTreeSet::new();
    for case in dossier.cases.values().filter(|case| case.is_open(now)) {
        let members = case.members.iter();
        let members = members.filter(|given| given.period.contains(now));
        placed.insert(&case.opened_by);
        placed.extend(case.municipality(now));
        placed.extend(members.map(|given| &given.party));
        placed.extend(case.introduced.iter().map(|(partner, _)| partner));
    }
    let directed = |party: &&PartyId| controller.is_none_or(|named| named == *party);
    placed.into_iter().filter(directed).cloned().collect()
}

/// The notices of a restriction or objection recorded by a party: to everyone who was ever served what
/// it covers (AVG 19). Between others alone, of nothing that the party took part in.
pub fn notices(
    dossier: &Dossier,
    (controller, conditions): (Option<&PartyId>, &BTreeSet<Condition>),
    (by, between_others): (&PartyId, bool),
    now: Timestamp,
    random: &mut dyn Random,
) -> Vec<Notice> {
    let issue = Issue {
        kind: NoticeKind::Restriction,
        by,
        at: now,
    };
    let took_part = |served: &Served| {
        let mut consents = served
            .consents
            .iter()
            .filter_map(|id| dossier.consents.get(id));
        served.recipient == *by
            || served.providers.contains(by)
            || consents.any(|consent| consent.involves(by))
    };
    notice::to_served(dossier, &issue, random, |served| {
        if between_others && took_part(served) {
            return false;
        }
        let directed = controller.is_none_or(|controller| {
            *controller == served.recipient || served.providers.contains(controller)
        });
        directed && (conditions.is_empty() || conditions.contains(&served.condition))
    })
}
