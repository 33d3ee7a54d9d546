//! The simulated disk itself: what survives which stop, and what a fault does.

use std::collections::BTreeSet;

use super::*;
use crate::disk::{Disk, File};

fn path(name: &str) -> PathBuf {
    Path::new("/data").join(name)
}

/// A disk with a directory `/data` that is durable.
fn disk(seed: u64) -> (Simulation, Disk) {
    let simulation = Simulation::new(seed);
    let disk = simulation.disk();
    disk.create_dir(Path::new("/data")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    (simulation, disk)
}

/// A file of three sectors of ones, durable with its name.
fn file(disk: &Disk) -> File {
    let file = disk.open(&path("file")).unwrap();
    file.write_all_at(&[1; 1536], 0).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir(Path::new("/data")).unwrap();
    file
}

/// What a file holds after the machine has stopped, for each of many seeds.
fn outcomes(work: impl Fn(&Simulation, &Disk)) -> BTreeSet<Option<Vec<u8>>> {
    let outcome = |seed| {
        let (simulation, disk) = disk(seed);
        work(&simulation, &disk);
        simulation.restart(Stop::Machine);
        simulation.content(&path("file"))
    };
    (0..400).map(outcome).collect()
}

#[test]
fn what_was_synced_with_its_name_survives_and_nothing_else_for_certain() {
    let of = |sync, sync_dir| {
        outcomes(|_, disk| {
            let file = disk.open(&path("file")).unwrap();
            file.write_all_at(&[1; 512], 0).unwrap();
            if sync {
                file.sync_data().unwrap();
            }
            if sync_dir {
                disk.sync_dir(Path::new("/data")).unwrap();
            }
        })
    };
    let whole = Some(vec![1; 512]);
    assert_eq!(of(true, true), [whole.clone()].into());
    assert_eq!(of(true, false), [None, whole.clone()].into());
    let unsynced = of(false, true);
    assert_eq!(
        unsynced,
        [Some(Vec::new()), Some(vec![0; 512]), whole].into()
    );
}

#[test]
fn each_sector_holds_the_old_or_the_new_independent_of_the_others() {
    let outcomes = outcomes(|_, disk| file(disk).write_all_at(&[2; 1536], 0).unwrap());
    let sectors = |found: &Option<Vec<u8>>| {
        let found = found.as_ref().unwrap();
        [0, 512, 1024].map(|at| found[at])
    };
    assert!(outcomes.iter().all(|found| {
        let found = found.as_ref().unwrap();
        found
            .chunks(512)
            .all(|one| one.iter().all(|b| *b == one[0]))
    }));
    let seen: BTreeSet<_> = outcomes.iter().map(sectors).collect();
    assert_eq!(seen.len(), 8, "{seen:?}");
}

#[test]
fn a_sector_written_twice_holds_one_of_its_versions() {
    let outcomes = outcomes(|_, disk| {
        let file = file(disk);
        file.write_all_at(&[2; 10], 0).unwrap();
        file.write_all_at(&[3; 10], 20).unwrap();
    });
    let marks = |found: &Option<Vec<u8>>| {
        let found = found.as_ref().unwrap();
        (found[0], found[20])
    };
    let seen: BTreeSet<_> = outcomes.iter().map(marks).collect();
    assert_eq!(seen, [(1, 1), (2, 1), (2, 3)].into());
}

#[test]
fn a_rename_is_there_as_a_whole_or_not_at_all() {
    let outcomes = outcomes(|_, disk| {
        file(disk);
        let new = disk.open(&path("new")).unwrap();
        new.write_all_at(&[2; 5], 0).unwrap();
        new.sync_all().unwrap();
        disk.rename(&path("new"), &path("file")).unwrap();
    });
    assert_eq!(outcomes, [Some(vec![1; 1536]), Some(vec![2; 5])].into());
}

#[test]
fn a_process_that_stops_loses_nothing_it_wrote() {
    let (simulation, disk) = disk(1);
    let file = file(&disk);
    file.write_all_at(&[2; 512], 512).unwrap();
    simulation.plan(simulation.operations(), Fault::StopBefore);
    file.write_all_at(&[3; 512], 0).unwrap_err();
    assert!(simulation.is_stopped());
    file.sync_data().unwrap_err();
    disk.open(&path("other")).unwrap_err();
    simulation.restart(Stop::Process);
    file.sync_data().unwrap_err();
    let found = simulation.content(&path("file")).unwrap();
    assert_eq!((found[0], found[512]), (1, 2));
}

#[test]
fn after_a_failed_sync_what_was_written_can_be_read_and_is_never_made_durable() {
    let mut seen = BTreeSet::new();
    for seed in 0..50 {
        let (simulation, disk) = disk(seed);
        let file = file(&disk);
        file.write_all_at(&[2; 512], 0).unwrap();
        let failing = Fault::Before(Errno::Device);
        simulation.plan(simulation.operations(), failing);
        assert_eq!(file.sync_data().unwrap_err().raw_os_error(), Some(5));
        assert_eq!(simulation.content(&path("file")).unwrap()[0], 2);
        file.sync_data().unwrap();
        simulation.restart(Stop::Machine);
        seen.insert(simulation.content(&path("file")).unwrap()[0]);
    }
    assert_eq!(seen, [1, 2].into());
}

#[test]
fn faults_come_at_the_operation_they_are_planned_for_and_once() {
    let (simulation, disk) = disk(1);
    let file = file(&disk);
    let at = simulation.operations();
    simulation.plan(at, Fault::Before(Errno::NoRoom));
    simulation.plan(at + 1, Fault::After(Errno::Device));
    let refused = file.write_all_at(&[2], 0).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(28));
    assert_eq!(simulation.content(&path("file")).unwrap()[0], 1);
    let done = file.write_all_at(&[3], 0).unwrap_err();
    assert_eq!(done.raw_os_error(), Some(5));
    assert_eq!(simulation.content(&path("file")).unwrap()[0], 3);
    file.write_all_at(&[4], 0).unwrap();
    assert_eq!(simulation.operations(), at + 3);
}

