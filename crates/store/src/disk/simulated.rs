//! A disk in memory that fails where a test wants it to, and that forgets what was not synced.
//!
//! It has a page cache: what is written can be read at once, and is durable only once it was synced.
//! When the machine stops, each 512-byte sector holds what was last synced or anything that was written
//! to it since, independent of all others; likewise each name in a directory, and the length of each
//! file. When only the process stops, everything written stays, durable or not.
//!
//! Every operation that changes something counts as one; a [`Fault`] is planned by its number. All
//! choices are made by a generator with a seed, so that a run can be repeated.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

mod content;
mod names;
mod random;
mod state;

use content::Content;
use names::Node;
use state::{Go, State, gone};

/// What is done to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// A file is created.
    Create,
    /// A file gets another length.
    Resize,
    /// Bytes are written.
    Write,
    /// The content of a file is made durable.
    Sync,
    /// A file gets a second name.
    Link,
    /// A file is renamed.
    Rename,
    /// A file is removed.
    Remove,
    /// A directory is created.
    CreateDir,
    /// The names in a directory are made durable.
    SyncDir,
}

/// What goes wrong with one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It fails with this error and has done nothing. A sync that fails so has made nothing durable, and
    /// the next one will not try again: the system takes what was written for clean.
    Before(Errno),
    /// It is done, and fails with this error all the same.
    After(Errno),
    /// Everything stops before it.
    StopBefore,
    /// Everything stops in it: a write is done in part, anything else not at all.
    StopWithin,
    /// Everything stops after it.
    StopAfter,
}

/// What the operating system says of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Errno {
    /// EIO: the device failed.
    Device,
    /// ENOSPC: there is no room.
    NoRoom,
}

/// What stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The process: what it wrote is still there, also what it had not synced.
    Process,
    /// The machine: what was not synced may be there, in any part.
    Machine,
}

/// A simulated disk. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct Simulation(Arc<Mutex<State>>);

/// An open file on it.
#[derive(Debug)]
pub struct Handle {
    disk: Simulation,
    file: u64,
    /// How often everything had stopped when it was opened.
    epoch: u64,
    is_locked: AtomicBool,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Create {
    Missing,
    Empty,
}

impl Simulation {
    /// An empty disk that makes its choices by this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State::new(seed))))
    }

    /// The disk, for what is to be tested.
    #[must_use]
    pub fn disk(&self) -> super::Disk {
        super::Disk(super::Kind::Simulated(self.clone()))
    }

    /// How many operations there were that change something.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Plans a fault for the operation before which there were this many.
    pub fn plan(&self, operation: u64, fault: Fault) {
        self.state().plan.insert(operation, fault);
    }

    /// Plans a fault for an operation of one kind, after this many more of that kind.
    pub fn plan_in(&self, operation: Operation, after: u64, fault: Fault) {
        self.state().plan_in.insert(operation, (after, fault));
    }

    /// The faults that came about, in order, with what they came about in; each is told once.
    #[must_use]
    pub fn happened(&self) -> Vec<(Operation, Fault)> {
        std::mem::take(&mut self.state().happened)
    }

    /// Plans nothing any more.
    pub fn forget_plan(&self) {
        let mut state = self.state();
        state.plan.clear();
        state.plan_in.clear();
    }

    /// Whether a fault stopped everything: every operation fails until [`Self::restart`].
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// How many bytes the disk has room for; only content counts.
    pub fn set_room(&self, bytes: u64) {
        self.state().room = bytes;
    }

