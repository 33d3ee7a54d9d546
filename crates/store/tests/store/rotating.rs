//! Changing the key-encryption key, with a disk that fails and a machine that stops at every operation of it.

use std::{path::Path, sync::Arc};

use schakel_audit::leaf::{Month, RetentionClass};
use schakel_core::id::SlotId;
use schakel_store::{
    disk::{
        Disk,
        simulated::{Errno, Fault, Operation, Simulation, Stop},
    },
    keyring::{Doomed, Kek, Key, Keyring, Settings, recover_on},
    random::OsRandom,
};

const KEK: &str = "/kek";
const DIR: &str = "/keyring";

fn month() -> Month {
    Month::from_number(203_112).unwrap()
}

/// A keyring with a key that was destroyed, and what must be in it ever after.
struct Held {
    simulation: Simulation,
    slots: Vec<(SlotId, Key)>,
    destroyed: SlotId,
    class: Key,
}

/// Shards of a few slots, so that there are many.
fn small(disk: Disk) -> Settings {
    Settings { disk, shard: 4 }
}

fn open(simulation: &Simulation) -> Arc<Keyring> {
    let disk = simulation.disk();
    let recovered = recover_on(&disk, Path::new(KEK), Path::new(DIR), &mut OsRandom);
    let (kek, _) = recovered.unwrap();
    let keyring = Keyring::open_with(small(disk), Path::new(DIR), kek, Box::new(OsRandom));
    keyring.unwrap()
}

impl Held {
    fn new(seed: u64) -> Self {
        let simulation = Simulation::new(seed);
        Kek::create_on(&simulation.disk(), Path::new(KEK), &mut OsRandom).unwrap();
        let keyring = open(&simulation);
        keyring.ready().unwrap();
        keyring.saw(3, [9; 32].into());
        let taken: Vec<_> = (0..9).map(|_| keyring.take_slot().unwrap()).collect();
        keyring.destroy_slot(taken[0]).unwrap();
        let slots = taken[1..].iter();
        let slots = slots.map(|slot| (*slot, keyring.key(*slot).unwrap()));
        let class = keyring.month(RetentionClass::Standard, month()).unwrap();
        Self {
            slots: slots.collect(),
            destroyed: taken[0],
            class,
            simulation,
        }
    }

    /// Everything is there that was, and nothing more.
    fn check(&self, keyring: &Keyring) {
        for (slot, key) in &self.slots {
            assert_eq!(keyring.key(*slot).unwrap(), *key);
        }
        assert!(keyring.key(self.destroyed).is_err() && keyring.is_destroyed(self.destroyed));
        let class = keyring.existing_month(RetentionClass::Standard, month());
        assert_eq!(class.unwrap(), self.class);
        let destroyed = Doomed {
            slots: [self.destroyed].into(),
            ..Doomed::default()
        };
        let in_use = [(RetentionClass::Standard.number(), month())];
        keyring.check(&destroyed, in_use).unwrap();
    }

    fn kek(&self) -> Vec<u8> {
        self.simulation.content(Path::new(KEK)).unwrap()
    }

    /// Whether any bytes of a key are left anywhere on the disk.
    fn is_left(&self, kek: &[u8]) -> bool {
        let paths = self.simulation.paths();
        paths.iter().any(|path| {
            let content = self.simulation.content(path).unwrap_or_default();
            content
                .windows(16)
                .any(|some| kek.windows(16).any(|part| part == some))
        })
    }
}

#[test]
fn after_a_change_the_old_key_is_gone_and_opens_nothing() {
    let held = Held::new(1);
    let old = held.kek();
    let old_key = Kek::read_on(&held.simulation.disk(), Path::new(KEK)).unwrap();
    let keyring = open(&held.simulation);
    keyring.rotate_kek(Path::new(KEK)).unwrap();
    held.check(&keyring);
    keyring.ready().unwrap();
    keyring.take_slot().unwrap();
    drop(keyring);
    held.check(&open(&held.simulation));
    assert!(!held.is_left(&old));
    let disk = held.simulation.disk();
    assert!(Keyring::open_with(small(disk), Path::new(DIR), old_key, Box::new(OsRandom)).is_err());
}

