//! The plan for a look at what the caller may be told.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::Condition,
    decide::Reason,
    event::{Event, LookedUp},
    person::SubjectRef,
    right::rights,
};

use super::{Obstacle, Plan, Planner, Result, Subject, Told, exchange::retention};
use crate::call::{Outcome, Request};

impl Planner<'_> {
    /// Decided as the asks would be, and denied as they would be when none would be answered: a party that
    /// has a place in a case and no right in it learns no more than one without a place.
    pub(super) fn rights(&mut self, request: &Request, subject: &SubjectRef) -> Result<Plan> {
        let known = self.world.subject_of(subject, &request.peer.principal);
        let dossier = known.map(|id| self.dossier(id)).transpose()?;
        let (registry, held) = (self.registry(), dossier.as_deref());
        let rights = rights(subject, &request.peer, held, &registry, self.now)
            .map_err(|denial| Obstacle::Denied(denial.into_findings()))?;
        // About nobody, all would have been denied.
        let dossier = dossier.ok_or(Reason::SubjectUnknown)?;
        let care = rights
            .iter()
            .any(|right| right.condition == Condition::Care);
        let event = Event::LookedUp(LookedUp {
            method: request.method.to_owned(),
            purpose: None,
            subject: Some(subject.clone()),
            entry: None,
            question: String::new(),
            results: u32::try_from(rights.len()).unwrap_or(u32::MAX),
        });
        Ok(Plan {
            kind: EntryType::LookUp,
            subject: Subject::Known(dossier.subject),
            retention: retention(care),
            controllers: BTreeSet::new(),
            purpose: None,
            event,
            told: Told::Plain(Outcome::Rights(rights)),
        })
    }
}
