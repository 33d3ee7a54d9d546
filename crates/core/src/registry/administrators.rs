//! Which administrators can act: what lets go of anything takes two.

use std::collections::BTreeSet;

use super::{Change, Registry};
use crate::{
    code::Role,
    id::{EntryIndex, PartyId},
    party::Peer,
    time::Timestamp,
};

impl Registry {
    /// Whether changes that are made together would leave nobody beside their maker who can act as an administrator,
    /// while there is somebody before them. Then nothing could be mended any more, as that takes two.
    #[must_use]
    pub fn strands(&self, changes: &[Change], maker: &Peer, at: Timestamp) -> bool {
        if !self.has_another(maker, at) {
            return false;
        }
        let mut after = self.clone();
        for change in changes {
            after.make(change, EntryIndex(0), at);
        }
        !after.has_another(maker, at)
    }

    fn has_another(&self, maker: &Peer, at: Timestamp) -> bool {
        let not_the_makers = |id: &PartyId| maker.principal != *id && maker.transport != *id;
        // Of a party that never used a certificate it is not known that it has none that counts.
        let (mut seen, mut counting) = (BTreeSet::new(), BTreeSet::new());
        for one in self.seen() {
            seen.insert(&one.party);
            if at < one.not_after && !self.blocks(&one.certificate.0) {
                counting.insert(&one.party);
            }
        }
        let may_connect = |id: &PartyId| !seen.contains(id) || counting.contains(id);
        let connections: Vec<&PartyId> = self
            .parties()
            .map(|party| &party.id)
            .filter(|id| not_the_makers(id) && may_connect(id))
            .collect();
        let mut others = self
            .parties()
            .filter(|party| party.has_role(Role::Administrator) && not_the_makers(&party.id));
        others.any(|other| {
            let mut connections = connections.iter();
            connections.any(|id| self.standing(id, &other.id, None, false, at).is_ok())
        })
    }
}
