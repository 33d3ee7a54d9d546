//! What had been disclosed about a person by an instant, on what it rested, and how consents stood then.

use schakel_api::v1;
use schakel_core::{
    consent::{Consent, ConsentState},
    event::{Delivered, Details, Disclosed, Event},
    id::{EntryIndex, PartyId, SubjectId},
    replay::Replay,
    time::{Period, Timestamp},
};
use schakel_store::{
    entry::Entry,
    index::{Outcome, Query},
};

use super::{
    held::involved,
    records::{Again, Records, Stood, opened},
};
use crate::{
    trail::{Trail, TrailError},
    wire::{
        code::{Coded as _, to_wire},
        entry::{self, Viewer, findings},
        terms::texts,
        time::instant,
    },
};

/// The most disclosures that are told.
const MOST: usize = 1000;

/// The answer, without the receipt of the look.
pub(crate) fn as_of(
    trail: &Trail,
    viewer: &Viewer,
    subject: SubjectId,
    at: Timestamp,
) -> Result<v1::GetAsOfResponse, TrailError> {
    let (mut seen, left_out) = disclosed_by(trail, viewer, subject, at)?;
    seen.reverse();
    let mut records = Records::new(trail)?;
    let mut told = Vec::with_capacity(seen.len());
    for (index, entry) in seen {
        let again = records.replay(index, &entry)?;
        told.push((index, entry, again));
    }
    let stood = records.before(trail.first_after(at)?, Some(subject))?;
    told.reverse();
    let disclosures = told.into_iter().map(|(index, read, again)| {
        let stands = disclosed(&read).is_some_and(|(what, to)| stands(what, to, &stood, at));
        v1::DisclosureThen {
            entry: Some(entry::entry(index.0, &read, viewer)),
            result: result(&again).into(),
            stands,
        }
    });
    Ok(v1::GetAsOfResponse {
        disclosures: disclosures.collect(),
        consents: consents(trail, &stood, viewer, at)?,
        left_out,
        receipt: None,
    })
}

/// What came of a replay, as it is sent.
pub(crate) const fn result(again: &Again) -> v1::ReplayResult {
    match again {
        Again::Decided(Replay::Same) => v1::ReplayResult::Same,
        Again::Decided(Replay::Differs(_)) => v1::ReplayResult::Different,
        Again::Decided(Replay::NoDecision) => v1::ReplayResult::NoDecision,
        Again::Unreadable => v1::ReplayResult::Unreadable,
    }
}

/// A consent as it stood at an instant; `None` when it was not recorded yet.
pub(crate) fn consent_then(
    consent: &Consent,
    viewer: &Viewer,
    at: Timestamp,
) -> Option<v1::ConsentThen> {
    let terms = &consent.terms;
    let (by, veil) = (&terms.collected_by, viewer.veil());
    let notice = Some(&terms.notice.version).filter(|_| veil.shows_whole(by));
    Some(v1::ConsentThen {
        consent_id: consent.id.to_string(),
        state: consent.state(at)?.to_wire(),
        conditions: to_wire(veil.conditions(terms)),
        purposes: texts(veil.purposes(terms)),
        provider_party_ids: texts(veil.parties(by, &terms.providers)),
        recipient_party_ids: texts(veil.parties(by, &terms.recipients)),
        valid_from: Some(instant(terms.valid_from)),
        valid_until: Some(instant(terms.valid_until)),
        collected_by_party_id: veil.who(by),
        notice_version: notice.cloned().unwrap_or_default(),
        narrowed: veil.is_narrowed(consent, at),
    })
}

/// What an entry disclosed, and to whom.
pub(crate) fn disclosed(entry: &Entry) -> Option<(&Disclosed, &PartyId)> {
    let details: &Details = entry.details.as_ref()?;
    let to = &details.call.as_ref()?.principal;
    match &details.event {
        Event::Disclosed(disclosed)
        | Event::Delivered(Delivered {
            disclosed: Some(disclosed),
            ..
        }) => Some((disclosed, to)),
        _ => None,
    }
}

