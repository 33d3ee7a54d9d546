//! The start: from the view as far as it has come, and from the log for the rest.

use std::{num::NonZeroUsize, path::Path, sync::Arc};

use lru::LruCache;
use schakel_audit::leaf::{EntryType, Leaf, Month};
use schakel_core::{
    dossier::Row,
    event::Details,
    id::{EntryIndex, SlotId, SubjectId},
    random::Random,
    registry::Registry,
    time::Timestamp,
};

use super::{
    Pending, World, WorldError,
    people::People,
    post::Inboxes,
    writes::{REMEMBERED_MS, Writes},
};
use crate::{
    entry::{self, Entry, EntryError, EntryFault},
    keyring::{Keyring, KeyringError},
    log::LogReader,
    view::{self, Applied, DiskError, Loaded, View},
};

/// Dossiers kept in memory. One of ten kilobytes is a long one.
const MOST_DOSSIERS: NonZeroUsize = NonZeroUsize::new(8192).unwrap();
/// Entries applied before the view is written, and progress told.
const AT_ONCE: u64 = 512;

/// What the state is opened with.
pub struct Options<'a> {
    /// The log.
    pub log: &'a LogReader,
    /// The origin of the log, to which details are sealed.
    pub origin: &'a str,
    /// The keyring. Every slot that the log binds is marked as used in it.
    pub keyring: &'a Keyring,
    /// The directory of the view; created when it is missing.
    pub dir: &'a Path,
    /// Where keys and nonces come from.
    pub random: Box<dyn Random + Send>,
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Options");
        shown
            .field("dir", &self.dir)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Why the state could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenWorldError {
    /// The directory of the view cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The view has seen more than the log holds.
    #[error(
        "the view has seen {applied} entries and the log holds {log}: entries were lost or the log was rolled back; \
         restore the log, or, when the loss is accepted and on record, remove the view"
    )]
    AheadOfLog {
        /// How many entries the view has seen.
        applied: u64,
        /// How many there are.
        log: u64,
    },
    /// The view has seen another entry than the log holds in its place.
    #[error(
        "entry {index} is not the one that the view has seen: the log was replaced by another; \
         restore the log, or, when the loss is accepted and on record, remove the view"
    )]
    OtherLog {
        /// The entry.
        index: u64,
    },
    /// The key of the view cannot be had.
    #[error("the key of the view cannot be had")]
    Keyring(#[from] KeyringError),
    /// An entry cannot be read back.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The state cannot be kept.
    #[error(transparent)]
    World(#[from] WorldError),
}

impl World {
    /// Opens the state. What the view lacks is applied from the log; a view that cannot be used is put
    /// aside and made again, under a new key. `progress` is told how many entries are applied, and of
    /// how many.
    ///
    /// # Errors
    /// When the view is ahead of the log, an entry cannot be read back, or the disk fails.
    pub fn open(
        options: Options<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, OpenWorldError> {
        let Options {
            log,
            origin,
            keyring,
            dir,
            mut random,
        } = options;
        let source = Source {
            log,
            origin,
            keyring,
            month: last_month(log)?,
        };
        let (view, applied, loaded) = open_view(&source, dir, random.as_mut())?;
        source.check(applied)?;
        for slot in &loaded.slots {
            keyring.mark_used(*slot);
        }
        let mut world = Self {
            view,
            random,
            registry: Arc::new(loaded.registry),
            inboxes: loaded.inboxes,
            people: loaded.people,
            writes: source.writes(applied.entries)?,
            dossiers: LruCache::new(MOST_DOSSIERS),
            pending: Pending::default(),
            applied,
        };
        world.catch_up(&source, progress)?;
        Ok(world)
    }

    /// Applies what the log holds beyond what is applied.
    fn catch_up(
        &mut self,
        source: &Source<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), OpenWorldError> {
        let size = source.log.size();
        let from = self.applied();
        for (index, stored) in source.log.iter(from) {
            let found = entry::open(index, stored, source.origin, source.keyring)?;
            let index = EntryIndex(index);
            match source.readable(index, &found)? {
                Some((details, at)) => {
                    for (_, slot) in &details.binds {
                        source.keyring.mark_used(*slot);
                    }
                    self.apply(details, &found.leaf, index, at)?;
                }
                None => self.skip(&found.leaf, index)?,
            }
            let done = self.applied();
            if done == size || done.is_multiple_of(AT_ONCE) {
                self.flush(done)?;
                progress(done, size);
            }
        }
        Ok(())
    }
}

/// What was read from the view.
struct Read {
    registry: Registry,
    inboxes: Inboxes,
    people: People,
    slots: Vec<SlotId>,
}

impl Read {
    fn nothing(random: &mut dyn Random) -> Self {
        Self {
            registry: Registry::default(),
            inboxes: Inboxes::new(),
            people: People::new(random),
            slots: Vec::new(),
        }
    }

    fn load(&mut self, loaded: Loaded) {
        match loaded {
            Loaded::Registry(row) => self.registry.restore(row),
            Loaded::Inbox(party, row) => self.inboxes.entry(party).or_default().restore(row),
            Loaded::Dossier(subject, row) => self.find_by(subject, row),
        }
    }

    fn find_by(&mut self, subject: SubjectId, row: Row) {
        match row {
            Row::Identifier(by, entry) => self.people.know(&by, subject, entry),
            Row::Case(case) => self.people.open_case(case.id, subject),
            Row::Introduction(found) => self.people.introduce(found.code_sha256, subject),
            Row::Slot(_, slot) => self.slots.push(slot),
            Row::Consent(_)
            | Row::Status(_)
            | Row::Restriction(_)
            | Row::Served(_)
            | Row::Notice(_) => {}
        }
    }
}

/// Opens the view, or begins a new one.
fn open_view(
    source: &Source<'_>,
    dir: &Path,
    random: &mut dyn Random,
) -> Result<(View, Applied, Read), OpenWorldError> {
    let mut read = Read::nothing(random);
    let opened = View::open(dir, &source.keyring.view_key()?, &mut |row| read.load(row))?;
    if let Some((view, applied)) = opened {
        return Ok((view, applied, read));
    }
    if let Some(aside) = view::quarantine(dir)? {
        tracing::warn!(aside = %aside.display(), "the view is made again from the log");
    }
    // A crash from here on leaves a view that is not finished, or of another generation.
    let key = source.keyring.new_view_key()?;
    let view = View::create(dir, &key)?;
    Ok((view, Applied::default(), Read::nothing(random)))
}

/// Where entries are read back from.
struct Source<'a> {
    log: &'a LogReader,
    origin: &'a str,
    keyring: &'a Keyring,
    /// The month of the last entry; details that were to be destroyed before it may be gone.
    month: Option<Month>,
}

impl Source<'_> {
    /// Holds against the log what the view has seen.
    fn check(&self, applied: Applied) -> Result<(), OpenWorldError> {
        let log = self.log.size();
        let Some(last) = applied.entries.checked_sub(1) else {
            return Ok(());
        };
        if applied.entries > log {
            return Err(OpenWorldError::AheadOfLog {
                applied: applied.entries,
                log,
            });
        }
        if leaf(self.log, last)?.id == applied.last {
            Ok(())
        } else {
            Err(OpenWorldError::OtherLog { index: last })
        }
    }

    /// What can be applied of an entry; `None` when its details were to be destroyed by now, and are.
    fn readable<'e>(
        &self,
        index: EntryIndex,
        entry: &'e Entry,
    ) -> Result<Option<(&'e Details, Timestamp)>, EntryError> {
        let fault = |fault| EntryError {
            index: index.0,
            fault,
        };
        let Some(details) = &entry.details else {
            let due = entry
                .leaf
                .destroy
                .zip(self.month)
                .is_some_and(|(due, now)| due < now);
            return if due {
                Ok(None)
            } else {
                Err(fault(EntryFault::MissingKey))
            };
        };
        let at = Timestamp::from_millis(entry.leaf.at_ms).map_err(|_| fault(EntryFault::Sealed))?;
        Ok(Some((details, at)))
    }

    /// The writes of the last 24 hours of log time, among the first entries.
    fn writes(&self, entries: u64) -> Result<Writes, OpenWorldError> {
        let mut writes = Writes::default();
        let Some(last) = entries.checked_sub(1) else {
            return Ok(writes);
        };
        let since = leaf(self.log, last)?.at_ms.saturating_sub(REMEMBERED_MS);
        let (mut first, mut after) = (0, entries);
        while first < after {
            let middle = first.midpoint(after);
            if leaf(self.log, middle)?.at_ms <= since {
                first = middle.saturating_add(1);
            } else {
                after = middle;
            }
        }
        for (index, stored) in self
            .log
            .iter(first)
            .take_while(|(index, _)| *index < entries)
        {
            let stored = stored.map_err(|e| EntryError {
                index,
                fault: e.into(),
            })?;
            let decoded = Leaf::decode(&stored.leaf);
            let decoded = decoded.map_err(|e| EntryError {
                index,
                fault: e.into(),
            })?;
            if !may_be_a_write(decoded.entry_type) {
                continue;
            }
            let found = entry::open(index, Ok(stored), self.origin, self.keyring)?;
            if let Some((details, at)) = self.readable(EntryIndex(index), &found)? {
                writes.learn(details, EntryIndex(index), at);
            }
        }
        Ok(writes)
    }
}

/// Whether an entry of this type can hold a write: all but what is asked, handed over or the broker's own.
const fn may_be_a_write(kind: EntryType) -> bool {
    !matches!(
        kind,
        EntryType::Disclosure
            | EntryType::Delivery
            | EntryType::LookUp
            | EntryType::Refusals
            | EntryType::Erasure
            | EntryType::Key
            | EntryType::System
            | EntryType::PeerCheckpoint
    )
}

fn leaf(log: &LogReader, index: u64) -> Result<Leaf, EntryError> {
    let read = || Ok::<_, EntryFault>(Leaf::decode(&log.read(index)?.leaf)?);
    read().map_err(|fault| EntryError { index, fault })
}

fn last_month(log: &LogReader) -> Result<Option<Month>, OpenWorldError> {
    let Some(last) = log.size().checked_sub(1) else {
        return Ok(None);
    };
    let at = Timestamp::from_millis(leaf(log, last)?.at_ms);
    let (year, month) = at.unwrap_or(Timestamp::MAX).date().month();
    Ok(Month::new(year, month).ok())
}
