//! Files of an authority: on disk before anything relies on them, and whole or not there at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use super::OfficeError;

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    Everybody,
    Owner,
}

/// Puts a file in its place, over one that is there.
pub(super) fn put(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), OfficeError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".next");
    let next = path.with_file_name(name);
    write(&next, bytes, readers)
        .and_then(|()| fs::rename(&next, path))
        .and_then(|()| sync(path.parent().unwrap_or(Path::new("."))))
        .map_err(failed(path, "written"))
}

/// Makes a directory that only its owner may look into, and those above it.
pub(super) fn make_dir(path: &Path, readers: Readers) -> Result<(), OfficeError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    #[cfg(not(unix))]
    let _ = readers;
    builder.create(path).map_err(failed(path, "made"))
}

/// Whether there is nothing in a directory, or none at all.
pub(super) fn is_empty(path: &Path) -> Result<bool, OfficeError> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(failed(path, "read")(error)),
    }
}

pub(super) fn read(path: &Path) -> Result<String, OfficeError> {
    fs::read_to_string(path).map_err(failed(path, "read"))
}

pub(super) fn failed(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> OfficeError {
    let path = path.to_owned();
    move |source| OfficeError::Disk {
        path,
        action,
        source,
    }
}

fn write(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    // What a crash left of an earlier attempt may have another mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = readers;
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync(dir: &Path) -> io::Result<()> {
    let dir = if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    };
    File::open(dir)?.sync_all()
}