/// The disclosures up to an instant that the officer may see, newest first, and how many more there are.
fn disclosed_by(
    trail: &Trail,
    viewer: &Viewer,
    subject: SubjectId,
    at: Timestamp,
) -> Result<(Vec<(EntryIndex, Entry)>, u64), TrailError> {
    let query = Query {
        subject: Some(subject),
        outcome: Some(Outcome::Disclosed),
        period: Some(Period {
            from: Timestamp::EPOCH,
            until: Some(at.plus_millis(1)),
        }),
        ..Query::of(viewer.controller().clone())
    };
    let (mut seen, mut left_out) = (Vec::new(), 0);
    for index in trail.each(query) {
        let index = index?;
        if seen.len() == MOST {
            left_out += 1;
            continue;
        }
        if let Some(read) = trail.entry(index.0)?
            && viewer.opens(&read)
        {
            seen.push((index, read));
        }
    }
    Ok((seen, left_out))
}

/// Whether everything that a disclosure rested on held at an instant.
fn stands(disclosed: &Disclosed, to: &PartyId, stood: &Stood<'_>, at: Timestamp) -> bool {
    let version = Some(disclosed.version);
    let in_force = stood.registry.purpose(&disclosed.ask.purpose, version, at);
    let holds = |id, condition| {
        let consents = stood.dossier.map(|dossier| &dossier.consents);
        let consent: Option<&Consent> = consents.and_then(|consents| consents.get(id));
        consent.is_some_and(|consent| {
            let state = consent.state_for(condition, to, at);
            at >= consent.terms.valid_from && state.is_some_and(ConsentState::permits)
        })
    };
    in_force.is_some()
        && disclosed.grants.iter().all(|grant| {
            let mut consents = grant.consents.iter();
            consents.all(|id| holds(id, grant.condition))
        })
}

fn consents(
    trail: &Trail,
    stood: &Stood<'_>,
    viewer: &Viewer,
    at: Timestamp,
) -> Result<Vec<v1::ConsentThen>, TrailError> {
    let Some(dossier) = stood.dossier else {
        return Ok(Vec::new());
    };
    let involved = involved(trail, dossier, viewer.controller())?;
    let told = involved.into_iter();
    Ok(told
        .filter_map(|consent| consent_then(consent, viewer, at))
        .collect())
}

/// The consents that a decision rested on or that came closest, as they stood when it was made.
pub(crate) fn consents_of(
    records: &mut Records<'_>,
    index: EntryIndex,
    entry: Entry,
    viewer: &Viewer,
) -> Result<(Vec<v1::ConsentThen>, u64), TrailError> {
    let Some((details, at)) = opened(entry) else {
        return Ok((Vec::new(), 0));
    };
    let ids: Vec<_> = match &details.event {
        Event::Disclosed(disclosed)
        | Event::Delivered(Delivered {
            disclosed: Some(disclosed),
            ..
        }) => {
            let grants = disclosed.grants.iter();
            grants.flat_map(|grant| grant.consents.clone()).collect()
        }
        Event::Denied(denied) => {
            let findings = findings(denied, viewer.veil());
            findings.iter().filter_map(|found| found.consent).collect()
        }
        _ => Vec::new(),
    };
    let stood = records.before(index, details.subject)?;
    let consents = stood.dossier.map(|dossier| &dossier.consents);
    let named = consents.into_iter().flat_map(|consents| consents.values());
    let named = named.filter(|consent| ids.contains(&consent.id));
    let then = named.filter_map(|consent| consent_then(consent, viewer, at));
    // Outsiders are not told how much there is either.
    let used = if viewer.veil().is_drawn() {
        0
    } else {
        stood.told(viewer.controller())
    };
    Ok((then.collect(), used))
}
