//! The statement for the person (AVG 15, Wabvpz 15e): who supplied, received, asked and looked, when, what
//! for and on which basis, and which consents stand. It names organisations (C-154/21), never an employee.

mod consent;
mod line;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_core::{
    dossier::Dossier,
    erasure::Done,
    event::{Event, SlotUse},
    id::{EntryIndex, PartyId, PurposeCode, SlotId},
    notice::Notice,
    registry::Registry,
    time::{Period, Timestamp},
};
use schakel_store::{index::Query, seal};

use super::{
    held,
    meant::Person,
    records::{Records, opened},
    served_by,
};
use crate::{
    trail::{Trail, TrailError},
    wire::{
        code::{Coded as _, to_wire},
        disclosure::contact,
        entry::Viewer,
        time::instant,
    },
};

/// The most lines of one statement.
const MOST: usize = 5000;

/// What a statement is made with.
pub(crate) struct Maker<'a> {
    pub(crate) trail: &'a Trail,
    pub(crate) registry: &'a Registry,
    pub(crate) viewer: &'a Viewer,
    pub(crate) now: Timestamp,
}

/// Which entries are withheld now, and whether the person may be told how many.
type Withheld = HashMap<EntryIndex, bool>;

impl Maker<'_> {
    /// The statement, without the receipt of the look.
    pub(crate) fn statement(
        &self,
        person: &Person,
        period: Option<Period>,
    ) -> Result<v1::GetStatementResponse, TrailError> {
        let withheld = self.withheld(person)?;
        let mut statement = v1::GetStatementResponse {
            controller: Some(self.named(self.viewer.controller())),
            at: Some(instant(self.now)),
            ..v1::GetStatementResponse::default()
        };
        let query = Query {
            period,
            ..person.entries(self.viewer.controller())
        };
        for index in self.trail.each(query) {
            let index = index?;
            if let Some(counted) = withheld.get(&index) {
                statement.withheld += u32::from(*counted);
            } else if statement.lines.len() == MOST {
                statement.left_out += 1;
            } else if let Some(entry) = self.trail.entry(index.0)?
                && self.viewer.opens(&entry)
            {
                statement.lines.extend(self.line(index, &entry));
            }
        }
        statement.lines.reverse();
        let mut records = Records::new(self.trail)?;
        let end = EntryIndex(self.trail.size());
        if let Some(dossier) = records.before(end, Some(person.subject))?.dossier {
            statement.consents = self.consents(dossier)?;
            statement.notices = self.notices(dossier)?;
            statement.erased_by = self.erased(dossier, period, &withheld)?;
            let lines = statement.erased_by.iter().map(|erased| erased.lines);
            statement.erased = lines.sum();
        }
        Ok(statement)
    }

    /// How many lines were erased, by rule. Nothing but the controller's key of the person still tells whose an
    /// erased entry was: with that key gone, because the controller erased the person, none is counted.
    fn erased(
        &self,
        dossier: &Dossier,
        period: Option<Period>,
        withheld: &Withheld,
    ) -> Result<Vec<v1::StatementErased>, TrailError> {
        let controller = self.viewer.controller();
        let key = SlotUse::Controller(controller.clone());
        let Some(slot) = dossier.slots.get(&key) else {
            return Ok(Vec::new());
        };
        // Under the person until the indexes are made again, under the key from then on.
        let under_person = Query {
            subject: Some(dossier.subject),
            period,
            ..Query::of(controller.clone())
        };
        let under_key = Query {
            period,
            ..Query::sealed_with(*slot)
        };
        let found = self.trail.each(under_person);
        let found = found.chain(self.trail.each(under_key));
        let found: BTreeSet<EntryIndex> = found.collect::<Result<_, _>>()?;
        let mut counts: BTreeMap<(String, String), u32> = BTreeMap::new();
        for index in found {
            if withheld.contains_key(&index) {
                continue;
            }
            if let Some(by) = self.erased_by(index, *slot)? {
                let rule = by.erased.rule;
                *counts.entry((rule.code, rule.law)).or_default() += 1;
            }
        }
        let counts = counts.into_iter();
        Ok(counts
            .map(|((code, law_ref), lines)| v1::StatementErased {
                code,
                law_ref,
                lines,
            })
            .collect())
    }

    /// The erasure by which a line sealed with the controller's key of the person is gone.
    fn erased_by(&self, index: EntryIndex, slot: SlotId) -> Result<Option<Done>, TrailError> {
        let Some(entry) = self.trail.entry(index.0)? else {
            return Ok(None);
        };
        if entry.details.is_some() || !self.viewer.sees_actor(&entry.leaf) {
            return Ok(None);
        }
        if !seal::slots(&self.trail.sealed(index)?).contains(&slot) {
            return Ok(None);
        }
        let controller = self.viewer.controller();
        Ok(self.trail.redaction(index, &entry.leaf, controller))
    }

    /// The decisions of the controller to withhold that stand now: of several about an entry the last.
    fn withheld(&self, person: &Person) -> Result<Withheld, TrailError> {
        let query = Query {
            kind: Some(EntryType::Restriction),
            ..person.entries(self.viewer.controller())
        };
        let mut latest: HashMap<EntryIndex, (Timestamp, bool)> = HashMap::new();
        for index in self.trail.each(query) {
            let Some((details, _)) = self.trail.entry(index?.0)?.and_then(opened) else {
                continue;
            };
            let own =
                details.call.map(|call| call.principal).as_ref() == Some(self.viewer.controller());
            if let Event::Withheld(decision) = details.event
                && own
            {
                for entry in decision.entries {
                    latest
                        .entry(entry)
                        .or_insert((decision.until, decision.counted));
                }
            }
        }
        let standing = latest
            .into_iter()
            .filter(|(_, (until, _))| self.now < *until);
        Ok(standing
            .map(|(index, (_, counted))| (index, counted))
            .collect())
    }

    fn notices(&self, dossier: &Dossier) -> Result<Vec<v1::StatementNotice>, TrailError> {
        let controller = self.viewer.controller();
        let told = held::told(self.trail, self.viewer, dossier.subject)?;
        let served = |notice: &Notice| {
            let mut conditions = notice.conditions.iter();
            conditions.any(|condition| {
                let key = (notice.recipient.clone(), *condition);
                let served = dossier.served.get(&key).filter(|_| told.contains(&key));
                served.is_some_and(|served| served_by(controller, served, dossier, self.registry))
            })
        };
        let own = BTreeSet::from([controller.clone()]);
        // What a controller caused by passing on what the person wants is not by that its own to see.
        let seen = |notice: &Notice| {
            if notice.recipient == *controller || served(notice) {
                return Some(notice.clone());
            }
            let issued_it = notice.issued_by == *controller;
            notice
                .seen_by(&own, issued_it, dossier)
                .filter(|_| issued_it)
        };
        let mut concerned: Vec<Notice> = dossier
            .notices
            .values()
            .filter(|notice| !self.viewer.veil().hides(&notice.recipient))
            .filter_map(seen)
            .collect();
        concerned.sort_by_key(|notice| (notice.entry, notice.recipient.clone()));
        let mut shown = Vec::new();
        for notice in concerned {
            if held::erased(self.trail, notice.entry, controller)? {
                continue;
            }
            shown.push(v1::StatementNotice {
                recipient: Some(self.named(&notice.recipient)),
                kind: notice.kind.to_wire(),
                conditions: to_wire(&notice.conditions),
                issued_at: Some(instant(notice.issued_at)),
                acknowledged_at: notice.acknowledged_at.map(instant),
            });
        }
        Ok(shown)
    }

    fn all_named<'p>(&self, ids: impl IntoIterator<Item = &'p PartyId>) -> Vec<v1::NamedParty> {
        ids.into_iter().map(|id| self.named(id)).collect()
    }

    /// A party as the registry knows it now; one that it no longer knows is named by its id.
    fn named(&self, id: &PartyId) -> v1::NamedParty {
        let party = self.registry.party(id);
        v1::NamedParty {
            party_id: id.to_string(),
            name: party.map_or_else(|| id.to_string(), |party| party.name.clone()),
            contact: party.map(|party| contact(&party.contact)),
        }
    }

    fn title(&self, code: &PurposeCode) -> Option<String> {
        let versions = self.registry.versions(code);
        let newest = versions.max_by_key(|found| found.version.version);
        newest.map(|found| found.version.title.clone())
    }
}
