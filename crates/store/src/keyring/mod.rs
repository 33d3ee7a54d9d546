//! The keyring: what seals the details of entries, and the only thing that is ever deleted.
//!
//! A *slot* is a random id with a key: of one person with one controller, or of one open-ended record. Slots
//! are made in shards, on disk before the first of them is used; which is whose stands in the log. Beside
//! them there is a key for each retention class and month, and one a month for entries about nobody known.

mod destroy;
mod file;
mod hand;
mod kek;
mod look;
mod months;
mod rotate;
mod seen;
mod settings;
mod slots;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use aws_lc_rs::hmac;
use schakel_audit::leaf::{Month, RetentionClass};
use schakel_core::{
    id::{PartyId, SlotId},
    random::Random,
};
use zeroize::Zeroizing;

pub use destroy::Doomed;
pub use file::KeyFileError;
pub use kek::{Kek, KekError};
pub use look::look;
pub use rotate::{recover, recover_on};
pub use seen::SeenError;
pub use settings::Settings;

use hand::Hand;
use months::Months;
use seen::Head;
use slots::Slots;

use crate::{aes, background::Background, disk::File, durable};

/// A key of 32 bytes, wiped when it is dropped.
pub type Key = Zeroizing<[u8; 32]>;

/// The keyring. Shared by all who seal and open.
#[derive(Debug)]
pub struct Keyring {
    shared: Arc<Shared>,
    refiller: Background,
}

