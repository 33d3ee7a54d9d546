//! Looking through the runs from the oldest to the newest: for whoever reads on from where it was.

use schakel_core::id::EntryIndex;

use super::{
    Closed, Query, SearchError, Shared, heads::Number, list::Lists, search::common, token::Sought,
};

/// The most entries found at once.
pub(super) const MOST: usize = 1000;

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
    let sought = shared.tokens.sought(query);
    let (closed, newest, recent, indexed) = {
        let runs = shared.read();
        let Ok(recent) = found(&runs.recent, query, &sought, from);
        let newest = runs.newest(&sought);
        (runs.closed.clone(), newest, recent, runs.recent.next())
    };
    let limit = query.limit.clamp(1, MOST);
    let mut entries: Vec<EntryIndex> = Vec::new();
    // Every run but the last one that begins at or before `from` ends before it.
    let first = closed.begun(from).saturating_sub(1);
    for number in numbers(&closed, &sought, first, newest)? {
        if entries.len() > limit {
            break;
        }
        if let Some((_, run)) = closed.get(number) {
            let more = found(run, query, &sought, from);
            entries.extend(more.map_err(|source| SearchError::file(run, source))?);
        }
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

/// The runs from `first` to `newest` to look at, from the oldest: all of them, or those with the person that is sought.
fn numbers(
    closed: &Closed,
    sought: &[Sought<'_>],
    first: Number,
    newest: Option<Number>,
) -> Result<Vec<Number>, SearchError> {
    let mut numbers = Vec::new();
    let mut next = newest;
    while let Some((number, run)) = next.and_then(|number| closed.get(number))
        && number >= first
    {
        numbers.push(number);
        next = match sought.iter().find(|sought| sought.is_person()) {
            Some(person) => {
                let list = run.list(person);
                list.map_err(|source| SearchError::file(run, source))?
                    .before
            }
            None => number.checked_sub(1),
        };
    }
    numbers.reverse();
    Ok(numbers)
}

fn found<R: Lists>(
    run: &R,
    query: &Query,
    sought: &[Sought<'_>],
    from: EntryIndex,
) -> Result<Vec<EntryIndex>, R::Error> {
    let first = run.first();
    let (begin, end) = run.period(query.period.as_ref())?;
    let begin = begin.max(from.0.saturating_sub(first));
    let places = common(run, sought)?.places.into_iter();
    Ok(places
        .map(u64::from)
        .filter(|place| (begin..end).contains(place))
        .map(|place| EntryIndex(first.saturating_add(place)))
        .collect())
}
