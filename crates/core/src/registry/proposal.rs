//! How long a proposal waits, and who may approve it.

use super::Proposal;
use crate::{
    party::{Peer, Proposer},
    time::Timestamp,
};

impl Proposal {
    /// For how long a proposal waits.
    pub const LIFETIME_DAYS: u32 = 14;

    /// The first instant at which it can no longer be approved.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.proposed_at.plus_days(Self::LIFETIME_DAYS)
    }

    /// Whether this is a second actor: another party, over a connection of another party, with another certificate.
    #[must_use]
    pub fn may_be_approved_by(&self, peer: &Peer, certificate: &[u8; 32]) -> bool {
        let proposer = Proposer {
            party: &self.proposed_by,
            transport: self.transport.as_ref(),
            certificate: &self.certificate,
        };
        proposer.may_be_seconded_by(peer, certificate)
    }
}
