//! Starting the writer: keyring, log, state and indexes, in the order in which each needs the one before.

mod error;
mod founding;

use std::{path::PathBuf, sync::Arc, thread};

use schakel_audit::{
    checkpoint::Origin,
    leaf::{Leaf, Month},
};
use schakel_core::{
    catalogue::Catalogue,
    code::Role,
    erasure::Erasures,
    event::Event,
    id::{EntryIndex, PartyId},
    registry::Registry,
    time::Timestamp,
};
use schakel_store::{
    disk::Disk,
    entry,
    index::{self, Index},
    keyring::{self, Doomed, Keyring},
    log::{Log, LogReader, OpenError, Settings},
    random::OsRandom,
    view,
    world::{self, World},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use super::{
    Sequencer,
    courier::Courier,
    cursor::Cursors,
    erase::Upkeep,
    job::Job,
    resume,
    room::Kept,
    rules::RuleDigests,
    shared::Shared,
    signing::Signing,
    time::LogTime,
    writer::{Writer, WriterError},
};
use crate::{
    clock::Clock,
    config,
    publication::{
        Halt,
        outside::{Outside, Places},
    },
    telemetry::Metrics,
    trail::Trail,
};

pub use error::StartError;

/// The most requests that wait for the writer; more are sent back at once.
const MOST_WAITING: usize = 8192;

/// Where the broker keeps what it keeps.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The directory of log, view and indexes.
    pub data: PathBuf,
    /// The directory of the keyring.
    pub keyring: PathBuf,
    /// The key that wraps the keyring.
    pub kek: PathBuf,
    /// The private key that signs checkpoints, as an skey.
    pub checkpoint_key: PathBuf,
    /// The key that is to take over from it; both sign then.
    pub next_checkpoint_key: Option<PathBuf>,
    /// What stands outside the log; `None` when nothing is published.
    pub outside: Option<Places>,
}

/// What starting needs beside the paths.
pub struct Setup<'a> {
    /// The name of the log.
    pub origin: &'a str,
    /// How long a segment of the log is, in bytes.
    pub segment_len: u64,
    /// The disk that the log is on.
    pub disk: Disk,
    /// What is registered when the log is empty.
    pub founding: &'a Catalogue,
    /// For how long what is kept.
    pub retention: config::Retention,
    /// The broker's clock.
    pub clock: Arc<dyn Clock>,
    /// Where measurements go.
    pub metrics: Metrics,
    /// Where those run who wait for answers.
    pub runtime: Handle,
    /// Is told what is being done and how far it is.
    pub progress: &'a mut dyn FnMut(&'static str, u64, u64),
}

/// A writer that runs.
#[derive(Debug)]
pub struct Started {
    /// The handle to it.
    pub sequencer: Sequencer,
    /// What is published, when something is.
    pub(crate) outside: Option<Outside>,
    /// Resolves when the writer has ended: well after a stop, else with what went wrong. The process must
    /// end then, because the state in memory may be ahead of the log.
    pub ended: oneshot::Receiver<Result<(), WriterError>>,
}

impl std::fmt::Debug for Setup<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Setup");
        shown.field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Opens everything, registers the founding parties and purposes when the log is empty, records the start,
/// and sets the writer to work on a thread of its own.
///
/// # Errors
/// [`StartError`]; nothing serves then.
pub fn start(paths: &Paths, setup: Setup<'_>) -> Result<Started, StartError> {
    let founding = setup.founding;
    let Opened {
        mut writer,
        cursors,
        keys,
        outside,
    } = open(paths, setup)?;
    if writer.log.size() == 0 {
        founding::register(&mut writer, founding)?;
    }
    let mut nonce = [0; 16];
    writer.random.fill(&mut nonce);
    let version = env!("CARGO_PKG_VERSION").to_owned();
    // A change of the key-encryption key that was cut short was finished before anything was opened.
    let started = Event::Started { version, nonce };
    writer.own_entries(keys.into_iter().chain([started]))?;
    // When nothing could be recorded yet it stands in no entry, and the next start has to say it.
    if writer.kept.is_empty() {
        resume::settle(&paths.data)?;
    }

    let shared = Arc::clone(&writer.shared);
    let (jobs, taken) = mpsc::channel::<Job>(MOST_WAITING);
    let (sender, ended) = oneshot::channel();
    thread::Builder::new()
        .name("writer".into())
        .spawn(move || {
            let result = writer.run(taken);
            // When nobody waits for the end, the process is ending already.
            let _ = sender.send(result);
        })?;
    let cursors = Arc::new(cursors);
    let sequencer = Sequencer {
        jobs,
        shared,
        cursors,
    };
    Ok(Started {
        sequencer,
        outside,
        ended,
    })
}

/// Everything opened, and nothing recorded yet.
struct Opened {
    writer: Writer,
    cursors: Cursors,
    /// What the log is to say about its keys, and of a halt that was lifted.
    keys: Vec<Event>,
    outside: Option<Outside>,
}

