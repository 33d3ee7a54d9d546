//! What remains of a dossier when a controller has erased the person.
//!
//! An entry is sealed for every controller concerned. One of them erases for itself: the entry can still be
//! read for the others, and what they rely on stays. What the controller itself reported and was told goes.

use super::{Dossier, RowKey};
use crate::{
    event::{Delivered, Details, Event},
    id::EntryIndex,
    time::Timestamp,
};

impl Dossier {
    /// Applies what happened as far as it remains when the party that acted has erased the person since:
    /// neither a status it reported nor that it was served is held any more, nor whose it said a number was. What
    /// it did to a case, a consent or a restriction holds for the others as well, and stays.
    #[expect(
        clippy::too_many_lines,
        reason = "every event is named, so that a new one is looked at"
    )]
    pub fn apply_remains(
        &mut self,
        details: &Details,
        entry: EntryIndex,
        at: Timestamp,
    ) -> Vec<RowKey> {
        let rows = self.apply(details, entry, at);
        let Some(actor) = details.call.as_ref().map(|call| &call.principal) else {
            return rows;
        };
        match &details.event {
            Event::StatusReported {
                case, condition, ..
            } => {
                self.statuses.remove(&(*case, *condition, actor.clone()));
            }
            Event::Disclosed(disclosed)
            | Event::Delivered(Delivered {
                disclosed: Some(disclosed),
                ..
            }) => {
                for grant in &disclosed.grants {
                    self.served.remove(&(actor.clone(), grant.condition));
                }
            }
            // Whose the numbers are it said for itself alone.
            Event::CaseOpened { case, .. } => {
                if let Some(found) = self.cases.get_mut(case) {
                    found.besides.clear();
                }
            }
            Event::Delivered(Delivered {
                disclosed: None, ..
            })
            | Event::Denied(_)
            | Event::ConsentRecorded { .. }
            | Event::ConsentEnded(_)
            | Event::MunicipalityAssigned { .. }
            | Event::MemberAdded { .. }
            | Event::MemberRemoved { .. }
            | Event::CaseClosed { .. }
            | Event::Introduced { .. }
            | Event::Redeemed { .. }
            | Event::Restricted { .. }
            | Event::RestrictionLifted { .. }
            | Event::Acknowledged { .. }
            | Event::LookedUp(_)
            | Event::Withheld(_)
            | Event::SearchProposed(_)
            | Event::SearchDecided(_)
            | Event::TrailVerified(_)
            | Event::ReplayDiffered(_)
            | Event::Issuance(_)
            | Event::Proposed(_)
            | Event::Changed { .. }
            | Event::Rejected { .. }
            | Event::CertificatesUsed { .. }
            | Event::Refused { .. }
            | Event::Started { .. }
            | Event::Stopped
            | Event::ClockJumped { .. }
            | Event::ClockAcknowledged { .. }
            | Event::SigningResumed { .. }
            | Event::Erased(_)
            | Event::ErasureProposed(_)
            | Event::ErasureApproved { .. }
            | Event::ErasureRejected { .. }
            | Event::KekRotated
            | Event::CheckpointKey { .. } => {}
        }
        rows
    }
}
