//! The crash campaign: schedules of work on a simulated disk that fails, stops and forgets, each followed
//! by a check of everything that was promised.
//!
//! A schedule follows from its seed alone. `tests/campaign/run` plays very many of them; the test below
//! some, or as many as `SCHAKEL_SCHEDULES` says, from seed `SCHAKEL_SEED` on. A schedule that breaks a
//! promise is named by its seed: `SCHAKEL_SCHEDULES=1 SCHAKEL_SEED=<seed>` plays it again.

use std::{
    collections::BTreeMap,
    env, fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use schakel_store::disk::simulated::{Fault, Operation, Stop};

mod dice;
mod life;
mod model;
mod outsider;
mod publishing;
mod steps;

/// What was tried.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How often the disk was opened, and what was promised checked.
    pub(super) lives: u64,
    /// How many of these opened a log and a keyring well.
    pub(super) opened: u64,
    /// Entries that were acknowledged.
    pub(super) entries: u64,
    /// Stops after which the last batch was there whole, though nobody had been told of it.
    pub(super) kept: u64,
    /// Stops after which it was gone, or cut off.
    pub(super) dropped: u64,
    /// Batches refused because the disk was full.
    pub(super) refused: u64,
    /// Segments that were put into use.
    pub(super) segments: u64,
    /// Changes of the key-encryption key.
    pub(super) rotated: u64,
    /// Checkpoints that were shown.
    pub(super) shown: u64,
    /// Keys that were destroyed.
    pub(super) destroyed: u64,
    /// Which faults came about in which operation.
    pub(super) faults: BTreeMap<(Operation, Fault), u64>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.lives += other.lives;
        self.opened += other.opened;
        self.entries += other.entries;
        self.kept += other.kept;
        self.dropped += other.dropped;
        self.refused += other.refused;
        self.segments += other.segments;
        self.rotated += other.rotated;
        self.shown += other.shown;
        self.destroyed += other.destroyed;
        for (fault, count) in other.faults {
            *self.faults.entry(fault).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  {} starts, of which {} opened; {} entries acknowledged; {} segments put into use",
            self.lives, self.opened, self.entries, self.segments
        )?;
        writeln!(
            f,
            "  batches of which nobody was told: {} kept whole, {} gone; {} refused for want of room",
            self.kept, self.dropped, self.refused
        )?;
        writeln!(
            f,
            "  {} checkpoints shown; {} keys destroyed, {} changes of the key-encryption key",
            self.shown, self.destroyed, self.rotated
        )?;
        for ((operation, fault), count) in &self.faults {
            writeln!(f, "  {count:>8} x {fault:?} in {operation:?}")?;
        }
        Ok(())
    }
}

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |value| {
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number"))
    })
}

fn play(seed: u64) -> Result<Tally, String> {
    catch_unwind(AssertUnwindSafe(|| life::schedule(seed)))
        .unwrap_or_else(|_| Err("it panicked".to_owned()))
        .map_err(|broken| {
            format!("seed {seed}: {broken}\nagain: SCHAKEL_SCHEDULES=1 SCHAKEL_SEED={seed}")
        })
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "whoever runs a campaign wants to see what it tried"
)]
fn campaign_nothing_that_was_promised_is_lost_whatever_fails_or_stops() {
    let (schedules, first) = (number("SCHAKEL_SCHEDULES", 1000), number("SCHAKEL_SEED", 1));
    let mut tally = Tally::default();
    for seed in first..first + schedules {
        match play(seed) {
            Ok(played) => tally.add(played),
            Err(broken) => panic!("{broken}"),
        }
        if schedules > 10_000 && (seed - first + 1).is_multiple_of(10_000) {
            println!("  {} of {schedules}", seed - first + 1);
        }
    }
    println!("{schedules} schedules from seed {first} on: nothing that was promised is missing");
    println!("{tally}");
    // A campaign in which nothing happens proves nothing.
    if schedules >= 1000 {
        assert!(tally.entries > 10 * schedules && tally.opened > schedules);
        assert!(tally.kept > 0 && tally.dropped > 0 && tally.refused > 0);
        assert!(tally.segments > schedules && tally.destroyed > schedules / 2);
        assert!(tally.shown > schedules / 2 && tally.rotated > schedules / 2);
        let stops = |operation, fault| tally.faults.contains_key(&(operation, fault));
        for operation in life::OFTEN {
            for fault in life::FAULTS {
                assert!(stops(operation, fault), "no {fault:?} in {operation:?}");
            }
        }
    }
}

/// What a random campaign may miss: every single operation of a life, the opening included, failed in every
/// way there is.
#[test]
fn every_operation_may_fail_in_every_way_and_nothing_that_was_promised_is_lost() {
    let mut played = 0;
    for seed in [2] {
        for at in 0.. {
            let mut came = false;
            for fault in life::FAULTS {
                for stop in [Stop::Process, Stop::Machine] {
                    came |= life::with_fault(seed, at, fault, stop).unwrap_or_else(|broken| {
                        panic!("seed {seed}: {fault:?} at {at}, {stop:?}: {broken}")
                    });
                    played += 1;
                }
            }
            if !came {
                break;
            }
        }
    }
    assert!(played > 300, "{played}");
}
