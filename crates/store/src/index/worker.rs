//! The thread that adds entries, behind the writer of the log.

use std::{
    path::PathBuf,
    sync::{Arc, mpsc::Receiver},
};

use schakel_core::{id::EntryIndex, random::Random};

use super::{Facts, FileError, Shared, file::Run, recent::Recent, token::Tokens};
use crate::keyring::Key;

/// The most entries added at once: searches wait while they are.
const MOST_AT_ONCE: usize = 256;

/// An entry on its way.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) entry: EntryIndex,
    pub(super) facts: Vec<Facts>,
}

/// What the worker needs beside what it shares.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) files: Files,
    /// How many entries make a run.
    pub(super) run: u64,
}

/// How run files are made.
pub(super) struct Files {
    pub(super) dir: PathBuf,
    pub(super) key: Key,
    pub(super) tokens: Arc<Tokens>,
    pub(super) random: Box<dyn Random + Send>,
}

impl Worker {
    /// Adds what comes until nobody can send any more, or something comes out of order.
    pub(super) fn work(mut self, receiver: &Receiver<Added>) {
        while let Ok(first) = receiver.recv() {
            let added = std::iter::once(first).chain(receiver.try_iter().take(MOST_AT_ONCE));
            if let Err(error) = self.add(added) {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "nothing is added to the index any more; restart the broker to rebuild it"
                );
                break;
            }
        }
        self.shared.progress().ended = true;
        self.shared.advanced.notify_all();
    }

    /// Adds entries. The first that is not the next one ends it.
    fn add(&mut self, added: impl Iterator<Item = Added>) -> Result<(), Stuck> {
        for Added { entry, facts } in added {
            let next = {
                let mut runs = self.shared.write();
                let next = runs.recent.next();
                if entry.0 != next {
                    return Err(Stuck::Order(entry.0));
                }
                runs.recent.add(facts);
                next.saturating_add(1)
            };
            if next.is_multiple_of(self.run) {
                self.close()?;
            }
            self.shared.progress().indexed = next;
        }
        self.shared.advanced.notify_all();
        Ok(())
    }

    /// Closes the run that is full. Searches go on while its file is written.
    fn close(&mut self) -> Result<(), Stuck> {
        let (run, links) = {
            let runs = self.shared.read();
            Run::write(&runs.recent, &runs.heads, &mut self.files).or_else(|error| {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the index of a run cannot be written; it stays in memory until the next start"
                );
                Run::hold(&runs.recent, &runs.heads, &self.files)
            })
        }
        .map_err(Stuck::Run)?;
        let mut runs = self.shared.write();
        runs.close(run, &links).map_err(Stuck::Run)?;
        runs.recent = Recent::new(
            runs.recent.next(),
            runs.recent.last_at(),
            &self.shared.tokens,
        );
        Ok(())
    }
}

/// Why nothing is added any more.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error("entry {0} came out of order")]
    Order(u64),
    #[error("a run that is full cannot be read")]
    Run(#[source] FileError),
}
