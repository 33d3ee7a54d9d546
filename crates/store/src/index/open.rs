//! Opening the indexes, and making again what is missing.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, RwLock, mpsc},
    thread,
};

use schakel_core::{id::EntryIndex, random::Random};

use super::{
    Facts, FileError, Heads, Index, Progress, Runs, Shared,
    file::{self, Run},
    recent::Recent,
    token::Tokens,
    worker::{Files, Worker},
};
use crate::{disk::Disk, durable, keyring::Key};

/// How many entries make a run, unless a test wants fewer; also the most there can be. At the start the entries of the
/// run that is not full are read from the log again, which costs far more than all the files.
pub const DEFAULT_RUN: u32 = 16_384;
/// Batches on their way to the worker before whoever adds must wait.
const MOST_WAITING: usize = 32;

/// What indexes are opened with.
pub struct Options {
    /// Their directory; created when it is missing.
    pub dir: PathBuf,
    /// The key of the present generation, [`index_key`](crate::view::index_key): files under another one are made again.
    pub key: Key,
    /// How many entries the log holds.
    pub size: u64,
    /// How many entries make a run, from 1 to [`DEFAULT_RUN`].
    pub run: u32,
    /// Where the salts of files come from.
    pub random: Box<dyn Random + Send>,
}

/// Why the indexes could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenIndexError<E: std::error::Error + 'static> {
    /// The directory cannot be used.
    #[error("the directory `{dir}` of the indexes cannot be used; mend its permissions or the disk", dir = .dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The file of a run cannot be written.
    #[error("the index of the entries from {first} on cannot be written")]
    Write {
        /// The first entry of the run.
        first: u64,
        /// What went wrong.
        #[source]
        source: FileError,
    },
    /// An entry of the log cannot be read.
    #[error("entry {index} cannot be read for the indexes")]
    Entry {
        /// The entry.
        index: u64,
        /// What went wrong.
        #[source]
        source: E,
    },
    /// The thread that adds entries cannot be started.
    #[error("the thread of the indexes cannot be started")]
    Thread(#[source] io::Error),
}

impl fmt::Debug for Options {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("dir", &self.dir)
            .field("size", &self.size)
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

impl Index {
    /// Opens the indexes. What is missing, damaged or of another generation is made again from what
    /// `facts_of` gives for each entry; `progress` is told how many entries are done, and of how many.
    ///
    /// # Errors
    /// When the directory cannot be used or written to, or an entry cannot be read.
    pub fn open<E: std::error::Error + 'static>(
        options: Options,
        mut facts_of: impl FnMut(EntryIndex) -> Result<Vec<Facts>, E>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, OpenIndexError<E>> {
        let Options {
            dir,
            key,
            size,
            run,
            random,
        } = options;
        let run = u64::from(run.clamp(1, DEFAULT_RUN));
        prepare(&dir, size / run * run).map_err(|source| OpenIndexError::Directory {
            dir: dir.clone(),
            source,
        })?;
        let mut files = Files {
            dir,
            tokens: Arc::new(Tokens::new(&key)),
            key,
            random,
        };
        let mut runs = Runs {
            closed: Arc::default(),
            heads: Heads::default(),
            recent: Recent::new(0, 0, &files.tokens),
        };
        let mut since = 0;
        let tokens = Arc::clone(&files.tokens);
        let mut gather = |from: u64, until: u64, since: u64| {
            let mut gathered = Recent::new(from, since, &tokens);
            for index in from..until {
                let facts = facts_of(EntryIndex(index));
                gathered.add(facts.map_err(|source| OpenIndexError::Entry { index, source })?);
                progress(index.saturating_add(1), size);
            }
            Ok(gathered)
        };
        for first in (0..size / run).map(|number| number.saturating_mul(run)) {
            let opened = Run::open(&files.dir, first, run, &files.key);
            let closed = opened.and_then(|(file, links)| {
                let last_at = file.last_at();
                runs.close(file, &links).map(|()| last_at)
            });
            since = match closed {
                Ok(last_at) => last_at,
                Err(error) => {
                    tracing::info!(
                        first,
                        why = &error as &dyn std::error::Error,
                        "the index of a run is made again"
                    );
                    let gathered = gather(first, first.saturating_add(run), since)?;
                    Run::write(&gathered, &runs.heads, &mut files)
                        .and_then(|(file, links)| runs.close(file, &links))
                        .map_err(|source| OpenIndexError::Write { first, source })?;
                    gathered.last_at()
                }
            };
        }
        runs.recent = gather(size / run * run, size, since)?;
        start(runs, files, run).map_err(OpenIndexError::Thread)
    }
}

/// Starts the thread that adds entries.
fn start(runs: Runs, files: Files, run: u64) -> io::Result<Index> {
    let indexed = runs.recent.next();
    let shared = Arc::new(Shared {
        tokens: Arc::clone(&files.tokens),
        runs: RwLock::new(runs),
        progress: Mutex::new(Progress {
            indexed,
            ended: false,
        }),
        advanced: Condvar::new(),
    });
    let (sender, receiver) = mpsc::sync_channel(MOST_WAITING);
    let worker = Worker {
        shared: Arc::clone(&shared),
        files,
        run,
    };
    let thread = thread::Builder::new().name("indexer".to_owned());
    let worker = thread.spawn(move || worker.work(&receiver))?;
    Ok(Index {
        shared,
        sender: Some(sender),
        worker: Some(worker),
    })
}

/// Creates the directory and removes files that were left unfinished, or whose run is not full.
fn prepare(dir: &Path, end: u64) -> io::Result<()> {
    durable::create_dir(&Disk::real(), dir)?;
    durable::remove_unfinished(&Disk::real(), dir)?;
    for found in fs::read_dir(dir)? {
        let path = found?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let first: Option<u64> = stem.and_then(|stem| stem.parse().ok());
        if first.is_some_and(|first| first >= end && file::path(dir, first) == path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
