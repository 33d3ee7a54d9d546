//! What outsiders are not told: which penitentiary institution or probation service takes part. Its name alone
//! says that somebody is or was detained, or stands before a criminal court (AVG 10). Nor may a gap say it: where
//! such a name could stand, outsiders are told of nobody but themselves.

use std::collections::{BTreeMap, BTreeSet};

use schakel_audit::leaf::{EntryType, Leaf};
use schakel_core::{
    code::{Condition, Role},
    consent::{Consent, ConsentTerms, Narrowing},
    id::{PartyId, PurposeCode},
    party::{Party, Peer},
    registry::Registry,
    time::Timestamp,
};

/// The parties whose names are left out of what one party is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Veil {
    outsider: bool,
    hidden: BTreeSet<PartyId>,
    /// Whom it is drawn for, and the officers of it.
    own: BTreeSet<PartyId>,
    /// The purposes with a route that leads to or from them, and the conditions of such routes.
    purposes: BTreeMap<PurposeCode, BTreeSet<Condition>>,
}

impl Veil {
    /// What is left out for a caller.
    pub(crate) fn for_peer(registry: &Registry, peer: &Peer) -> Self {
        Self::new(registry, &peer.roles, &peer.principal)
    }

    /// What is left out for the officer of a controller. Nobody knows of detention by being suspended or
    /// unknown.
    pub(crate) fn for_controller(registry: &Registry, controller: &PartyId) -> Self {
        let roles = registry
            .party(controller)
            .map_or(&[][..], |party| party.roles.as_slice());
        Self::new(registry, roles, controller)
    }

    /// Whether a party's name is left out.
    pub(crate) fn hides(&self, party: &PartyId) -> bool {
        self.hidden.contains(party)
    }

    /// Whether who is shown it is an outsider, and may be told nothing that tells of detention.
    pub(crate) fn is_drawn(&self) -> bool {
        self.outsider
    }

    /// Whether an entry may be shown, by who acted. Of what is recorded about a person, whoever it is by, outsiders
    /// are shown their own entries and who was told something: an entry of a kind that others make too would be
    /// missed when an institution made it.
    pub(crate) fn shows_act(&self, leaf: &Leaf) -> bool {
        if !self.outsider {
            return true;
        }
        let by = |party: &String| party.parse::<PartyId>().ok();
        let all = [Some(&leaf.party), leaf.transport.as_ref()];
        let mut all = all.into_iter().flatten().map(by);
        let own = by(&leaf.party).is_some_and(|party| self.own.contains(&party));
        (own || !is_anybodys(leaf.entry_type))
            && all.all(|party| party.is_some_and(|party| !self.hides(&party)))
    }

    /// Who did something, empty to outsiders unless they did it themselves: were only some left out, what is left out
    /// would tell.
    pub(crate) fn who(&self, party: &PartyId) -> String {
        self.names(party)
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Whoever did something, if outsiders may be told: themselves.
    pub(crate) fn names<'a>(&self, party: &'a PartyId) -> Option<&'a PartyId> {
        (!self.outsider || self.own.contains(party)).then_some(party)
    }

    /// Of the parties in a consent those that are shown: to outsiders that did not collect it themselves, they alone.
    pub(crate) fn parties<'a>(
        &self,
        collected_by: &PartyId,
        parties: impl IntoIterator<Item = &'a PartyId>,
    ) -> Vec<&'a PartyId> {
        let whole = self.shows_whole(collected_by);
        let parties = parties.into_iter();
        parties
            .filter(|party| self.own.contains(*party) || (whole && !self.hides(party)))
            .collect()
    }

    /// Of the purposes of a consent those that are shown: to outsiders those with a route from or to them.
    pub(crate) fn purposes<'a>(&self, terms: &'a ConsentTerms) -> Vec<&'a PurposeCode> {
        let whole = self.shows_whole(&terms.collected_by);
        let purposes = terms.purposes.iter();
        purposes
            .filter(|code| whole || self.purposes.contains_key(*code))
            .collect()
    }

    /// Of the conditions of a consent those that are shown: to outsiders those of such a route.
    pub(crate) fn conditions<'a>(&self, terms: &'a ConsentTerms) -> Vec<&'a Condition> {
        self.conditions_of(terms, &terms.conditions)
    }

    /// The end of a part of a consent as it is shown, by its conditions; `None` where it touches nothing of what
    /// outsiders are shown of the consent.
    pub(crate) fn ended<'a>(
        &self,
        terms: &ConsentTerms,
        part: &'a Narrowing,
    ) -> Option<Vec<&'a Condition>> {
        let mut recipient = part.recipient.iter();
        let conditions = self.conditions_of(terms, &part.conditions);
        let touches = recipient.all(|party| !self.parties(&terms.collected_by, [party]).is_empty())
            && (part.conditions.is_empty() || !conditions.is_empty());
        touches.then_some(conditions)
    }

    /// Whether anything of what is shown of a consent ended before the rest, by an instant.
    pub(crate) fn is_narrowed(&self, consent: &Consent, by: Timestamp) -> bool {
        let mut parts = consent.narrowed.iter();
        parts.any(|part| part.at <= by && self.ended(&consent.terms, part).is_some())
    }

    /// Whether a consent is shown with all that its collector wrote in it.
    pub(crate) fn shows_whole(&self, collected_by: &PartyId) -> bool {
        !self.outsider || self.own.contains(collected_by)
    }

    fn conditions_of<'a>(
        &self,
        terms: &ConsentTerms,
        conditions: &'a BTreeSet<Condition>,
    ) -> Vec<&'a Condition> {
        let whole = self.shows_whole(&terms.collected_by);
        let routed = |condition: &Condition| {
            let mut purposes = terms.purposes.iter();
            purposes.any(|code| {
                let routed = self.purposes.get(code);
                routed.is_some_and(|routed| routed.contains(condition))
            })
        };
        let conditions = conditions.iter();
        conditions
            .filter(|condition| whole || routed(condition))
            .collect()
    }

    fn new(registry: &Registry, roles: &[Role], own: &PartyId) -> Self {
        if roles.iter().any(|role| role.knows_of_detention()) {
            return Self::default();
        }
        let officers = registry
            .parties()
            .filter(|party| party.officer_for.as_ref() == Some(own))
            .map(|party| party.id.clone());
        Self {
            outsider: true,
            own: officers.chain([own.clone()]).collect(),
            purposes: routed(registry, roles),
            hidden: registry
                .parties()
                .filter(|party| is_of_criminal_justice(party))
                .map(|party| party.id.clone())
                .collect(),
        }
    }
}

