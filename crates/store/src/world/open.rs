//! The start: from the view as far as it has come, and from the log for the rest.

use std::{num::NonZeroUsize, path::Path, sync::Arc};

use lru::LruCache;
use schakel_core::{
    dossier::Row,
    erasure::{Done, Erasures},
    event::{Details, SlotUse},
    id::{EntryIndex, SlotId, SubjectId},
    random::Random,
    registry::Registry,
};

use super::{Pending, World, WorldError, people::People, post::Inboxes, source::Source};
use crate::{
    entry::{self, EntryError},
    keyring::{Doomed, Keyring, KeyringError},
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
        };
        let Begun {
            view,
            applied,
            read: loaded,
            erased,
        } = begin(&source, dir, random.as_mut())?;
        for slot in &loaded.slots {
            keyring.mark_used(*slot);
        }
        let mut world = Self {
            view,
            random,
            registry: Arc::new(loaded.registry),
            inboxes: loaded.inboxes,
            people: loaded.people,
            writes: source.writes(applied.entries, &erased)?,
            erasures: Arc::new(loaded.erasures),
            dossiers: LruCache::new(MOST_DOSSIERS),
            pending: Pending::default(),
            applied,
        };
        world.catch_up(&source, &erased, progress)?;
        if applied.entries == 0
            && let Some(last) = world.erasures.unswept()
        {
            // Made from what can still be read: there is nothing to sweep.
            world.sweep(last);
            world.flush(world.applied())?;
        }
        Ok(world)
    }

    /// Leaves the keys out that are known to be in use, so that an entry that says nothing new costs nothing.
    fn leave_out_known_keys(&mut self, details: &mut Details) -> Result<(), WorldError> {
        if let Some(subject) = details.subject {
            let dossier = self.dossier(subject)?;
            let known = |usage: &SlotUse, slot: &SlotId| dossier.slots.get(usage) == Some(slot);
            details.binds.retain(|(usage, slot)| !known(usage, slot));
        }
        Ok(())
    }

    /// Applies what the log holds beyond what is applied.
    fn catch_up(
        &mut self,
        source: &Source<'_>,
        erased: &Erasures,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), OpenWorldError> {
        let size = source.log.size();
        let from = self.applied();
        for (index, stored) in source.log.iter(from) {
            let mut found = entry::open(index, stored, source.origin, source.keyring)?;
            let index = EntryIndex(index);
            if let Some(details) = &mut found.details {
                for (_, slot) in &details.binds {
                    source.keyring.mark_used(*slot);
                }
                self.leave_out_known_keys(details)?;
            }
            match Source::readable(index, &found, erased)? {
                Some((details, at)) => self.apply_remains(details, &found, index, at)?,
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
    erasures: Erasures,
}

impl Read {
    fn nothing(random: &mut dyn Random) -> Self {
        Self {
            registry: Registry::default(),
            inboxes: Inboxes::new(),
            people: People::new(random),
            slots: Vec::new(),
            erasures: Erasures::default(),
        }
    }

    fn load(&mut self, loaded: Loaded) {
        match loaded {
            Loaded::Registry(row) => self.registry.restore(row),
            Loaded::Inbox(party, row) => self.inboxes.entry(party).or_default().restore(row),
            Loaded::Dossier(subject, row) => self.find_by(subject, row),
            Loaded::Erasure(row) => self.erasures.restore(row),
        }
    }

    fn find_by(&mut self, subject: SubjectId, row: Row) {
        match row {
            Row::Identifier(by, entry) => self.people.know(&by, subject, entry),
            Row::Case(case) => self.people.open_case(&case, subject),
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

/// A view to go on from, and everything the log says was erased.
struct Begun {
    view: View,
    applied: Applied,
    read: Read,
    erased: Erasures,
}

/// Opens the view, or begins a new one. Erasures are carried out again first: the keyring may be a copy from
/// before them, or the broker may have ended between an erasure's entry and its end. What was read before
/// that is not used.
fn begin(
    source: &Source<'_>,
    dir: &Path,
    random: &mut dyn Random,
) -> Result<Begun, OpenWorldError> {
    let mut read = Read::nothing(random);
    let opened = View::open(dir, &source.keyring.view_key()?, &mut |row| read.load(row))?;
    let applied = opened
        .as_ref()
        .map_or_else(Applied::default, |(_, applied)| *applied);
    source.check(applied)?;
    let known = opened.as_ref().map(|_| read.erasures.clone());
    let erased = source.erasures(known.unwrap_or_default(), applied.entries)?;
    let destroyed = source.keyring.destroy(&Doomed::by(&erased))?;
    let unseen = |done: &Done| done.entry.0 >= applied.entries;
    match opened {
        Some((view, applied)) if !destroyed && !erased.done().any(unseen) => {
            return Ok(Begun {
                view,
                applied,
                read,
                erased,
            });
        }
        opened if opened.is_some() || erased.done().next().is_some() => {
            drop(opened);
            // What was erased may be in it: it is not put aside.
            view::discard(dir)?;
            tracing::info!("the view is made again from the log");
        }
        _ => {
            if let Some(aside) = view::quarantine(dir)? {
                tracing::warn!(aside = %aside.display(), "the view is made again from the log");
            }
        }
    }
    // A crash from here on leaves a view that is not finished, or of another generation.
    let key = source.keyring.new_view_key()?;
    Ok(Begun {
        view: View::create(dir, &key)?,
        applied: Applied::default(),
        read: Read::nothing(random),
        erased,
    })
}