fn open(paths: &Paths, setup: Setup<'_>) -> Result<Opened, StartError> {
    let origin: Origin = setup.origin.parse()?;
    let resumed = resume::look(&paths.data)?;
    let (kek, rotated) = keyring::recover(&paths.kek, &paths.keyring, &mut OsRandom)?;
    let keyring = Keyring::open(&paths.keyring, kek, Box::new(OsRandom))?;
    let log = open_log(paths, &setup, &keyring)?;
    let progress = setup.progress;
    let world = open_world(paths, &log.reader(), &keyring, setup.origin, progress)?;

    let signing = Signing::open(paths, &log, origin, &world)?;
    let erasures = world.erasures();
    let keys = (&*keyring, &*erasures);
    let index = open_index(paths, &log.reader(), keys, setup.origin, progress)?;
    let trail = Trail::new(
        log.reader(),
        Arc::clone(&keyring),
        Arc::clone(&index),
        setup.origin,
        &signing.verifier_key,
        signing.head,
    );
    trail.show_erasures(erasures);
    let broker = broker(&world.registry(), setup.founding)?;
    let mut rules = RuleDigests::default();
    rules.learn(&world.registry());
    let cursors = Cursors::new(&*keyring.cursor_key()?).ok_or(StartError::Cursors)?;
    let time = LogTime::new(newest(&log.reader())?);
    let halt = Halt::of(&paths.data, Arc::clone(&setup.clock));
    let shared = Arc::new(Shared::new(
        setup.origin.to_owned(),
        setup.clock,
        setup.metrics,
        world.registry(),
        trail,
        (keyring, index),
        halt,
    ));
    let writer = Writer {
        log,
        world,
        rules,
        time,
        signer: signing.signer,
        random: Box::new(OsRandom),
        broker,
        shared,
        courier: Courier::new(setup.runtime),
        anchor: signing.anchor,
        terms: setup.retention,
        kek: paths.kek.clone(),
        upkeep: Upkeep::default(),
        kept: Kept::default(),
    };
    let mut keys = signing.events;
    keys.extend(resumed);
    keys.extend(rotated.then_some(Event::KekRotated));
    Ok(Opened {
        writer,
        cursors,
        keys,
        outside: signing.outside,
    })
}

/// Opens the state, and holds the keyring against the log: what is gone was erased, and what entries are sealed
/// with is there.
fn open_world(
    paths: &Paths,
    reader: &LogReader,
    keyring: &Keyring,
    origin: &str,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<World, StartError> {
    let options = world::Options {
        log: reader,
        origin,
        keyring,
        dir: &paths.data.join("view"),
        random: Box::new(OsRandom),
    };
    let world = World::open(options, &mut |done, of| progress("view", done, of))?;
    // The view has said by now what it knows of a log that went back.
    keyring.meet(reader).map_err(|source| StartError::Seen {
        data: paths.data.clone(),
        source,
    })?;
    keyring.ready()?;
    let erasures = world.erasures();
    let in_use = erasures.months_left().filter_map(|due| {
        let month = Month::from_number(u64::from(due.month)).ok()?;
        Some((due.class, month))
    });
    keyring.check(&Doomed::by(&erasures), in_use)?;
    Ok(world)
}

fn open_log(paths: &Paths, setup: &Setup<'_>, keyring: &Keyring) -> Result<Log, StartError> {
    let settings = Settings {
        segment_len: setup.segment_len,
        disk: setup.disk.clone(),
        ..Settings::new(setup.origin)
    };
    match Log::open(&paths.data, settings.clone()) {
        Ok(opened) => {
            if let Some(cut) = opened.cut {
                tracing::warn!(
                    ?cut,
                    "an interrupted write at the end of the log was cut; nobody was told of it"
                );
            }
            Ok(opened.log)
        }
        // Begun anew under the same name and key, it would contradict what was signed for the one that is missing,
        // and hand its people's keys to others.
        Err(OpenError::Absent(_)) if keyring.is_in_use() => Err(StartError::LogMissing {
            data: paths.data.clone(),
            keyring: paths.keyring.clone(),
        }),
        Err(OpenError::Absent(_)) => Ok(Log::create(&paths.data, settings)?),
        Err(error) => Err(error.into()),
    }
}

fn open_index(
    paths: &Paths,
    reader: &LogReader,
    (keyring, erasures): (&Keyring, &Erasures),
    origin: &str,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<Arc<Index>, StartError> {
    let options = index::Options {
        dir: paths.data.join("index"),
        key: view::index_key(&keyring.view_key()?),
        size: reader.size(),
        run: index::DEFAULT_RUN,
        random: Box::new(OsRandom),
    };
    let facts_of = |at: EntryIndex| {
        let found = entry::whole(at.0, reader.read(at.0), origin, keyring)?;
        Ok(index::remaining_facts(&found, at, erasures))
    };
    let index = Index::open(options, facts_of, &mut |done, of| {
        progress("search indexes", done, of);
    })?;
    Ok(Arc::new(index))
}

/// The broker's own party: registered, or about to be.
fn broker(registry: &Registry, founding: &Catalogue) -> Result<PartyId, StartError> {
    let registered = registry
        .parties()
        .find(|party| party.has_role(Role::Broker));
    let founded = || {
        founding
            .parties
            .iter()
            .find(|party| party.has_role(Role::Broker))
    };
    let party = registered.or_else(founded).ok_or(StartError::NoBroker)?;
    Ok(party.id.clone())
}

/// The time of the newest entry.
fn newest(reader: &LogReader) -> Result<Timestamp, StartError> {
    let Some(last) = reader.size().checked_sub(1) else {
        return Ok(Timestamp::EPOCH);
    };
    let stored = reader.read(last)?;
    let at = Leaf::decode(&stored.leaf).map_or(0, |leaf| leaf.at_ms);
    Ok(Timestamp::from_millis(at).unwrap_or(Timestamp::MAX))
}
