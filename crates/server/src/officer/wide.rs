//! Questions so wide that one officer may not ask them alone: proposed by one, approved by another, and
//! made within a limited time. All of it stands in the log; nothing else remembers it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use schakel_api::v1;
use schakel_audit::leaf::EntryType;
use schakel_core::{
    certificate::StopReason,
    event::{Call, Event, SearchDecided, SearchProposed},
    id::{ActorRef, PartyId, PurposeCode, Reference},
    registry::Registry,
    time::{Period, Timestamp},
};
use schakel_store::index::Query;

use super::{Bounds, records::opened};
use crate::{
    trail::{Trail, TrailError},
    wire::time::instant,
};

/// The longest term of an approved export, in days: this broker's own bound. A quarter, then two officers look again.
pub(crate) const LONGEST_TERM_DAYS: u32 = 92;
/// For how many days a proposal waits.
const WAITS_DAYS: u32 = 7;
/// The most proposals for one purpose that are gone through.
const REACH: usize = 10_000;

/// A question as it is proposed, and as it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) method: &'static str,
    pub(crate) purpose: PurposeCode,
    pub(crate) words: String,
}

/// A proposal with what became of it.
pub(crate) struct Proposal {
    proposed: SearchProposed,
    by: Call,
    at: Timestamp,
    decided: Option<SearchDecided>,
}

impl Bounds {
    /// Whether a period is too long, or open, for one officer.
    pub(crate) fn is_long(&self, period: Option<&Period>) -> bool {
        let most = u64::try_from(self.wide_period.as_millis()).unwrap_or(u64::MAX);
        period.is_none_or(|period| {
            period
                .until
                .is_none_or(|until| until > period.from.plus_millis(most))
        })
    }
}

/// The proposal of a controller's officer known by this id. What was proposed or approved with a certificate of which it
/// is in doubt by now in whose hands it was is as good as taken back.
pub(crate) fn proposal(
    trail: &Trail,
    controller: &PartyId,
    search: Reference,
    registry: &Registry,
) -> Result<Option<Proposal>, TrailError> {
    let query = Query {
        reference: Some(search),
        kind: Some(EntryType::LookUp),
        ..Query::of(controller.clone())
    };
    let mut found = Vec::new();
    for index in trail.each(query) {
        found.extend(trail.entry(index?.0)?.and_then(opened));
    }
    // What was decided first counts, because two officers may have decided at once; but a rejection always does.
    found.reverse();
    let mut proposal: Option<Proposal> = None;
    for (details, at) in found {
        match (details.event, details.call, &mut proposal) {
            (Event::SearchProposed(proposed), Some(by), None) => {
                let taken_back = SearchDecided {
                    search,
                    until: None,
                };
                proposal = Some(Proposal {
                    decided: is_doubted(&by, registry).then_some(taken_back),
                    proposed,
                    by,
                    at,
                });
            }
            (Event::SearchDecided(mut decided), by, Some(proposal)) => {
                if by.is_some_and(|by| is_doubted(&by, registry)) {
                    decided.until = None;
                }
                let taken_back = decided.until.is_none();
                let first = proposal.decided.get_or_insert_with(|| decided.clone());
                if taken_back {
                    *first = decided;
                }
            }
            _ => {}
        }
    }
    Ok(proposal)
}

/// Whether a call was made with a certificate that is blocked because somebody may have had it who should not. Whoever blocks one
/// need not know what was approved with it.
fn is_doubted(by: &Call, registry: &Registry) -> bool {
    use StopReason::{KeyCompromise, PrivilegeWithdrawn, Suspicion};
    let mut blocked = registry.blocked();
    blocked.any(|one| {
        let doubted = matches!(one.reason, KeyCompromise | PrivilegeWithdrawn | Suspicion);
        doubted && one.certificate.0 == by.certificate
    })
}

