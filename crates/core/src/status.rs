//! Statuses: how one condition stands in one case, as one party reported it.

use serde::{Deserialize, Serialize};

use crate::{
    code::{Condition, Moment, Regime, Role, Status},
    id::{CaseId, EntryIndex, PartyId},
    invalid::Invalid,
    time::{Date, Timestamp},
};

/// A reported status. Keyed by case, condition and reporter; a new report replaces the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRecord {
    /// The case.
    pub case: CaseId,
    /// The condition.
    pub condition: Condition,
    /// The party that reported it, and answers for it: the provider.
    pub reporter: PartyId,
    /// What was reported.
    pub report: Report,
    /// The regime under which the reporter holds it.
    pub regime: Regime,
    /// When it was recorded, in log time.
    pub reported_at: Timestamp,
    /// The entry that holds it.
    pub entry: EntryIndex,
}

/// What a party reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How the condition stands.
    pub status: Status,
    /// The day on which it stood so.
    pub as_of: Date,
    /// The day by which it should be settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Date>,
    /// The moment in the trajectory.
    pub moment: Moment,
    /// The role of the party from which the information originally stems; the reporter's own when it is first-hand.
    pub origin: Role,
    /// With [`Status::HelpDeclined`]: the party whose help was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_by: Option<PartyId>,
}

impl Report {
    /// Checks what holds for a report by itself, at the day it is made in the Netherlands.
    ///
    /// # Errors
    /// The first rule that is broken, with the field it is about.
    pub fn check(&self, today: Date) -> Result<(), (&'static str, Invalid)> {
        if self.as_of > today {
            return Err(("as_of", Invalid::new("must not lie in the future")));
        }
        if self.expected.is_some_and(|expected| expected < self.as_of) {
            return Err(("expected", Invalid::new("must not lie before as_of")));
        }
        if (self.status == Status::HelpDeclined) != self.offered_by.is_some() {
            let rule =
                "must name the party whose help was declined with HELP_DECLINED, and only then";
            return Err(("offered_by", Invalid::new(rule)));
        }
        Ok(())
    }
}
