//! Notices: what a recipient must be told about something it received (AVG 7(3), 19).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    code::{Condition, codes},
    id::{EntryIndex, NoticeId, PartyId},
    person::SubjectRef,
    time::Timestamp,
};

codes! {
    /// What happened to what was received.
    NoticeKind, "must be one of WITHDRAWAL, CORRECTION, RESTRICTION, RECALL" {
        /// The consent under which it was received was withdrawn: stop using it.
        Withdrawal = "WITHDRAWAL",
        /// It was corrected: ask again.
        Correction = "CORRECTION",
        /// Its use is restricted or objected to: hold it.
        Restriction = "RESTRICTION",
        /// It was about another person: destroy it.
        Recall = "RECALL",
    }
}

/// A notice to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// What happened.
    pub kind: NoticeKind,
    /// Who must be told.
    pub recipient: PartyId,
    /// The person, as this recipient itself named the person when it was served.
    pub reference: SubjectRef,
    /// The conditions it is about.
    pub conditions: BTreeSet<Condition>,
    /// The party through which it came: it may see who is outstanding.
    pub issued_by: PartyId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// By when it must be acknowledged.
    pub deadline: Timestamp,
    /// When it was first handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// When the recipient acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// The entry that issued it: all notices of one withdrawal share it.
    pub entry: EntryIndex,
}

/// Days within which a notice must be acknowledged: this broker's own term.
pub const NOTICE_DEADLINE_DAYS: u32 = 14;
