//! The keyring: what seals the details of entries, and the only thing that is ever deleted.
//!
//! A *slot* is a random id with a key: of one person with one controller, or of one open-ended record. Slots
//! are made in shards, on disk before the first of them is used; which is whose stands in the log. Beside
//! them there is a key for each retention class and month, and one a month for entries about nobody known.

mod file;
mod kek;
mod months;
mod slots;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock, Weak,
        mpsc::{self, SyncSender},
    },
    thread,
};

use aws_lc_rs::hmac;
use schakel_audit::leaf::{Month, RetentionClass};
use schakel_core::{
    id::{PartyId, SlotId},
    random::Random,
};
use zeroize::Zeroizing;

pub use file::KeyFileError;
pub use kek::{Kek, KekError};

use months::Months;
use slots::Slots;

use crate::aes;

/// A key of 32 bytes, wiped when it is dropped.
pub type Key = Zeroizing<[u8; 32]>;

/// The pool is refilled in the background below this many slots.
const LOW_WATER: usize = slots::SHARD / 2;

/// The keyring. Shared by all who seal and open.
#[derive(Debug)]
pub struct Keyring {
    dir: PathBuf,
    kek: Kek,
    slots: RwLock<Slots>,
    months: RwLock<Months>,
    random: Mutex<Source>,
    refill: SyncSender<()>,
}

struct Source(Box<dyn Random + Send>);

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

/// Why the keyring could not give, keep or destroy a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// A file holds something else than keys.
    #[error("`{0}` does not hold what it should")]
    Malformed(PathBuf),
    /// There is no such key: it was destroyed, or never was.
    #[error("there is no such key")]
    Gone,
}

