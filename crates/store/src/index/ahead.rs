//! Looking through the runs from the oldest to the newest: for whoever reads on from where it was.

use std::sync::Arc;

use schakel_core::id::EntryIndex;

use super::{Closed, Query, SearchError, Shared, list::Lists, search::common};

/// The most entries found at once.
const MOST: usize = 1000;

/// What was found from an entry on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// The entries, oldest first.
    pub entries: Vec<EntryIndex>,
    /// The first entry that was not looked at.
    pub end: EntryIndex,
    /// Whether there may be more among those that are added by now.
    pub more: bool,
}

/// Finds the oldest entries from `from` on.
pub(super) fn ahead(
    shared: &Shared,
    query: &Query,
    from: EntryIndex,
) -> Result<Ahead, SearchError> {
    let (closed, recent, indexed) = {
        let runs = shared.read();
        let Ok(recent) = found(&runs.recent, query, from);
        let newest = runs.recent.next();
        (runs.closed.clone(), recent, newest)
    };
    let limit = query.limit.clamp(1, MOST);
    let mut entries: Vec<EntryIndex> = Vec::new();
    // Every run but the last one that begins at or before `from` ends before it.
    let first = closed.partition_point(|run| first_of(run) <= from.0);
    for run in closed.iter().skip(first.saturating_sub(1)) {
        if entries.len() > limit {
            break;
        }
        entries.extend(in_closed(run, query, from)?);
    }
    if entries.len() <= limit {
        entries.extend(recent);
    }
    let more = entries.len() > limit;
    let end = entries.get(limit).filter(|_| more).copied();
    entries.truncate(limit);
    Ok(Ahead {
        entries,
        end: end.unwrap_or(EntryIndex(indexed.max(from.0))),
        more,
    })
}

fn first_of(run: &Arc<Closed>) -> u64 {
    match &**run {
        Closed::File(run) => run.first(),
        Closed::Memory(run) => run.first(),
    }
}

fn in_closed(
    run: &Closed,
    query: &Query,
    from: EntryIndex,
) -> Result<Vec<EntryIndex>, SearchError> {
    match run {
        Closed::Memory(run) => {
            let Ok(found) = found(run, query, from);
            Ok(found)
        }
        Closed::File(run) => found(&**run, query, from).map_err(|source| SearchError::File {
            first: run.first(),
            source,
        }),
    }
}

fn found<R: Lists>(run: &R, query: &Query, from: EntryIndex) -> Result<Vec<EntryIndex>, R::Error> {
    let first = run.first();
    let (begin, end) = run.period(query.period.as_ref())?;
    let begin = begin.max(from.0.saturating_sub(first));
    let places = common(run, query, &query.terms())?.into_iter();
    Ok(places
        .map(u64::from)
        .filter(|place| (begin..end).contains(place))
        .map(|place| EntryIndex(first.saturating_add(place)))
        .collect())
}
