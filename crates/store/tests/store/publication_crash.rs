//! Publication stopped at every operation on the disk, by the death of the process and by that of the machine:
//! what is shown is always whole, and the next attempt goes through.

use std::path::Path;

use schakel_audit::{
    checkpoint::Checkpoint,
    note::Note,
    tile::{self, Kind, Tile, TileNodes},
    tree,
};
use schakel_store::{
    anchor::Anchor,
    disk::simulated::{Errno, Fault, Simulation, Stop},
    log::LogReader,
    publication::{Publication, PublicationError, Shown},
};

use super::{
    publication::{grow, key, log_of, signed},
    support::{ORIGIN, frame},
};

const DIR: &str = "/public";

fn publish(disk: &Simulation, log: &LogReader, size: u64) -> Result<(), PublicationError> {
    let mut publication = Publication::open(disk.disk(), Path::new(DIR))?;
    let laid = publication.lay(log, size)?;
    publication.show(&laid, &signed(log, size))?;
    publication.prune(256).map(drop)
}

/// The size of the checkpoint that stands there, once everything that it needs was found and is right.
fn shown(disk: &Simulation, log: &LogReader) -> u64 {
    let file = |name: &str| disk.content(&Path::new(DIR).join(name));
    let Some(note) = file("checkpoint") else {
        return 0;
    };
    let note = Note::parse(std::str::from_utf8(&note).unwrap()).unwrap();
    note.verify(&[key().verifying_key()]).unwrap();
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    let size = checkpoint.size;
    // A partial tile may have made place for the full one: its beginning is the same.
    let read = |tile: Tile| {
        let whole = || Some((tile.filled()?, file(&tile.filled()?.to_string())?));
        match file(&tile.to_string()) {
            Some(bytes) => Ok(bytes),
            None => whole()
                .map(|(_, bytes)| bytes[..tile.width() as usize * 32].to_vec())
                .ok_or(std::io::Error::from(std::io::ErrorKind::NotFound)),
        }
    };
    let root = tree::root(size, &TileNodes::new(size, read)).unwrap();
    assert_eq!(root, checkpoint.root);
    assert_eq!(root, log.root_at(size).unwrap());
    for tile in Tile::all(size).filter(|tile| tile.kind() == Kind::Entries) {
        if let Some(bytes) = file(&tile.to_string()) {
            let wanted: Vec<_> = (tile.covers().0..tile.covers().1)
                .map(|n| frame(n).leaf)
                .collect();
            let found: Vec<_> = tile::entries(&bytes).map(Result::unwrap).collect();
            assert_eq!(found, wanted);
        } else {
            assert!(tile.covers().1 <= 256, "{tile} is missing");
        }
    }
    size
}

/// A disk on which the first 250 entries are published, and how many operations publishing more takes.
fn begun(log: &LogReader, seed: u64) -> Simulation {
    let disk = Simulation::new(seed);
    publish(&disk, log, 250).unwrap();
    disk
}

#[test]
fn whatever_stops_it_where_what_is_shown_is_whole_and_the_next_attempt_goes_through() {
    let (_data, mut log) = log_of(250);
    let reader = log.reader();
    grow(&mut log, 520);
    let disk = begun(&reader, 1);
    let from = disk.operations();
    publish(&disk, &reader, 520).unwrap();
    let operations = disk.operations() - from;
    assert!(operations > 30, "{operations}");
    for at in 0..operations {
        for fault in [Fault::StopBefore, Fault::StopWithin, Fault::StopAfter] {
            for stop in [Stop::Process, Stop::Machine] {
                let disk = begun(&reader, at * 10 + 1);
                disk.plan(disk.operations() + at, fault);
                let stopped = publish(&disk, &reader, 520).is_err();
                disk.restart(stop);
                disk.forget_plan();
                let size = shown(&disk, &reader);
                assert!(size == 250 || size == 520, "{size} at {at}");
                assert!(stopped || size == 520, "{fault:?} {at}");
                publish(&disk, &reader, 520)
                    .unwrap_or_else(|e| panic!("{at} {fault:?} {stop:?}: {e}"));
                assert_eq!(shown(&disk, &reader), 520);
                // What was shown once outlives the machine.
                disk.restart(Stop::Machine);
                assert_eq!(shown(&disk, &reader), 520);
            }
        }
    }
}

