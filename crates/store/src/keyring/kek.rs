//! The key-encryption key: what wraps the keyring, kept outside data and backups.

use std::{
    fmt::{self, Write as _},
    io,
    path::{Path, PathBuf},
};

use schakel_core::random::Random;
use zeroize::Zeroizing;

use crate::{disk::Disk, durable};

/// A key-encryption key of 32 bytes. Never shown.
pub struct Kek(Zeroizing<[u8; 32]>);

/// Why a key-encryption key was not read or made.
#[derive(Debug, thiserror::Error)]
pub enum KekError {
    /// The file cannot be read or written.
    #[error("the key-encryption key `{path}` cannot be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Others than the owner may read the file.
    #[error("`{0}` can be read by others than its owner: chmod 600 it")]
    Exposed(PathBuf),
    /// The file holds something else.
    #[error("`{0}` must hold a key of 32 bytes, raw or as 64 hexadecimal digits")]
    Malformed(PathBuf),
}

impl Kek {
    /// Reads the key from a file that only its owner may read: 32 bytes, raw or as 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KekError`].
    pub fn read(path: &Path) -> Result<Self, KekError> {
        Self::read_on(&Disk::real(), path)
    }

    /// As [`Self::read`], on this disk.
    ///
    /// # Errors
    /// [`KekError`].
    pub fn read_on(disk: &Disk, path: &Path) -> Result<Self, KekError> {
        let failed = |source| KekError::Io {
            path: path.to_owned(),
            source,
        };
        if !disk.is_private(path).map_err(failed)? {
            return Err(KekError::Exposed(path.to_owned()));
        }
        let bytes = Zeroizing::new(disk.read(path).map_err(failed)?);
        // Keys that nobody can unwrap any more are worse than none, so it must not be gone later: whoever
        // made it may have been stopped.
        durable::settle(disk, path).map_err(failed)?;
        parse(&bytes)
            .map(Self)
            .ok_or_else(|| KekError::Malformed(path.to_owned()))
    }

    /// Makes a new key and writes it to a file that does not exist yet.
    ///
    /// # Errors
    /// [`KekError::Io`], also when the file exists.
    pub fn create(path: &Path, random: &mut dyn Random) -> Result<Self, KekError> {
        Self::create_on(&Disk::real(), path, random)
    }

    /// As [`Self::create`], on this disk.
    ///
    /// # Errors
    /// [`KekError::Io`], also when the file exists.
    pub fn create_on(disk: &Disk, path: &Path, random: &mut dyn Random) -> Result<Self, KekError> {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(key.as_mut_slice());
        let mut text = String::with_capacity(65);
        for byte in key.iter() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
        let text = Zeroizing::new(text);
        let created = durable::create(disk, path, text.as_bytes());
        created.map_err(|source| KekError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self(key))
    }

    /// A key from its bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kek(redacted)")
    }
}

fn parse(bytes: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    if let Ok(raw) = bytes.try_into() {
        return Some(Zeroizing::new(raw));
    }
    let digits = bytes.trim_ascii();
    let mut key = Zeroizing::new([0; 32]);
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(key)
}
