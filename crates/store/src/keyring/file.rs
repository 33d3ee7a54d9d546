//! One file of the keyring: encrypted under the key-encryption key, replaced whole or not at all.
//!
//! ```text
//! file = "SCHKKEY1" | [12] nonce | AES-256-GCM(HKDF-SHA256(KEK, file name), nonce, aad = magic | file name, content)
//! ```

use std::{
    io,
    path::{Path, PathBuf},
};

use schakel_core::random::Random;
use zeroize::Zeroizing;

use super::kek::Kek;
use crate::{aes, disk::Disk, durable};

const MAGIC: &[u8; 8] = b"SCHKKEY1";
const NONCE_LEN: usize = 12;

/// Why a file of the keyring could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The disk failed.
    #[error("`{path}` cannot be read or written")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The key-encryption key does not fit, or the file is damaged.
    #[error("`{0}` does not open: the key-encryption key is another, or the file is damaged")]
    Locked(PathBuf),
}

/// The names of the files of keys in a directory; none when it is not there.
pub(super) fn names(disk: &Disk, dir: &Path) -> Result<Vec<String>, KeyFileError> {
    let found = match disk.list(dir) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(KeyFileError::Io {
                path: dir.to_owned(),
                source,
            });
        }
    };
    let names = found
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "keys"))
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
    Ok(names.collect())
}

/// Reads a file; `None` when there is none.
pub(super) fn read(
    disk: &Disk,
    dir: &Path,
    name: &str,
    kek: &Kek,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeyFileError> {
    let path = dir.join(name);
    let bytes = match disk.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(KeyFileError::Io { path, source }),
    };
    match open(&bytes, name, kek) {
        Some(content) => Ok(Some(content)),
        None => Err(KeyFileError::Locked(path)),
    }
}

/// Replaces a file: written beside it, synced, renamed over it, and the directory synced.
pub(super) fn replace(
    disk: &Disk,
    dir: &Path,
    name: &str,
    kek: &Kek,
    content: &[u8],
    random: &mut dyn Random,
) -> Result<(), KeyFileError> {
    let path = dir.join(name);
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);
    let mut sealed = content.to_vec();
    let replaced = aes::seal(&file_key(kek, name), nonce, &aad(name), &mut sealed)
        .map_err(|_| io::Error::other("encryption failed"))
        .and_then(|()| {
            let content = [MAGIC.as_slice(), &nonce, &sealed].concat();
            durable::replace(disk, &path, &content)
        });
    replaced.map_err(|source| KeyFileError::Io { path, source })
}

/// Removes a file, for good.
pub(super) fn remove(disk: &Disk, dir: &Path, name: &str) -> Result<(), KeyFileError> {
    let path = dir.join(name);
    let removed = disk.remove(&path).and_then(|()| disk.sync_dir(dir));
    removed.map_err(|source| KeyFileError::Io { path, source })
}

fn open(bytes: &[u8], name: &str, kek: &Kek) -> Option<Zeroizing<Vec<u8>>> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
    let mut content = Zeroizing::new(sealed.to_vec());
    let len = aes::open(&file_key(kek, name), *nonce, &aad(name), &mut content)
        .ok()?
        .len();
    content.truncate(len);
    Some(content)
}

fn file_key(kek: &Kek, name: &str) -> Zeroizing<[u8; 32]> {
    aes::derive(b"schakel/keyring/v1", &[kek.bytes()], name.as_bytes())
}

fn aad(name: &str) -> Vec<u8> {
    [MAGIC.as_slice(), name.as_bytes()].concat()
}
