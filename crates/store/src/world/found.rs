//! Who is found by what.

use schakel_core::{
    event::Naming,
    id::{PartyId, SubjectId},
    person::{Identifier, SubjectRef},
};

use super::World;

impl World {
    /// The person a caller means; `None` when nobody is known by that reference. A number means whom the caller said
    /// itself that it means, and else whom everybody means by it.
    #[must_use]
    pub fn subject_of(&self, reference: &SubjectRef, caller: &PartyId) -> Option<SubjectId> {
        self.people.meant_by(&Naming::of(caller, reference), caller)
    }

    /// The person of whom a party said last, for itself alone, that a number is theirs.
    #[must_use]
    pub fn subject_said(&self, number: &Identifier, party: &PartyId) -> Option<SubjectId> {
        self.people.said(Some(party), number).next_back()
    }

    /// The people of whom a party, or anybody, said, for itself alone, that a number is theirs: the first word first,
    /// and whoever it was said of again, again.
    #[must_use]
    pub fn subjects_said(&self, number: &Identifier, party: Option<&PartyId>) -> Vec<SubjectId> {
        self.people.said(party, number).collect()
    }

    /// The person whom everybody finds by an identifier.
    #[must_use]
    pub fn subject_known_by(&self, identifier: &Identifier) -> Option<SubjectId> {
        self.people.known_by(identifier)
    }

    /// The person to whom a code introduces, whether or not it still works.
    #[must_use]
    pub fn subject_by_code(&self, code_sha256: &[u8; 32]) -> Option<SubjectId> {
        self.people.introduced_by(code_sha256)
    }
}
