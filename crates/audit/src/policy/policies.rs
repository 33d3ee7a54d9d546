//! By which policy a checkpoint is judged, as the keys of its log change.

use super::{EndorseError, Endorsed, Policy};
use crate::{checkpoint::Checkpoint, note::Note};

/// A policy as it is known from elsewhere, and what it came to be with each change of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policies {
    pinned: Policy,
    /// By which policy a checkpoint is judged that has at least so many entries, in ascending order.
    later: Vec<(u64, Policy)>,
}

impl Policies {
    /// The policy that is known from elsewhere.
    #[must_use]
    pub const fn pinned(&self) -> &Policy {
        &self.pinned
    }

    /// From so many entries on it is this one: not fewer than the one before.
    pub fn turn(&mut self, from: u64, policy: Policy) {
        self.later.push((from, policy));
    }

    /// By which policy a checkpoint of this size is judged.
    #[must_use]
    pub fn at(&self, size: u64) -> &Policy {
        let mut later = self.later.iter().rev();
        let found = later.find(|(from, _)| *from <= size);
        found.map_or(&self.pinned, |(_, policy)| policy)
    }

    /// By which policy the checkpoint in a note is judged, whoever signed that; the pinned one when there is none.
    #[must_use]
    pub fn of(&self, note: &str) -> &Policy {
        let note = Note::parse(note).ok();
        let claimed = note.and_then(|note| Checkpoint::parse(note.text()).ok());
        self.at(claimed.map_or(0, |checkpoint| checkpoint.size))
    }

    /// As [`Policy::open`], by the policy that counts for a checkpoint of its size.
    ///
    /// # Errors
    /// As [`Policy::open`].
    pub fn open(&self, note: &str) -> Result<Endorsed<'_>, EndorseError> {
        self.of(note).open(note)
    }
}

impl From<Policy> for Policies {
    /// One of whose keys no change is known.
    fn from(pinned: Policy) -> Self {
        Self {
            pinned,
            later: Vec::new(),
        }
    }
}
