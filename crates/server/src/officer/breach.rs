//! Which persons, recipients and conditions a compromised certificate, number or party touched.

use std::collections::{BTreeMap, BTreeSet};

use schakel_api::v1;
use schakel_core::{
    code::Condition,
    deliver,
    id::{EntryIndex, Oin, PartyId},
    party::Peer,
    registry::Registry,
    time::{Period, Timestamp},
};
use schakel_store::index::{self, Outcome, Query};

use super::{
    meant::{About, Whom, whom},
    records::Records,
};
use crate::{
    trail::{Trail, TrailError},
    wire::{code::to_wire, entry::Viewer, person, terms::texts},
};

/// The most persons on one page.
pub(crate) const PAGE: usize = 100;
/// The most entries told of one person.
const MOST_ENTRIES: usize = 100;

/// What was compromised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compromised {
    /// A certificate, by its SHA-256.
    Certificate([u8; 32]),
    /// A number.
    Number(Oin),
    /// A party.
    Party(PartyId),
}

/// What one controller must answer for.
#[derive(Debug, Default)]
pub(crate) struct Share {
    entries: BTreeSet<EntryIndex>,
    disclosed: u64,
    denied: u64,
    unreadable: u64,
    recipients: BTreeSet<PartyId>,
    conditions: BTreeSet<Condition>,
    persons: BTreeMap<Whom, Touched>,
}

/// A person touched.
#[derive(Debug, Default)]
struct Touched {
    entries: BTreeSet<EntryIndex>,
    recipients: BTreeSet<PartyId>,
    conditions: BTreeSet<Condition>,
}

/// What of one controller was touched in a period.
pub(crate) fn share(
    trail: &Trail,
    controller: &PartyId,
    queries: Vec<Query>,
    viewer: Option<&Viewer>,
) -> Result<Share, TrailError> {
    let mut share = Share::default();
    let mut about = Vec::new();
    for query in queries {
        let query = Query {
            whose: index::Whose::Controller(controller.clone()),
            ..query
        };
        for index in trail.each(query) {
            about.extend(share.add(trail, index?, (controller, viewer))?);
        }
    }
    for (whom, touched) in whom(about) {
        share.persons.entry(whom).or_default().add(touched);
    }
    Ok(share)
}

/// The searches that find what was touched.
pub(crate) fn queries(
    compromised: &Compromised,
    registry: &Registry,
    period: Period,
    anybody: &PartyId,
) -> Vec<Query> {
    let all = Query {
        period: Some(period),
        ..Query::of(anybody.clone())
    };
    let of_party = |party: &PartyId| {
        [
            Query {
                party: Some(party.clone()),
                ..all.clone()
            },
            Query {
                transport: Some(party.clone()),
                ..all.clone()
            },
        ]
    };
    match compromised {
        Compromised::Certificate(sha256) => vec![Query {
            certificate: Some(*sha256),
            ..all
        }],
        Compromised::Party(party) => of_party(party).into(),
        Compromised::Number(oin) => {
            let held = registry.parties().filter(|party| {
                let mut oins = party.oins.iter();
                oins.any(|dated| dated.oin == *oin && dated.period.overlaps(&period))
            });
            held.flat_map(|party| of_party(&party.id)).collect()
        }
    }
}

impl Touched {
    fn add(&mut self, more: Self) {
        self.entries.extend(more.entries);
        self.recipients.extend(more.recipients);
        self.conditions.extend(more.conditions);
    }
}

impl Share {
    fn add(
        &mut self,
        trail: &Trail,
        index: EntryIndex,
        (controller, viewer): (&PartyId, Option<&Viewer>),
    ) -> Result<Option<(About, Touched)>, TrailError> {
        if self.entries.contains(&index) {
            return Ok(None);
        }
        let Some(entry) = trail.entry(index.0)? else {
            return Ok(None);
        };
        if viewer.is_some_and(|viewer| !viewer.shows(&entry)) {
            return Ok(None);
        }
        let entry = entry.read_by(controller);
        self.entries.insert(index);
        let facts = entry
            .details
            .as_ref()
            .and_then(|details| index::facts(&entry.leaf, details, index).pop());
        let Some(facts) = facts else {
            self.unreadable += 1;
            return Ok(None);
        };
        let told = facts.outcome == Outcome::Disclosed;
        let denied = facts.outcome == Outcome::Denied;
        self.disclosed += u64::from(told);
        self.denied += u64::from(denied);
        let conditions = if denied {
            BTreeSet::new()
        } else {
            facts.conditions
        };
        let recipient = told.then_some(facts.party);
        self.conditions.extend(&conditions);
        self.recipients.extend(recipient.clone());
        let touched = Touched {
            entries: [index].into(),
            recipients: recipient.into_iter().collect(),
            conditions,
        };
        let details = entry.details.as_ref();
        Ok(details.map(|details| (About::of(details, controller), touched)))
    }

    /// Whether anything was touched.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The numbers.
    pub(crate) fn shown(&self, controller: &PartyId) -> v1::BreachShare {
        let entries = self.entries.len() as u64;
        let others = self.disclosed + self.denied + self.unreadable;
        v1::BreachShare {
            controller_party_id: controller.to_string(),
            entries,
            persons: self.persons.len() as u64,
            disclosed: self.disclosed,
            denied: self.denied,
            recorded: entries.saturating_sub(others),
            unreadable: self.unreadable,
            recipient_party_ids: texts(&self.recipients),
            conditions: to_wire(&self.conditions),
        }
    }

    /// One page of the persons in the order of their ids, each with one of the entries about it, and where
    /// the next page begins.
    pub(crate) fn page(
        &self,
        trail: &Trail,
        controller: &Peer,
        from: usize,
    ) -> Result<Page, TrailError> {
        let mut records = Records::new(trail)?;
        let end = EntryIndex(trail.size());
        let mut page = Page::default();
        for (whom, touched) in self.persons.iter().skip(from).take(PAGE) {
            let reference = match whom {
                Whom::Known(subject) => {
                    let dossier = records.before(end, Some(*subject))?.dossier;
                    dossier.and_then(|dossier| {
                        let case = dossier.cases.keys().next_back().copied();
                        deliver::reference_for(dossier, controller, case)
                    })
                }
                Whom::Named(naming) => Some(naming.subject()),
            };
            page.witnesses.extend(touched.entries.first());
            page.persons.push(v1::BreachPerson {
                subject: reference.as_ref().map(person::subject),
                conditions: to_wire(&touched.conditions),
                recipient_party_ids: texts(&touched.recipients),
                entry_indexes: touched
                    .entries
                    .iter()
                    .take(MOST_ENTRIES)
                    .map(|e| e.0)
                    .collect(),
            });
        }
        let next = from.saturating_add(PAGE);
        page.next = (next < self.persons.len()).then_some(next);
        Ok(page)
    }
}

/// One page of the persons.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) persons: Vec<v1::BreachPerson>,
    /// An entry about each of them.
    pub(crate) witnesses: Vec<EntryIndex>,
    pub(crate) next: Option<usize>,
}

/// Until when the authority must be notified, and how many seconds are left: 72 hours after discovery
/// (AVG 33).
pub(crate) fn clock(discovered: Timestamp, now: Timestamp) -> (Timestamp, i64) {
    let until = discovered.plus_days(3);
    let seconds = |at: Timestamp| i64::try_from(at.as_millis() / 1000).unwrap_or(i64::MAX);
    (until, seconds(until) - seconds(now))
}
