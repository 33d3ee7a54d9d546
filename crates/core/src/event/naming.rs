//! Whom a call named, whether or not anybody is known by it.

use super::{Asked, Call, Denied, Details, Event};
use crate::{
    id::{CaseId, PartyId},
    person::{Identifier, SubjectRef},
};

/// Somebody as a party named them. It is found by this, known or not: what a party did itself it is shown
/// alike for somebody known elsewhere and for nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Naming {
    /// By a number, or by the mark of a partner.
    By(Identifier),
    /// By a case.
    Case(CaseId),
}

impl Naming {
    /// Whom this party names so.
    #[must_use]
    pub fn of(party: &PartyId, subject: &SubjectRef) -> Self {
        match subject {
            SubjectRef::Bsn(bsn) => Self::By(Identifier::Bsn(bsn.clone())),
            SubjectRef::Skn(skn) => Self::By(Identifier::Skn(skn.clone())),
            SubjectRef::ClientRef(mark) => {
                Self::By(Identifier::ClientRef(party.clone(), mark.clone()))
            }
            SubjectRef::Case(case) => Self::Case(*case),
        }
    }

    /// How whoever named somebody so says it.
    #[must_use]
    pub fn subject(&self) -> SubjectRef {
        match self {
            Self::By(Identifier::Bsn(bsn)) => SubjectRef::Bsn(bsn.clone()),
            Self::By(Identifier::Skn(skn)) => SubjectRef::Skn(skn.clone()),
            Self::By(Identifier::ClientRef(_, mark)) => SubjectRef::ClientRef(mark.clone()),
            Self::Case(case) => SubjectRef::Case(*case),
        }
    }

    /// Whether it means the same whoever says it: a mark is its partner's own.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        !matches!(self, Self::By(Identifier::ClientRef(..)))
    }
}

impl Details {
    /// Whom the call named, where all it did was to name somebody.
    #[must_use]
    pub fn named(&self) -> Option<Naming> {
        let call = self.call.as_ref()?;
        if !self.event.only_names() {
            return None;
        }
        let named = match &self.event {
            Event::LookedUp(looked) => looked.subject.as_ref(),
            Event::Denied(Denied { asked, .. }) => match asked {
                Asked::Disclosure(ask) => Some(&ask.subject),
                Asked::Call { subject, .. } => subject.as_ref(),
                Asked::Message { .. } => None,
            },
            Event::ConsentEnded(ended) => Some(&ended.subject),
            _ => None,
        };
        let named = named.or(call.named.as_ref())?;
        Some(Naming::of(&call.principal, named))
    }

    /// Whether all that the entry says is that this controller, or its privacy officer, named the person: it does
    /// not show that the person has anything to do with the controller.
    #[must_use]
    pub fn only_named_by(&self, controller: &PartyId) -> bool {
        let own = |call: &Call| call.principal == *controller;
        match &self.event {
            // Only the party that asks, or for which it looks, is concerned by these.
            Event::LookedUp(_) | Event::Denied(_) | Event::ErasureProposed(_) => {
                self.event.only_names()
            }
            event => event.only_names() && self.call.as_ref().is_some_and(own),
        }
    }
}

impl Event {
    /// Whether whoever caused it did no more than name a person: it looked, was denied, or passed on what the
    /// person wants, which is done for people it has nothing to do with as well.
    const fn only_names(&self) -> bool {
        match self {
            Self::LookedUp(_)
            | Self::ConsentEnded(_)
            | Self::Restricted { .. }
            | Self::RestrictionLifted { .. }
            | Self::Withheld(_)
            | Self::ErasureProposed(_) => true,
            // A message waited for the party, which named nobody.
            Self::Denied(denied) => !matches!(denied.asked, Asked::Message { .. }),
            Self::Disclosed(_)
            | Self::ConsentRecorded { .. }
            | Self::CaseOpened { .. }
            | Self::MunicipalityAssigned { .. }
            | Self::MemberAdded { .. }
            | Self::MemberRemoved { .. }
            | Self::CaseClosed { .. }
            | Self::StatusReported { .. }
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
            | Self::CheckpointKey { .. } => false,
        }
    }
}
