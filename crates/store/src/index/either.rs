//! Searching for a person and for whom calls named: an entry is found by either.

use schakel_core::id::EntryIndex;

use super::{Ahead, LARGEST_PAGE, Page, Query, SearchError, Shared, ahead, search};

/// A search for a person, and one for a name, where a search is for both.
fn apart(query: &Query) -> Option<(Query, Query)> {
    (query.subject.is_some() && query.named.is_some()).then(|| {
        let (mut person, mut named) = (query.clone(), query.clone());
        (person.named, named.subject) = (None, None);
        (person, named)
    })
}

/// Finds the newest entries.
pub(super) fn newest(shared: &Shared, query: &Query) -> Result<Page, SearchError> {
    let Some((person, named)) = apart(query) else {
        return search::search(shared, query);
    };
    let pages = [
        search::search(shared, &person)?,
        search::search(shared, &named)?,
    ];
    let more = pages.iter().any(|page| page.next.is_some());
    let mut entries = together(&pages.map(|page| page.entries));
    entries.reverse();
    let limit = query.limit.clamp(1, LARGEST_PAGE);
    let more = more || entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().copied().filter(|_| more);
    Ok(Page { entries, next })
}

/// Finds the oldest entries from one on.
pub(super) fn onwards(
    shared: &Shared,
    query: &Query,
    from: EntryIndex,
) -> Result<Ahead, SearchError> {
    let Some((person, named)) = apart(query) else {
        return ahead::ahead(shared, query, from);
    };
    let found = [
        ahead::ahead(shared, &person, from)?,
        ahead::ahead(shared, &named, from)?,
    ];
    let more = found.iter().any(|found| found.more);
    let end = found.iter().map(|found| found.end).min().unwrap_or(from);
    let mut entries = together(&found.map(|found| found.entries));
    // Beyond the end of either, the other may lack some.
    entries.retain(|entry| *entry < end);
    let limit = query.limit.clamp(1, ahead::MOST);
    let beyond = entries.get(limit).copied();
    entries.truncate(limit);
    Ok(Ahead {
        entries,
        end: beyond.unwrap_or(end),
        more: more || beyond.is_some(),
    })
}

/// What both found, oldest first, each once.
fn together(found: &[Vec<EntryIndex>; 2]) -> Vec<EntryIndex> {
    let mut all = found.concat();
    all.sort_unstable();
    all.dedup();
    all
}
