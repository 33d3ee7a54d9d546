//! What the files of the keyring are written with.

use std::{fmt, path::PathBuf};

use schakel_core::random::Random;

use super::{Kek, KeyFileError, file, seen::Head};
use crate::disk::Disk;

/// The hand that writes. There is one.
pub(super) struct Hand {
    pub(super) disk: Disk,
    pub(super) dir: PathBuf,
    pub(super) kek: Kek,
    pub(super) random: Box<dyn Random + Send>,
    /// Whether keys were destroyed since the table of months was last written for that.
    pub(super) owes_table: bool,
    /// How far the log was when that was last written.
    pub(super) seen: Option<Head>,
}

impl Hand {
    /// Makes the content of a file durable.
    pub(super) fn keep(&mut self, name: &str, content: &[u8]) -> Result<(), KeyFileError> {
        let random = self.random.as_mut();
        file::replace(&self.disk, &self.dir, name, &self.kek, content, random)
    }
}

impl fmt::Debug for Hand {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hand")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}
