//! What the registry and the purposes let a party receive, beside what it received: for taking back what nobody
//! uses. Counts disclosures; no person appears.

use std::collections::{BTreeMap, BTreeSet};

use schakel_api::v1;
use schakel_core::{
    code::{Condition, Granularity, Role},
    event::Disclosed,
    id::{EntryIndex, PurposeCode},
    party::Party,
    purpose::PurposeVersion,
    registry::{Registered, Registry},
    time::{Period, Timestamp},
};
use schakel_store::index::{Outcome, Query};

use super::{as_of::disclosed, records};
use crate::{
    trail::{Trail, TrailError},
    wire::{code::Coded as _, time::instant},
};

/// The most disclosures that are read for one page.
const READ: usize = 5000;

/// The usage of one party, as far as it is counted.
#[derive(Debug)]
pub(crate) struct Usage {
    roles: BTreeMap<Role, Row>,
    rights: BTreeMap<(PurposeCode, u32, Condition), Right>,
    unreadable: u64,
}

/// How often, and when last.
#[derive(Debug, Default)]
struct Row {
    count: u64,
    last: Option<Timestamp>,
}

/// A right to receive.
#[derive(Debug)]
struct Right {
    granularity: Granularity,
    roles: BTreeSet<Role>,
    granted: bool,
    row: Row,
}

/// One page of what a party received in a period, beside everything it may, and where the next page begins.
pub(crate) fn usage(
    trail: &Trail,
    registry: &Registry,
    party: &Party,
    period: Period,
    before: Option<EntryIndex>,
) -> Result<(v1::GetUsageResponse, Option<EntryIndex>), TrailError> {
    let query = Query {
        party: Some(party.id.clone()),
        period: Some(period),
        outcome: Some(Outcome::Disclosed),
        before,
        ..Query::of(party.id.clone())
    };
    let mut usage = Usage::granted(registry, party, &period);
    let (mut next, mut last) = (None, None);
    for (count, index) in trail.each(query).enumerate() {
        let index = index?;
        if count == READ {
            next = last;
            break;
        }
        last = Some(index);
        let entry = trail.entry(index.0)?;
        let entry = entry.filter(|entry| !entry.erased.contains(&party.id));
        let told = entry.as_ref().and_then(|entry| {
            let (told, _) = disclosed(entry)?;
            Some((told, records::at(&entry.leaf)?))
        });
        match told {
            Some((told, at)) => usage.count(told, at, registry, party),
            None => usage.unreadable += 1,
        }
    }
    Ok((usage.shown(party), next))
}

impl Usage {
    /// Everything the party may receive, unused so far.
    fn granted(registry: &Registry, party: &Party, period: &Period) -> Self {
        let mut usage = Self {
            roles: BTreeMap::new(),
            rights: BTreeMap::new(),
            unreadable: 0,
        };
        for role in party.roles.iter().filter(|role| role.is_partner()) {
            usage.roles.entry(*role).or_default();
        }
        let in_force = registry
            .purposes()
            .filter(|registered| was_in_force(registered, period));
        for registered in in_force {
            let version = &registered.version;
            for condition in version.conditions.iter().copied() {
                if !roles(version, condition, party).is_empty() {
                    usage.right(version, condition, party).granted = true;
                }
            }
        }
        usage
    }

    fn right(
        &mut self,
        version: &PurposeVersion,
        condition: Condition,
        party: &Party,
    ) -> &mut Right {
        let key = (version.code.clone(), version.version, condition);
        self.rights.entry(key).or_insert_with(|| Right {
            granularity: version.granularity,
            roles: roles(version, condition, party),
            granted: false,
            row: Row::default(),
        })
    }

    /// Counts one disclosure: once for each condition it told of, and for each role it came to.
    fn count(&mut self, told: &Disclosed, at: Timestamp, registry: &Registry, party: &Party) {
        let mut versions = registry.versions(&told.ask.purpose);
        let version = versions.find(|found| found.version.version == told.version);
        // What decided stays registered for ever.
        let Some(version) = version.map(|found| &found.version) else {
            return;
        };
        let conditions: BTreeSet<Condition> =
            told.grants.iter().map(|grant| grant.condition).collect();
        for condition in conditions {
            self.right(version, condition, party).row.add(at);
        }
        let routes = told
            .grants
            .iter()
            .filter_map(|grant| version.routes.get(usize::from(grant.route)));
        let to: BTreeSet<Role> = routes.flat_map(|route| &route.to).copied().collect();
        for role in to.intersection(&party.roles.iter().copied().collect()) {
            self.roles.entry(*role).or_default().add(at);
        }
    }

    fn shown(self, party: &Party) -> v1::GetUsageResponse {
        let roles = self.roles.into_iter().map(|(role, row)| v1::RoleUse {
            role: role.to_wire(),
            count: row.count,
            last_at: row.last.map(instant),
        });
        let rights = self.rights.into_iter();
        let rights = rights.map(|((purpose, version, condition), right)| v1::RightUse {
            purpose: purpose.to_string(),
            purpose_version: version,
            condition: condition.to_wire(),
            granularity: right.granularity.to_wire(),
            roles: right.roles.into_iter().map(Role::to_wire).collect(),
            granted: right.granted,
            count: right.row.count,
            last_at: right.row.last.map(instant),
        });
        v1::GetUsageResponse {
            party_id: party.id.to_string(),
            roles: roles.collect(),
            rights: rights.collect(),
            unreadable: self.unreadable,
            next_page_token: None,
            receipt: None,
        }
    }
}

impl Row {
    fn add(&mut self, at: Timestamp) {
        self.count += 1;
        self.last = self.last.max(Some(at));
    }
}

/// The roles of a party to which a route of a version leads for a condition.
fn roles(version: &PurposeVersion, condition: Condition, party: &Party) -> BTreeSet<Role> {
    let routes = version.routes.iter();
    let routes = routes.filter(|route| route.admits(condition));
    let to: BTreeSet<Role> = routes.flat_map(|route| &route.to).copied().collect();
    let held = party.roles.iter().copied();
    held.filter(|role| to.contains(role)).collect()
}

/// Whether a version was in force at any instant of a period.
fn was_in_force(registered: &Registered, period: &Period) -> bool {
    let validity = &registered.version.validity;
    let withdrawn = registered.withdrawn_at;
    validity.overlaps(period)
        && withdrawn.is_none_or(|end| period.from < end && validity.from < end)
}