    /// How many bytes are taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.state().taken()
    }

    /// Starts again after everything has stopped. What is open can no longer be used.
    pub fn restart(&self, stop: Stop) {
        let mut state = self.state();
        state.stopped = false;
        state.epoch += 1;
        state.locks.clear();
        if stop == Stop::Machine {
            state.lose();
        }
        let State { names, files, .. } = &mut *state;
        let needed = names.needed();
        files.retain(|file, _| needed.contains(file));
    }

    /// The paths of all files, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().names.paths()
    }

    /// The content of a file, without counting as an operation; `None` when there is none.
    #[must_use]
    pub fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        let file = state.names.file(path).ok()?;
        Some(state.files.get(&file)?.now().to_vec())
    }

    /// Changes a byte of a file, durably, as a failing medium does.
    pub fn damage(&self, path: &Path, offset: usize, flip: u8) {
        let mut state = self.state();
        if let Ok(file) = state.names.file(path)
            && let Some(content) = state.files.get_mut(&file)
        {
            content.damage(offset, flip);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open(&self, path: &Path, create: Create) -> io::Result<Handle> {
        let mut state = self.state();
        let found = state.names.file(path).ok();
        let file = match (found, create) {
            (Some(file), Create::Missing) => {
                state.alive()?;
                file
            }
            (Some(file), Create::Empty) => {
                state.change(Operation::Resize, |state| {
                    state.content(file).map(|content| content.set_len(0))
                })?;
                file
            }
            (None, _) => state.change(Operation::Create, |state| {
                let file = state.next_file;
                state.names.link(path, Node::File(file))?;
                state.next_file += 1;
                state.files.insert(file, Content::default());
                Ok(file)
            })?,
        };
        Ok(Handle {
            disk: self.clone(),
            file,
            epoch: state.epoch,
            is_locked: AtomicBool::new(false),
        })
    }

    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        state.alive()?;
        let file = state.names.file(path)?;
        Ok(state.content(file)?.now().to_vec())
    }

    pub(super) fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.state().change(Operation::Link, |state| {
            let file = state.names.file(from)?;
            if state.names.file(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.names.link(to, Node::File(file))
        })
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.state()
            .change(Operation::Rename, |state| state.names.rename(from, to))
    }

    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.state()
            .change(Operation::Remove, |state| state.names.remove(path))
    }

    pub(super) fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.state()
            .change(Operation::Remove, |state| state.names.remove_dir(dir))
    }

    pub(super) fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.state()
            .change(Operation::CreateDir, |state| state.names.create_dir(dir))
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        self.state().names.is_dir(path)
    }

    pub(super) fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.state();
        state.alive()?;
        state.names.list(dir)
    }

    pub(super) fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        // A file system that cannot write its journal does not pretend that it has: what failed stays unsynced.
        self.state()
            .change(Operation::SyncDir, |state| state.names.sync(dir))
    }
}

impl Handle {
    pub(super) fn lock(&self) -> io::Result<bool> {
        let taken = self.state()?.locks.insert(self.file);
        self.is_locked.fetch_or(taken, Ordering::Relaxed);
        Ok(taken)
    }

    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.state()?.content(self.file)?.now().len() as u64)
    }

    pub(super) fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.state()?;
        let go = state.go(Operation::Write)?;
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let fits = state.fitting(self.file, offset, bytes);
        let State { random, files, .. } = &mut *state;
        let file = files.get_mut(&self.file).ok_or_else(gone)?;
        if let Go::Partly = go {
            file.write_partly(fits, offset, random);
        } else {
            file.write(fits, offset);
        }
        state.end(go)?;
        if fits.len() == bytes.len() {
            Ok(())
        } else {
            Err(Errno::NoRoom.into())
        }
    }

    pub(super) fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let mut state = self.state()?;
        let content = state.content(self.file)?.now();
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        let found = content
            .get(from..)
            .and_then(|rest| rest.get(..bytes.len()))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        bytes.copy_from_slice(found);
        Ok(())
    }

    pub(super) fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        let file = self.file;
        self.state()?.change(Operation::Resize, |state| {
            state.content(file).map(|content| content.set_len(len))
        })
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        let mut state = self.state()?;
        let go = state.go(Operation::Sync);
        let is_stopped = state.stopped;
        let State { random, files, .. } = &mut *state;
        let file = files.get_mut(&self.file).ok_or_else(gone)?;
        match &go {
            Ok(Go::Partly) => {}
            Ok(_) => file.sync(),
            Err(_) if is_stopped => {}
            Err(_) => file.fail_to_sync(random),
        }
        state.end(go?)
    }

    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        state.alive()?;
        if state.epoch == self.epoch {
            Ok(state)
        } else {
            Err(gone())
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.is_locked.load(Ordering::Relaxed) {
            let mut state = self.disk.state();
            if state.epoch == self.epoch {
                state.locks.remove(&self.file);
            }
        }
    }
}

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> Self {
        // As on Linux.
        Self::from_raw_os_error(match errno {
            Errno::Device => 5,
            Errno::NoRoom => 28,
        })
    }
}

#[cfg(test)]
mod tests;
