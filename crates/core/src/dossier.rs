//! Everything the broker holds about one person, and how an event changes it.

mod apply;
mod concerned;
mod keepers;
mod remains;
mod row;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::row::{Row, RowKey};
use crate::{
    case::Case,
    code::Condition,
    consent::Consent,
    event::SlotUse,
    id::{CaseId, ConsentId, EntryIndex, NoticeId, PartyId, RestrictionId, SlotId, SubjectId},
    notice::Notice,
    person::{Identifier, SubjectRef},
    restriction::Restriction,
    status::StatusRecord,
    time::Timestamp,
};

/// Everything about one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    /// The person.
    pub subject: SubjectId,
    /// By what the person is found.
    pub identifiers: BTreeMap<Identifier, EntryIndex>,
    /// The keys that seal what is about the person.
    pub slots: BTreeMap<SlotUse, SlotId>,
    /// The cases.
    pub cases: BTreeMap<CaseId, Case>,
    /// The consents.
    pub consents: BTreeMap<ConsentId, Consent>,
    /// The statuses, the last report of each reporter.
    pub statuses: BTreeMap<(CaseId, Condition, PartyId), StatusRecord>,
    /// The restrictions and objections.
    pub restrictions: BTreeMap<RestrictionId, Restriction>,
    /// The codes with which partners may be introduced, by their SHA-256.
    pub introductions: BTreeMap<[u8; 32], Introduction>,
    /// Who was ever served what.
    pub served: BTreeMap<(PartyId, Condition), Served>,
    /// The notices.
    pub notices: BTreeMap<NoticeId, Notice>,
}

/// A code that the person may hand to a partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introduction {
    /// SHA-256 of the code.
    pub code_sha256: [u8; 32],
    /// The case.
    pub case: CaseId,
    /// The partner.
    pub partner: PartyId,
    /// The condition.
    pub condition: Condition,
    /// Until when it works.
    pub until: Timestamp,
    /// Whether it was used.
    pub redeemed: bool,
}

/// What a recipient was served of one condition: those to whom notices go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The recipient.
    pub recipient: PartyId,
    /// The condition.
    pub condition: Condition,
    /// How the recipient named the person when it was first served.
    pub reference: SubjectRef,
    /// The consents it was ever served under.
    pub consents: BTreeSet<ConsentId>,
    /// The providers whose reports it was ever served.
    pub providers: BTreeSet<PartyId>,
}

impl Introduction {
    /// Whether the code would still introduce this partner to this case at an instant.
    #[must_use]
    pub fn leads(&self, case: CaseId, partner: &PartyId, at: Timestamp) -> bool {
        self.case == case && self.partner == *partner && !self.redeemed && at < self.until
    }
}

impl Dossier {
    /// A dossier with nothing in it.
    #[must_use]
    pub fn new(subject: SubjectId) -> Self {
        Self {
            subject,
            identifiers: BTreeMap::new(),
            slots: BTreeMap::new(),
            cases: BTreeMap::new(),
            consents: BTreeMap::new(),
            statuses: BTreeMap::new(),
            restrictions: BTreeMap::new(),
            introductions: BTreeMap::new(),
            served: BTreeMap::new(),
            notices: BTreeMap::new(),
        }
    }

    /// The citizen service number by which everybody finds the person.
    #[must_use]
    pub fn bsn(&self) -> Option<&Identifier> {
        let mut identifiers = self.identifiers.keys();
        identifiers.find(|number| matches!(number, Identifier::Bsn(_)))
    }
}
