//! Work that is done ahead, so that nobody has to wait for it.

use std::{
    io,
    sync::mpsc::{self, SyncSender},
    thread::{self, JoinHandle},
};

use crate::disk::Disk;

/// A thread that does one piece of work each time it is asked to. Dropping this ends it, once it has
/// done what it was at.
pub(crate) struct Background {
    /// Taken away to end the thread.
    asked: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    #[cfg(feature = "testing")]
    here: Option<std::sync::Mutex<Box<dyn FnMut() + Send>>>,
}

impl Background {
    /// Starts the thread. On a simulated disk there is none: whoever asks does the work.
    pub(crate) fn start(
        disk: &Disk,
        name: &str,
        mut work: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        #[cfg(feature = "testing")]
        if disk.is_simulated() {
            return Ok(Self {
                asked: None,
                thread: None,
                here: Some(std::sync::Mutex::new(Box::new(work))),
            });
        }
        let _ = disk;
        let (asked, wanted) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                while wanted.recv().is_ok() {
                    work();
                }
            })?;
        Ok(Self {
            asked: Some(asked),
            thread: Some(thread),
            #[cfg(feature = "testing")]
            here: None,
        })
    }

    /// Asks for the work to be done once more. Asked twice before it begins, it is done once.
    pub(crate) fn ask(&self) {
        if let Some(asked) = &self.asked {
            // Full means that it was asked for already; a thread that is gone shows where its work is waited for.
            let _ = asked.try_send(());
        }
        #[cfg(feature = "testing")]
        if let Some(work) = &self.here {
            work.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)();
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.asked = None;
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Background {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Background").finish_non_exhaustive()
    }
}
