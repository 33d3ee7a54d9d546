//! Files and directories that are still there after the machine has stopped at any moment.

use std::{io, path::Path};

use crate::disk::Disk;

/// What the name of a file ends in while it is being written. Such a file means nothing: whoever opens
/// the directory removes it.
pub(crate) const UNFINISHED: &str = "tmp";

/// Creates a directory, and those above it that are missing.
pub(crate) fn create_dir(disk: &Disk, dir: &Path) -> io::Result<()> {
    if disk.is_dir(dir) {
        return Ok(());
    }
    let above = parent(dir);
    create_dir(disk, above)?;
    match disk.create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    disk.sync_dir(above)
}

/// Makes the names that lead to a file or directory durable. Whoever finds something that must not be gone
/// later cannot know whether the process that made it lived long enough to do that.
pub(crate) fn settle(disk: &Disk, path: &Path) -> io::Result<()> {
    let mut at = path;
    loop {
        let above = parent(at);
        let synced = disk.sync_dir(above);
        // In a directory that this process may not open, or that is only read, it has made nothing.
        let is_ours = |error: &io::Error| {
            use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
            !matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
        };
        if let Err(error) = synced
            && is_ours(&error)
        {
            return Err(error);
        }
        if above == Path::new(".") || above == at || above.parent().is_none() {
            return Ok(());
        }
        at = above;
    }
}

/// Replaces a file as a whole: whoever opens it, after a crash at any moment too, finds all of the old
/// content or all of the new, and once this has returned only the new.
pub(crate) fn replace(disk: &Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    rename_into(disk, path, content)?;
    disk.sync_dir(parent(path))
}

/// As [`replace`], for many files of one directory: the new content is found, but only once the directory is
/// synced for certain.
pub(crate) fn rename_into(disk: &Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_added_extension(UNFINISHED);
    // A crash here leaves an unfinished file, which is not looked at.
    let mut file = disk.create(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    disk.rename(&unfinished, path)
}

/// Creates a file that must not be there yet, with all of its content or not at all.
pub(crate) fn create(disk: &Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_added_extension(UNFINISHED);
    let mut file = disk.create(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    let linked = disk.link(&unfinished, path);
    disk.remove(&unfinished)?;
    linked?;
    settle(disk, path)
}

/// Removes what a crash left unfinished in a directory.
pub(crate) fn remove_unfinished(disk: &Disk, dir: &Path) -> io::Result<()> {
    for path in disk.list(dir)? {
        if path.extension().is_some_and(|end| end == UNFINISHED) {
            disk.remove(&path)?;
        }
    }
    Ok(())
}

/// The directory that a file or directory is in; of the root, itself.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => path,
    }
}