/// Outsiders may have seen it, and later checkpoints are held against it.
#[test]
fn what_was_shown_when_it_was_opened_does_not_go_back_when_the_machine_stops() {
    let (_data, mut log) = log_of(250);
    let reader = log.reader();
    grow(&mut log, 300);
    let mut gone_on = 0;
    for at in 0.. {
        let disk = begun(&reader, at);
        disk.plan(disk.operations() + at, Fault::StopBefore);
        if publish(&disk, &reader, 300).is_ok() {
            break;
        }
        disk.restart(Stop::Process);
        disk.forget_plan();
        let opened = Publication::open(disk.disk(), Path::new(DIR)).unwrap();
        disk.restart(Stop::Machine);
        assert!(shown(&disk, &reader) >= opened.size(), "{at}");
        gone_on += u64::from(opened.size() == 300);
    }
    assert!(gone_on > 0, "it was never stopped after the renaming");
}

#[test]
fn an_operation_that_fails_shows_nothing_that_is_not_whole_and_passes_when_the_disk_recovers() {
    let (_data, mut log) = log_of(250);
    let reader = log.reader();
    grow(&mut log, 300);
    let disk = begun(&reader, 1);
    let from = disk.operations();
    publish(&disk, &reader, 300).unwrap();
    let operations = disk.operations() - from;
    for at in 0..operations {
        for errno in [Errno::NoRoom, Errno::Device] {
            let disk = begun(&reader, at + 1);
            disk.plan(disk.operations() + at, Fault::Before(errno));
            let failed = publish(&disk, &reader, 300);
            disk.forget_plan();
            assert!(failed.is_err(), "{at}: an error was passed over");
            let size = shown(&disk, &reader);
            assert!(size == 250 || size == 300, "{size} at {at}");
            publish(&disk, &reader, 300).unwrap_or_else(|e| panic!("{at} {errno:?}: {e}"));
            assert_eq!(shown(&disk, &reader), 300);
        }
    }
}

#[test]
fn the_anchor_holds_the_old_head_or_the_new_one_whatever_stops_its_replacement() {
    let (_data, log) = log_of(50);
    let reader = log.reader();
    let origin = ORIGIN.parse().unwrap();
    let key = key();
    let file = Path::new("/head");
    let head = |size| Shown::parse(signed(&reader, size)).unwrap();
    let open = |disk: &Simulation| {
        Anchor::open(disk.disk(), file, &reader, &origin, &[key.verifying_key()])
    };
    for at in 0..8 {
        for fault in [Fault::StopBefore, Fault::StopWithin, Fault::StopAfter] {
            let (_fresh, empty) = log_of(0);
            let disk = Simulation::new(at);
            let mut anchor = Anchor::open(
                disk.disk(),
                file,
                &empty.reader(),
                &origin,
                &[key.verifying_key()],
            )
            .unwrap();
            anchor.replace(&head(20)).unwrap();
            disk.plan(disk.operations() + at, fault);
            let replaced = anchor.replace(&head(40)).is_ok();
            disk.restart(Stop::Machine);
            disk.forget_plan();
            let size = open(&disk).unwrap().size();
            assert!(size == 40 || (size == 20 && !replaced), "{size} at {at}");
        }
    }
}

#[test]
fn an_anchor_that_could_not_be_replaced_can_be_later_and_does_not_go_back() {
    let (_data, log) = log_of(50);
    let (_fresh, empty) = log_of(0);
    let (reader, origin, key) = (log.reader(), ORIGIN.parse().unwrap(), key());
    let file = Path::new("/head");
    let head = |size| Shown::parse(signed(&reader, size)).unwrap();
    let open = |disk: &Simulation, log: &LogReader| {
        Anchor::open(disk.disk(), file, log, &origin, &[key.verifying_key()]).unwrap()
    };
    let mut failed = 0;
    for at in 0..8 {
        for fault in [Fault::Before(Errno::Device), Fault::After(Errno::Device)] {
            let disk = Simulation::new(at);
            let mut anchor = open(&disk, &empty.reader());
            anchor.replace(&head(20)).unwrap();
            disk.plan(disk.operations() + at, fault);
            failed += u32::from(anchor.replace(&head(30)).is_err());
            disk.forget_plan();
            anchor.replace(&head(40)).unwrap();
            // The name of the next one is not durable when the process ends.
            disk.plan(disk.operations() + 4, Fault::StopBefore);
            assert!(anchor.replace(&head(50)).is_err());
            disk.restart(Stop::Process);
            disk.forget_plan();
            let found = open(&disk, &reader).size();
            disk.restart(Stop::Machine);
            assert_eq!(open(&disk, &reader).size(), found, "{at} {fault:?}");
        }
    }
    assert!(failed >= 8, "{failed}");
}