/// The proposals of a controller's officers that wait or may be made, newest first.
pub(crate) fn proposals(
    trail: &Trail,
    controller: &PartyId,
    registry: &Registry,
    now: Timestamp,
) -> Result<Vec<v1::ProposedSearch>, TrailError> {
    // Whatever was proposed and may stand now: it waited, and then had its term.
    let days = WAITS_DAYS + LONGEST_TERM_DAYS;
    let period = Period {
        from: now.minus_millis(u64::from(days) * Timestamp::DAY_MS),
        until: None,
    };
    let codes: BTreeSet<_> = registry
        .purposes()
        .map(|found| found.version.code.clone())
        .collect();
    let mut found = BTreeMap::new();
    for purpose in codes {
        let query = Query {
            kind: Some(EntryType::LookUp),
            purpose: Some(purpose),
            period: Some(period),
            ..Query::of(controller.clone())
        };
        for index in trail.each(query).take(REACH) {
            let index = index?;
            let Some((details, _)) = trail.entry(index.0)?.and_then(opened) else {
                continue;
            };
            if let Event::SearchProposed(proposed) = &details.event
                && let Some(proposal) = proposal(trail, controller, proposed.search, registry)?
                && (proposal.waits(now) || proposal.stands(now))
            {
                found.insert(index, proposal.shown(now));
            }
        }
    }
    Ok(found.into_values().rev().collect())
}

impl Proposal {
    /// Whether somebody can still decide about it.
    pub(crate) fn waits(&self, now: Timestamp) -> bool {
        self.decided.is_none() && now < self.at.plus_days(WAITS_DAYS)
    }

    /// Whether an approval of it stands, which any officer may take back.
    pub(crate) fn stands(&self, now: Timestamp) -> bool {
        self.until(now).is_some()
    }

    /// For how long it may be made once approved: exports for the term that was proposed, questions for this long.
    pub(crate) fn term(&self, of_a_question: Duration) -> Duration {
        let days = self.proposed.export.map(|export| u64::from(export.days));
        days.map_or(of_a_question, |days| Duration::from_hours(days * 24))
    }

    /// When what an export may open was recorded, if it lets this export be run now.
    pub(crate) fn lets_export(
        &self,
        method: &str,
        purpose: &PurposeCode,
        now: Timestamp,
    ) -> Option<Period> {
        let fits = self.proposed.method == method && self.proposed.purpose == *purpose;
        let export = self.proposed.export.filter(|_| fits && self.stands(now));
        export.map(|export| export.period)
    }

    /// Whether this caller is a second one: another employee with another certificate, which is no renewal of the
    /// first and was not announced with it. Marks are whatever a caller writes, and one employee alone gets a renewal.
    pub(crate) fn is_second(
        &self,
        actor: &str,
        certificate: &[u8; 32],
        registry: &Registry,
    ) -> bool {
        let by = self.by.actor.as_ref().map(ActorRef::as_str);
        let same = by.is_some_and(|by| is_one_mark(by, actor));
        !same && !registry.are_of_one_chain(&self.by.certificate, certificate)
    }

    /// Whether it lets this question be asked now.
    pub(crate) fn lets(&self, question: &Question, now: Timestamp) -> bool {
        self.until(now).is_some()
            && self.proposed.method == question.method
            && self.proposed.purpose == question.purpose
            && self.proposed.question == question.words
    }

    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.decided.as_ref()?.until?;
        (now < until).then_some(until)
    }

    fn shown(&self, now: Timestamp) -> v1::ProposedSearch {
        v1::ProposedSearch {
            search_id: self.proposed.search.as_bytes().to_vec().into(),
            proposed_by_party_id: self.by.principal.to_string(),
            proposed_at: Some(instant(self.at)),
            method: self.proposed.method.clone(),
            purpose: self.proposed.purpose.to_string(),
            question: self.proposed.question.clone(),
            approved_until: self.until(now).map(instant),
        }
    }
}

/// Whether two marks may be of one employee: `ATT-1` is no other one than `att-1`.
fn is_one_mark(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::is_one_mark;

    #[test]
    fn a_mark_is_the_same_in_other_letters() {
        for other in ["att-1", "ATT-1", " Att-1", "att-1\t"] {
            assert!(is_one_mark("att-1", other), "{other}");
        }
        assert!(is_one_mark("ÉLAN-2", "élan-2"));
        assert!(!is_one_mark("att-1", "att-10"));
    }
}
