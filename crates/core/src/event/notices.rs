//! The notices that an event issues: each names the person as its recipient does.

use super::{ConsentEnded, Event};
use crate::notice::Notice;

impl Event {
    /// The notices that wait from this event on.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        match self {
            Self::StatusReported { notices, .. }
            | Self::ConsentEnded(ConsentEnded { notices, .. })
            | Self::Restricted { notices, .. } => notices,
            Self::LookedUp(_)
            | Self::RestrictionLifted { .. }
            | Self::Withheld(_)
            | Self::ErasureProposed(_)
            | Self::Denied(_)
            | Self::Disclosed(_)
            | Self::ConsentRecorded { .. }
            | Self::CaseOpened { .. }
            | Self::MunicipalityAssigned { .. }
            | Self::MemberAdded { .. }
            | Self::MemberRemoved { .. }
            | Self::CaseClosed { .. }
            | Self::Introduced { .. }
            | Self::Redeemed { .. }
            | Self::Delivered(_)
            | Self::Acknowledged { .. }
            | Self::SearchProposed(_)
            | Self::SearchDecided(_)
            | Self::TrailVerified(_)
            | Self::ReplayDiffered(_)
            | Self::Proposed(_)
            | Self::CertificatesUsed { .. }
            | Self::Changed { .. }
            | Self::Rejected { .. }
            | Self::Refused { .. }
            | Self::Started { .. }
            | Self::Stopped
            | Self::ClockJumped { .. }
            | Self::ClockAcknowledged { .. }
            | Self::Erased(_)
            | Self::ErasureApproved { .. }
            | Self::ErasureRejected { .. }
            | Self::KekRotated
            | Self::Issuance(_)
            | Self::SigningResumed { .. }
            | Self::CheckpointKey { .. } => &[],
        }
    }
}
