//! The emergency brake: once something outside proves that the log was taken back, nothing more is signed.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use schakel_store::{
    disk::Disk,
    halt::{self, Halted},
};

use crate::clock::Clock;

/// Whether signing was stopped, and why. A restart does not undo it: an administrator lifts it, on record.
#[derive(Clone, Debug)]
pub struct Halt {
    why: Arc<OnceLock<String>>,
    /// What is to be kept and is not yet, because the disk failed.
    owed: Arc<Mutex<Option<Halted>>>,
    data: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Halt {
    /// The brake of a broker with this data directory, where it is kept that it was pulled.
    pub(crate) fn of(data: &Path, clock: Arc<dyn Clock>) -> Self {
        Self {
            why: Arc::default(),
            owed: Arc::default(),
            data: data.to_owned(),
            clock,
        }
    }

    /// Stops signing: from the next batch on every call is sent back undone. Only the first reason counts. Writes
    /// to the disk.
    pub fn pull(&self, why: String) {
        tracing::error!(why, "nothing more is signed, recorded or told");
        let halted = Halted {
            at: self.clock.now(),
            why: why.clone(),
        };
        // Already stopped is stopped.
        if self.why.set(why).is_ok() {
            *self.owed.lock().unwrap_or_else(PoisonError::into_inner) = Some(halted);
        }
        self.keep();
    }

    /// Keeps that signing was stopped, unless that is done. Writes to the disk.
    pub(super) fn keep(&self) {
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(halted) = owed.as_ref() else {
            return;
        };
        match halt::keep(&Disk::real(), &self.data, halted) {
            Ok(()) => *owed = None,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    "that signing was stopped is not kept: a restart would undo it, and it is tried again"
                );
            }
        }
    }

    /// Why signing was stopped; `None` while it goes on.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.why.get().map(String::as_str)
    }
}