/// Whatever stops, wherever: the next start goes on from there, and no key is lost.
#[test]
fn a_change_that_is_cut_short_anywhere_is_finished_by_the_next_start() {
    let operations = {
        let held = Held::new(2);
        let keyring = open(&held.simulation);
        let before = held.simulation.operations();
        keyring.rotate_kek(Path::new(KEK)).unwrap();
        held.simulation.operations() - before
    };
    assert!(operations > 10, "{operations}");
    for at in 0..operations {
        for fault in [Fault::StopBefore, Fault::StopWithin, Fault::StopAfter] {
            for stop in [Stop::Process, Stop::Machine] {
                let held = Held::new(at + 3);
                let old = held.kek();
                let keyring = open(&held.simulation);
                held.simulation
                    .plan(held.simulation.operations() + at, fault);
                let changed = keyring.rotate_kek(Path::new(KEK)).is_ok();
                drop(keyring);
                held.simulation.restart(stop);
                held.simulation.forget_plan();
                let keyring = open(&held.simulation);
                held.check(&keyring);
                let case = (at, fault, stop);
                assert!(held.kek() != old || !changed, "{case:?}");
                keyring.rotate_kek(Path::new(KEK)).unwrap();
                held.check(&keyring);
                drop(keyring);
                held.check(&open(&held.simulation));
                assert!(!held.is_left(&old), "{case:?}");
            }
        }
    }
}

/// A start that goes on with a change may be cut short itself, and the machine may stop with it.
#[test]
fn a_start_that_finishes_a_change_may_be_cut_short_anywhere_too() {
    let mut times = 0;
    for at in 0..40 {
        for again in 0.. {
            let held = Held::new(40 * at + again);
            let simulation = &held.simulation;
            let keyring = open(simulation);
            simulation.plan(simulation.operations() + at, Fault::StopBefore);
            let changed = keyring.rotate_kek(Path::new(KEK)).is_ok();
            drop(keyring);
            simulation.restart(Stop::Process);
            simulation.forget_plan();
            simulation.plan(simulation.operations() + again, Fault::StopBefore);
            let (kek, dir) = (Path::new(KEK), Path::new(DIR));
            let recovered = recover_on(&simulation.disk(), kek, dir, &mut OsRandom);
            simulation.restart(Stop::Machine);
            simulation.forget_plan();
            held.check(&open(simulation));
            if changed || recovered.is_ok() {
                break;
            }
            times += 1;
        }
    }
    assert!(times > 100, "{times}");
}

/// A disk that refuses an operation leaves a keyring that goes on, and a change that can be tried again.
#[test]
fn a_change_that_fails_anywhere_can_be_tried_again() {
    for at in 0..40 {
        for fault in [
            Fault::Before(Errno::NoRoom),
            Fault::After(Errno::Device),
            Fault::Before(Errno::Device),
        ] {
            let held = Held::new(at + 50);
            let keyring = open(&held.simulation);
            held.simulation
                .plan(held.simulation.operations() + at, fault);
            let first = keyring.rotate_kek(Path::new(KEK));
            held.simulation.forget_plan();
            held.check(&keyring);
            if first.is_err() {
                keyring.rotate_kek(Path::new(KEK)).unwrap();
                held.check(&keyring);
            }
            drop(keyring);
            held.simulation.restart(Stop::Machine);
            held.check(&open(&held.simulation));
        }
    }
}

/// A shard may be on the disk although writing it failed. Nothing was ever given out of it, and it would open
/// under a key that is gone.
#[test]
fn a_shard_that_could_not_be_written_does_not_shut_the_keyring_after_a_change() {
    for operation in [Operation::Rename, Operation::SyncDir] {
        for stop in [Stop::Process, Stop::Machine] {
            let held = Held::new(7);
            let keyring = open(&held.simulation);
            keyring.ready().unwrap();
            held.simulation
                .plan_in(operation, 0, Fault::After(Errno::Device));
            while held.simulation.happened().is_empty() {
                // The pool is refilled in the end, and that fails.
                keyring.take_slot().unwrap();
            }
            held.simulation.forget_plan();
            keyring.rotate_kek(Path::new(KEK)).unwrap();
            drop(keyring);
            held.simulation.restart(stop);
            held.check(&open(&held.simulation));
        }
    }
}
