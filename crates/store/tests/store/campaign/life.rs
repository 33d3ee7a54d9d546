//! One schedule: several lives of a process on one disk, each ended by a fault or a stop.

use std::{io::ErrorKind, path::Path, sync::Arc};

use schakel_store::{
    disk::simulated::{Errno, Fault, Operation, Simulation, Stop},
    keyring::{self, Kek, KekError, Keyring, KeyringError},
    log::{Log, OpenError, Settings},
    publication::Publication,
};

use super::{
    Tally,
    dice::Dice,
    model::{Kept, Model},
    outsider, publishing,
    steps::Life,
};
use crate::store::support::ORIGIN;

/// Everything that can go wrong with an operation.
pub(super) const FAULTS: [Fault; 7] = [
    Fault::StopBefore,
    Fault::StopWithin,
    Fault::StopAfter,
    Fault::Before(Errno::Device),
    Fault::After(Errno::Device),
    Fault::Before(Errno::NoRoom),
    Fault::After(Errno::NoRoom),
];

/// Where the key-encryption key is.
pub(super) const KEK: &str = "/kek";
/// Where the keyring is.
const RING: &str = "/keys/ring";

/// What most depends on.
pub(super) const OFTEN: [Operation; 4] = [
    Operation::Write,
    Operation::Sync,
    Operation::Rename,
    Operation::SyncDir,
];

/// Why a life is over.
pub(super) enum End {
    /// A fault came about, and the process has ended because of it.
    Over,
    /// A promise is broken.
    Broken(String),
}

pub(super) type Alive<T> = Result<T, End>;

/// Plays the schedule with this seed.
pub(super) fn schedule(seed: u64) -> Result<Tally, String> {
    let mut schedule = Schedule::new(seed);
    let lives = 2 + schedule.dice.below(5);
    for life in 0..lives {
        // The last life has no faults, so that everything is seen to go on.
        if life + 1 < lives {
            schedule.plan();
        }
        schedule.life(life, None)?;
    }
    Ok(schedule.tally)
}

/// Plays the schedule with this seed in three lives, of which the second has one fault, at its operation
/// number `at`, and ends in this way. Whether it came to that.
pub(super) fn with_fault(seed: u64, at: u64, fault: Fault, stop: Stop) -> Result<bool, String> {
    let mut schedule = Schedule::new(seed);
    schedule.life(0, Some(Stop::Process))?;
    let at = schedule.disk.operations() + at;
    schedule.disk.plan(at, fault);
    schedule.life(1, Some(stop))?;
    let came = schedule.disk.operations() > at;
    schedule.life(2, None)?;
    Ok(came)
}