/// What the keyring shares with the thread that refills its pool.
#[derive(Debug)]
struct Shared {
    settings: Settings,
    slots: RwLock<Slots>,
    months: RwLock<Months>,
    /// How far the log is on disk. Never locked while the disk is waited for.
    newest: Mutex<Option<Head>>,
    /// Held while a file is replaced, so that no file is ever replaced by an older state of itself.
    /// Taken before the tables, which are never locked while the disk is waited for.
    hand: Mutex<Hand>,
    /// Released when both the keyring and the thread are gone.
    _lock: File,
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
    /// Another process has the keyring open.
    #[error("`{0}` is locked: another process has the keyring open")]
    InUse(PathBuf),
    /// The log binds a slot that the keyring has never had: it is another keyring, or an old copy.
    #[error(
        "the keyring lacks slot `{0}`, which the log binds: restore the keyring that belongs to the log"
    )]
    Missing(SlotId),
    /// The key of a slot was destroyed, and the log does not say so.
    #[error(
        "the key of slot `{0}` was destroyed and nothing in the log says so: \
         restore the keyring that belongs to the log"
    )]
    Destroyed(SlotId),
    /// The key of a class and month was destroyed, and the log does not say so.
    #[error(
        "the key of retention class {0} for {month} was destroyed and nothing in the log says so: \
         restore the keyring that belongs to the log",
        month = .1.number()
    )]
    DestroyedMonth(u8, Month),
    /// The keyring lacks the key of a class and month that entries of the log were sealed with.
    #[error(
        "the keyring lacks the key of retention class {0} for {month}, with which entries were sealed: \
         restore the keyring that belongs to the log",
        month = .1.number()
    )]
    MissingMonth(u8, Month),
    /// The key-encryption key could not be read or changed.
    #[error(transparent)]
    Kek(#[from] KekError),
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
        Self::open_with(Settings::default(), dir, kek, random)
    }

    /// As [`Self::open`], with other settings than a broker's.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn open_with(
        settings: Settings,
        dir: &Path,
        kek: Kek,
        random: Box<dyn Random + Send>,
    ) -> Result<Arc<Self>, KeyringError> {
        let failed = |source| KeyFileError::Io {
            path: dir.to_owned(),
            source,
        };
        let disk = &settings.disk;
        durable::create_dir(disk, dir).map_err(failed)?;
        let lock = dir.join("lock");
        let lock = disk
            .lock(&lock)
            .map_err(failed)?
            .ok_or(KeyringError::InUse(lock))?;
        durable::remove_unfinished(disk, dir).map_err(failed)?;
        // The process before this one may have ended between renaming a file and making that durable. What is
        // read now must not be gone later: keys from it will be used, and keys missing from it were destroyed.
        disk.sync_dir(dir).map_err(failed)?;
        durable::settle(disk, dir).map_err(failed)?;
        let shared = Arc::new(Shared {
            slots: RwLock::new(Slots::read(disk, dir, &kek)?),
            months: RwLock::new(Months::read(disk, dir, &kek)?),
            newest: Mutex::new(None),
            hand: Mutex::new(Hand {
                seen: seen::read(disk, dir, &kek)?,
                disk: disk.clone(),
                dir: dir.to_owned(),
                kek,
                random,
                owes_table: false,
            }),
            settings,
            _lock: lock,
        });
        let pool = Arc::clone(&shared);
        let refill = move || refill_pool(&pool);
        let refiller =
            Background::start(&shared.settings.disk, "keyring-refill", refill).map_err(failed)?;
        Ok(Arc::new(Self { shared, refiller }))
    }

    /// Notes that the log binds a slot, so that it is never given out again.
    pub fn mark_used(&self, slot: SlotId) {
        write(&self.shared.slots).mark_used(slot);
    }

    /// Opens the pool: every slot the log does not bind may be given out.
    ///
    /// # Errors
    /// [`KeyringError::Missing`] when the log binds a slot that the keyring neither has nor has destroyed;
    /// or when a first shard is needed and cannot be written.
    pub fn ready(&self) -> Result<(), KeyringError> {
        let waiting = write(&self.shared.slots)
            .fill_pool()
            .map_err(KeyringError::Missing)?;
        if waiting < self.shared.settings.low_water() {
            self.shared.refill_now()
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
            let (slot, left) = write(&self.shared.slots).take();
            if left < self.shared.settings.low_water() {
                self.refiller.ask();
            }
            match slot {
                Some(slot) => return Ok(slot),
                None => self.shared.refill_now()?,
            }
        }
    }

    /// The key of a slot, or of a month's `unknown` id.
    ///
    /// # Errors
    /// [`KeyringError::Gone`].
    pub fn key(&self, slot: SlotId) -> Result<Key, KeyringError> {
        let found = read(&self.shared.slots).key(slot);
        let found = found.or_else(|| read(&self.shared.months).unknown_key(slot));
        found.ok_or(KeyringError::Gone)
    }

    /// The key of a retention class and month, made durable on first use.
    ///
    /// # Errors
    /// [`KeyringError::Gone`] when it was destroyed; or when it is new and cannot be written.
    pub fn month(&self, class: RetentionClass, month: Month) -> Result<Key, KeyringError> {
        let found = read(&self.shared.months).class_key(class, month);
        match found {
            Some(key) => Ok(key),
            None => self
                .shared
                .make_in_months(|months, random| months.make_class(class, month, random)),
        }
    }

    /// The key of a retention class and month, if it is still there.
    ///
    /// # Errors
    /// [`KeyringError::Gone`].
    pub fn existing_month(&self, class: RetentionClass, month: Month) -> Result<Key, KeyringError> {
        read(&self.shared.months)
            .class_key(class, month)
            .ok_or(KeyringError::Gone)
    }

    /// Whether keys were made for a log: the first, that of its view, is made when the log is there.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        !read(&self.shared.months).is_empty()
    }

    /// The key for entries about nobody known, with its id, made durable on first use.
    ///
    /// # Errors
    /// [`KeyringError::Gone`] when it was destroyed; or when it is new and cannot be written.
    pub fn unknown(&self, month: Month) -> Result<(SlotId, Key), KeyringError> {
        let found = read(&self.shared.months).unknown(month);
        match found {
            Some(found) => Ok(found),
            None => self
                .shared
                .make_in_months(|months, random| months.make_unknown(month, random)),
        }
    }

    /// The key of the present generation of the view, made durable on first use.
    ///
    /// # Errors
    /// When it is new and cannot be written.
    pub fn view_key(&self) -> Result<Key, KeyringError> {
        let found = read(&self.shared.months).view_key();
        match found {
            Some(key) => Ok(key),
            None => self.new_view_key(),
        }
    }

    /// The key of the cursors that callers are handed, made durable on first use. It outlives generations of
    /// the view: a view made again gives the same positions.
    ///
    /// # Errors
    /// When it is new and cannot be written.
    pub fn cursor_key(&self) -> Result<Key, KeyringError> {
        let found = read(&self.shared.months).cursor_key();
        match found {
            Some(key) => Ok(key),
            None => self
                .shared
                .make_in_months(|months, random| Some(months.make_cursor(random))),
        }
    }

    /// Begins a new generation of the view: the key of the one before is gone afterwards.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new_view_key(&self) -> Result<Key, KeyringError> {
        self.shared
            .make_in_months(|months, random| Some(months.make_view(random)))
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
        let month = month.number().to_string();
        let message = [party.as_str().as_bytes(), &[0], month.as_bytes()].concat();
        self.marked(slot, b"schakel/tag/v1", &message)
    }

    /// The pseudonym of a person with a controller, for the controller's own records: the same for as long as
    /// the slot lives, and nothing to anybody else.
    ///
    /// # Errors
    /// [`KeyringError::Gone`].
    pub fn pseudonym(&self, slot: SlotId, party: &PartyId) -> Result<[u8; 16], KeyringError> {
        self.marked(slot, b"schakel/pseudonym/v1", party.as_str().as_bytes())
    }

    fn marked(
        &self,
        slot: SlotId,
        use_of_key: &[u8],
        message: &[u8],
    ) -> Result<[u8; 16], KeyringError> {
        let key = aes::derive(b"", &[&*self.key(slot)?], use_of_key);
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_slice());
        let mut mark = [0; 16];
        let full = hmac::sign(&key, message);
        for (into, from) in mark.iter_mut().zip(full.as_ref()) {
            *into = *from;
        }
        Ok(mark)
    }
}

impl Shared {
    /// Adds a shard to the pool, once it is durable.
    fn refill_now(&self) -> Result<(), KeyringError> {
        let mut hand = self.hand();
        let shard = slots::make(self.settings.shard, hand.random.as_mut());
        let number = write(&self.slots).next_shard();
        hand.keep(&slots::name(number), &shard.encode())?;
        write(&self.slots).add(number, shard);
        Ok(hand.keep_seen(self.newest())?)
    }

    /// Adds keys to the table of months. They can be used only once they are durable.
    fn make_in_months<T>(
        &self,
        draw: impl FnOnce(&mut Months, &mut dyn Random) -> Option<T>,
    ) -> Result<T, KeyringError> {
        let mut hand = self.hand();
        let mut months = read(&self.months).clone();
        let made = draw(&mut months, hand.random.as_mut()).ok_or(KeyringError::Gone)?;
        hand.keep(months::NAME, &months.encode())?;
        *write(&self.months) = months;
        hand.keep_seen(self.newest())?;
        Ok(made)
    }

    fn hand(&self) -> std::sync::MutexGuard<'_, Hand> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refills the pool ahead. A shard that cannot be written is tried again when the next slot is taken; the
/// taker sees the error once the pool is dry.
fn refill_pool(shared: &Shared) {
    if let Err(error) = shared.refill_now() {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the key pool was not refilled"
        );
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
