//! Keeps the next segment ready, so that no batch waits for a file to be filled with zeros.

use std::{
    fs::File,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use super::segment;

/// The thread that prepares segments, one at a time. Dropping this ends it.
#[derive(Debug)]
pub(super) struct Ahead {
    stop: Arc<AtomicBool>,
    wanted: Option<mpsc::SyncSender<()>>,
    ready: mpsc::Receiver<io::Result<File>>,
    next: Option<File>,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Starts the thread, and with it the preparation of the first segment.
    pub(super) fn start(dir: PathBuf, len: u64) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        // Never more than one is asked for before the last is taken, so that nobody waits to send.
        let (wanted, wants) = mpsc::sync_channel(1);
        let (done, ready) = mpsc::sync_channel(1);
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("log-segments".to_owned())
            .spawn(move || {
                while let Ok(()) = wants.recv() {
                    if done.send(segment::prepare(&dir, len, &stopped)).is_err() {
                        return;
                    }
                }
            })?;
        let ahead = Self {
            stop,
            wanted: Some(wanted),
            ready,
            next: None,
            thread: Some(thread),
        };
        ahead.ask();
        Ok(ahead)
    }

    /// Waits until the next segment is ready. When it could not be prepared, asks for it again, so that
    /// a later call can succeed.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        if self.next.is_some() {
            return Ok(());
        }
        let gone = || io::Error::other("the thread that prepares segments has ended");
        match self.ready.recv().map_err(|_| gone())? {
            Ok(file) => {
                self.next = Some(file);
                Ok(())
            }
            Err(error) => {
                self.ask();
                Err(error)
            }
        }
    }

    /// The prepared segment, once [`Self::wait`] has returned well.
    pub(super) fn take(&mut self) -> Option<File> {
        self.next.take()
    }

    /// Asks for the next segment, once the one before it has been put into use.
    pub(super) fn ask(&self) {
        if let Some(wanted) = &self.wanted {
            // A thread that is gone shows when its segment is waited for.
            let _ = wanted.try_send(());
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wanted = None;
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked leaves an unfinished file, which the next start removes.
            let _ = thread.join();
        }
    }
}
