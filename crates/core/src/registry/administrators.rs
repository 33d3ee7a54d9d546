//! Which administrators can act: what lets go of anything takes two.

use super::{Change, Registry};
use crate::{
    code::Role,
    id::{EntryIndex, PartyId},
    party::{Party, Peer},
    time::Timestamp,
};

impl Registry {
    /// Whether a change would leave nobody beside its maker who can act as an administrator, while there is
    /// somebody before it. Then nothing could be mended any more, as that takes two.
    #[must_use]
    pub fn strands(&self, change: &Change, maker: &Peer, at: Timestamp) -> bool {
        let mut after = self.clone();
        after.make(change, EntryIndex(0), at);
        self.has_another(maker, at) && !after.has_another(maker, at)
    }

    fn has_another(&self, maker: &Peer, at: Timestamp) -> bool {
        let not_the_makers = |id: &PartyId| maker.principal != *id && maker.transport != *id;
        let mut others = self
            .parties()
            .filter(|party| party.has_role(Role::Administrator) && not_the_makers(&party.id));
        others.any(|other| {
            let mut connections = self.parties().filter(|party| not_the_makers(&party.id));
            connections.any(|connection| {
                self.standing(&connection.id, &other.id, None, false, at)
                    .is_ok()
                    && self.may_connect(connection, at)
            })
        })
    }

    /// Whether a party has a certificate that counts, as far as is known: of one that never used any it is not
    /// known that it has none.
    fn may_connect(&self, party: &Party, at: Timestamp) -> bool {
        let mut seen = self.seen().filter(|seen| seen.party == party.id).peekable();
        seen.peek().is_none()
            || seen.any(|seen| at < seen.not_after && !self.blocks(&seen.certificate.0))
    }
}
