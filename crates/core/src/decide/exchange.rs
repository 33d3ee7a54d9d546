//! One condition of one person, from whoever reported it to whoever asks.

use std::sync::Arc;

use super::{Finding, Grant, Reason};
use crate::{
    ask::Ask,
    case::Case,
    code::{Condition, Regime, Role, Status},
    dossier::Dossier,
    id::PartyId,
    person::SubjectRef,
    purpose::{PurposeVersion, Route},
    registry::Registry,
    status::StatusRecord,
    time::Timestamp,
};

/// What a decision looks at.
pub(super) struct Exchange<'a> {
    pub(super) ask: &'a Ask,
    pub(super) version: &'a Arc<PurposeVersion>,
    pub(super) recipient: &'a PartyId,
    /// The roles of the recipient.
    pub(super) roles: &'a [Role],
    pub(super) dossier: &'a Dossier,
    pub(super) registry: &'a Registry,
    pub(super) now: Timestamp,
}

/// A route of the purpose with what it would carry.
pub(super) struct Passage<'a> {
    number: u8,
    route: &'a Route,
    pub(super) case: &'a Case,
    pub(super) record: &'a StatusRecord,
    reveals_detention: bool,
}

impl Exchange<'_> {
    /// What may be told of one condition, and what stood in the way of the rest.
    pub(super) fn grants(&self, condition: Condition, findings: &mut Vec<Finding>) -> Vec<Grant> {
        let cases = match self.cases(condition) {
            Ok(cases) => cases,
            Err(reason) => {
                findings.push(Finding::about(reason, condition));
                return Vec::new();
            }
        };
        let mut found = false;
        let mut grants = Vec::new();
        for (case, record) in self.records(&cases, condition) {
            found = true;
            match self.weigh(case, record) {
                Ok(grant) => grants.push(grant),
                Err(finding) => findings.push(finding),
            }
        }
        if !found {
            findings.push(Finding::about(Reason::NothingToDisclose, condition));
        }
        grants
    }

    /// Whether the recipient has no role that may know of detention.
    pub(super) fn is_to_outsider(&self) -> bool {
        !self.roles.iter().any(|role| role.knows_of_detention())
    }

    /// The open cases that count and in which the recipient has a place for the condition.
    fn cases(&self, condition: Condition) -> Result<Vec<&Case>, Reason> {
        let mut cases: Vec<&Case> = self
            .dossier
            .cases
            .values()
            .filter(|case| match &self.ask.subject {
                SubjectRef::Case(id) => case.id == *id,
                SubjectRef::Bsn(_) | SubjectRef::Skn(_) | SubjectRef::ClientRef(_) => true,
            })
            .filter(|case| case.has_party(self.recipient, condition, self.now))
            .collect();
        if cases.is_empty() {
            return Err(Reason::NotCaseParty);
        }
        cases.retain(|case| case.is_open(self.now));
        if cases.is_empty() {
            return Err(Reason::CaseClosed);
        }
        Ok(cases)
    }

    /// What others reported that says something, by case and provider.
    fn records<'c>(
        &'c self,
        cases: &'c [&'c Case],
        condition: Condition,
    ) -> impl Iterator<Item = (&'c Case, &'c StatusRecord)> {
        cases.iter().flat_map(move |case| {
            let records = self.dossier.statuses.values();
            records
                .filter(move |record| record.case == case.id && record.condition == condition)
                .filter(|record| record.report.status != Status::NotAssessed)
                .filter(|record| record.reporter != *self.recipient)
                .map(move |record| (*case, record))
        })
    }

    fn weigh(&self, case: &Case, record: &StatusRecord) -> Result<Grant, Finding> {
        let stop = |reason| Finding {
            provider: Some(record.reporter.clone()),
            ..Finding::about(reason, record.condition)
        };
        let declined = record.report.status == Status::HelpDeclined;
        if declined && record.report.offered_by.as_ref() != Some(self.recipient) {
            return Err(stop(Reason::HelpDeclinedToAnother));
        }
        if self.is_restricted(record) {
            return Err(stop(Reason::Restricted));
        }
        let grant = self.best_route(case, record, stop(Reason::NoBasis))?;
        if self.is_to_outsider() && self.registry.counterpart(case, self.now).is_none() {
            return Err(stop(Reason::NoCounterpart));
        }
        Ok(grant)
    }

    fn is_restricted(&self, record: &StatusRecord) -> bool {
        self.dossier.restrictions.values().any(|restriction| {
            restriction.blocks(record.condition, &record.reporter, self.recipient, self.now)
        })
    }

    /// The route by which most may be told, the first among equals. Were it simply the first that is
    /// open, ending a consent that says little could let more through by the next.
    fn best_route(
        &self,
        case: &Case,
        record: &StatusRecord,
        mut nearest: Finding,
    ) -> Result<Grant, Finding> {
        let from = self.registry.roles(&record.reporter, self.now);
        // To outsiders the basis for receiving is named: one that tells of detention is no way to them.
        let outsider = self.is_to_outsider();
        let routes = self
            .version
            .routes_between(from, self.roles, record.condition)
            .filter(|(_, route)| !outsider || !route.recipient_basis.basis.tells_of_detention());
        let mut best: Option<Grant> = None;
        for (number, route) in routes {
            let passage = Passage {
                number,
                route,
                case,
                record,
                reveals_detention: self.reveals_detention(record),
            };
            match self.pass(&passage) {
                Ok(grant) => {
                    if best
                        .as_ref()
                        .is_none_or(|best| best.granularity < grant.granularity)
                    {
                        best = Some(grant);
                    }
                }
                Err(finding) => nearest = nearest.or_further(finding),
            }
        }
        best.ok_or(nearest)
    }

    /// Whether this record would tell this recipient that the person is or was detained. To outsiders
    /// it does not: everything that would tell of it is dropped.
    fn reveals_detention(&self, record: &StatusRecord) -> bool {
        let from_pi = record.report.origin == Role::Pi
            || record.regime == Regime::Wjsg
            || self
                .registry
                .roles(&record.reporter, self.now)
                .contains(&Role::Pi);
        from_pi && !self.is_to_outsider()
    }

    /// Takes the record along one route, past everything that the route asks.
    fn pass(&self, passage: &Passage<'_>) -> Result<Grant, Finding> {
        let Passage {
            number,
            route,
            case,
            record,
            reveals_detention,
        } = *passage;
        let care = record.condition == Condition::Care;
        if !route.origins.contains(&record.report.origin) {
            return Err(passage.stop(Reason::OriginNotAdmitted));
        }
        if reveals_detention && route.criminal_data_ground.is_none() {
            return Err(passage.stop(Reason::CriminalDataGroundMissing));
        }
        if care && route.art9_ground.is_none() {
            return Err(passage.stop(Reason::Art9GroundMissing));
        }
        let explicit = route.needs_explicit_consent(record.condition, reveals_detention);
        let on_consent = explicit || route.needs_consent();
        if care && on_consent && self.roles.contains(&Role::Pi) {
            return Err(passage.stop(Reason::ConsentUnfitForRelation));
        }
        let mut used = Vec::new();
        if on_consent {
            used.push(self.consent(passage, explicit)?);
        }
        if route.secrecy_waiver {
            used.push(self.secrecy_waiver(passage)?);
        }
        let ceiling = self.ask.granularity.min(self.version.granularity);
        let agreed = used.iter().map(|consent| consent.terms.granularity);
        Ok(Grant {
            case: case.id,
            condition: record.condition,
            provider: record.reporter.clone(),
            status: record.entry,
            route: number,
            provider_basis: route.provider_basis.clone(),
            recipient_basis: route.recipient_basis.clone(),
            granularity: agreed.fold(ceiling, Ord::min),
            consents: used.iter().map(|consent| consent.id).collect(),
            criminal_data_ground: route.criminal_data_ground.filter(|_| reveals_detention),
            art9_ground: route.art9_ground.filter(|_| care),
        })
    }
}

impl Passage<'_> {
    pub(super) fn stop(&self, reason: Reason) -> Finding {
        Finding {
            provider: Some(self.record.reporter.clone()),
            route: Some(self.number),
            ..Finding::about(reason, self.record.condition)
        }
    }
}
