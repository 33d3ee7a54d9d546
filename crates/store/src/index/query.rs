//! What is searched for, and what is found.

use schakel_core::{
    code::Condition,
    id::{EntryIndex, PartyId, PurposeCode, SubjectId},
    time::Period,
};

use super::Outcome;

/// A search in the entries of one controller. What is not named does not narrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The controller whose entries are searched; nobody searches any other's.
    pub controller: PartyId,
    /// Only entries about this person.
    pub subject: Option<SubjectId>,
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
        Self {
            controller,
            subject: None,
            party: None,
            purpose: None,
            condition: None,
            period: None,
            outcome: None,
            before: None,
            limit: LARGEST_PAGE,
        }
    }
}
