//! A file that never changes, sealed in blocks, so that any part of it can be read by itself.
//!
//! ```text
//! salt 32 | block | block | …      block = AES-256-GCM(content of up to 4,080 bytes) | tag 16
//! ```
//!
//! Key = HKDF-SHA256(key of all index files, salt); nonce = number of the block; bound to the length
//! of the whole, so that a file that was cut short does not open.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

use schakel_core::random::Random;

use crate::{
    aes::{self, TAG_LEN},
    keyring::Key,
};

const SALT: usize = 32;
/// Content in a full block.
const CONTENT: usize = 4080;
/// A full block on disk.
const BLOCK: usize = CONTENT + TAG_LEN;

/// Why a file of the index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The disk failed, or the file is missing.
    #[error("the file cannot be read or written")]
    Io(#[from] io::Error),
    /// It is not what was written, or was written under another key.
    #[error("the file is damaged, or belongs to an earlier generation of the view")]
    Damaged,
}

/// A file that is open for reading.
pub(super) struct Blocks {
    file: File,
    key: Key,
    /// Bytes of content.
    len: u64,
}

/// Writes a file. A crash leaves the file whole, absent, or
/// such that it does not open. It is not synced: all of it can be made again, and syncing would hold
/// up the log.
pub(super) fn write(
    path: &Path,
    key: &Key,
    content: &[u8],
    random: &mut dyn Random,
) -> Result<(), FileError> {
    let mut salt = [0; SALT];
    random.fill(&mut salt);
    let sealing = derive(key, &salt);
    let mut bytes = salt.to_vec();
    for (number, chunk) in (0..).zip(content.chunks(CONTENT)) {
        let mut block = chunk.to_vec();
        let bound = (content.len() as u64).to_le_bytes();
        aes::seal(&sealing, nonce(number), &bound, &mut block)
            .map_err(|_| io::Error::other("encryption failed"))?;
        bytes.append(&mut block);
    }
    let unfinished = path.with_added_extension("tmp");
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(&bytes)?;
    fs::rename(&unfinished, path)?;
    Ok(())
}

impl Blocks {
    /// Opens a file; what is in its blocks is looked at when it is read.
    pub(super) fn open(path: &Path, key: &Key) -> Result<Self, FileError> {
        let file = File::open(path)?;
        let blocks = file
            .metadata()?
            .len()
            .checked_sub(SALT as u64)
            .ok_or(FileError::Damaged)?;
        let (full, rest) = (blocks / BLOCK as u64, blocks % BLOCK as u64);
        let rest = if rest == 0 {
            Some(0)
        } else {
            rest.checked_sub(TAG_LEN as u64)
        };
        let len = full * CONTENT as u64 + rest.ok_or(FileError::Damaged)?;
        let mut salt = [0; SALT];
        file.read_exact_at(&mut salt, 0)?;
        let key = derive(key, &salt);
        Ok(Self { file, key, len })
    }

    /// Bytes of content.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Reads a part of the content, which must lie within it.
    pub(super) fn read(&self, from: u64, len: u64) -> Result<Vec<u8>, FileError> {
        let end = from.checked_add(len).filter(|end| *end <= self.len);
        let end = end.ok_or(FileError::Damaged)?;
        let first = from / CONTENT as u64;
        let after = end.div_ceil(CONTENT as u64).max(first);
        let tags = (after - first) * TAG_LEN as u64;
        let last = (after * CONTENT as u64)
            .min(self.len)
            .max(first * CONTENT as u64);
        let sealed = last - first * CONTENT as u64 + tags;
        let mut sealed = vec![0; usize::try_from(sealed).map_err(|_| FileError::Damaged)?];
        self.file
            .read_exact_at(&mut sealed, SALT as u64 + first * BLOCK as u64)?;
        let mut content = Vec::with_capacity(sealed.len());
        for (number, block) in (first..).zip(sealed.chunks_mut(BLOCK)) {
            let opened = aes::open(&self.key, nonce(number), &self.len.to_le_bytes(), block);
            content.extend_from_slice(opened.map_err(|_| FileError::Damaged)?);
        }
        let start = usize::try_from(from % CONTENT as u64).map_err(|_| FileError::Damaged)?;
        content.drain(..start.min(content.len()));
        content.truncate(usize::try_from(len).map_err(|_| FileError::Damaged)?);
        Ok(content)
    }
}

impl fmt::Debug for Blocks {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocks")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// The key that seals a file.
fn derive(key: &Key, salt: &[u8; SALT]) -> Key {
    aes::derive(salt, &[key], b"schakel/index/seal/v1")
}

/// A block's number never repeats under the key of its file.
fn nonce(number: u64) -> [u8; 12] {
    let mut bytes = [0; 12];
    for (byte, of_number) in bytes.iter_mut().zip(number.to_le_bytes()) {
        *byte = of_number;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    fn key(byte: u8) -> Key {
        Key::new([byte; 32])
    }

    fn content(len: usize) -> Vec<u8> {
        (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    #[test]
    fn any_part_reads_back_whatever_the_blocks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        for len in [0, 1, CONTENT - 1, CONTENT, CONTENT + 1, 3 * CONTENT + 17] {
            let written = content(len);
            write(&path, &key(7), &written, &mut OsRandom).unwrap();
            let blocks = Blocks::open(&path, &key(7)).unwrap();
            assert_eq!(blocks.len(), len as u64);
            for from in [0, len / 2, len.saturating_sub(1), len] {
                for part in [0, 1.min(len - from), len - from] {
                    let read = blocks.read(from as u64, part as u64).unwrap();
                    assert_eq!(read, written[from..from + part], "{len} {from} {part}");
                }
            }
            assert!(matches!(
                blocks.read(0, len as u64 + 1),
                Err(FileError::Damaged)
            ));
        }
    }

    #[test]
    fn what_was_changed_or_cut_or_belongs_to_another_key_does_not_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write(&path, &key(7), &content(3 * CONTENT), &mut OsRandom).unwrap();
        let whole = fs::read(&path).unwrap();
        let read = |bytes: &[u8], key: &Key| {
            fs::write(&path, bytes).unwrap();
            Blocks::open(&path, key).and_then(|blocks| blocks.read(0, blocks.len()))
        };
        read(&whole, &key(7)).unwrap();
        assert!(read(&whole, &key(8)).is_err());
        assert!(read(&whole[..whole.len() - BLOCK], &key(7)).is_err());
        assert!(read(&[], &key(7)).is_err());
        for at in [0, SALT, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(read(&changed, &key(7)).is_err(), "{at}");
        }
    }
}
