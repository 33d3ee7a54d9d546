//! What is searched for, and what is found.

use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::Condition,
    event::Naming,
    id::{EntryIndex, PartyId, PurposeCode, Reference, SlotId, SubjectId},
    time::Period,
};

use super::{Outcome, Whose};

/// A search in the entries of one controller. What is not named does not narrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The controller whose entries are searched; nobody searches any other's.
    pub whose: Whose,
    /// Only entries about this person.
    pub subject: Option<SubjectId>,
    /// Whom a call named. With a person as well: entries about the person, and those that named it so.
    pub named: Option<Naming>,
    /// Only entries of what this party did.
    pub party: Option<PartyId>,
    /// Only entries for this purpose, in whatever version.
    pub purpose: Option<PurposeCode>,
    /// Only entries about this condition.
    pub condition: Option<Condition>,
    /// Only entries recorded within this period of log time.
    pub period: Option<Period>,
    /// Only entries of which this came.
    pub outcome: Option<Outcome>,
    /// Only entries that record this.
    pub kind: Option<EntryType>,
    /// Only entries made over this party's connection for another.
    pub transport: Option<PartyId>,
    /// Only entries made with this certificate, by its SHA-256.
    pub certificate: Option<[u8; 32]>,
    /// Only the entries that this is the reference of.
    pub reference: Option<Reference>,
    /// Only entries before this one: where the page before this one ended.
    pub before: Option<EntryIndex>,
    /// The most entries to find, from 1 to [`LARGEST_PAGE`]; what lies outside counts as the bound.
    pub limit: usize,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The entries, newest first.
    pub entries: Vec<EntryIndex>,
    /// Where the next page continues, for [`Query::before`]; `None` when there is nothing more.
    pub next: Option<EntryIndex>,
}

/// The most entries on one page.
pub const LARGEST_PAGE: usize = 100;

impl Query {
    /// A search for everything of one controller, the first page of the largest size.
    #[must_use]
    pub const fn of(controller: PartyId) -> Self {
        Self::among(Whose::Controller(controller))
    }

    /// A search for everything about a person, whomever it concerns: for the broker itself.
    #[must_use]
    pub fn about(subject: SubjectId) -> Self {
        Self {
            subject: Some(subject),
            ..Self::among(Whose::Anyone)
        }
    }

    /// A search for everything of one kind, whomever it concerns: for the broker itself.
    #[must_use]
    pub fn all_of(kind: EntryType) -> Self {
        Self {
            kind: Some(kind),
            ..Self::among(Whose::Anyone)
        }
    }

    /// A search for everything that was sealed with a key and can no longer be read: for the broker itself.
    #[must_use]
    pub const fn sealed_with(slot: SlotId) -> Self {
        Self::among(Whose::Sealed(slot))
    }

    const fn among(whose: Whose) -> Self {
        Self {
            whose,
            subject: None,
            named: None,
            party: None,
            purpose: None,
            condition: None,
            period: None,
            outcome: None,
            kind: None,
            transport: None,
            certificate: None,
            reference: None,
            before: None,
            limit: LARGEST_PAGE,
        }
    }
}