/// Whether the name of a party tells of detention or of a criminal court. A municipality does other things too.
fn is_of_criminal_justice(party: &Party) -> bool {
    party.roles.iter().any(|role| match role {
        Role::Pi | Role::Probation => true,
        Role::Municipality
        | Role::CareProvider
        | Role::Uwv
        | Role::HousingAssociation
        | Role::DebtCounsellor
        | Role::SafetyHouse
        | Role::PrivacyOfficer
        | Role::Auditor
        | Role::Administrator
        | Role::Broker => false,
    })
}

/// Whether entries of a type are made about a person by whoever helps, an institution as well as others.
const fn is_anybodys(kind: EntryType) -> bool {
    match kind {
        EntryType::Consent
        | EntryType::Case
        | EntryType::Status
        | EntryType::Introduction
        | EntryType::Acknowledgement
        | EntryType::Notice
        | EntryType::Restriction => true,
        EntryType::Disclosure
        | EntryType::Denial
        | EntryType::Registry
        | EntryType::Delivery
        | EntryType::LookUp
        | EntryType::Refusals
        | EntryType::Erasure
        | EntryType::Key
        | EntryType::System
        | EntryType::PeerCheckpoint => false,
    }
}

/// The purposes with a route that leads to or from one of these roles, and the conditions of such routes.
fn routed(registry: &Registry, roles: &[Role]) -> BTreeMap<PurposeCode, BTreeSet<Condition>> {
    let mut purposes: BTreeMap<PurposeCode, BTreeSet<Condition>> = BTreeMap::new();
    for version in registry.purposes().map(|registered| &registered.version) {
        for route in &version.routes {
            let mut roles = roles.iter();
            if roles.any(|role| route.from.contains(role) || route.to.contains(role)) {
                let routed = purposes.entry(version.code.clone()).or_default();
                let of = version.conditions.iter().copied();
                routed.extend(of.filter(|condition| route.admits(*condition)));
            }
        }
    }
    purposes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::registry;

    #[test]
    fn a_penitentiary_institution_is_named_to_insiders_and_to_itself_only() {
        let registry = registry(&[
            ("pi-1", Role::Pi),
            ("town-1", Role::Municipality),
            ("home-1", Role::HousingAssociation),
        ]);
        let pi: PartyId = "pi-1".parse().unwrap();
        let town: PartyId = "town-1".parse().unwrap();
        for (controller, hides) in [
            ("pi-1", false),
            ("town-1", false),
            ("home-1", true),
            ("nobody", true),
        ] {
            let veil = Veil::for_controller(&registry, &controller.parse().unwrap());
            assert_eq!(veil.hides(&pi), hides, "{controller}");
            assert_eq!(veil.is_drawn(), hides, "{controller}");
            assert!(!veil.hides(&town));
            // A town collected it: that the institution stands in it shows to insiders alone.
            let shown = veil.parties(&town, [&pi, &town]);
            assert_eq!(shown.len(), if hides { 0 } else { 2 }, "{controller}");
            assert_eq!(veil.who(&town).is_empty(), hides, "no name, no gap");
        }
    }
}
