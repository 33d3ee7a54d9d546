//! Searching the trail: which entries of a controller are about a person, a party, a purpose.
//!
//! The entries are cut into runs of a fixed number. The newest run is held in memory; a run that is
//! full becomes a file that never changes again, and that opens only with the key of the view's
//! present generation. A search looks through the runs from the newest to the oldest and stops when
//! its page is full; in a run it costs a look-up for each thing searched for, however many entries
//! there are. A search for a person looks at those runs alone that the person is found in, however many
//! there are besides. All of it can be rebuilt from the log, and is when anything is missing or damaged.
//!
//! Entries are added by a thread of their own, behind the writer of the log, so that no answer waits
//! for them. Whoever searches waits instead, until everything is added that was in the log when the
//! search arrived: see [`Index::wait`].

mod ahead;
mod blocks;
mod either;
mod facts;
mod file;
mod heads;
mod list;
mod open;
mod query;
mod recent;
mod search;
mod token;
mod worker;

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        mpsc::SyncSender,
    },
    thread::JoinHandle,
    time::Duration,
};

use schakel_core::id::EntryIndex;

pub use self::{
    ahead::Ahead,
    facts::{Facts, Outcome, Whose, facts, remaining_facts},
    file::FileError,
    open::{DEFAULT_RUN, OpenIndexError, Options},
    query::{LARGEST_PAGE, Page, Query},
};
use self::{
    file::Run,
    heads::{Heads, Link, Number},
    list::Lists as _,
    recent::Recent,
    token::{Sought, Tokens},
    worker::Added,
};

/// The search indexes. Shared between threads behind an [`Arc`].
#[derive(Debug)]
pub struct Index {
    shared: Arc<Shared>,
    /// Gone only while the index is dropped.
    sender: Option<SyncSender<Added>>,
    worker: Option<JoinHandle<()>>,
}

/// Why a search failed.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// A file of the index cannot be read. It is rebuilt at the next start.
    #[error(
        "the index of the entries from {first} on cannot be read; restart the broker to rebuild it"
    )]
    File {
        /// The first entry of the run.
        first: u64,
        /// What is wrong with it.
        #[source]
        source: FileError,
    },
}

impl SearchError {
    fn file(run: &Run, source: FileError) -> Self {
        Self::File {
            first: run.first(),
            source,
        }
    }
}

/// What searching and adding threads share.
#[derive(Debug)]
struct Shared {
    tokens: Arc<Tokens>,
    runs: RwLock<Runs>,
    progress: Mutex<Progress>,
    advanced: Condvar,
}

/// The runs.
#[derive(Debug)]
struct Runs {
    closed: Arc<Closed>,
    /// In which of the closed ones people are found.
    heads: Heads,
    recent: Recent,
}

/// Those that are full, oldest first. Replaced when there is one more, so that a search need not copy them.
#[derive(Debug, Default)]
struct Closed(Vec<Arc<Run>>);

#[derive(Debug)]
struct Progress {
    /// How many entries were added.
    indexed: u64,
    /// Whether nothing will be added any more.
    ended: bool,
}

impl Index {
    /// Adds entries from `first` on, each with what it can be found by. Entries are added in the order of the log,
    /// each once, also those that nobody can find. Waits only when the indexes lag many batches behind.
    pub fn add(&self, first: EntryIndex, facts: Vec<Vec<Facts>>) {
        if let Some(sender) = self.sender.as_ref().filter(|_| !facts.is_empty()) {
            // When the worker has ended, nothing is ever caught up, and whoever searches is told.
            let _ = sender.send(Added { first, facts });
        }
    }

    /// How many entries of the log are added.
    #[must_use]
    pub fn indexed(&self) -> u64 {
        self.shared.progress().indexed
    }

    /// Waits until the first `size` entries of the log are added, at most as long as given. Whether they are.
    #[must_use]
    pub fn wait(&self, size: u64, within: Duration) -> bool {
        let behind = |progress: &mut Progress| progress.indexed < size && !progress.ended;
        let waited =
            self.shared
                .advanced
                .wait_timeout_while(self.shared.progress(), within, behind);
        let (progress, _) = waited.unwrap_or_else(PoisonError::into_inner);
        progress.indexed >= size
    }

    /// Finds entries among those that are added by now.
    ///
    /// # Errors
    /// When a file of the index cannot be read.
    pub fn search(&self, query: &Query) -> Result<Page, SearchError> {
        either::newest(&self.shared, query)
    }

    /// Finds the oldest entries from one on, among those that are added by now, at most 1000 of them;
    /// [`Query::before`] does not matter. It gives everything there is from `from` to before its end.
    ///
    /// # Errors
    /// When a file of the index cannot be read.
    pub fn ahead(&self, query: &Query, from: EntryIndex) -> Result<Ahead, SearchError> {
        either::onwards(&self.shared, query, from)
    }
}

impl Closed {
    /// A run, with its number.
    fn get(&self, number: Number) -> Option<(Number, &Run)> {
        let run = self.0.get(usize::try_from(number).ok()?)?;
        Some((number, run))
    }

    /// How many begin at or before an entry.
    fn begun(&self, entry: EntryIndex) -> Number {
        let begun = self.0.partition_point(|run| run.first() <= entry.0);
        Number::try_from(begun).unwrap_or(Number::MAX)
    }

    /// How many there are: the number of the next one.
    fn count(&self) -> Number {
        // A log has far fewer runs than 2^32.
        Number::try_from(self.0.len()).unwrap_or(Number::MAX)
    }
}

impl Runs {
    /// The newest closed run in which something of this may be found.
    fn newest(&self, sought: &[Sought<'_>]) -> Option<Number> {
        match token::person(sought) {
            Some(person) => self.heads.newest(&person),
            None => self.closed.count().checked_sub(1),
        }
    }

    /// Adds a run that is full, with the people in it. One whose links lead elsewhere than they must would hide
    /// entries, and is not added.
    fn close(&mut self, run: Run, links: &[Link]) -> Result<(), FileError> {
        self.heads.add(self.closed.count(), links)?;
        let runs = self.closed.0.iter().cloned();
        self.closed = Arc::new(Closed(runs.chain([Arc::new(run)]).collect()));
        Ok(())
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(worker) = self.worker.take() {
            // A worker that panicked has said so by itself.
            let _ = worker.join();
        }
    }
}

/// A thread that panicked while it held a lock leaves whole entries behind: each is added in one go,
/// and what is missing shows in how many are indexed.
impl Shared {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Runs> {
        self.runs.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Runs> {
        self.runs.write().unwrap_or_else(PoisonError::into_inner)
    }
}
