//! Files and directories that are still there after the machine has stopped at any moment.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

/// What the name of a file ends in while it is being written. Such a file means nothing: whoever opens
/// the directory removes it.
pub(crate) const UNFINISHED: &str = "tmp";

/// Makes the entries of a directory durable: files created in it, renamed into it, removed from it.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Creates a directory, and those above it that are missing, for the owner alone.
pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let above = dir
        .parent()
        .filter(|above| !above.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    create_dir(above)?;
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_dir(above)
}

/// Opens a file for reading and writing, for the owner alone, and creates it when it is missing.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// Replaces a file as a whole: whoever opens it, after a crash at any moment too, finds all of the old
/// content or all of the new, and once this has returned only the new.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_added_extension(UNFINISHED);
    // A crash here leaves an unfinished file, which is not looked at.
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    // From here on the new content is found, but only once the directory is synced for certain.
    fs::rename(&unfinished, path)?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// Removes what a crash left unfinished in a directory.
pub(crate) fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == UNFINISHED) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Takes the exclusive lock on a file, which lasts until the file is closed or the process ends.
/// `None` when another holds it.
pub(crate) fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = open_file(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
