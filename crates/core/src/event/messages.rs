//! The messages that an event speaks of: each names the person it is about once more.

use super::{Asked, Delivered, Denied, Event};
use crate::inbox::Pending;

impl Event {
    /// The messages that wait, were handed over or were dropped by it, all about one person.
    #[must_use]
    pub fn messages(&self) -> Vec<&Pending> {
        match self {
            Self::StatusReported { messages, .. } => {
                messages.iter().map(|(_, message)| message).collect()
            }
            Self::Delivered(Delivered { message, .. })
            | Self::Denied(Denied {
                asked: Asked::Message { message, .. },
                ..
            }) => vec![message],
            Self::Denied(_)
            | Self::Disclosed(_)
            | Self::ConsentRecorded { .. }
            | Self::ConsentEnded(_)
            | Self::CaseOpened { .. }
            | Self::MunicipalityAssigned { .. }
            | Self::MemberAdded { .. }
            | Self::MemberRemoved { .. }
            | Self::CaseClosed { .. }
            | Self::Introduced { .. }
            | Self::Redeemed { .. }
            | Self::Restricted { .. }
            | Self::RestrictionLifted { .. }
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
            | Self::CheckpointKey { .. } => Vec::new(),
        }
    }

    /// Those of [`Self::messages`], to be changed.
    pub fn messages_mut(&mut self) -> Vec<&mut Pending> {
        match self {
            Self::StatusReported { messages, .. } => {
                messages.iter_mut().map(|(_, message)| message).collect()
            }
            Self::Delivered(Delivered { message, .. })
            | Self::Denied(Denied {
                asked: Asked::Message { message, .. },
                ..
            }) => vec![message],
            _ => Vec::new(),
        }
    }
}
