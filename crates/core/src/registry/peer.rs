//! Who a connection is: the party whose number it proved, and for whom that party may act.

use super::Registry;
use crate::{
    id::{AnchorName, Oin, PartyId, UnitId},
    party::{Party, Peer},
    time::Timestamp,
};

/// How many successions are followed from one party. Bounds the look-up; a check keeps circles out.
pub(super) const MOST_SUCCESSIONS: usize = 8;

/// A number as a handshake proved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven<'a> {
    /// The number in the certificate.
    pub oin: &'a Oin,
    /// The trust anchors under which the certificate was verified.
    pub anchors: &'a [AnchorName],
    /// The anchor under which numbers count that the registry pins to none.
    pub unpinned: Option<&'a AnchorName>,
}

/// Why a party may not act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoStanding {
    /// The party for which it wants to act is unknown or suspended, or did not let it.
    Principal,
    /// The party itself is unknown or suspended.
    Transport,
    /// The party for which it wants to act has no such unit at the moment.
    Unit,
}

impl Registry {
    /// The party whose certificate this is at an instant, suspended or not. Two parties never hold one number
    /// at one time.
    #[must_use]
    pub fn holder(&self, proven: Proven<'_>, at: Timestamp) -> Option<&Party> {
        self.parties().find(|party| proven.is_of(party, at))
    }

    /// Who acts over a connection of `transport` for `principal` at an instant: the two are one, or the
    /// principal gave it a delegation, or it took the principal's place. A suspended party does nothing, nor does a
    /// unit that has ended, unless `suspended_too` says that this must not stand in the way.
    ///
    /// # Errors
    /// Which of them may not act.
    pub fn standing(
        &self,
        transport: &PartyId,
        principal: &PartyId,
        unit: Option<&UnitId>,
        suspended_too: bool,
        at: Timestamp,
    ) -> Result<Peer, NoStanding> {
        let acts = |id| {
            let found = self.party(id);
            found.filter(|party| suspended_too || party.is_active(at))
        };
        let transport = acts(transport).ok_or(NoStanding::Transport)?;
        let principal = acts(principal)
            .filter(|party| self.may_act(&transport.id, party, at))
            .ok_or(NoStanding::Principal)?;
        let has = |unit| {
            principal.unit(unit, at).is_some() || (suspended_too && principal.knows_unit(unit))
        };
        if !unit.is_none_or(has) {
            return Err(NoStanding::Unit);
        }
        Ok(Peer {
            principal: principal.id.clone(),
            transport: transport.id.clone(),
            roles: principal.roles.clone(),
            unit: unit.cloned(),
        })
    }

    /// Whether a party may act for another: as itself, under a delegation, or because it or whoever it serves
    /// took the other's place.
    fn may_act(&self, transport: &PartyId, principal: &Party, at: Timestamp) -> bool {
        let mut party = principal;
        for _ in 0..=MOST_SUCCESSIONS {
            if party.id == *transport || party.is_served_by(transport, at) {
                return true;
            }
            let next = party.successor(at).and_then(|id| self.party(id));
            match next.filter(|successor| successor.is_active(at)) {
                Some(successor) => party = successor,
                None => return false,
            }
        }
        false
    }
}

impl Proven<'_> {
    /// Whether the number is the party's at an instant.
    #[must_use]
    pub fn is_of(&self, party: &Party, at: Timestamp) -> bool {
        party.holds_under(self.oin, self.anchors, self.unpinned, at)
    }
}
