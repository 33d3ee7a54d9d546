//! The standing questions of a privacy officer, each answered page by page from the entries of the own
//! controller alone.

mod consents;
mod counts;
mod notices;

use schakel_api::v1;
use schakel_core::{
    code::Condition,
    id::{EntryIndex, PartyId},
    registry::Registry,
    replay::{Difference, Replay},
    time::{Period, Timestamp},
};
use schakel_store::{
    entry::Entry,
    index::{Outcome, Query},
};

use super::{
    meant::Person,
    records::{Again, Records},
};
use crate::{
    trail::{Trail, TrailError},
    wire::entry::Viewer,
};

/// The most entries that are read for one page, and the most decisions that are replayed.
const READ: usize = 5000;
const REPLAYED: usize = 1000;

/// What a report is made with.
pub(crate) struct Reporter<'a> {
    pub(crate) trail: &'a Trail,
    pub(crate) registry: &'a Registry,
    pub(crate) viewer: &'a Viewer,
    pub(crate) now: Timestamp,
}

/// What a report is narrowed to, and where it continues.
#[derive(Clone, Debug)]
pub(crate) struct Narrowed {
    pub(crate) period: Option<Period>,
    pub(crate) person: Option<Person>,
    pub(crate) party: Option<PartyId>,
    pub(crate) condition: Option<Condition>,
    pub(crate) before: Option<EntryIndex>,
}

/// One page of a report, and where the next one continues.
pub(crate) type Reported = (v1::GetReportResponse, Option<EntryIndex>);

/// Entries as they were read, newest first, and where to read on.
type Read = (Vec<(EntryIndex, Entry)>, Option<EntryIndex>);

impl Reporter<'_> {
    /// One page of a report.
    pub(crate) fn report(
        &self,
        report: v1::Report,
        narrowed: &Narrowed,
    ) -> Result<Reported, TrailError> {
        match report {
            v1::Report::Unspecified => Ok(Reported::default()),
            v1::Report::Check => self.check(narrowed),
            v1::Report::Denials => self.denials(narrowed),
            v1::Report::Withdrawals => self.withdrawals(narrowed),
            v1::Report::Recipients => self.recipients(narrowed),
            v1::Report::Purposes => self.purposes(narrowed),
            v1::Report::Consents => self.consents(narrowed),
            v1::Report::Readers => self.readers(narrowed),
            v1::Report::Notices => self.notices(narrowed),
        }
    }

    /// Replays every decision to disclose.
    fn check(&self, narrowed: &Narrowed) -> Result<Reported, TrailError> {
        let query = Query {
            outcome: Some(Outcome::Disclosed),
            ..self.query(narrowed)
        };
        let (mut read, next) = self.read(query, REPLAYED)?;
        read.reverse();
        let mut records = Records::new(self.trail)?;
        let mut result = v1::CheckResult::default();
        for (index, entry) in read {
            result.permitted += 1;
            match records.replay(index, &entry)? {
                Again::Decided(Replay::Same) => result.same += 1,
                Again::Unreadable => result.unreadable += 1,
                Again::Decided(Replay::Differs(ways)) => result.faults.push(fault(index, &ways)),
                // What disclosed something was decided.
                Again::Decided(Replay::NoDecision) => result.faults.push(fault(index, &[])),
            }
        }
        let report = v1::GetReportResponse {
            check: Some(result),
            ..v1::GetReportResponse::default()
        };
        Ok((report, next))
    }

    fn query(&self, narrowed: &Narrowed) -> Query {
        let narrowed = narrowed.clone();
        let controller = self.viewer.controller();
        let about = match &narrowed.person {
            Some(person) => person.entries(controller),
            None => Query::of(controller.clone()),
        };
        Query {
            party: narrowed.party,
            condition: narrowed.condition,
            period: narrowed.period,
            before: narrowed.before,
            ..about
        }
    }

    /// So many of the entries that a search finds and the officer may see, newest first.
    fn read(&self, query: Query, most: usize) -> Result<Read, TrailError> {
        self.read_where(query, most, |entry| self.viewer.shows(entry))
    }

    /// So many of the entries that a search finds and that are wanted, newest first.
    fn read_where(
        &self,
        query: Query,
        most: usize,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<Read, TrailError> {
        let mut read = Vec::new();
        let mut last = None;
        // What was erased is no longer about anybody.
        let by_person = query.subject.is_some();
        for (count, index) in self.trail.each(query).enumerate() {
            let index = index?;
            if count == most {
                return Ok((read, last));
            }
            last = Some(index);
            if let Some(entry) = self.trail.entry(index.0)?
                && wanted(&entry)
                && (!by_person || self.viewer.reads(&entry))
            {
                read.push((index, entry.read_by(self.viewer.controller())));
            }
        }
        Ok((read, None))
    }
}

fn fault(index: EntryIndex, differences: &[Difference]) -> v1::CheckFault {
    v1::CheckFault {
        index: index.0,
        differences: differences.iter().map(ToString::to_string).collect(),
    }
}
