//! What remains of an entry for the controllers that did not erase the person.

use std::collections::BTreeSet;

use crate::{
    event::{Details, Event, SlotUse},
    id::PartyId,
};

impl Details {
    /// The details without these controllers: they may not open the entry any more, and who acted for them, from
    /// where and by which write is nobody's business any more.
    #[must_use]
    pub fn without(mut self, erased: &BTreeSet<PartyId>) -> Self {
        if erased.is_empty() {
            return self;
        }
        self.controllers.retain(|party| !erased.contains(party));
        if let Some(call) = &mut self.call
            && erased.contains(&call.principal)
        {
            call.address.clear();
            call.actor = None;
            call.responsible = None;
            call.transaction = None;
            call.trace = None;
            call.write = None;
        }
        self
    }
}

impl Event {
    /// The open-ended record that ends what the event says, where one does.
    #[must_use]
    pub fn record(&self) -> Option<SlotUse> {
        match self {
            Self::CaseOpened { case, .. }
            | Self::MunicipalityAssigned { case, .. }
            | Self::MemberAdded { case, .. }
            | Self::MemberRemoved { case, .. }
            | Self::CaseClosed { case, .. } => Some(SlotUse::Case(*case)),
            Self::ConsentRecorded { consent, .. } => Some(SlotUse::Consent(*consent)),
            Self::Disclosed(_)
            | Self::Denied(_)
            | Self::ConsentEnded(_)
            | Self::StatusReported { .. }
            | Self::Introduced { .. }
            | Self::Redeemed { .. }
            | Self::Restricted { .. }
            | Self::RestrictionLifted { .. }
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
            | Self::CheckpointKey { .. } => None,
        }
    }
}
