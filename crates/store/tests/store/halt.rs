//! A halt, with a disk that fails and a process or machine that stops at every operation of keeping and lifting it.

use std::path::Path;

use schakel_core::time::Timestamp;
use schakel_store::{
    disk::{
        Disk,
        simulated::{Errno, Fault, Simulation, Stop},
    },
    halt::{self, Halted, Lifted},
};

const DATA: &str = "/";
const GROUND: &str = "the witness lost its state";
const FAULTS: [Fault; 6] = [
    Fault::StopBefore,
    Fault::StopWithin,
    Fault::StopAfter,
    Fault::Before(Errno::NoRoom),
    Fault::Before(Errno::Device),
    Fault::After(Errno::Device),
];

fn proved() -> Halted {
    Halted {
        at: Timestamp::from_millis(1_795_446_000_000).unwrap(),
        why: "witness w1 has seen 1000000 entries, and the log has 12".to_owned(),
    }
}

fn keep(disk: &Disk) -> bool {
    halt::keep(disk, Path::new(DATA), &proved()).is_ok()
}

fn lift(disk: &Disk) -> bool {
    halt::lift(disk, Path::new(DATA), GROUND).is_ok()
}

fn settle(disk: &Disk) -> bool {
    halt::settle(disk, Path::new(DATA)).is_ok()
}

/// What a start finds: a halt, else one that was lifted.
fn start(simulation: &Simulation) -> (Option<Halted>, Option<Lifted>) {
    let (disk, data) = (simulation.disk(), Path::new(DATA));
    let held = halt::held(&disk, data).unwrap();
    let lifted = halt::lifted(&disk, data).unwrap();
    let is_written = |path: &std::path::PathBuf| path.to_str().unwrap().starts_with("/halted");
    assert_eq!(
        held.is_some(),
        simulation.paths().iter().any(is_written),
        "whatever was written of a halt, in part too, is one"
    );
    (held, lifted)
}

/// Stops or fails at every operation of a step, the process and the machine, after the steps before it; then hands on
/// the disk as a start has it, and whether the step said that it was done.
fn each(before: &[fn(&Disk) -> bool], step: fn(&Disk) -> bool, check: impl Fn(&Simulation, bool)) {
    let mut seed = 0;
    for fault in FAULTS {
        for stop in [Stop::Process, Stop::Machine] {
            for at in 0.. {
                seed += 1;
                let simulation = Simulation::new(seed);
                let disk = simulation.disk();
                assert!(before.iter().all(|step| step(&disk)));
                let operations = simulation.operations();
                simulation.plan(operations + at, fault);
                let done = step(&disk);
                let came_about = simulation.operations() > operations + at;
                simulation.restart(stop);
                simulation.forget_plan();
                check(&simulation, done);
                if !came_about {
                    assert!(done && at >= 2, "{fault:?} {stop:?} {at}");
                    break;
                }
            }
        }
    }
}

#[test]
fn a_halt_that_is_kept_or_was_told_at_a_start_is_never_lost() {
    each(&[], keep, |simulation, kept| {
        let (held, lifted) = start(simulation);
        assert!(held.is_some() || !kept);
        assert_eq!(lifted, None);
        let Some(held) = held else { return };
        assert!(held == proved() || !kept);
        // It has been told. Whatever happens now, the next start tells it too.
        simulation.restart(Stop::Machine);
        assert_eq!(start(simulation).0, Some(held));
    });
}

#[test]
fn lifting_a_halt_leaves_it_or_what_goes_into_an_entry() {
    each(&[keep], lift, |simulation, done| {
        let (held, mut lifted) = start(simulation);
        assert!(held.is_none() || !done);
        if let Some(held) = held {
            assert_eq!(held, proved());
            // Lifted once more, and to the end.
            assert!(lift(&simulation.disk()));
            let again = start(simulation);
            assert_eq!(again.0, None);
            lifted = again.1;
        }
        let lifted = lifted.expect("what was lifted");
        assert_eq!((lifted.halted, lifted.ground.as_str()), (proved(), GROUND));
    });
}

#[test]
fn what_was_lifted_is_there_until_it_is_an_entry_and_no_halt_comes_back() {
    each(&[keep, lift], settle, |simulation, done| {
        let (held, lifted) = start(simulation);
        assert_eq!(held, None);
        assert!(lifted.is_none() || !done);
    });
}

#[test]
fn a_halt_while_another_was_lifted_and_is_no_entry_yet_is_kept_as_any() {
    each(&[keep, lift], keep, |simulation, kept| {
        let (held, _) = start(simulation);
        assert!(held.is_some() || !kept);
    });
}

/// A start that finds a halt may be cut short itself.
#[test]
fn a_start_that_finds_half_a_halt_may_be_cut_short_anywhere_too() {
    let mut times = 0;
    for at in 0..8 {
        for again in 0..8 {
            for fault in [Fault::StopWithin, Fault::StopAfter] {
                let simulation = Simulation::new(at * 8 + again);
                simulation.plan(at, fault);
                keep(&simulation.disk());
                simulation.restart(Stop::Process);
                simulation.forget_plan();
                let there = simulation.paths().iter().any(|path| path != Path::new("/"));
                simulation.plan(simulation.operations() + again, fault);
                let told = halt::held(&simulation.disk(), Path::new(DATA));
                simulation.restart(Stop::Process);
                simulation.forget_plan();
                let (held, _) = start(&simulation);
                assert_eq!(held.is_some(), there, "{at} {again}");
                if matches!(told, Ok(Some(_))) {
                    simulation.restart(Stop::Machine);
                    assert!(start(&simulation).0.is_some());
                    times += 1;
                }
            }
        }
    }
    assert!(times > 20, "{times}");
}
