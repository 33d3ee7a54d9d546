//! For whom, beside those it concerns, an entry is sealed.
//!
//! A record is what the entries about it say together. Were the end of a consent or the closing of a case
//! sealed for fewer than its beginning, one controller's erasure would leave the beginning readable without
//! the end, and something ended would be in force again. So a change is sealed for all for whom the record
//! it changes is sealed. They may not look at it for that: only the broker opens it with their keys.

use std::collections::BTreeSet;

use super::Dossier;
use crate::{
    event::{Event, SlotUse},
    id::{CaseId, ConsentId, PartyId},
    inbox::Topic,
};

impl Dossier {
    /// The controllers for whom an entry of this event must be sealed as well.
    #[must_use]
    #[expect(
        clippy::too_many_lines,
        reason = "every event is named, so that a new one is looked at"
    )]
    pub fn keepers(&self, event: &Event) -> BTreeSet<PartyId> {
        match event {
            Event::MunicipalityAssigned { case, .. }
            | Event::MemberAdded { case, .. }
            | Event::MemberRemoved { case, .. }
            | Event::CaseClosed { case, .. } => self.keepers_of_case(*case),
            Event::ConsentEnded(ended) => {
                let touched = ended.consents.iter().chain(&ended.narrowed);
                touched
                    .flat_map(|id| self.keepers_of_consent(*id))
                    .collect()
            }
            Event::Restricted { .. } | Event::RestrictionLifted { .. } => {
                self.controllers().cloned().collect()
            }
            Event::Delivered(delivered) => match &delivered.message.topic {
                Topic::Notice(id) => {
                    let notice = self.notices.get(id);
                    notice
                        .map(|notice| notice.issued_by.clone())
                        .into_iter()
                        .collect()
                }
                Topic::Status { .. } => BTreeSet::new(),
            },
            Event::Acknowledged {
                notice: Some(id), ..
            } => {
                let notice = self.notices.get(id);
                notice
                    .map(|notice| notice.issued_by.clone())
                    .into_iter()
                    .collect()
            }
            Event::Acknowledged { notice: None, .. }
            | Event::Disclosed(_)
            | Event::Denied(_)
            | Event::ConsentRecorded { .. }
            | Event::CaseOpened { .. }
            | Event::StatusReported { .. }
            | Event::Introduced { .. }
            | Event::Redeemed { .. }
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
            | Event::CheckpointKey { .. } => BTreeSet::new(),
        }
    }

    /// The controllers with which the person has a key.
    pub fn controllers(&self) -> impl Iterator<Item = &PartyId> {
        self.slots.keys().filter_map(|usage| match usage {
            SlotUse::Controller(party) => Some(party),
            SlotUse::Case(_) | SlotUse::Consent(_) => None,
        })
    }

    fn keepers_of_case(&self, case: CaseId) -> BTreeSet<PartyId> {
        let Some(found) = self.cases.get(&case) else {
            return BTreeSet::new();
        };
        let first = found.returns.first();
        let at_opening = first.filter(|given| given.period.from == found.opened_at);
        let municipality = at_opening.map(|given| given.party.clone());
        std::iter::once(found.opened_by.clone())
            .chain(municipality)
            .collect()
    }

    fn keepers_of_consent(&self, consent: ConsentId) -> BTreeSet<PartyId> {
        let Some(found) = self.consents.get(&consent) else {
            return BTreeSet::new();
        };
        let terms = &found.terms;
        let mut keepers: BTreeSet<PartyId> =
            terms.providers.union(&terms.recipients).cloned().collect();
        keepers.insert(terms.collected_by.clone());
        keepers
    }
}
