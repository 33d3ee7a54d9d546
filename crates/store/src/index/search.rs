//! Looking through the runs, from the newest to the oldest.

use std::sync::Arc;

use schakel_core::id::EntryIndex;

use super::{
    LARGEST_PAGE, Page, Query, SearchError, Shared,
    heads::Number,
    list::{List, Lists, meet},
    token::{Sought, person},
};

/// Finds the newest entries.
pub(super) fn search(shared: &Shared, query: &Query) -> Result<Page, SearchError> {
    let mut finding = Finding::new(query, shared.tokens.sought(query));
    let (closed, mut next) = {
        let runs = shared.read();
        let Ok(_) = finding.look_through(&runs.recent);
        (Arc::clone(&runs.closed), runs.newest(&finding.sought))
    };
    // Most pages are full by now, or end in the newest of the closed runs.
    while !finding.is_over()
        && let Some((number, run)) = next.and_then(|number| closed.get(number))
    {
        let before = finding
            .look_through(run)
            .map_err(|source| SearchError::file(run, source))?;
        next = match person(&finding.sought) {
            Some(_) => before,
            None => number.checked_sub(1),
        };
    }
    Ok(finding.page())
}

/// A search on its way.
struct Finding<'q> {
    query: &'q Query,
    sought: Vec<Sought<'q>>,
    limit: usize,
    /// One more than fits the page, to know whether there is more.
    entries: Vec<EntryIndex>,
    /// Whether everything older was recorded before the period.
    too_old: bool,
}

impl<'q> Finding<'q> {
    fn new(query: &'q Query, sought: Vec<Sought<'q>>) -> Self {
        Self {
            query,
            sought,
            limit: query.limit.clamp(1, LARGEST_PAGE),
            entries: Vec::new(),
            too_old: false,
        }
    }

    fn is_over(&self) -> bool {
        self.too_old || self.entries.len() > self.limit
    }

    /// Looks through a run. When a person is sought, gives the next older run with that person.
    fn look_through<R: Lists>(&mut self, run: &R) -> Result<Option<Number>, R::Error> {
        let first = run.first();
        let before = self
            .query
            .before
            .map_or(u64::MAX, |before| before.0.saturating_sub(first));
        let (from, until) = run.period(self.query.period.as_ref())?;
        self.too_old = from > 0;
        let places = from..until.min(before);
        if places.is_empty() {
            // Of a person, this run must still say which is the next.
            let person = self.sought.first().filter(|sought| sought.is_person());
            return match person {
                Some(person) => Ok(run.list(person)?.before),
                None => Ok(None),
            };
        }
        let found = common(run, &self.sought)?;
        let fitting = found.places.into_iter().rev();
        let fitting = fitting.filter(|place| places.contains(&u64::from(*place)));
        let entries = fitting.map(|place| EntryIndex(first.saturating_add(u64::from(place))));
        let room = self
            .limit
            .saturating_add(1)
            .saturating_sub(self.entries.len());
        self.entries.extend(entries.take(room));
        Ok(found.before)
    }

    fn page(mut self) -> Page {
        let more = self.entries.len() > self.limit;
        self.entries.truncate(self.limit);
        let next = self.entries.last().copied().filter(|_| more);
        Page {
            entries: self.entries,
            next,
        }
    }
}

/// The places that everything sought leads to, and the run before of the person, if one is sought. What tells most
/// stands first, so that a run without any entry of it costs one look-up.
pub(super) fn common<R: Lists>(run: &R, sought: &[Sought<'_>]) -> Result<List, R::Error> {
    let mut lists = Vec::with_capacity(sought.len());
    let mut before = None;
    for sought in sought {
        let list = run.list(sought)?;
        before = before.or(list.before);
        if list.places.is_empty() {
            lists = vec![list.places];
            break;
        }
        lists.push(list.places);
    }
    Ok(List {
        places: meet(lists),
        before,
    })
}
