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

/// Replaces a file as a whole: whoever opens it, after a crash at any moment too, finds all of the old
/// content or all of the new, and once this has returned only the new.
pub(crate) fn replace(disk: &Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_added_extension(UNFINISHED);
    // A crash here leaves an unfinished file, which is not looked at.
    let mut file = disk.create(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    // From here on the new content is found, but only once the directory is synced for certain.
    disk.rename(&unfinished, path)?;
    disk.sync_dir(parent(path))
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

/// The directory that a file or directory is in.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|above| !above.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
