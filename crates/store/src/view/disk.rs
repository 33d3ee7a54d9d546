//! Opening sled in spite of what a crash can leave behind.
//!
//! A start that is killed leaves a snapshot half-written, and sled then takes it for the newest one and
//! never opens again; damage can make it panic. So leftovers are removed first, opening is tried once
//! more without any snapshot, and when that fails too the caller puts the directory aside and makes the
//! view again from the log.

use std::{
    fs::{self, File, TryLockError},
    io,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::ViewError;
use crate::{disk::Disk, durable};

/// What sled may hold of the view in memory, in bytes.
const CACHE: u64 = 64 << 20;
/// How often sled writes out what it has buffered, in milliseconds; this also drives its cleaning up.
const FLUSH_EVERY_MS: u64 = 500;
/// How often, and how long apart, the lock is tried before another process must be the one that holds it.
const MOST_ATTEMPTS: u32 = 200;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(10);

/// Why the view's directory cannot be used, whatever is in it: the disk failed or is full, a permission
/// is missing, or another process has the view open.
#[derive(Debug, thiserror::Error)]
#[error(
    "the view `{}` cannot be used: look at the disk and its permissions, and whether another broker runs",
    dir.display()
)]
pub struct DiskError {
    dir: PathBuf,
    source: io::Error,
}

/// Opens what is there; `None` when nothing is, or what is there cannot be used.
pub(super) fn open(dir: &Path) -> Result<Option<sled::Db>, DiskError> {
    if !dir.join("db").is_file() {
        return Ok(None);
    }
    wait_for_lock(dir).map_err(|source| io_failed(dir, source))?;
    remove_unfinished(dir).map_err(|source| io_failed(dir, source))?;
    if let Some(db) = guarded(dir, || Ok(configured(dir).open()?))? {
        return Ok(Some(db));
    }
    set_snapshots_aside(dir).map_err(|source| io_failed(dir, source))?;
    wait_for_lock(dir).map_err(|source| io_failed(dir, source))?;
    let again = panic::catch_unwind(AssertUnwindSafe(|| configured(dir).open()));
    Ok(again.ok().and_then(Result::ok))
}

/// Creates an empty database.
pub(super) fn create(dir: &Path) -> Result<sled::Db, DiskError> {
    durable::create_dir(&Disk::real(), dir).map_err(|source| io_failed(dir, source))?;
    configured(dir).open().map_err(|error| failed(dir, error))
}

/// Puts a view that cannot be used aside, whole, under the name `….quarantined-<n>`: nothing in it is
/// needed, and somebody may want to know what happened to it. Gives the new name; `None` when there was
/// nothing.
///
/// # Errors
/// When it cannot be renamed.
pub fn quarantine(dir: &Path) -> Result<Option<PathBuf>, DiskError> {
    if !dir.exists() {
        return Ok(None);
    }
    let aside = (1_u32..).map(|number| with_suffix(dir, &format!(".quarantined-{number}")));
    let Some(aside) = aside.into_iter().find(|aside| !aside.exists()) else {
        return Ok(None);
    };
    fs::rename(dir, &aside).map_err(|source| io_failed(dir, source))?;
    Ok(Some(aside))
}

/// Removes a view that holds what was erased since. Its key is gone, so what is left on the disk is noise.
///
/// # Errors
/// When it cannot be removed.
pub fn discard(dir: &Path) -> Result<(), DiskError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_failed(dir, error)),
        _ => Ok(()),
    }
}

/// Does something with what is in the view. `None` when that shows that the view cannot be used: it is
/// damaged, or sled panics over it.
pub(super) fn guarded<T>(
    dir: &Path,
    work: impl FnOnce() -> Result<T, ViewError>,
) -> Result<Option<T>, DiskError> {
    let why = match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => return Ok(Some(done)),
        Ok(Err(ViewError::Sled(sled::Error::Io(error)))) if !tells_damage(&error) => {
            return Err(io_failed(dir, error));
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "sled panicked".to_owned(),
    };
    tracing::warn!(dir = %dir.display(), why, "the view cannot be used as it is");
    Ok(None)
}

/// A failure of sled where there is nothing yet that could be damaged.
pub(super) fn failed(dir: &Path, error: sled::Error) -> DiskError {
    match error {
        sled::Error::Io(source) => io_failed(dir, source),
        other => io_failed(dir, io::Error::other(other)),
    }
}

fn io_failed(dir: &Path, source: io::Error) -> DiskError {
    DiskError {
        dir: dir.to_owned(),
        source,
    }
}

fn configured(dir: &Path) -> sled::Config {
    sled::Config::new()
        .path(dir)
        .cache_capacity(CACHE)
        .flush_every_ms(Some(FLUSH_EVERY_MS))
}

/// Waits until nobody holds the lock on the database: threads of sled let go of it only some time after
/// it was closed.
fn wait_for_lock(dir: &Path) -> io::Result<()> {
    let file = File::open(dir.join("db"))?;
    let mut attempts = 0;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if attempts < MOST_ATTEMPTS => {
                attempts += 1;
                thread::sleep(BETWEEN_ATTEMPTS);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether an error of reading says something about the content, not about the disk.
fn tells_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, NotFound, UnexpectedEof};
    matches!(
        error.kind(),
        InvalidData | InvalidInput | NotFound | UnexpectedEof
    )
}

/// Removes snapshots that were never finished.
fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for path in snapshots(dir)? {
        if path.extension().is_some_and(|end| end == "generating") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Moves the snapshots where sled does not see them: it then reads its log from the beginning.
fn set_snapshots_aside(dir: &Path) -> io::Result<()> {
    for path in snapshots(dir)? {
        if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
            fs::rename(&path, dir.join(format!("aside.{name}")))?;
        }
    }
    Ok(())
}

fn snapshots(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with("snap.")) {
            found.push(path);
        }
    }
    Ok(found)
}

fn with_suffix(dir: &Path, suffix: &str) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
