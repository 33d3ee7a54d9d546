//! Whom an officer means, and whom entries are about, as far as the own controller has to do with them.
//!
//! What the controller did no more than name is found by what was named, whether or not the broker knows anybody
//! by it: a question asked twice shows the first time alike for somebody known elsewhere and for nobody.

use std::collections::{BTreeMap, BTreeSet};

use schakel_core::{
    event::{Details, Naming},
    id::{EntryIndex, PartyId, SubjectId},
};
use schakel_store::index::Query;

/// Nobody: no person is ever drawn this id. A search for somebody unknown takes the way of any other.
const NOBODY: SubjectId = SubjectId::from_bytes([0; 16]);

/// Somebody as an officer means them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// The person; nobody, when the controller has nothing to do with whoever is meant.
    pub(crate) subject: SubjectId,
    /// How the officer named them.
    pub(crate) naming: Naming,
}

/// Whom an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whom {
    /// A person with whom the controller has to do.
    Known(SubjectId),
    /// Somebody of whom it is seen only that the controller named them.
    Named(Naming),
}

impl Person {
    /// Somebody named, of whom the records concern the controller when they are found.
    pub(crate) fn new(found: Option<SubjectId>, naming: Naming) -> Self {
        Self {
            subject: found.unwrap_or(NOBODY),
            naming,
        }
    }

    /// The search for the controller's entries about them.
    pub(crate) fn entries(&self, controller: &PartyId) -> Query {
        Query {
            subject: Some(self.subject),
            named: Some(self.naming.clone()),
            ..Query::of(controller.clone())
        }
    }
}

/// What one entry says of whom it is about.
#[derive(Clone, Debug)]
pub(crate) struct About {
    subject: Option<SubjectId>,
    /// How they were named, where the entry says no more.
    named: Option<Naming>,
}

impl About {
    /// What an entry says to a controller.
    pub(crate) fn of(details: &Details, controller: &PartyId) -> Self {
        let named = details.named();
        Self {
            subject: details.subject,
            named: named.filter(|_| !details.says_more_to(controller)),
        }
    }
}

/// One entry about each person, of entries that were shown.
pub(crate) fn one_a_person(shown: Vec<(About, EntryIndex)>) -> Vec<EntryIndex> {
    let one: BTreeMap<Whom, EntryIndex> = whom(shown).into_iter().collect();
    let mut one: Vec<_> = one.into_values().collect();
    one.sort_unstable();
    one
}

/// Whom entries are about, each with what was read of it. One who was both named and dealt with is one person, unless
/// the naming was filed about nobody: then it is not seen that both are one.
pub(crate) fn whom<T>(entries: Vec<(About, T)>) -> Vec<(Whom, T)> {
    let dealt_with = entries.iter().filter(|(about, _)| about.named.is_none());
    let known: BTreeSet<SubjectId> = dealt_with.filter_map(|(about, _)| about.subject).collect();
    let whom = entries.into_iter().filter_map(|(about, read)| {
        let subject = about.subject.filter(|subject| known.contains(subject));
        let known = subject.map(Whom::Known);
        Some((known.or(about.named.map(Whom::Named))?, read))
    });
    whom.collect()
}
