//! Searching the entries, once the indexes know them.

use std::{collections::BTreeSet, time::Duration};

use schakel_core::{dossier::Dossier, id::EntryIndex};
use schakel_store::index::{Ahead, LARGEST_PAGE, Page, Query};

use super::{Trail, TrailError, unreadable};

/// How long looking for what an erasure covers waits for the indexes.
const CATCH_UP: Duration = Duration::from_secs(5);

impl Trail {
    /// Reads on from an entry, once the indexes have caught up with the log's end as of this call.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub(crate) async fn ahead(
        &self,
        query: Query,
        from: EntryIndex,
        within: Duration,
    ) -> Result<Ahead, TrailError> {
        self.look(within, move |trail| {
            trail.index.ahead(&query, from).map_err(unreadable)
        })
        .await
    }

    /// Looks into the trail away from the threads that serve, once the indexes have caught up with the
    /// log's end as of this call.
    ///
    /// # Errors
    /// When the indexes do not catch up within the time given, or what the look itself comes upon.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        within: Duration,
        look: impl FnOnce(&Self) -> Result<T, TrailError> + Send + 'static,
    ) -> Result<T, TrailError> {
        let size = self.size();
        let looked = self.beside(move |trail| {
            if trail.index.wait(size, within) {
                look(trail)
            } else {
                Err(TrailError::Behind)
            }
        });
        looked.await
    }

    /// Reads entries away from the threads that serve: it may take the disk. Waits for no index.
    ///
    /// # Errors
    /// What the reading itself comes upon.
    pub(crate) async fn beside<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, TrailError> + Send + 'static,
    ) -> Result<T, TrailError> {
        let trail = self.clone();
        let reading = tokio::task::spawn_blocking(move || read(&trail));
        reading.await.map_err(unreadable)?
    }

    /// One page of a search among the entries that are in the indexes by now.
    ///
    /// # Errors
    /// When the indexes cannot be read.
    pub(crate) fn find(&self, query: &Query) -> Result<Page, TrailError> {
        self.index.search(query).map_err(unreadable)
    }

    /// Everything that a search finds, newest first, page by page as it is needed.
    pub(crate) fn each(&self, query: Query) -> Each<'_> {
        Each {
            trail: self,
            query: Some(Query {
                limit: LARGEST_PAGE,
                ..query
            }),
            page: Vec::new().into_iter(),
        }
    }

    /// Searches, once the indexes have caught up with the log's end as of this call.
    ///
    /// # Errors
    /// When the indexes do not catch up within the time given, or cannot be read.
    pub async fn search(&self, query: Query, within: Duration) -> Result<Page, TrailError> {
        self.look(within, move |trail| trail.find(&query)).await
    }

    /// The entries about a person, whomever they concern, in the order of the log.
    pub(crate) fn about(&self, dossier: &Dossier) -> Result<BTreeSet<EntryIndex>, TrailError> {
        if !self.index.wait(self.size(), CATCH_UP) {
            return Err(TrailError::Behind);
        }
        let mut found = BTreeSet::new();
        let mut query = Query::about(dossier.subject);
        loop {
            let page = self.index.search(&query).map_err(unreadable)?;
            found.extend(page.entries);
            query.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

/// What a search finds, one by one.
pub(crate) struct Each<'t> {
    trail: &'t Trail,
    /// The search for the next page; `None` after the last.
    query: Option<Query>,
    page: std::vec::IntoIter<EntryIndex>,
}

impl Iterator for Each<'_> {
    type Item = Result<EntryIndex, TrailError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(index) = self.page.next() {
                return Some(Ok(index));
            }
            let query = self.query.take()?;
            match self.trail.find(&query) {
                Ok(Page { entries, next }) => {
                    self.page = entries.into_iter();
                    self.query = next.map(|before| Query {
                        before: Some(before),
                        ..query
                    });
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
