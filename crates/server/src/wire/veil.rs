//! What outsiders are not told: which penitentiary institution takes part. Its name alone says that
//! somebody is or was detained.

use std::collections::BTreeSet;

use schakel_core::{code::Role, id::PartyId, party::Peer, registry::Registry};

/// The parties whose names are left out of what one party is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Veil {
    outsider: bool,
    hidden: BTreeSet<PartyId>,
}

impl Veil {
    /// What is left out for a caller.
    pub(crate) fn for_peer(registry: &Registry, peer: &Peer) -> Self {
        Self::new(registry, &peer.roles)
    }

    /// What is left out for the officer of a controller. Nobody knows of detention by being suspended or
    /// unknown.
    pub(crate) fn for_controller(registry: &Registry, controller: &PartyId) -> Self {
        let roles = registry
            .party(controller)
            .map_or(&[][..], |party| party.roles.as_slice());
        Self::new(registry, roles)
    }

    /// Whether a party's name is left out.
    pub(crate) fn hides(&self, party: &PartyId) -> bool {
        self.hidden.contains(party)
    }

    /// Whether who is shown it is an outsider, and may be told nothing that tells of detention.
    pub(crate) fn is_drawn(&self) -> bool {
        self.outsider
    }

    /// The name of a party, empty when it is left out.
    pub(crate) fn name(&self, party: &PartyId) -> String {
        if self.hides(party) {
            String::new()
        } else {
            party.to_string()
        }
    }

    /// The names of parties, without those left out.
    pub(crate) fn names<'a>(&self, parties: impl IntoIterator<Item = &'a PartyId>) -> Vec<String> {
        parties
            .into_iter()
            .filter(|party| !self.hides(party))
            .map(ToString::to_string)
            .collect()
    }

    fn new(registry: &Registry, roles: &[Role]) -> Self {
        if roles.iter().any(|role| role.knows_of_detention()) {
            return Self::default();
        }
        Self {
            outsider: true,
            hidden: registry
                .parties()
                .filter(|party| party.has_role(Role::Pi))
                .map(|party| party.id.clone())
                .collect(),
        }
    }
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
            let names = veil.names([&pi, &town]);
            assert_eq!(names.contains(&"pi-1".to_owned()), !hides);
        }
    }
}
