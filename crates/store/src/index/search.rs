//! Looking through the runs, from the newest to the oldest.

use std::sync::Arc;

use schakel_core::id::EntryIndex;

use super::{
    Closed, LARGEST_PAGE, Page, Query, SearchError, Shared,
    list::{Lists, Place, Term, meet},
};

/// Finds the newest entries.
pub(super) fn search(shared: &Shared, query: &Query) -> Result<Page, SearchError> {
    let mut finding = Finding::new(query);
    let closed: Vec<Arc<Closed>> = {
        let runs = shared.read();
        let Ok(()) = finding.look_through(&runs.recent);
        // Most pages are full by now, or end in the newest of the closed runs.
        if finding.is_over() {
            Vec::new()
        } else {
            runs.closed.clone()
        }
    };
    for run in closed.iter().rev() {
        if finding.is_over() {
            break;
        }
        match &**run {
            Closed::Memory(run) => {
                let Ok(()) = finding.look_through(run);
            }
            Closed::File(run) => {
                let looked = finding.look_through(&**run);
                looked.map_err(|source| SearchError::File {
                    first: run.first(),
                    source,
                })?;
            }
        }
    }
    Ok(finding.page())
}

/// A search on its way.
struct Finding<'q> {
    query: &'q Query,
    terms: Vec<Term<'q>>,
    limit: usize,
    /// One more than fits the page, to know whether there is more.
    entries: Vec<EntryIndex>,
    /// Whether everything older was recorded before the period.
    too_old: bool,
}

impl<'q> Finding<'q> {
    fn new(query: &'q Query) -> Self {
        Self {
            query,
            terms: query.terms(),
            limit: query.limit.clamp(1, LARGEST_PAGE),
            entries: Vec::new(),
            too_old: false,
        }
    }

    fn is_over(&self) -> bool {
        self.too_old || self.entries.len() > self.limit
    }

    fn look_through<R: Lists>(&mut self, run: &R) -> Result<(), R::Error> {
        let first = run.first();
        let before = self
            .query
            .before
            .map_or(u64::MAX, |before| before.0.saturating_sub(first));
        let (from, until) = run.period(self.query.period.as_ref())?;
        self.too_old = from > 0;
        let places = from..until.min(before);
        if places.is_empty() {
            return Ok(());
        }
        let found = common(run, self.query, &self.terms)?;
        let found = found
            .into_iter()
            .rev()
            .filter(|place| places.contains(&u64::from(*place)));
        let entries = found.map(|place| EntryIndex(first.saturating_add(u64::from(place))));
        let room = self
            .limit
            .saturating_add(1)
            .saturating_sub(self.entries.len());
        self.entries.extend(entries.take(room));
        Ok(())
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

/// The places that every term leads to. The terms that tell most stand first, so that a run
/// without any entry of the person costs one look-up.
pub(super) fn common<R: Lists>(
    run: &R,
    query: &Query,
    terms: &[Term<'_>],
) -> Result<Vec<Place>, R::Error> {
    let mut lists = Vec::with_capacity(terms.len());
    for term in terms {
        let list = run.list(&query.whose, term)?;
        if list.is_empty() {
            return Ok(list);
        }
        lists.push(list);
    }
    Ok(meet(lists))
}
