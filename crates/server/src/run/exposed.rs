//! Which files of a broker others on its machine may read.
//!
//! A key that others may read stops the start. The keyring opens nothing without its key-encryption key, and data
//! nothing without the keyring, so of those the start only warns: but who kept a copy of a keyring and comes by an old
//! key undoes an erasure, and the slots beside sealed details tell which entries are about one person.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::{config::Config, edge::tls::COPIES};

/// Something of a broker that others may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// What it is, or is part of.
    pub part: Part,
    /// The file; of several in a directory the first.
    pub file: PathBuf,
    /// How many files there are: 1 for a key.
    pub files: usize,
}

/// What a broker keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Log, view and indexes.
    Data,
    /// The keys that open the details.
    Keyring,
    /// A key of the broker's own, or the passphrase of one.
    Key,
}

/// What others than the owner may read of data and keyring, and the keys to which they have any right. What is not there,
/// or cannot be looked at, is left out: the start says that.
#[must_use]
pub fn exposed(config: &Config) -> Vec<Exposed> {
    let broker = &config.broker;
    // These are for others.
    let public = [config.publication_dir(), broker.data_dir.join(COPIES)];
    let parts = [
        (Part::Data, &broker.data_dir),
        (Part::Keyring, &broker.keyring_dir),
    ];
    let mut found = Vec::new();
    for (part, dir) in parts {
        let mut files = Vec::new();
        // What the broker's own user cannot list, others cannot read.
        let _ = gather(dir, &public, &mut files);
        let count = files.len();
        found.extend(files.into_iter().min().map(|file| Exposed {
            part,
            file,
            files: count,
        }));
    }
    found.extend(exposed_keys(config));
    found
}

/// The keys at which a start stops because others have a right to them, whichever.
fn exposed_keys(config: &Config) -> impl Iterator<Item = Exposed> {
    let broker = &config.broker;
    let issuing = config
        .enrolment
        .as_ref()
        .and_then(|own| own.issuing.as_ref());
    let keys = [
        Some(&broker.kek_file),
        Some(&broker.checkpoint_key_file),
        broker.next_checkpoint_key_file.as_ref(),
        issuing.map(|issuing| &issuing.passphrase_file),
    ];
    let is_exposed = |file: &&PathBuf| {
        fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
    };
    let keys = keys.into_iter().flatten().filter(is_exposed);
    keys.map(|file| Exposed {
        part: Part::Key,
        file: file.clone(),
        files: 1,
    })
}

/// Tells of it in the log of a broker that starts.
pub(super) fn warn_of_exposed(config: &Config) {
    for Exposed { part, file, files } in exposed(config) {
        let what = match part {
            Part::Data => "data",
            Part::Keyring => "keyring",
            // The start refuses it.
            Part::Key => continue,
        };
        let first = file.display();
        tracing::warn!(what, files, %first, "others may read it: `schakel doctor --config` says what to do");
    }
}

/// The files at or below a place that others may read: none below a directory that lets in nobody else.
fn gather(place: &Path, public: &[PathBuf], found: &mut Vec<PathBuf>) -> io::Result<()> {
    const READ: u32 = 0o044;
    const ENTER: u32 = 0o011;
    let metadata = fs::metadata(place)?;
    let mode = metadata.permissions().mode();
    if metadata.is_file() && mode & READ != 0 {
        found.push(place.to_owned());
    }
    if metadata.is_dir() && mode & ENTER != 0 && !public.iter().any(|public| public == place) {
        for entry in fs::read_dir(place)? {
            gather(&entry?.path(), public, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn found(dir: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        gather(dir, &[dir.join("published")], &mut found).unwrap();
        found.sort();
        found
    }

    #[test]
    fn what_others_may_read_is_found_unless_a_directory_keeps_them_out() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        for name in ["log", "published"] {
            fs::create_dir(dir.join(name)).unwrap();
            set(&dir.join(name), 0o755);
        }
        let (open, shared) = (dir.join("log/a.log"), dir.join("months.keys"));
        let public = dir.join("published/checkpoint");
        for (file, mode) in [(&open, 0o644), (&shared, 0o640), (&public, 0o644)] {
            fs::write(file, "").unwrap();
            set(file, mode);
        }
        let closed = dir.join("slots.keys");
        fs::write(&closed, "").unwrap();
        set(&closed, 0o600);
        set(dir, 0o755);
        assert_eq!(found(dir), [open.clone(), shared.clone()]);
        set(&dir.join("log"), 0o744);
        assert_eq!(found(dir), [shared]);
        set(dir, 0o700);
        assert!(found(dir).is_empty());
        assert_eq!(found(&open), [open], "a file of its own");
    }
}
