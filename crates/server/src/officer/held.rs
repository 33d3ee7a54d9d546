//! What of a person's records a controller still holds: the records go on for whoever did not erase the person,
//! and say nothing any more to whom did.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::Condition,
    consent::Consent,
    dossier::Dossier,
    event::{ConsentEnded, Details, Event},
    id::{ConsentId, EntryIndex, PartyId, SubjectId},
};
use schakel_store::{
    entry::Entry,
    index::{Outcome, Query},
};

use super::as_of::disclosed;
use crate::{
    trail::{Trail, TrailError},
    wire::entry::Viewer,
};

/// The consents that involve a controller and that it did not erase, newest first.
pub(super) fn involved<'d>(
    trail: &Trail,
    dossier: &'d Dossier,
    controller: &PartyId,
) -> Result<Vec<&'d Consent>, TrailError> {
    let mut involved = Vec::new();
    for consent in dossier.consents.values() {
        let recorded = consent.history.first().map(|step| step.entry);
        if consent.involves(controller)
            && let Some(entry) = recorded
            && !erased(trail, entry, controller)?
        {
            involved.push((entry, consent));
        }
    }
    involved.sort_by_key(|(entry, _)| std::cmp::Reverse(*entry));
    Ok(involved.into_iter().map(|(_, consent)| consent).collect())
}

/// Of the consents that an entry ended, whole or in part, those that involve the controller: that there were others
/// says that the person is known.
pub(crate) fn ended(
    trail: &Trail,
    entry: &Entry,
    viewer: &Viewer,
) -> Result<Vec<ConsentId>, TrailError> {
    let Some((subject, ended)) = entry.details.as_ref().and_then(what_ended) else {
        return Ok(Vec::new());
    };
    // To outsiders they say that there was something to end.
    if viewer.veil().is_drawn() || !viewer.reads(entry) {
        return Ok(Vec::new());
    }
    let query = Query {
        subject: Some(subject),
        kind: Some(EntryType::Consent),
        ..Query::of(viewer.controller().clone())
    };
    let mut involved = BTreeSet::new();
    for index in trail.each(query) {
        let read = trail.entry(index?.0)?.filter(|read| viewer.reads(read));
        if let Some(Event::ConsentRecorded { consent, .. }) =
            read.and_then(|read| Some(read.details?.event))
        {
            involved.insert(consent);
        }
    }
    let all = ended.consents.iter().chain(&ended.narrowed);
    Ok(all.filter(|id| involved.contains(id)).copied().collect())
}

/// Whose consents an entry ended, and which.
fn what_ended(details: &Details) -> Option<(SubjectId, &ConsentEnded)> {
    match &details.event {
        Event::ConsentEnded(ended) if !ended.consents.is_empty() || !ended.narrowed.is_empty() => {
            Some((details.subject?, ended))
        }
        _ => None,
    }
}

/// Whether a controller has erased what an entry told it.
pub(super) fn erased(
    trail: &Trail,
    entry: EntryIndex,
    controller: &PartyId,
) -> Result<bool, TrailError> {
    let read = trail.entry(entry.0)?;
    Ok(read.is_none_or(|read| read.erased.contains(controller)))
}

/// Who was told what about a person, as far as the officer can read it.
pub(super) fn told(
    trail: &Trail,
    viewer: &Viewer,
    subject: SubjectId,
) -> Result<BTreeSet<(PartyId, Condition)>, TrailError> {
    let query = Query {
        subject: Some(subject),
        outcome: Some(Outcome::Disclosed),
        ..Query::of(viewer.controller().clone())
    };
    let mut told = BTreeSet::new();
    for index in trail.each(query) {
        let read = trail.entry(index?.0)?.filter(|read| viewer.reads(read));
        if let Some((disclosed, to)) = read.as_ref().and_then(disclosed) {
            let grants = disclosed.grants.iter();
            told.extend(grants.map(|grant| (to.clone(), grant.condition)));
        }
    }
    Ok(told)
}
