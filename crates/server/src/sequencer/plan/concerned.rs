//! Whom a caller has anything to do with.
//!
//! A caller may name anybody, and must not learn by it whether the broker knows them: that somebody is known says
//! that they are or were detained. So what it does about a person whose records do not concern it is decided,
//! sealed and filed like what it does about nobody, and found again by what it named.

use std::sync::Arc;

use schakel_core::{
    dossier::Dossier,
    event::{Event, Names},
    id::PartyId,
    person::SubjectRef,
};

use super::{Planner, Result, Subject, subject_ref};
use crate::call;

impl Planner<'_> {
    /// The records of the person a caller means, when they concern the caller or the controller it looks for.
    pub(in crate::sequencer) fn concerning(
        &mut self,
        subject: &SubjectRef,
        caller: &PartyId,
    ) -> Result<Option<Arc<Dossier>>> {
        let Some(id) = self.world.subject_of(subject, caller) else {
            return Ok(None);
        };
        let dossier = self.dossier(id)?;
        Ok(Some(dossier).filter(|dossier| self.concerns(dossier, caller)))
    }

    /// Whether the records of a person concern a caller, or the controller it looks for.
    pub(super) fn concerns(&self, dossier: &Dossier, caller: &PartyId) -> bool {
        let for_another = self.officer_for(caller);
        std::iter::once(caller)
            .chain(&for_another)
            .any(|party| dossier.concerns(party))
    }

    /// Whom an entry is about by which a caller does no more than name somebody.
    pub(super) fn whom(&mut self, named: Option<&SubjectRef>, caller: &PartyId) -> Subject {
        // Records that cannot be read have been complained of by now, and the entry is nobody's then.
        let found = named.and_then(|named| self.concerning(named, caller).ok().flatten());
        found.map_or(Subject::Unknown, |dossier| Subject::Known(dossier.subject))
    }
}

/// Whom a call named, where its event does not say so. A consent says by what the person is known from then on, which
/// follows from what is held of them: that it is about whom the call named has to be there to demonstrate it.
pub(in crate::sequencer) fn named_besides(call: &call::Call, event: &Event) -> Option<SubjectRef> {
    let is_said_by_call =
        event.names() == Names::OnlyInCall || matches!(event, Event::ConsentRecorded { .. });
    is_said_by_call.then(|| subject_ref(call)).flatten()
}