/// The disk, what was promised on it, and the choices.
pub(super) struct Schedule {
    pub(super) dice: Dice,
    pub(super) disk: Simulation,
    pub(super) model: Model,
    pub(super) tally: Tally,
    pub(super) segment_len: u64,
    /// How many slots are in a shard; so few that the pool is refilled often.
    shard: usize,
    /// Whether something failed in this life, so that a failure is no surprise.
    pub(super) is_excused: bool,
    kek_is_known: bool,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        Self {
            segment_len: 4096 << dice.below(3),
            shard: dice.pick(&[4, 8, 64]).unwrap(),
            dice,
            disk: Simulation::new(seed),
            model: Model::default(),
            tally: Tally::default(),
            is_excused: false,
            kek_is_known: false,
        }
    }

    fn life(&mut self, number: u64, stop: Option<Stop>) -> Result<(), String> {
        let lived = self.live().and_then(|()| self.stop(stop));
        lived.map_err(|broken| format!("life {number}: {broken}"))
    }

    /// Plans up to three faults.
    fn plan(&mut self) {
        for _ in 0..self.dice.below(4) {
            let fault = self.dice.pick(&FAULTS).unwrap();
            if self.dice.once_in(2) {
                let operation = self.dice.pick(&OFTEN).unwrap();
                let after = self.dice.pick(&[1, 4, 16]).unwrap();
                self.disk.plan_in(operation, self.dice.below(after), fault);
            } else {
                let within = self.dice.pick(&[10, 30, 100, 300]).unwrap();
                let at = self.disk.operations() + self.dice.below(within);
                self.disk.plan(at, fault);
            }
        }
    }

    fn live(&mut self) -> Result<(), String> {
        self.tally.lives += 1;
        self.is_excused = false;
        let lived = self.open().and_then(|(log, keyring, publication)| {
            self.tally.opened += 1;
            let mut life = Life {
                log,
                keyring,
                publication,
                at: self,
            };
            life.work()
        });
        match lived {
            Ok(()) | Err(End::Over) => Ok(()),
            Err(End::Broken(what)) => Err(what),
        }
    }

    /// Everything stops, and somebody looks at what is left.
    fn stop(&mut self, stop: Option<Stop>) -> Result<(), String> {
        for fault in self.disk.happened() {
            *self.tally.faults.entry(fault).or_default() += 1;
        }
        self.disk.forget_plan();
        self.disk.set_room(u64::MAX);
        let any = self.dice.pick(&[Stop::Process, Stop::Machine]).unwrap();
        self.disk.restart(stop.unwrap_or(any));
        let found = outsider::entries(&self.disk, Path::new("/data/log"))?;
        self.model.check_found(&found)?;
        let shown = publishing::shown(&self.disk, &found)?;
        if shown < self.model.shown {
            return Err(format!(
                "a checkpoint of {} entries was shown, and now one of {shown}",
                self.model.shown
            ));
        }
        Ok(())
    }

    /// Opens everything in the order of a broker.
    fn open(&mut self) -> Alive<(Log, Arc<Keyring>, Publication)> {
        let kek = self.kek()?;
        let settings = keyring::Settings {
            disk: self.disk.disk(),
            shard: self.shard,
        };
        let random = Box::new(self.dice.random());
        let keyring = Keyring::open_with(settings, Path::new(RING), kek, random);
        let keyring = keyring.map_err(|error| self.excuse(&error))?;
        let log = self.open_log()?;
        let was_in_flight = !self.model.in_flight.is_empty();
        let opened = self.model.check_opened(&log.reader());
        let kept = opened.map_err(|what| self.excuse_or_broken(what))?;
        self.tally.kept += u64::from(kept);
        self.tally.dropped += u64::from(was_in_flight && !kept);
        let bound = self.model.bound();
        // However it ended, the log is never behind what the keyring has seen of it.
        keyring
            .meet(&log.reader())
            .map_err(|error| self.excuse(&error))?;
        for slot in &bound {
            keyring.mark_used(*slot);
        }
        // A slot that was handed out and bound by no entry is free again.
        self.model
            .slots
            .retain(|slot, kept| bound.contains(slot) || !matches!(kept, Kept::There(_)));
        keyring.ready().map_err(|error| self.excuse(&error))?;
        self.model
            .check_keyring(&keyring)
            .map_err(|what| self.excuse_or_broken(what))?;
        let publication = Publication::open(self.disk.disk(), Path::new(publishing::DIR));
        let publication = publication.map_err(|error| self.excuse(&error))?;
        // What stands there when it was opened has been seen, and stays.
        self.model.shown = self.model.shown.max(publication.size());
        Ok((log, keyring, publication))
    }

    fn kek(&mut self) -> Alive<Kek> {
        let (disk, path) = (self.disk.disk(), Path::new(KEK));
        // Nothing drawn here may be drawn again later.
        let mut random = self.dice.random();
        match keyring::recover_on(&disk, path, Path::new(RING), &mut random) {
            Ok((kek, _)) => {
                self.kek_is_known = true;
                Ok(kek)
            }
            Err(KeyringError::Kek(KekError::Io { source, .. }))
                if source.kind() == ErrorKind::NotFound && !self.kek_is_known =>
            {
                let made = Kek::create_on(&disk, path, &mut self.dice.random());
                let kek = made.map_err(|error| self.excuse(&error))?;
                self.kek_is_known = true;
                Ok(kek)
            }
            Err(error) => Err(self.excuse(&error)),
        }
    }

    fn open_log(&mut self) -> Alive<Log> {
        let settings = Settings {
            segment_len: self.segment_len,
            disk: self.disk.disk(),
            ..Settings::new(ORIGIN)
        };
        let data = Path::new("/data");
        match Log::open(data, settings.clone()) {
            Ok(opened) => Ok(opened.log),
            Err(OpenError::Absent(_)) if self.model.entries.is_empty() => {
                Log::create(data, settings).map_err(|error| self.excuse(&error))
            }
            Err(error) => Err(self.excuse(&error)),
        }
    }

    /// A failure is no surprise when the disk failed in this life.
    pub(super) fn excuse(&mut self, error: &(impl std::error::Error + ?Sized)) -> End {
        self.note_faults();
        if self.is_excused {
            End::Over
        } else {
            End::Broken(format!("{error} ({error:?})"))
        }
    }

    pub(super) fn excuse_or_broken(&mut self, what: String) -> End {
        // A key that cannot be made because the disk has stopped is not one that is gone.
        if self.disk.is_stopped() {
            End::Over
        } else {
            End::Broken(what)
        }
    }

    pub(super) fn faults(&self) -> u64 {
        self.tally.faults.values().sum()
    }

    pub(super) fn note_faults(&mut self) {
        for fault in self.disk.happened() {
            self.is_excused = true;
            *self.tally.faults.entry(fault).or_default() += 1;
        }
    }
}
