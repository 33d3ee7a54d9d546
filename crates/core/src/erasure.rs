//! Erasure: what was destroyed, by which rule, and which entries that makes unreadable for good.
//!
//! Nothing is ever taken out of the log. Erasing destroys keys, and an entry says which: its details are
//! open, hold nothing of a person, and are published, so that whoever verifies the log tells what was
//! `redacted` from what is missing. They are written down in `crates/audit/erasure.cddl`.

mod duty;
mod ground;
mod known;
mod remains;

use serde::{Deserialize, Serialize};

pub use self::{
    duty::Duty,
    ground::{Ground, Rule},
    known::{Done, ErasureKey, ErasureRow, Erasures, Waiting},
};
use crate::{
    id::{ActorRef, EntryIndex, PartyId, ProposalId, SlotId},
    party::{Peer, Proposer},
    time::Timestamp,
};

/// Keys that were destroyed. Holds nothing by which a person is known: a slot is a random number, and what
/// said whose it was can no longer be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The rule by which it is destroyed.
    pub rule: Rule,
    /// What can no longer be read because of it, by the controller named or, without one, by anybody.
    pub covers: Covers,
    /// For which controller; absent when it is for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<PartyId>,
    /// The slots whose keys are destroyed, so that a start with an older keyring destroys them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<SlotId>,
    /// The proposal that was carried out, where two actors decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalId>,
}

/// What an erasure covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Covers {
    /// These entries: ranges with both ends in them, ascending, none touching the next.
    Entries(Vec<(EntryIndex, EntryIndex)>),
    /// Every entry whose leaf names this retention class and this month of destruction.
    Month(ClassMonth),
}

/// A retention class and the month in which its details are destroyed, as leaves have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClassMonth {
    /// The number of the class, as in `leaf.cddl`.
    pub class: u8,
    /// The month, as yyyymm.
    pub month: u32,
}

/// An erasure proposed by one actor, waiting for another. Sealed, as everything about a person is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureProposal {
    /// Drawn at random; the second actor names it.
    pub id: ProposalId,
    /// The controller for which the person is to be erased.
    pub controller: PartyId,
    /// On what ground.
    pub ground: Ground,
    /// Who proposed it.
    pub proposed_by: PartyId,
    /// The employee who did, by the party's own mark.
    pub actor: ActorRef,
    /// SHA-256 of the certificate with which it was proposed.
    pub certificate: [u8; 32],
    /// When it was proposed, in log time.
    pub proposed_at: Timestamp,
    /// The party whose connection it was; absent in what older brokers recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<PartyId>,
}

impl ErasureProposal {
    /// Whether this is a second actor, by the rule for changes of the registry.
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

/// The most ranges in one entry: more are told in several, so that none outgrows what the log takes.
pub const MOST_RANGES: usize = 2048;

impl Covers {
    /// The ranges of entries in ascending order, each once.
    #[must_use]
    pub fn entries(entries: impl IntoIterator<Item = EntryIndex>) -> Self {
        let mut ranges: Vec<(EntryIndex, EntryIndex)> = Vec::new();
        for entry in entries {
            match ranges.last_mut() {
                Some((_, last)) if last.0.checked_add(1) == Some(entry.0) => *last = entry,
                _ => ranges.push((entry, entry)),
            }
        }
        Self::Entries(ranges)
    }

    /// Whether it covers an entry, of which the leaf names this class and month where it names one.
    #[must_use]
    pub fn holds(&self, entry: EntryIndex, due: Option<ClassMonth>) -> bool {
        match self {
            Self::Entries(ranges) => {
                let at = ranges.partition_point(|(_, last)| *last < entry);
                ranges.get(at).is_some_and(|(first, _)| *first <= entry)
            }
            Self::Month(month) => due == Some(*month),
        }
    }

    /// How many entries it names; `None` for a month, of which the leaves say so themselves.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Entries(ranges) => {
                let lengths = ranges
                    .iter()
                    .map(|(first, last)| last.0.saturating_sub(first.0).saturating_add(1));
                Some(lengths.fold(0, u64::saturating_add))
            }
            Self::Month(_) => None,
        }
    }
}
