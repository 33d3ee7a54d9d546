//! Keeps the next segment ready, so that no batch waits for a file to be filled with zeros.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use super::segment;
use crate::{
    background::Background,
    disk::{Disk, File},
};

/// The thread that prepares segments, one at a time. Dropping this ends it.
#[derive(Debug)]
pub(super) struct Ahead {
    stop: Arc<AtomicBool>,
    preparing: Background,
    ready: mpsc::Receiver<io::Result<File>>,
    next: Option<File>,
}

impl Ahead {
    /// Starts the thread, and with it the preparation of the first segment.
    pub(super) fn start(disk: &Disk, dir: &Path, len: u64) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        // Never more than one is asked for before the last is taken, so that nobody waits to send.
        let (done, ready) = mpsc::sync_channel(1);
        let (stopped, on, dir) = (Arc::clone(&stop), disk.clone(), dir.to_owned());
        let preparing = Background::start(disk, "log-segments", move || {
            // Nobody is there to take it when the log is being closed.
            let _ = done.send(segment::prepare(&on, &dir, len, &stopped));
        })?;
        preparing.ask();
        Ok(Self {
            stop,
            preparing,
            ready,
            next: None,
        })
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
        self.preparing.ask();
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // A file it leaves unfinished is removed at the next start.
        self.stop.store(true, Ordering::Relaxed);
    }
}
