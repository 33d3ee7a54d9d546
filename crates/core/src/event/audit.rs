//! What officers and auditors do with the trail, and what the broker finds in it by itself.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    code::codes,
    id::{EntryIndex, PurposeCode, Reference},
    replay::Difference,
    time::{Period, Timestamp},
};

codes! {
    /// The interest for which AVG 15 may be set aside, by the letter under which UAVG 41(1) names it.
    WithholdingGround, "must be one of UAVG_41_1_A to UAVG_41_1_J" {
        /// National security.
        NationalSecurity = "UAVG_41_1_A",
        /// Defence.
        Defence = "UAVG_41_1_B",
        /// Public security.
        PublicSecurity = "UAVG_41_1_C",
        /// Preventing, investigating and prosecuting offences, and executing sentences.
        Sentences = "UAVG_41_1_D",
        /// Other important objectives of general interest.
        GeneralInterest = "UAVG_41_1_E",
        /// Judicial independence and proceedings.
        Judiciary = "UAVG_41_1_F",
        /// Breaches of ethics for regulated professions.
        ProfessionalEthics = "UAVG_41_1_G",
        /// Monitoring, inspection or regulation connected to public authority.
        Supervision = "UAVG_41_1_H",
        /// Protection of the person concerned or of the rights and freedoms of others.
        RightsOfOthers = "UAVG_41_1_I",
        /// Enforcement of civil claims.
        CivilClaims = "UAVG_41_1_J",
    }
}

/// The decision of a controller to withhold entries from what the person is told (UAVG 41). Who decided is
/// the party and employee of the call.
///
/// A later decision about an entry takes the place of an earlier one; one that has ended withholds nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// The interest that weighs more.
    pub ground: WithholdingGround,
    /// The entries withheld.
    pub entries: BTreeSet<EntryIndex>,
    /// When it ends; an instant that has passed ends it at once.
    pub until: Timestamp,
    /// Whether the person may be told how many entries are withheld.
    pub counted: bool,
}

/// A search that names no person and is so wide that it needs a second officer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchProposed {
    /// What it is known by.
    pub search: Reference,
    /// The method it is to be made with, as `Service/Method`.
    pub method: String,
    /// What for.
    pub purpose: PurposeCode,
    /// The question in words: filters and their values. The search may be made with exactly these.
    pub question: String,
    /// For an export: what may be handed over, and for how long. Not in what older brokers recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<StandingExport>,
}

/// An export as it is proposed. Exports are run again and again, so one that is approved stands for a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingExport {
    /// Only entries recorded within this period are opened, or give a line.
    pub period: Period,
    /// For how many days after the approval it may be run.
    pub days: u32,
}

/// What a second officer decided about a proposed search. A later rejection takes an approval back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchDecided {
    /// Which.
    pub search: Reference,
    /// Until when it may be made; `None` when it was rejected.
    pub until: Option<Timestamp>,
}

/// What somebody who verified the trail says came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailVerified {
    /// How many entries were verified, from the first on.
    pub size: u64,
    /// The root of the tree over them.
    pub root: [u8; 32],
    /// Whether everything was as it should be.
    pub sound: bool,
}

/// Past decisions that were replayed by the broker itself and came out otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayDiffered {
    /// The decision.
    pub entry: EntryIndex,
    /// In what it came out otherwise; never empty.
    pub differences: Vec<Difference>,
}
