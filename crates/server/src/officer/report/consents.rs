//! Reports about consents: which need attention, by whom they were collected, and what withdrawals came to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_core::{
    consent::{Consent, ConsentState, ConsentTerms},
    dossier::Dossier,
    event::Event,
    id::{ConsentId, EntryIndex, PartyId, SubjectId},
    time::{Period, Timestamp},
};
use schakel_store::index::{Outcome, Query};

use super::{Narrowed, READ, Reported, Reporter};
use crate::{
    officer::{
        as_of::disclosed,
        records::{Records, opened},
    },
    trail::TrailError,
    wire::{entry::Viewer, time::instant, veil::Veil},
};

/// Within how many days a consent counts as about to expire.
const SOON_DAYS: u32 = 30;
/// How long before its end a consent was recorded at most: post-dated by a year, and two years long.
const LONGEST_DAYS: u64 = 366 + 731;

/// The part of a consent that a withdrawal ended.
struct Ended<'a> {
    consent: &'a Consent,
    /// Which step, by its entry.
    entry: EntryIndex,
    at: Timestamp,
}

/// The consents of the controller on one page, each with the person's records.
type Recorded = (Vec<(EntryIndex, SubjectId, ConsentId)>, Option<EntryIndex>);

impl Reporter<'_> {
    pub(super) fn consents(&self, narrowed: &Narrowed) -> Result<Reported, TrailError> {
        let (recorded, next) = self.recorded(narrowed, narrowed.period)?;
        let mut records = Records::new(self.trail)?;
        let mut collectors: BTreeMap<PartyId, v1::CollectorCount> = BTreeMap::new();
        let mut newest: HashMap<(PartyId, String), String> = HashMap::new();
        let mut concerns = Vec::new();
        for (index, subject, id) in recorded {
            let end = EntryIndex(self.trail.size());
            let dossier = records.before(end, Some(subject))?.dossier;
            let Some(consent) = dossier.and_then(|dossier| dossier.consents.get(&id)) else {
                continue;
            };
            let collector = &consent.terms.collected_by;
            if self.viewer.veil().names(collector).is_some() {
                let count = collectors.entry(collector.clone()).or_default();
                tally(count, consent);
            }
            // Newest first: the first version seen of a collector and language is the newest.
            let notice = &consent.terms.notice;
            let shown = newest
                .entry((collector.clone(), notice.language.clone()))
                .or_insert_with(|| notice.version.clone());
            let whole = self.viewer.veil().shows_whole(collector);
            let old_notice = whole && *shown != notice.version;
            concerns.extend(self.concern(index, consent, old_notice));
        }
        let collectors = collectors
            .into_iter()
            .map(|(id, count)| v1::CollectorCount {
                party_id: id.to_string(),
                ..count
            });
        let report = v1::GetReportResponse {
            collectors: collectors.collect(),
            concerns,
            ..v1::GetReportResponse::default()
        };
        Ok((report, next))
    }

    /// What must be looked at in a consent that holds or is still to hold.
    fn concern(
        &self,
        index: EntryIndex,
        consent: &Consent,
        old_notice: bool,
    ) -> Option<v1::ConsentConcern> {
        let stands = consent.state(self.now).is_some_and(ConsentState::permits);
        let expiring = consent.terms.valid_until <= self.now.plus_days(SOON_DAYS);
        let (by, veil) = (&consent.terms.collected_by, self.viewer.veil());
        let notice = Some(&consent.terms.notice.version).filter(|_| veil.shows_whole(by));
        (stands && (expiring || old_notice)).then(|| v1::ConsentConcern {
            consent_id: consent.id.to_string(),
            index: index.0,
            collected_by_party_id: veil.who(by),
            valid_until: Some(instant(consent.terms.valid_until)),
            expiring,
            notice_version: notice.cloned().unwrap_or_default(),
            old_notice,
        })
    }

    pub(super) fn withdrawals(&self, narrowed: &Narrowed) -> Result<Reported, TrailError> {
        // A withdrawal of the period is of a consent that was recorded before it, at most so long ago.
        let period = narrowed.period.map(|period| Period {
            from: period.from.minus_millis(LONGEST_DAYS * Timestamp::DAY_MS),
            until: period.until,
        });
        let (recorded, next) = self.recorded(narrowed, period)?;
        let mut records = Records::new(self.trail)?;
        let mut rows: BTreeMap<EntryIndex, v1::WithdrawalEffect> = BTreeMap::new();
        for (_, subject, id) in recorded {
            let end = EntryIndex(self.trail.size());
            let Some(dossier) = records.before(end, Some(subject))?.dossier else {
                continue;
            };
            let Some(consent) = dossier.consents.get(&id) else {
                continue;
            };
            for ended in ended(consent, self.viewer.veil()) {
                if narrowed
                    .period
                    .is_none_or(|period| period.contains(ended.at))
                {
                    let row = rows
                        .entry(ended.entry)
                        .or_insert_with(|| begun(&ended, dossier, self.viewer));
                    self.add_effect(row, subject, &ended)?;
                }
            }
        }
        let report = v1::GetReportResponse {
            withdrawals: rows.into_values().rev().collect(),
            ..v1::GetReportResponse::default()
        };
        Ok((report, next))
    }

    /// Adds what was disclosed under a consent before and after it was withdrawn.
    fn add_effect(
        &self,
        row: &mut v1::WithdrawalEffect,
        subject: SubjectId,
        ended: &Ended<'_>,
    ) -> Result<(), TrailError> {
        let id = ended.consent.id;
        row.consent_ids.push(id.to_string());
        let query = Query {
            subject: Some(subject),
            outcome: Some(Outcome::Disclosed),
            ..Query::of(self.viewer.controller().clone())
        };
        let mut last_before = row.last_before_at;
        for index in self.trail.each(query) {
            let index = index?;
            let entry = self.trail.entry(index.0)?;
            let entry = entry.filter(|entry| self.viewer.reads(entry));
            let Some((told, to)) = entry.as_ref().and_then(disclosed) else {
                continue;
            };
            let mut grants = told.grants.iter();
            let under = grants
                .any(|grant| grant.consents.contains(&id) && ended.holds(grant.condition, to));
            if under && index > ended.entry {
                row.after.push(index.0);
            } else if under {
                let at = entry.and_then(|entry| crate::officer::records::at(&entry.leaf));
                last_before = later(last_before, at.map(instant));
                break;
            }
        }
        row.last_before_at = last_before;
        Ok(())
    }

    /// The consents of the controller that were recorded in a period, newest first.
    fn recorded(
        &self,
        narrowed: &Narrowed,
        period: Option<Period>,
    ) -> Result<Recorded, TrailError> {
        let query = Query {
            kind: Some(EntryType::Consent),
            period,
            ..self.query(narrowed)
        };
        // Outsiders are not told who recorded a consent that they stand in, so nothing may depend on it.
        let veil = self.viewer.veil();
        let of_another = |party: &PartyId| veil.names(party).is_none();
        if narrowed.party.as_ref().is_some_and(of_another) {
            return Ok(Recorded::default());
        }
        let shows = |terms: &ConsentTerms| {
            let shown = veil.conditions(terms);
            let only = narrowed.condition.as_ref();
            only.is_none_or(|only| shown.contains(&only))
        };
        let (read, next) = self.read_where(query, READ, |entry| self.viewer.reads(entry))?;
        let recorded = read.into_iter().filter_map(|(index, entry)| {
            let (details, _) = opened(entry)?;
            match details.event {
                Event::ConsentRecorded { consent, terms, .. } if shows(&terms) => {
                    Some((index, details.subject?, consent))
                }
                _ => None,
            }
        });
        Ok((recorded.collect(), next))
    }
}

