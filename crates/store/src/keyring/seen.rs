//! How far the log was when the keyring was last written. A copy of the log from before then is not the log whose keys
//! these are: keys that were given out since would be given out again, to other people.
//!
//! ```text
//! content = entries (8 bytes, little-endian) | root of the tree over them (32 bytes)
//! ```
//!
//! It is written after what it goes with, and says nothing but what was durable in the log by then: no crash between
//! the two makes the log shorter than it says. Where there is no such file, as of older brokers, nothing is known.

use std::{
    path::{Path, PathBuf},
    sync::PoisonError,
};

use schakel_audit::tree::Hash;

use super::{Hand, Kek, KeyFileError, Keyring, KeyringError, Shared, file};
use crate::{
    disk::Disk,
    log::{LogReader, ReadError},
};

/// The name of the file.
pub(super) const NAME: &str = "log.keys";

/// How far the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    size: u64,
    root: Hash,
}

/// Why a log is not the one that the keyring has seen.
#[derive(Debug, thiserror::Error)]
pub enum SeenError {
    /// It is shorter.
    #[error(
        "the log holds {log} entries and held {seen} when the keyring was last written: entries were lost, or an older \
         copy was put back; restore the newest log, or, when the loss is accepted and on record, remove `{file}`",
        file = file.display()
    )]
    Shorter {
        /// How many entries there were.
        seen: u64,
        /// How many there are.
        log: u64,
        /// What the keyring keeps of it.
        file: PathBuf,
    },
    /// It is another one.
    #[error(
        "the first {seen} entries of the log are not those for which the keyring was last written: restore the log that \
         belongs to the keyring, or, when the loss is accepted and on record, remove `{file}`",
        file = file.display()
    )]
    Other {
        /// How many entries there were.
        seen: u64,
        /// What the keyring keeps of it.
        file: PathBuf,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// What is known of the log cannot be kept.
    #[error(transparent)]
    Keyring(#[from] KeyFileError),
}

/// How far the log was when that was last written; `None` where it never was.
pub(super) fn read(disk: &Disk, dir: &Path, kek: &Kek) -> Result<Option<Head>, KeyringError> {
    let Some(content) = file::read(disk, dir, NAME, kek)? else {
        return Ok(None);
    };
    match Head::decode(&content) {
        Some(head) => Ok(Some(head)),
        None => Err(KeyringError::Malformed(dir.join(NAME))),
    }
}

impl Hand {
    /// Writes how far the log is, unless that is what was last written.
    pub(super) fn keep_seen(&mut self, newest: Option<Head>) -> Result<(), KeyFileError> {
        match newest {
            Some(head) if self.seen != newest => {
                self.keep(NAME, &head.encode())?;
                self.seen = newest;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Writes it again, as under a new key. Whether there is such a file.
    pub(super) fn keep_seen_again(&mut self, newest: Option<Head>) -> Result<bool, KeyFileError> {
        let Some(head) = newest.or(self.seen) else {
            return Ok(false);
        };
        self.keep(NAME, &head.encode())?;
        self.seen = Some(head);
        Ok(true)
    }
}

impl Head {
    fn encode(self) -> Vec<u8> {
        [&self.size.to_le_bytes(), self.root.as_ref()].concat()
    }

    fn decode(content: &[u8]) -> Option<Self> {
        let (size, root) = content.split_first_chunk::<8>()?;
        let root: [u8; 32] = root.try_into().ok()?;
        Some(Self {
            size: u64::from_le_bytes(*size),
            root: Hash::from(root),
        })
    }
}

impl Shared {
    fn see(&self, head: Head) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
    }

    /// How far the log is on disk; `None` until it is known.
    pub(super) fn newest(&self) -> Option<Head> {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keyring {
    /// Notes how far the log is on disk: how many entries are durable, and the root of the tree over them. It is kept
    /// with the next change of the keyring.
    pub fn saw(&self, size: u64, root: Hash) {
        self.shared.see(Head { size, root });
    }

    /// Makes sure that this is the log for which the keyring was last written, or that log grown, and keeps how far it is.
    ///
    /// # Errors
    /// When it is shorter or another one, it cannot be read, or the disk fails.
    pub fn meet(&self, log: &LogReader) -> Result<(), SeenError> {
        let mut hand = self.shared.hand();
        let (size, root) = log.head();
        if let Some(Head {
            size: seen,
            root: then,
        }) = hand.seen
        {
            let file = hand.dir.join(NAME);
            if size < seen {
                let log = size;
                return Err(SeenError::Shorter { seen, log, file });
            }
            if log.root_at(seen)? != then {
                return Err(SeenError::Other { seen, file });
            }
        }
        if size > 0 {
            self.shared.see(Head { size, root });
        }
        Ok(hand.keep_seen(self.shared.newest())?)
    }
}
