//! A new key-encryption key: every file of the keyring is written again under it, and the old one destroyed.
//!
//! ```text
//! 1  the new key is made durable beside the old one, as `<kek>.next`
//! 2  every file of the keyring is replaced by itself under the new key
//! 3  the old key is overwritten where it stands
//! 4  the new key takes its place, and then `<kek>.next` goes
//! ```
//!
//! A crash between any two of them leaves both keys, or the new one and all files under it: a start goes on
//! from there. What a backup of the keyring holds opens under the old key only, which is gone.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use schakel_core::random::Random;
use zeroize::Zeroizing;

use super::{
    Hand, Kek, KekError, KeyFileError, Keyring, KeyringError, file, months, read, seen, slots,
};
use crate::{
    disk::{Disk, File},
    durable,
};

/// What the name of the new key ends in while it takes the place of the old one.
const NEXT: &str = "next";

impl Keyring {
    /// Writes every file again under a new key, and destroys the key in the file at `kek`.
    ///
    /// # Errors
    /// When a file cannot be written. The keyring goes on being used; a later call, or the next start, goes on
    /// where this one ended.
    pub fn rotate_kek(&self, kek: &Path) -> Result<(), KeyringError> {
        let mut hand = self.shared.hand();
        let next = prepare(&mut hand, kek)?;
        let old = std::mem::replace(&mut hand.kek, next);
        if let Err(error) = self.write_all(&mut hand) {
            // Files under either key are found by the next start, and written again by the next change.
            hand.kek = old;
            return Err(error);
        }
        Ok(finish(&hand.disk, kek)?)
    }

    fn write_all(&self, hand: &mut Hand) -> Result<(), KeyringError> {
        let numbers = read(&self.shared.slots).numbers();
        for number in numbers {
            let content = read(&self.shared.slots).content(number);
            if let Some(content) = content {
                hand.keep(&slots::name(number), &content)?;
            }
        }
        let table = read(&self.shared.months).encode();
        hand.keep(months::NAME, &table)?;
        let seen = hand.keep_seen_again(self.shared.newest())?;
        Ok(self.remove_unknown(hand, seen)?)
    }

    /// Removes what is on disk although writing it failed: a shard of which nothing was ever given out, and
    /// that would open under the old key alone.
    fn remove_unknown(&self, hand: &Hand, seen: bool) -> Result<(), KeyFileError> {
        let mut known: BTreeSet<_> = read(&self.shared.slots)
            .numbers()
            .into_iter()
            .map(slots::name)
            .collect();
        known.insert(months::NAME.to_owned());
        known.extend(seen.then(|| seen::NAME.to_owned()));
        for name in file::names(&hand.disk, &hand.dir)? {
            if !known.contains(&name) {
                file::remove(&hand.disk, &hand.dir, &name)?;
            }
        }
        Ok(())
    }
}

/// Reads the key-encryption key, and finishes a change of it that was cut short. With it, whether there was
/// one.
///
/// # Errors
/// When the key cannot be read, or a file of the keyring opens neither under the old nor under the new one.
pub fn recover(
    kek: &Path,
    keyring: &Path,
    random: &mut dyn Random,
) -> Result<(Kek, bool), KeyringError> {
    recover_on(&Disk::real(), kek, keyring, random)
}

/// As [`recover`], on this disk.
///
/// # Errors
/// As [`recover`].
pub fn recover_on(
    disk: &Disk,
    kek: &Path,
    keyring: &Path,
    random: &mut dyn Random,
) -> Result<(Kek, bool), KeyringError> {
    // Whoever has the keyring open changes the key itself.
    let _lock = lock(disk, keyring)?;
    let Some(new) = read_if_there(disk, &next(kek))? else {
        return Ok((Kek::read_on(disk, kek)?, false));
    };
    // Overwritten already when the crash came that late; then nothing is under it any more.
    let old = Kek::read_on(disk, kek).ok();
    for name in file::names(disk, keyring)? {
        if matches!(file::read(disk, keyring, &name, &new), Ok(Some(_))) {
            continue;
        }
        let locked = || KeyFileError::Locked(keyring.join(&name));
        let old = old.as_ref().ok_or_else(locked)?;
        let content = file::read(disk, keyring, &name, old)?.ok_or_else(locked)?;
        file::replace(disk, keyring, &name, &new, &content, random)?;
    }
    // A file that was found under the new key may have its name since a moment ago only.
    settle(disk, keyring)?;
    finish(disk, kek)?;
    Ok((new, true))
}

/// Makes what was found in the keyring durable, when the keyring is there.
fn settle(disk: &Disk, keyring: &Path) -> Result<(), KeyFileError> {
    if !disk.is_dir(keyring) {
        return Ok(());
    }
    disk.sync_dir(keyring).map_err(|source| KeyFileError::Io {
        path: keyring.to_owned(),
        source,
    })
}

/// Takes the keyring's lock, when the keyring is there.
fn lock(disk: &Disk, keyring: &Path) -> Result<Option<File>, KeyringError> {
    if !disk.is_dir(keyring) {
        return Ok(None);
    }
    let path = keyring.join("lock");
    match disk.lock(&path) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(KeyringError::InUse(path)),
        Err(source) => Err(KeyFileError::Io { path, source }.into()),
    }
}

/// The new key: the one that is there from a change cut short, else a fresh one, durable.
fn prepare(hand: &mut Hand, kek: &Path) -> Result<Kek, KekError> {
    let next = next(kek);
    match read_if_there(&hand.disk, &next)? {
        Some(made) => Ok(made),
        None => Kek::create_on(&hand.disk, &next, hand.random.as_mut()),
    }
}

/// Destroys the old key and lets the new one take its place. The new one has both names until the old name is
/// durable: no machine that stops loses it.
fn finish(disk: &Disk, kek: &Path) -> Result<(), KekError> {
    let next = next(kek);
    let done = || {
        overwrite(disk, kek)?;
        let content = Zeroizing::new(disk.read(&next)?);
        durable::replace(disk, kek, &content)?;
        disk.remove(&next)?;
        durable::settle(disk, kek)
    };
    done().map_err(|source| failed(kek, source))
}

/// Overwrites a file where it stands, so that its bytes are gone from the disk and not only its name.
fn overwrite(disk: &Disk, path: &Path) -> io::Result<()> {
    let len = match disk.read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?.len(),
    };
    let file = disk.open(path)?;
    file.write_all_at(&vec![0; len], 0)?;
    file.sync_all()
}

pub(super) fn read_if_there(disk: &Disk, path: &Path) -> Result<Option<Kek>, KekError> {
    match Kek::read_on(disk, path) {
        Err(KekError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

pub(super) fn next(kek: &Path) -> PathBuf {
    kek.with_added_extension(NEXT)
}

fn failed(path: &Path, source: io::Error) -> KekError {
    KekError::Io {
        path: path.to_owned(),
        source,
    }
}