impl Ended<'_> {
    /// Whether a condition told to a recipient lies in what ended with this step.
    fn holds(&self, condition: schakel_core::code::Condition, recipient: &PartyId) -> bool {
        let mut parts = self.consent.narrowed.iter();
        let part = parts.find(|part| part.entry == self.entry);
        part.is_none_or(|part| part.holds(condition, recipient))
    }
}

/// The steps by which a person took a consent back, whole or in part, of those that are shown.
fn ended<'c>(consent: &'c Consent, veil: &Veil) -> Vec<Ended<'c>> {
    let whole = consent
        .history
        .iter()
        .map(|step| (step.state, step.entry, step.at));
    let parts = consent
        .narrowed
        .iter()
        .filter(|part| veil.ended(&consent.terms, part).is_some())
        .map(|part| (part.state, part.entry, part.at));
    whole
        .chain(parts)
        .filter(|(state, ..)| *state == ConsentState::Withdrawn)
        .map(|(_, entry, at)| Ended { consent, entry, at })
        .collect()
}

/// A withdrawal with the notices it caused, of those about what the controller had to do with: it may have ended
/// consents of others as well.
fn begun(ended: &Ended<'_>, dossier: &Dossier, viewer: &Viewer) -> v1::WithdrawalEffect {
    let own = BTreeSet::from([viewer.controller().clone()]);
    let notices: Vec<_> = dossier
        .notices
        .values()
        .filter(|notice| notice.entry == ended.entry && !viewer.veil().hides(&notice.recipient))
        .filter(|notice| notice.seen_by(&own, true, dossier).is_some())
        .collect();
    let acknowledged: BTreeSet<_> = notices
        .iter()
        .filter_map(|notice| notice.acknowledged_at)
        .collect();
    let count = notices
        .iter()
        .filter(|notice| notice.acknowledged_at.is_some())
        .count();
    v1::WithdrawalEffect {
        index: ended.entry.0,
        at: Some(instant(ended.at)),
        notices: u32::try_from(notices.len()).unwrap_or(u32::MAX),
        acknowledged: u32::try_from(count).unwrap_or(u32::MAX),
        last_acknowledged_at: acknowledged.last().copied().map(instant),
        ..v1::WithdrawalEffect::default()
    }
}

fn later(
    one: Option<prost_types::Timestamp>,
    other: Option<prost_types::Timestamp>,
) -> Option<prost_types::Timestamp> {
    let key = |at: &prost_types::Timestamp| (at.seconds, at.nanos);
    one.into_iter().chain(other).max_by_key(key)
}

/// Counts how a consent was recorded at first.
fn tally(count: &mut v1::CollectorCount, consent: &Consent) {
    match consent.history.first().map(|step| step.state) {
        Some(ConsentState::Given | ConsentState::Renewed) => count.given += 1,
        Some(ConsentState::Refused) => count.refused += 1,
        _ => count.undecided += 1,
    }
}