impl Keyring {
    /// Opens the keyring in a directory, making it when there is none.
    ///
    /// The pool stays empty until [`Self::ready`]: the log must first say which slots are in use.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn open(
        dir: &Path,
        kek: Kek,
        random: Box<dyn Random + Send>,
    ) -> Result<Arc<Self>, KeyringError> {
        let failed = |source| KeyFileError::Io {
            path: dir.to_owned(),
            source,
        };
        fs::create_dir_all(dir).map_err(failed)?;
        let slots = Slots::read(dir, &kek)?;
        let months = Months::read(dir, &kek)?;
        let (refill, wanted) = mpsc::sync_channel(1);
        let keyring = Arc::new(Self {
            dir: dir.to_owned(),
            kek,
            slots: RwLock::new(slots),
            months: RwLock::new(months),
            random: Mutex::new(Source(random)),
            refill,
        });
        let weak = Arc::downgrade(&keyring);
        thread::Builder::new()
            .name("keyring-refill".into())
            .spawn(move || keep_filled(&weak, &wanted))
            .map_err(failed)?;
        Ok(keyring)
    }

    /// Notes that the log binds a slot, so that it is never given out again.
    pub fn mark_used(&self, slot: SlotId) {
        write(&self.slots).mark_used(slot);
    }

    /// Opens the pool: every slot the log does not bind may be given out.
    ///
    /// # Errors
    /// When a first shard is needed and cannot be written.
    pub fn ready(&self) -> Result<(), KeyringError> {
        let waiting = write(&self.slots).fill_pool();
        if waiting < LOW_WATER {
            self.refill_now()
        } else {
            Ok(())
        }
    }

    /// Gives out a slot whose key is durable. Waits for the disk only when the pool ran dry.
    ///
    /// # Errors
    /// When the pool ran dry and cannot be refilled.
    pub fn take_slot(&self) -> Result<SlotId, KeyringError> {
        loop {
            let (slot, left) = write(&self.slots).take();
            if left < LOW_WATER {
                // Full means that a refill is under way or asked for already.
                let _ = self.refill.try_send(());
            }
            match slot {
                Some(slot) => return Ok(slot),
                None => self.refill_now()?,
            }
        }
    }

    /// The key of a slot, or of a month's `unknown` id.
    ///
    /// # Errors
    /// [`KeyringError::Gone`].
    pub fn key(&self, slot: SlotId) -> Result<Key, KeyringError> {
        let found = read(&self.slots)
            .key(slot)
            .or_else(|| read(&self.months).unknown_key(slot));
        found.ok_or(KeyringError::Gone)
    }

    /// The key of a retention class and month, made durable on first use.
    ///
    /// # Errors
    /// When it is new and cannot be written.
    pub fn month(&self, class: RetentionClass, month: Month) -> Result<Key, KeyringError> {
        let found = read(&self.months).class_key(class, month);
        match found {
            Some(key) => Ok(key),
            None => self.alter_months(|months, random| months.make_class(class, month, random)),
        }
    }

    /// The key of a retention class and month, if it is still there.
    ///
    /// # Errors
    /// [`KeyringError::Gone`].
    pub fn existing_month(&self, class: RetentionClass, month: Month) -> Result<Key, KeyringError> {
        read(&self.months)
            .class_key(class, month)
            .ok_or(KeyringError::Gone)
    }

    /// The key for entries about nobody known, with its id, made durable on first use.
    ///
    /// # Errors
    /// When it is new and cannot be written.
    pub fn unknown(&self, month: Month) -> Result<(SlotId, Key), KeyringError> {
        let found = read(&self.months).unknown(month);
        match found {
            Some(found) => Ok(found),
            None => self.alter_months(|months, random| months.make_unknown(month, random)),
        }
    }

    /// The key of the present generation of the view, made durable on first use.
    ///
    /// # Errors
    /// When it is new and cannot be written.
    pub fn view_key(&self) -> Result<Key, KeyringError> {
        let found = read(&self.months).view_key();
        match found {
            Some(key) => Ok(key),
            None => self.new_view_key(),
        }
    }

    /// The key of the cursors that callers are handed: of the same generation as the view.
    ///
    /// # Errors
    /// When the view's key is new and cannot be written.
    pub fn cursor_key(&self) -> Result<Key, KeyringError> {
        Ok(aes::derive(
            b"",
            &[&*self.view_key()?],
            b"schakel/cursor/v1",
        ))
    }

    /// Begins a new generation of the view: the key of the one before is gone afterwards.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new_view_key(&self) -> Result<Key, KeyringError> {
        self.alter_months(Months::make_view)
    }

    /// Destroys the key of a slot: what it sealed can no longer be read.
    ///
    /// # Errors
    /// When the shard cannot be replaced; the key is unusable all the same.
    pub fn destroy_slot(&self, slot: SlotId) -> Result<(), KeyringError> {
        let mut slots = write(&self.slots);
        let mut random = self.random();
        slots.destroy(&self.dir, &self.kek, slot, random.0.as_mut())
    }

    /// Destroys the key of a retention class and month.
    ///
    /// # Errors
    /// When the table cannot be replaced; the key is unusable all the same.
    pub fn destroy_month(&self, class: RetentionClass, month: Month) -> Result<(), KeyringError> {
        self.alter_months(|months, _| months.destroy_class(class, month))
    }

    /// The tag of a person in the leaves of a party's entries of one month:
    /// HMAC-SHA256(HKDF(slot key, "schakel/tag/v1"), party ‖ 0 ‖ yyyymm), its first 16 bytes.
    ///
    /// # Errors
    /// [`KeyringError::Gone`].
    pub fn tag(
        &self,
        slot: SlotId,
        party: &PartyId,
        month: Month,
    ) -> Result<[u8; 16], KeyringError> {
        let key = aes::derive(b"", &[&*self.key(slot)?], b"schakel/tag/v1");
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_slice());
        let mut message = party.as_str().as_bytes().to_vec();
        message.push(0);
        message.extend_from_slice(month.number().to_string().as_bytes());
        let mut tag = [0; 16];
        let full = hmac::sign(&key, &message);
        for (into, from) in tag.iter_mut().zip(full.as_ref()) {
            *into = *from;
        }
        Ok(tag)
    }

    fn refill_now(&self) -> Result<(), KeyringError> {
        let shard = {
            let mut random = self.random();
            slots::make(random.0.as_mut())
        };
        let number = write(&self.slots).next_shard();
        let mut random = self.random();
        shard.keep(&self.dir, &self.kek, number, random.0.as_mut())?;
        drop(random);
        write(&self.slots).add(number, shard);
        Ok(())
    }

    fn alter_months<T>(
        &self,
        change: impl FnOnce(&mut Months, &mut dyn Random) -> T,
    ) -> Result<T, KeyringError> {
        let mut months = write(&self.months);
        let mut random = self.random();
        let made = change(&mut months, random.0.as_mut());
        months.keep(&self.dir, &self.kek, random.0.as_mut())?;
        Ok(made)
    }

    fn random(&self) -> std::sync::MutexGuard<'_, Source> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refills the pool whenever it is asked to, until the keyring is gone. A shard that cannot be written is
/// tried again when the next slot is taken; the taker sees the error once the pool is dry.
fn keep_filled(keyring: &Weak<Keyring>, wanted: &mpsc::Receiver<()>) {
    while wanted.recv().is_ok() {
        let Some(keyring) = keyring.upgrade() else {
            return;
        };
        if let Err(error) = keyring.refill_now() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the key pool was not refilled"
            );
        }
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
