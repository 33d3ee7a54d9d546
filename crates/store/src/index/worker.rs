//! The thread that adds entries, behind the writer of the log.

use std::{
    path::PathBuf,
    sync::{Arc, mpsc::Receiver},
};

use schakel_core::{id::EntryIndex, random::Random};

use super::{Facts, FileError, Shared, file::Run, recent::Recent, token::Tokens};
use crate::keyring::Key;

/// Entries on their way, in one piece: a thread that is woken for every entry costs more than adding it.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) first: EntryIndex,
    /// What each is found by.
    pub(super) facts: Vec<Vec<Facts>>,
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
        while let Ok(added) = receiver.recv() {
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
    fn add(&mut self, added: Added) -> Result<(), Stuck> {
        for (entry, facts) in (added.first.0..).zip(added.facts) {
            let next = {
                let mut runs = self.shared.write();
                let next = runs.recent.next();
                if entry != next {
                    return Err(Stuck::Order(entry));
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
