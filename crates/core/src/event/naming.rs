//! Whom a call named, whether or not anybody is known by it.

use super::{Asked, Details, Event};
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

/// What an event is about, beside what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names<'e> {
    /// Somebody, and that is all: whoever caused it looked, was denied, or passed on what the person wants, which is
    /// done for people it has nothing to do with as well. The event says whom.
    Only(&'e SubjectRef),
    /// The same, but whom is not said by the event: the call says it, where it named anybody.
    OnlyInCall,
    /// More than a name, or nobody.
    More,
}

impl Details {
    /// Whom the call named, where all it did was to name somebody.
    #[must_use]
    pub fn named(&self) -> Option<Naming> {
        let call = self.call.as_ref()?;
        let named = match self.event.names() {
            Names::Only(named) => named,
            Names::OnlyInCall => call.named.as_ref()?,
            Names::More => return None,
        };
        Some(Naming::of(&call.principal, named))
    }

    /// Whether the entry says more to a controller than that it, or its privacy officer, named the person: only then
    /// does it show that the person has anything to do with the controller.
    ///
    /// An entry that does not concern the controller says nothing to it, also where it is sealed for it.
    #[must_use]
    pub fn says_more_to(&self, controller: &PartyId) -> bool {
        if !self.controllers.contains(controller) {
            return false;
        }
        match &self.event {
            // These tell those as well who were served or must decide: whoever did not make it is one of them.
            event @ (Event::ConsentEnded(_) | Event::Restricted { .. }) => {
                let caller = self.call.as_ref().map(|call| &call.principal);
                event.names() == Names::More || caller != Some(controller)
            }
            // Others concern nobody but whoever acts and the controller for which it does.
            event => event.names() == Names::More,
        }
    }
}

impl Event {
    /// Whether whoever caused it did no more than name a person, and where it is said whom.
    #[must_use]
    pub const fn names(&self) -> Names<'_> {
        match self {
            Self::ConsentEnded(ended) => Names::Only(&ended.subject),
            Self::LookedUp(looked) => said(looked.subject.as_ref()),
            Self::Denied(denied) => match &denied.asked {
                Asked::Disclosure(ask) => Names::Only(&ask.subject),
                Asked::Call { subject, .. } => said(subject.as_ref()),
                // A message waited for the party, which named nobody.
                Asked::Message { .. } => Names::More,
            },
            Self::Restricted { .. }
            | Self::RestrictionLifted { .. }
            | Self::Withheld(_)
            | Self::ErasureProposed(_) => Names::OnlyInCall,
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
            | Self::CheckpointKey { .. } => Names::More,
        }
    }
}

const fn said(subject: Option<&SubjectRef>) -> Names<'_> {
    match subject {
        Some(subject) => Names::Only(subject),
        None => Names::OnlyInCall,
    }
}
