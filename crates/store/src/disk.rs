//! The disk: everything that the log and the keyring do to one, and nothing more.
//!
//! It stands between them and the operating system so that tests can put a disk there that fails, stops
//! or forgets at any single operation (`simulated`, with the feature `testing`, which no product has). It
//! is no abstraction over storage: there is one real disk, and what is built of its operations, and in
//! which order, is written where it is needed. In a product each operation is the system call alone.

use std::{
    fs::{self, DirBuilder, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

#[cfg(feature = "testing")]
pub mod simulated;

/// A disk. Everything on it is created for the owner alone.
#[derive(Clone, Debug, Default)]
pub struct Disk(Kind);

#[derive(Clone, Debug, Default)]
enum Kind {
    /// Of the operating system.
    #[default]
    Real,
    #[cfg(feature = "testing")]
    Simulated(simulated::Simulation),
}

/// An open file.
#[derive(Debug)]
pub struct File(Open);

#[derive(Debug)]
enum Open {
    Real(fs::File),
    #[cfg(feature = "testing")]
    Simulated(simulated::Handle),
}

/// Runs an operation on the kind of disk there is.
macro_rules! on {
    ($kind:expr, $real:pat => $do:expr, $simulated:pat => $test:expr) => {
        match $kind {
            $real => $do,
            #[cfg(feature = "testing")]
            $simulated => $test,
        }
    };
}

impl Disk {
    /// The disks of the operating system.
    #[must_use]
    pub const fn real() -> Self {
        Self(Kind::Real)
    }

    /// Whether background work is done at once, by whoever asks for it, so that a test sees the same
    /// operations in the same order in every run.
    #[cfg(feature = "testing")]
    pub(crate) const fn is_simulated(&self) -> bool {
        matches!(self.0, Kind::Simulated(_))
    }

    /// Opens a file for reading and writing, and creates it when it is missing.
    pub(crate) fn open(&self, path: &Path) -> io::Result<File> {
        on!(&self.0,
            Kind::Real => options().create(true).truncate(false).open(path).map(File::from),
            Kind::Simulated(disk) => disk.open(path, simulated::Create::Missing).map(File::from))
    }

    /// Opens a file for reading and writing that is empty then, whatever it held.
    pub(crate) fn create(&self, path: &Path) -> io::Result<File> {
        on!(&self.0,
            Kind::Real => options().create(true).truncate(true).open(path).map(File::from),
            Kind::Simulated(disk) => disk.open(path, simulated::Create::Empty).map(File::from))
    }

    /// Takes the exclusive lock on a file, which lasts until the file is closed or the process ends; the
    /// file is created when it is missing. `None` when another holds it.
    pub(crate) fn lock(&self, path: &Path) -> io::Result<Option<File>> {
        let file = self.open(path)?;
        on!(&file.0,
            Open::Real(real) => match real.try_lock() {
                Ok(()) => Ok(Some(file)),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            },
            Open::Simulated(handle) => Ok(handle.lock()?.then_some(file)))
    }

    /// The content of a file.
    pub(crate) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        on!(&self.0, Kind::Real => fs::read(path), Kind::Simulated(disk) => disk.read(path))
    }

    /// Whether nobody but the owner may read or write a file.
    pub(crate) fn is_private(&self, path: &Path) -> io::Result<bool> {
        on!(&self.0,
            Kind::Real => {
                let others = fs::metadata(path)?.permissions().mode() & 0o077;
                Ok(others == 0)
            },
            Kind::Simulated(disk) => disk.read(path).map(|_| true))
    }

    /// Gives a file another name, in the place of what had it.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        on!(&self.0,
            Kind::Real => fs::rename(from, to),
            Kind::Simulated(disk) => disk.rename(from, to))
    }

    /// Gives a file a second name, which nothing may have yet.
    pub(crate) fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        on!(&self.0,
            Kind::Real => fs::hard_link(from, to),
            Kind::Simulated(disk) => disk.link(from, to))
    }

    /// Removes a file.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        on!(&self.0,
            Kind::Real => fs::remove_file(path),
            Kind::Simulated(disk) => disk.remove(path))
    }

    /// Removes a directory that is empty.
    pub(crate) fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        on!(&self.0,
            Kind::Real => fs::remove_dir(dir),
            Kind::Simulated(disk) => disk.remove_dir(dir))
    }

    /// Creates a directory in one that is there.
    pub(crate) fn create_dir(&self, dir: &Path) -> io::Result<()> {
        on!(&self.0,
            Kind::Real => DirBuilder::new().mode(0o700).create(dir),
            Kind::Simulated(disk) => disk.create_dir(dir))
    }

    /// Whether there is a directory of this name.
    pub(crate) fn is_dir(&self, path: &Path) -> bool {
        on!(&self.0, Kind::Real => path.is_dir(), Kind::Simulated(disk) => disk.is_dir(path))
    }

    /// The paths of what is in a directory, in no particular order.
    pub(crate) fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        on!(&self.0,
            Kind::Real => fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect(),
            Kind::Simulated(disk) => disk.list(dir))
    }

    /// Makes the entries of a directory durable: files created in it, renamed into it, removed from it.
    pub(crate) fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        on!(&self.0,
            Kind::Real => fs::File::open(dir)?.sync_all(),
            Kind::Simulated(disk) => disk.sync_dir(dir))
    }
}

impl File {
    /// Writes all bytes at a place.
    pub(crate) fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        on!(&self.0,
            Open::Real(file) => file.write_all_at(bytes, offset),
            Open::Simulated(file) => file.write_all_at(bytes, offset))
    }

    /// Appends all bytes where the last ones ended.
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        on!(&mut self.0,
            Open::Real(file) => file.write_all(bytes),
            Open::Simulated(file) => file.write_all_at(bytes, file.len()?))
    }

    /// Fills a buffer from a place.
    pub(crate) fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        on!(&self.0,
            Open::Real(file) => file.read_exact_at(bytes, offset),
            Open::Simulated(file) => file.read_exact_at(bytes, offset))
    }

    /// Puts the whole content into a buffer, in place of what it held.
    pub(crate) fn read_whole(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.clear();
        on!(&mut self.0,
        Open::Real(file) => {
            file.rewind()?;
            file.read_to_end(bytes).map(drop)
        },
        Open::Simulated(file) => {
            bytes.resize(usize::try_from(file.len()?).unwrap_or_default(), 0);
            file.read_exact_at(bytes, 0)
        })
    }

    /// Cuts the file off, or fills it up with zeros.
    pub(crate) fn set_len(&self, len: u64) -> io::Result<()> {
        on!(&self.0,
            Open::Real(file) => file.set_len(len),
            Open::Simulated(file) => file.set_len(len))
    }

    /// Makes the content durable, with what it takes to find it.
    pub(crate) fn sync_data(&self) -> io::Result<()> {
        on!(&self.0, Open::Real(file) => file.sync_data(), Open::Simulated(file) => file.sync())
    }

    /// Makes the file durable with everything but its name.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        on!(&self.0, Open::Real(file) => file.sync_all(), Open::Simulated(file) => file.sync())
    }
}

#[cfg(feature = "testing")]
impl From<simulated::Handle> for File {
    fn from(handle: simulated::Handle) -> Self {
        Self(Open::Simulated(handle))
    }
}

impl From<fs::File> for File {
    fn from(file: fs::File) -> Self {
        Self(Open::Real(file))
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}
