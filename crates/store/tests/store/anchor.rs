//! The anchor: a log that lost its end, or became another, is noticed.

use std::fs;

use schakel_audit::{
    checkpoint::{Checkpoint, Origin},
    note::SigningKey,
    tree::Hash,
};
use schakel_store::{
    anchor::{Anchor, AnchorError, Contradiction},
    disk::{
        Disk,
        simulated::{Errno, Fault, Operation, Simulation},
    },
    log::LogReader,
    publication::Shown,
};

use super::{
    publication::{grow, key, log_of, signed},
    support::{ORIGIN, data},
};

fn origin() -> Origin {
    ORIGIN.parse().unwrap()
}

fn open(file: &std::path::Path, log: &LogReader) -> Result<Anchor, AnchorError> {
    Anchor::open(Disk::real(), file, log, &origin(), &[key().verifying_key()])
}

fn shown(log: &LogReader, size: u64) -> Shown {
    Shown::parse(signed(log, size)).unwrap()
}

fn contradiction(opened: Result<Anchor, AnchorError>) -> Contradiction {
    match opened.unwrap_err() {
        AnchorError::Contradicts { how, .. } => how,
        other => panic!("{other}"),
    }
}

#[test]
fn a_log_that_lost_its_end_is_refused_with_both_sizes() {
    let dir = data();
    let file = dir.path().join("head");
    let (_data, mut log) = log_of(0);
    let mut anchor = open(&file, &log.reader()).unwrap();
    grow(&mut log, 40);
    anchor.replace(&shown(&log.reader(), 40)).unwrap();
    assert_eq!(anchor.size(), 40);
    assert_eq!(open(&file, &log.reader()).unwrap().size(), 40);
    let (_restored, older) = log_of(30);
    let how = contradiction(open(&file, &older.reader()));
    assert!(
        matches!(
            how,
            Contradiction::Shorter {
                log: 30,
                signed: 40
            }
        ),
        "{how}"
    );
    assert!(how.to_string().contains("30") && how.to_string().contains("40"));
}

#[test]
fn a_log_that_became_another_is_refused() {
    let dir = data();
    let file = dir.path().join("head");
    let (_data, log) = log_of(40);
    let other = Checkpoint {
        origin: origin(),
        size: 40,
        root: Hash::new([9; 32]),
    };
    fs::write(&file, other.sign(&key())).unwrap();
    let how = contradiction(open(&file, &log.reader()));
    assert!(
        matches!(how, Contradiction::Other { size: 40, .. }),
        "{how}"
    );
}

#[test]
fn an_anchor_that_is_no_checkpoint_of_this_log_is_refused() {
    let dir = data();
    let file = dir.path().join("head");
    let (_data, log) = log_of(40);
    fs::write(&file, "nonsense\n").unwrap();
    let how = contradiction(open(&file, &log.reader()));
    assert!(matches!(how, Contradiction::Form(_)), "{how}");
    let strange = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let checkpoint = Checkpoint {
        origin: origin(),
        size: 40,
        root: log.root(),
    };
    fs::write(&file, checkpoint.sign(&strange)).unwrap();
    let how = contradiction(open(&file, &log.reader()));
    assert!(matches!(how, Contradiction::Signature(_)), "{how}");
}

#[test]
fn an_anchor_may_be_missing_only_where_a_log_begins() {
    let dir = data();
    let file = dir.path().join("head");
    let (_data, log) = log_of(1);
    let error = open(&file, &log.reader()).unwrap_err();
    assert!(matches!(error, AnchorError::Missing { .. }), "{error}");
    fs::write(&file, "").unwrap();
    let mut anchor = open(&file, &log.reader()).unwrap();
    anchor.replace(&shown(&log.reader(), 1)).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), signed(&log.reader(), 1));
}

#[test]
fn an_anchor_that_somebody_else_moved_is_noticed_and_not_replaced() {
    let dir = data();
    let file = dir.path().join("head");
    let (_data, log) = log_of(40);
    fs::write(&file, "").unwrap();
    let (mut one, mut two) = (
        open(&file, &log.reader()).unwrap(),
        open(&file, &log.reader()).unwrap(),
    );
    one.replace(&shown(&log.reader(), 20)).unwrap();
    let error = two.replace(&shown(&log.reader(), 30)).unwrap_err();
    assert!(matches!(error, AnchorError::Moved { .. }), "{error}");
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        signed(&log.reader(), 20)
    );
    // A smaller one never takes the place of a larger.
    one.replace(&shown(&log.reader(), 10)).unwrap();
    assert_eq!(one.size(), 20);
}

/// One that failed after its rename stands there; what fails before its rename then does not make it somebody else's.
#[test]
fn everything_that_was_tried_may_stand_there() {
    let (_data, mut log) = log_of(0);
    let simulation = Simulation::new(1);
    let file = std::path::Path::new("/head");
    let keys = key();
    let keys = [keys.verifying_key()];
    let opened = Anchor::open(simulation.disk(), file, &log.reader(), &origin(), &keys);
    let mut anchor = opened.unwrap();
    grow(&mut log, 40);
    let log = log.reader();
    simulation.plan_in(Operation::SyncDir, 0, Fault::Before(Errno::Device));
    anchor.replace(&shown(&log, 10)).unwrap_err();
    simulation.plan_in(Operation::Write, 0, Fault::Before(Errno::NoRoom));
    anchor.replace(&shown(&log, 20)).unwrap_err();
    assert_eq!(
        simulation.content(file).unwrap(),
        signed(&log, 10).as_bytes()
    );
    anchor.replace(&shown(&log, 30)).unwrap();
    assert_eq!(anchor.size(), 30);
}
