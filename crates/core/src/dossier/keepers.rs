//! For whom, beside those it concerns, an entry is sealed.
//!
//! A record is what the entries about it say together. Were the end of a consent or the closing of a case
//! sealed for fewer than its beginning, one controller's erasure would leave the beginning readable without
//! the end, and something ended would be in force again. So a change is sealed for all for whom the record
//! it changes is sealed; and so is what takes a message out of an inbox, for whom what let it wait is: it would wait
//! again. They may not look at it for that: only the broker opens it with their keys.

use std::collections::BTreeSet;

use super::Dossier;
use crate::{
    code::Condition,
    event::{Asked, Delivered, Denied, Event, SlotUse},
    id::{CaseId, ConsentId, NoticeId, PartyId},
    inbox::Topic,
};

impl Dossier {
    /// The controllers for whom an entry of this event must be sealed as well.
    #[must_use]
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
            Event::Delivered(Delivered { message, .. })
            | Event::Denied(Denied {
                asked: Asked::Message { message, .. },
                ..
            }) => match &message.topic {
                Topic::Notice(id) => self.keepers_of_notice(*id),
                Topic::Status {
                    case, condition, ..
                } => self.reporters(*case, *condition),
            },
            Event::Acknowledged { notice, about, .. } => match (notice, about) {
                (Some(id), _) => self.keepers_of_notice(*id),
                (None, Some((case, condition))) => self.reporters(*case, *condition),
                (None, None) => BTreeSet::new(),
            },
            Event::Disclosed(_)
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

    /// What came of a notice is sealed for who issued it, too.
    fn keepers_of_notice(&self, notice: NoticeId) -> BTreeSet<PartyId> {
        let notice = self.notices.get(&notice);
        let issuer = notice.map(|notice| notice.issued_by.clone());
        issuer.into_iter().collect()
    }

    /// What came of a message is sealed for whose reports let it wait, too: where one of them can be read it waits
    /// again, unless what took it out can be read as well.
    fn reporters(&self, case: CaseId, condition: Condition) -> BTreeSet<PartyId> {
        let reported = self.statuses.keys();
        let so = reported.filter(|(of, what, _)| (*of, *what) == (case, condition));
        so.map(|(_, _, reporter)| reporter.clone()).collect()
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
