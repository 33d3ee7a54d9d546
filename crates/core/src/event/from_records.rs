//! What an event says that follows from what was held of the person when it happened, and not from the call that
//! caused it: what came of it for others, and how the person is known. Whoever caused it may be a stranger to the
//! person, and would see by it that the person is known.

use serde::{Deserialize, Serialize};

use super::{ConsentEnded, Event};
use crate::{
    id::{ConsentId, PartyId},
    notice::Notice,
    person::Identifier,
};

/// What follows from what was held of the person. Empty where nothing does, as for somebody nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromRecords {
    /// The consents that ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<ConsentId>,
    /// The consents that ended in part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrowed: Vec<ConsentId>,
    /// The notices that wait, which say how others name the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// By what the person is known from then on, when not by it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
    /// Whether a restriction or objection stands between others than the caller alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub between_others: bool,
    /// For whom a restriction or objection was lifted, which follows from who recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_for: Option<PartyId>,
}

impl Event {
    /// Whether an event of this kind may say something that follows from what was held of the person. By the kind
    /// alone: that an event does say something tells that there was something.
    #[must_use]
    pub const fn follows_from_records(&self) -> bool {
        match self {
            Self::ConsentRecorded { .. }
            | Self::ConsentEnded(_)
            | Self::StatusReported { .. }
            | Self::Restricted { .. }
            | Self::RestrictionLifted { .. } => true,
            Self::Disclosed(_)
            | Self::Denied(_)
            | Self::CaseOpened { .. }
            | Self::MunicipalityAssigned { .. }
            | Self::MemberAdded { .. }
            | Self::MemberRemoved { .. }
            | Self::CaseClosed { .. }
            | Self::Introduced { .. }
            | Self::Redeemed { .. }
            | Self::Delivered(_)
            | Self::Acknowledged { .. }
            | Self::LookedUp(_)
            | Self::Withheld(_)
            | Self::SearchProposed(_)
            | Self::SearchDecided(_)
            | Self::TrailVerified(_)
            | Self::ReplayDiffered(_)
            | Self::Issuance(_)
            | Self::Proposed(_)
            | Self::Changed { .. }
            | Self::Rejected { .. }
            | Self::CertificatesUsed { .. }
            | Self::Refused { .. }
            | Self::Started { .. }
            | Self::Stopped
            | Self::ClockJumped { .. }
            | Self::ClockAcknowledged { .. }
            | Self::SigningResumed { .. }
            | Self::Erased(_)
            | Self::ErasureProposed(_)
            | Self::ErasureApproved { .. }
            | Self::ErasureRejected { .. }
            | Self::KekRotated
            | Self::CheckpointKey { .. } => false,
        }
    }

    /// Exchanges what follows from what was held of the person: with nothing, to take it out, and with what was taken
    /// out, to put it back.
    pub fn exchange_from_records(&mut self, other: &mut FromRecords) {
        use std::mem::swap;
        match self {
            Self::ConsentRecorded { identifier, .. } => swap(identifier, &mut other.identifier),
            Self::ConsentEnded(ConsentEnded {
                consents,
                narrowed,
                notices,
                ..
            }) => {
                swap(consents, &mut other.consents);
                swap(narrowed, &mut other.narrowed);
                swap(notices, &mut other.notices);
            }
            Self::StatusReported { notices, .. } => swap(notices, &mut other.notices),
            Self::Restricted {
                between_others,
                notices,
                ..
            } => {
                swap(between_others, &mut other.between_others);
                swap(notices, &mut other.notices);
            }
            Self::RestrictionLifted { controller, .. } => swap(controller, &mut other.lifted_for),
            _ => {}
        }
    }
}
