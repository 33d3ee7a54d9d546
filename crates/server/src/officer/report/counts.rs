//! Reports that count: denials, recipients, purposes; and who read.

use std::collections::{BTreeMap, BTreeSet};

use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_core::{
    code::{Condition, Granularity, Role},
    event::{Asked, Event},
    id::{PartyId, PurposeCode},
    time::Timestamp,
};
use schakel_store::index::{Outcome, Query};

use super::{Narrowed, READ, Reported, Reporter};
use crate::{
    officer::{as_of::disclosed, records::opened},
    trail::TrailError,
    wire::{
        code::{Coded as _, to_wire},
        entry::findings,
        time::instant,
    },
};

/// How often, when first and when last.
#[derive(Debug)]
struct Count {
    times: u64,
    first: Timestamp,
    last: Timestamp,
}

/// What a party used of a purpose version.
struct Use {
    conditions: BTreeSet<Condition>,
    granularity: Granularity,
    times: u64,
}

impl Reporter<'_> {
    pub(super) fn denials(&self, narrowed: &Narrowed) -> Result<Reported, TrailError> {
        let query = Query {
            outcome: Some(Outcome::Denied),
            ..self.query(narrowed)
        };
        let (read, next) = self.read(query, READ)?;
        let mut counts: BTreeMap<(String, &str, Option<String>), Count> = BTreeMap::new();
        for (_, entry) in read {
            let party = entry.leaf.party.clone();
            let Some((details, at)) = opened(entry) else {
                continue;
            };
            let Event::Denied(denied) = details.event else {
                continue;
            };
            let findings = findings(&denied, self.viewer.veil());
            let Some(finding) = findings.first() else {
                continue;
            };
            let party = denied.receiver().map_or(party, ToString::to_string);
            let purpose = match &denied.asked {
                Asked::Disclosure(ask) => Some(ask.purpose.to_string()),
                Asked::Message { .. } | Asked::Call { .. } => None,
            };
            let reason = finding.reason.as_str();
            Count::add(&mut counts, (party, reason, purpose), at);
        }
        let rows = counts
            .into_iter()
            .map(|((party_id, reason, purpose), count)| v1::DenialCount {
                party_id,
                reason: reason.to_owned(),
                purpose,
                count: count.times,
                first_at: Some(instant(count.first)),
                last_at: Some(instant(count.last)),
            });
        let report = v1::GetReportResponse {
            denials: rows.collect(),
            ..v1::GetReportResponse::default()
        };
        Ok((report, next))
    }

    pub(super) fn recipients(&self, narrowed: &Narrowed) -> Result<Reported, TrailError> {
        let query = Query {
            outcome: Some(Outcome::Disclosed),
            ..self.query(narrowed)
        };
        let (read, next) = self.read(query, READ)?;
        let mut counts = BTreeMap::new();
        for (_, entry) in &read {
            let (Some((told, to)), Some(at)) =
                (disclosed(entry), crate::officer::records::at(&entry.leaf))
            else {
                continue;
            };
            for grant in &told.grants {
                if narrowed
                    .condition
                    .is_some_and(|only| only != grant.condition)
                {
                    continue;
                }
                let shown =
                    !self.viewer.veil().is_drawn() || grant.provider == *self.viewer.controller();
                let provider = shown.then(|| grant.provider.to_string());
                let key = (
                    to.clone(),
                    grant.condition,
                    provider,
                    !grant.consents.is_empty(),
                );
                Count::add(&mut counts, key, at);
            }
        }
        let rows = counts
            .into_iter()
            .map(|((to, condition, provider, on_consent), count)| {
                let party = self.registry.party(&to);
                let to_pi = party.is_some_and(|party| party.has_role(Role::Pi));
                v1::RecipientCount {
                    recipient_party_id: to.to_string(),
                    condition: condition.to_wire(),
                    provider_party_id: provider,
                    on_consent,
                    to_pi_on_consent: to_pi && on_consent,
                    count: count.times,
                    last_at: Some(instant(count.last)),
                }
            });
        let report = v1::GetReportResponse {
            recipients: rows.collect(),
            ..v1::GetReportResponse::default()
        };
        Ok((report, next))
    }

    pub(super) fn purposes(&self, narrowed: &Narrowed) -> Result<Reported, TrailError> {
        let query = Query {
            outcome: Some(Outcome::Disclosed),
            ..self.query(narrowed)
        };
        let (read, next) = self.read(query, READ)?;
        let mut uses: BTreeMap<(PartyId, PurposeCode, u32), Use> = BTreeMap::new();
        for (told, to) in read.iter().filter_map(|(_, entry)| disclosed(entry)) {
            let key = (to.clone(), told.ask.purpose.clone(), told.version);
            let row = uses.entry(key).or_insert_with(|| Use {
                conditions: BTreeSet::new(),
                granularity: told.granularity,
                times: 0,
            });
            let conditions = told.grants.iter().map(|grant| grant.condition);
            row.conditions.extend(conditions);
            row.granularity = row.granularity.max(told.granularity);
            row.times += 1;
        }
        let rows = uses
            .into_iter()
            .map(|(key, used)| self.purpose_use(key, &used));
        let report = v1::GetReportResponse {
            purposes: rows.collect(),
            ..v1::GetReportResponse::default()
        };
        Ok((report, next))
    }

    fn purpose_use(
        &self,
        (party, code, version): (PartyId, PurposeCode, u32),
        used: &Use,
    ) -> v1::PurposeUse {
        let mut versions = self.registry.versions(&code);
        let registered = versions.find(|found| found.version.version == version);
        let registered = registered.map(|found| &found.version);
        let within = registered.is_some_and(|registered| {
            let known: BTreeSet<_> = registered.conditions.iter().copied().collect();
            used.conditions.is_subset(&known) && used.granularity <= registered.granularity
        });
        v1::PurposeUse {
            party_id: party.to_string(),
            purpose: code.to_string(),
            purpose_version: version,
            conditions: to_wire(&used.conditions),
            granularity: used.granularity.to_wire(),
            count: used.times,
            registered_conditions: registered
                .map(|registered| to_wire(&registered.conditions))
                .unwrap_or_default(),
            registered_granularity: registered
                .map_or(0, |registered| registered.granularity.to_wire()),
            within,
        }
    }

    pub(super) fn readers(&self, narrowed: &Narrowed) -> Result<Reported, TrailError> {
        let query = Query {
            kind: Some(EntryType::LookUp),
            ..self.query(narrowed)
        };
        let (read, next) = self.read(query, READ)?;
        let rows = read.into_iter().filter_map(|(index, entry)| {
            let party_id = entry.leaf.party.clone();
            let (details, at) = opened(entry)?;
            let Event::LookedUp(looked) = details.event else {
                return None;
            };
            let call = details.call?;
            let own = call.principal == *self.viewer.controller();
            Some(v1::Reader {
                index: index.0,
                at: Some(instant(at)),
                party_id,
                actor_ref: call.actor.filter(|_| own).map(|actor| actor.to_string()),
                method: looked.method,
                purpose: looked.purpose.map(|purpose| purpose.to_string()),
                question: looked.question,
                results: looked.results,
            })
        });
        let report = v1::GetReportResponse {
            readers: rows.collect(),
            ..v1::GetReportResponse::default()
        };
        Ok((report, next))
    }
}

impl Count {
    fn add<K: Ord>(counts: &mut BTreeMap<K, Self>, key: K, at: Timestamp) {
        let count = counts.entry(key).or_insert(Self {
            times: 0,
            first: at,
            last: at,
        });
        count.times += 1;
        count.first = count.first.min(at);
        count.last = count.last.max(at);
    }
}
