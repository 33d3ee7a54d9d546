//! The directory that a log is published in.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _},
    path::Path,
};

use schakel_audit::{
    published::{Files, Unread},
    succession,
};

use crate::exit::said;

/// The directory.
pub(crate) struct Directory<'a>(pub(crate) &'a Path);

impl Files for Directory<'_> {
    fn read(&self, path: &str, most: usize) -> Result<Vec<u8>, Unread> {
        let file = File::open(self.0.join(path)).map_err(|error| unread(&error))?;
        let mut bytes = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX);
        let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| unread(&error))?;
        if bytes.len() > most {
            return Err(Unread::TooLong);
        }
        Ok(bytes)
    }

    fn key_entries(&self) -> Result<Vec<u64>, Unread> {
        let mut indexes = Vec::new();
        self.collect("keys", &mut indexes)
            .map_err(|error| unread(&error))?;
        Ok(indexes)
    }
}

impl Directory<'_> {
    /// Collects the indexes whose files stand below a folder.
    fn collect(&self, folder: &str, indexes: &mut Vec<u64>) -> io::Result<()> {
        let entries = match fs::read_dir(self.0.join(folder)) {
            // A log that says nothing of its keys has none.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                if path.matches('/').count() <= MOST_FOLDERS {
                    self.collect(&path, indexes)?;
                }
            } else {
                indexes.extend(succession::parse_path(&path));
            }
        }
        Ok(())
    }
}

/// How many folders lie within each other at most: the greatest index has seven groups of digits.
const MOST_FOLDERS: usize = 6;

fn unread(error: &io::Error) -> Unread {
    match error.kind() {
        ErrorKind::NotFound => Unread::Absent,
        _ => Unread::Failed(said(error)),
    }
}