#[test]
fn a_write_that_is_stopped_leaves_any_of_its_sectors() {
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let (simulation, disk) = disk(seed);
        let file = file(&disk);
        simulation.plan(simulation.operations(), Fault::StopWithin);
        file.write_all_at(&[2; 1536], 0).unwrap_err();
        simulation.restart(Stop::Process);
        let found = simulation.content(&path("file")).unwrap();
        seen.insert([found[0], found[512], found[1024]]);
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
}

#[test]
fn a_full_disk_takes_what_fits_and_more_when_there_is_room_again() {
    let (simulation, disk) = disk(1);
    let file = file(&disk);
    simulation.set_room(2000);
    let refused = file.write_all_at(&[2; 1024], 1536).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    assert_eq!(simulation.taken(), 2000);
    file.write_all_at(&[3; 1536], 0).unwrap();
    simulation.set_room(u64::MAX);
    file.write_all_at(&[2; 1024], 1536).unwrap();
}

#[test]
fn a_lock_is_held_until_it_is_closed_or_everything_stops() {
    let (simulation, disk) = disk(1);
    let held = disk.lock(&path("lock")).unwrap().unwrap();
    assert!(disk.lock(&path("lock")).unwrap().is_none());
    drop(held);
    let held = disk.lock(&path("lock")).unwrap().unwrap();
    simulation.restart(Stop::Process);
    let again = disk.lock(&path("lock")).unwrap().unwrap();
    drop(held);
    assert!(disk.lock(&path("lock")).unwrap().is_none());
    drop(again);
}

#[test]
fn the_same_seed_makes_the_same_choices() {
    let run = |seed| {
        let (simulation, disk) = disk(seed);
        file(&disk).write_all_at(&[2; 1536], 0).unwrap();
        simulation.restart(Stop::Machine);
        simulation.content(&path("file"))
    };
    let twice = |seed| (run(seed), run(seed));
    assert!((0..20).map(twice).all(|(one, other)| one == other));
    let outcomes: BTreeSet<_> = (0..20).map(run).collect();
    assert!(outcomes.len() > 1);
}
