//! Comparing what two sides hold.

use std::ops::Range;

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_audit::reconciliation::{LONGEST_MS, Summary};
use schakel_core::{
    party::Peer,
    time::{Period, Timestamp},
};

use super::{
    Fields,
    person::Who,
    time::{period, read_period},
};

/// The most periods of one request.
const MOST: usize = 400;
/// The most receipts of one answer.
const MOST_LISTED: u32 = 200;

/// A request to compare as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Compare {
    /// Who acts.
    pub(crate) who: Who,
    /// What the caller holds; never empty.
    pub(crate) held: Vec<Summary>,
}

/// A request to list as it was read.
#[derive(Clone, Debug)]
pub(crate) struct List {
    /// Who acts.
    pub(crate) who: Who,
    /// Of which periods; never empty.
    pub(crate) periods: Vec<Range<u64>>,
    /// The most to list.
    pub(crate) most: usize,
    /// Where it goes on, as given: still to be opened.
    pub(crate) cursor: Option<Bytes>,
}

/// Reads a request to compare.
pub(crate) fn compare(
    message: v1::CompareDigestsRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Compare> {
    let v1::CompareDigestsRequest { actor, held } = message;
    let who = fields.who(actor);
    let held = fields.list("held", 1..=MOST, held, read_summary);
    let held = held.filter(|held| {
        let periods: Vec<_> = held.iter().map(|one| one.period.clone()).collect();
        in_order("held", &periods, fields)
    });
    Some(Compare {
        who: who?,
        held: held?,
    })
}

/// Reads a request to list.
pub(crate) fn list(
    message: v1::ListHandedOverRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<List> {
    let v1::ListHandedOverRequest {
        actor,
        periods,
        page_size,
        cursor,
    } = message;
    let who = fields.who(actor);
    let periods = fields.list("periods", 1..=MOST, periods, |period, fields| {
        ending("until", read_period(period, fields), fields)
    });
    let periods = periods.filter(|periods| in_order("periods", periods, fields));
    let most = fields.number("page_size", 1..=MOST_LISTED, page_size);
    let cursor = fields.cursor("cursor", cursor);
    Some(List {
        who: who?,
        periods: periods?,
        most: usize::try_from(most?).ok()?,
        cursor: cursor?,
    })
}

/// What one side holds, as it is sent.
pub(crate) fn summary(summary: &Summary) -> v1::PeriodDigest {
    v1::PeriodDigest {
        period: as_period(&summary.period).map(period),
        digest: Bytes::copy_from_slice(&summary.digest),
        entries: summary.entries,
    }
}

/// Milliseconds as a period of log time; `None` past the end of the calendar.
pub(crate) fn as_period(range: &Range<u64>) -> Option<Period> {
    let until = Timestamp::from_millis(range.end).ok()?;
    Some(Period {
        from: Timestamp::from_millis(range.start).ok()?,
        until: Some(until),
    })
}

fn read_summary(message: v1::PeriodDigest, fields: &mut Fields) -> Option<Summary> {
    let v1::PeriodDigest {
        period,
        digest,
        entries,
    } = message;
    let period = fields.period("period", period);
    let period = ending("period.until", period, fields);
    let digest = fields.sha256("digest", &digest);
    Some(Summary {
        period: period?,
        digest: digest?,
        entries,
    })
}

fn ending(field: &str, period: Option<Period>, fields: &mut Fields) -> Option<Range<u64>> {
    let Period { from, until } = period?;
    if until.is_none() {
        fields.refuse(field, "must be set: what is compared must have ended");
    }
    Some(from.as_millis()..until?.as_millis())
}

fn in_order(field: &str, periods: &[Range<u64>], fields: &mut Fields) -> bool {
    let ordered = periods
        .iter()
        .zip(periods.iter().skip(1))
        .all(|(one, next)| one.end <= next.start);
    let from = periods.first().map_or(0, |first| first.start);
    let until = periods.last().map_or(0, |last| last.end);
    if !ordered || until.saturating_sub(from) > LONGEST_MS {
        let rule = "must be in ascending order without overlap, and from the first to the last no more \
                    than 366 days";
        fields.refuse(field, rule);
        return false;
    }
    true
}
