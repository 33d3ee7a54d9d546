//! A look at a keyring from outside: it writes nothing and waits for nobody.

use std::path::Path;

use super::{
    Kek, KeyFileError, KeyringError, file,
    rotate::{next, read_if_there},
};
use crate::disk::Disk;

/// Whether a broker could open a keyring with the key in this file. A broker may be running with both: what a change of
/// the key-encryption key has come to by now opens under either key.
///
/// # Errors
/// [`KeyringError`], as a start would have it.
pub fn look(kek: &Path, keyring: &Path) -> Result<(), KeyringError> {
    let disk = Disk::real();
    let next = read_if_there(&disk, &next(kek))?;
    let own = match Kek::read_on(&disk, kek) {
        Err(error) if next.is_none() => return Err(error.into()),
        own => own.ok(),
    };
    for name in file::names(&disk, keyring)? {
        let mut opened = Err(KeyFileError::Locked(keyring.join(&name)));
        for key in own.iter().chain(&next) {
            // One that is gone by now was taken away by the broker that runs.
            opened = opened.or_else(|_| file::read(&disk, keyring, &name, key).map(drop));
        }
        opened?;
    }
    Ok(())
}
