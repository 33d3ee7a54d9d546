//! The anchor: the last signed tree head, kept where whoever can take back the log cannot reach it as well.
//!
//! The log alone cannot notice that its end is missing as a whole. A file on another volume, or a mount of
//! another host, that holds the newest checkpoint can show it: the log must have at least as many entries,
//! and the same tree over those. The file holds the signed note as it is, so that any tool can hold a copy
//! of the log against it.

use std::{
    io,
    path::{Path, PathBuf},
};

use schakel_audit::{
    checkpoint::{Checkpoint, Origin},
    note::{Note, SignatureError, VerifyingKey},
    tree::Hash,
};
use thiserror::Error;

use crate::{
    disk::Disk,
    durable,
    log::{LogReader, ReadError},
    publication::{Shown, ShownError},
};

/// The anchor of one log. One process holds it.
#[derive(Debug)]
pub struct Anchor {
    disk: Disk,
    file: PathBuf,
    held: Option<Shown>,
    /// What was to be written since: each may stand there although the disk failed.
    tried: Vec<String>,
}

/// How a checkpoint that was signed for a log contradicts the log.
#[derive(Debug, Error)]
pub enum Contradiction {
    /// The log has fewer entries.
    #[error(
        "the log has {log} entries, and a checkpoint of {signed} was signed for it: the log was rolled back, or its end was lost"
    )]
    Shorter {
        /// How many entries the log has.
        log: u64,
        /// How many it had.
        signed: u64,
    },
    /// The log had another tree over as many entries.
    #[error(
        "the log has root {log} over its first {size} entries, and root {signed} was signed for it: the log was replaced by another"
    )]
    Other {
        /// Over how many entries.
        size: u64,
        /// The root that the log has.
        log: Hash,
        /// The root that was signed.
        signed: Hash,
    },
    /// It is of a log of another name.
    #[error("the checkpoint is of the log `{got}`, not of `{want}`")]
    Origin {
        /// The log at hand.
        want: Origin,
        /// The log it is of.
        got: Origin,
    },
    /// No key of the log signed it.
    #[error("no key of the log signed the checkpoint")]
    Signature(#[from] SignatureError),
    /// It is no signed checkpoint.
    #[error("it is no signed checkpoint")]
    Form(#[from] ShownError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
}

/// Why the anchor does not hold.
#[derive(Debug, Error)]
pub enum AnchorError {
    /// There is none, and there are entries already.
    #[error(
        "the anchor `{}` is missing: mount its volume; if the anchor is new, make an empty file there",
        file.display()
    )]
    Missing {
        /// The file.
        file: PathBuf,
    },
    /// It contradicts the log.
    #[error(
        "the anchor `{}` contradicts the log; restore the log, or, when the loss is accepted and on record, empty the file",
        file.display()
    )]
    Contradicts {
        /// The file.
        file: PathBuf,
        /// Where the two part.
        #[source]
        how: Contradiction,
    },
    /// It is not what was written there last.
    #[error(
        "the anchor `{}` is not what this broker wrote there: another broker runs on the same log, or somebody altered it",
        file.display()
    )]
    Moved {
        /// The file.
        file: PathBuf,
    },
    /// It cannot be read or written.
    #[error("the anchor `{}` cannot be read or written", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Checks that the log only adds to what a checkpoint says that was signed for it: one of these keys did.
///
/// # Errors
/// How it contradicts the log, or why that cannot be said.
pub fn check(
    log: &LogReader,
    origin: &Origin,
    shown: &Shown,
    keys: &[&VerifyingKey],
) -> Result<(), Contradiction> {
    let note = Note::parse(&shown.note).map_err(ShownError::from)?;
    note.verify(keys)?;
    let Checkpoint {
        origin: got,
        size,
        root,
    } = &shown.checkpoint;
    if got != origin {
        let (want, got) = (origin.clone(), got.clone());
        return Err(Contradiction::Origin { want, got });
    }
    if *size > log.size() {
        return Err(Contradiction::Shorter {
            log: log.size(),
            signed: *size,
        });
    }
    let own = log.root_at(*size)?;
    if own == *root {
        return Ok(());
    }
    Err(Contradiction::Other {
        size: *size,
        log: own,
        signed: *root,
    })
}

impl Anchor {
    /// Reads the anchor and holds the log against it. Where a log begins the file may be missing, and an
    /// empty file holds nothing yet.
    ///
    /// # Errors
    /// When it is missing, contradicts the log, or cannot be read.
    pub fn open(
        disk: Disk,
        file: &Path,
        log: &LogReader,
        origin: &Origin,
        keys: &[&VerifyingKey],
    ) -> Result<Self, AnchorError> {
        let file = file.to_owned();
        let held = match read(&disk, &file)? {
            None if log.size() > 0 => return Err(AnchorError::Missing { file }),
            None => None,
            Some(text) if text.trim().is_empty() => None,
            Some(text) => {
                // The process before this one may have ended before its name was durable, and no larger one
                // may follow for long.
                durable::settle(&disk, &file).map_err(|source| AnchorError::Io {
                    file: file.clone(),
                    source,
                })?;
                let held = Shown::parse(text).map_err(Contradiction::from);
                let checked = held.and_then(|held| check(log, origin, &held, keys).map(|()| held));
                match checked {
                    Ok(held) => Some(held),
                    Err(how) => return Err(AnchorError::Contradicts { file, how }),
                }
            }
        };
        Ok(Self {
            disk,
            file,
            held,
            tried: Vec::new(),
        })
    }

    /// Looks whether the file still holds what was read or written last.
    ///
    /// # Errors
    /// When it does not, or cannot be read.
    pub fn compare(&self) -> Result<(), AnchorError> {
        let found = read(&self.disk, &self.file)?.unwrap_or_default();
        let held = self.held.as_ref().map_or("", |held| &held.note);
        if found == held
            || self.tried.contains(&found)
            || (held.is_empty() && found.trim().is_empty())
        {
            Ok(())
        } else {
            Err(AnchorError::Moved {
                file: self.file.clone(),
            })
        }
    }

    /// Compares, and puts a checkpoint in the place of the one before, durably. One that is no larger is
    /// not worth it.
    ///
    /// # Errors
    /// When the file is not what was written last, or the disk failed: nothing signed may leave then.
    pub fn replace(&mut self, shown: &Shown) -> Result<(), AnchorError> {
        self.compare()?;
        if self
            .held
            .as_ref()
            .is_some_and(|held| held.checkpoint.size >= shown.checkpoint.size)
        {
            return Ok(());
        }
        self.tried.push(shown.note.clone());
        let replaced = durable::replace(&self.disk, &self.file, shown.note.as_bytes());
        replaced.map_err(|source| AnchorError::Io {
            file: self.file.clone(),
            source,
        })?;
        self.held = Some(shown.clone());
        self.tried.clear();
        Ok(())
    }

    /// How many entries the log must have.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.held.as_ref().map_or(0, |held| held.checkpoint.size)
    }
}

fn read(disk: &Disk, file: &Path) -> Result<Option<String>, AnchorError> {
    match disk.read(file) {
        Ok(text) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AnchorError::Io {
            file: file.to_owned(),
            source,
        }),
    }
}
