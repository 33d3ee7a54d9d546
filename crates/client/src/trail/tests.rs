use schakel_audit::note::SigningKey;

use super::*;

const ORIGIN: &str = "broker.example/log";

fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap()
}

fn note_of(origin: &str, size: u64, root: u8, key: &SigningKey) -> String {
    let root = Hash::new([root; 32]);
    let origin = origin.parse().unwrap();
    Checkpoint { origin, size, root }.sign(key)
}

fn note(size: u64, root: u8) -> String {
    note_of(ORIGIN, size, root, &key())
}

fn trail() -> Trail {
    Trail::new(ORIGIN.parse().unwrap(), key().verifying_key().clone())
}

#[test]
fn a_checkpoint_is_verified_once() {
    let trail = trail();
    for _ in 0..10 {
        assert_eq!(trail.admit(&note(5, 1)).unwrap().checkpoint.size, 5);
    }
    assert_eq!(trail.signatures_checked(), 1);
    trail.admit(&note(6, 2)).unwrap();
    assert_eq!(trail.signatures_checked(), 2);
}

#[test]
fn no_other_byte_passes_for_a_checkpoint_that_was_verified() {
    let (trail, note) = (trail(), note(5, 1));
    trail.admit(&note).unwrap();
    for at in 0..note.len() {
        for bit in 0..7 {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(other) = String::from_utf8(bytes) else {
                continue;
            };
            let refused = trail.admit(&other).unwrap_err();
            assert!(
                matches!(refused, HeadError::Signature(_)),
                "byte {at}: {refused:?}"
            );
        }
    }
    trail.admit(&note).unwrap();
}

#[test]
fn two_roots_of_one_size_are_a_fork_for_good_and_both_notes_are_kept() {
    let trail = trail();
    trail.admit(&note(5, 1)).unwrap();
    trail.admit(&note(9, 2)).unwrap();
    let Err(HeadError::Fork(fork)) = trail.admit(&note(5, 3)) else {
        panic!("no fork")
    };
    assert_eq!(
        (fork.first.note.clone(), fork.second.note.clone()),
        (note(5, 1), note(5, 3))
    );
    assert_eq!(trail.fork().as_ref(), Some(&*fork));
    assert!(matches!(trail.admit(&note(9, 2)), Err(HeadError::Fork(_))));
}

#[test]
fn a_log_smaller_than_before_the_call_went_back() {
    let trail = trail();
    trail.admit(&note(9, 2)).unwrap();
    // Answers of concurrent calls may overtake each other: smaller than the newest alone is no fault.
    trail.admit(&note(5, 1)).unwrap();
    let floor = trail.newest();
    assert_eq!(floor.as_ref().unwrap().checkpoint.size, 9);
    assert!(matches!(
        trail.admit_since(&note(5, 1), floor.as_ref()),
        Err(HeadError::Rollback { .. })
    ));
    trail.admit_since(&note(9, 2), floor.as_ref()).unwrap();
}

#[test]
fn another_log_and_another_key_are_refused() {
    let trail = trail();
    let elsewhere = note_of("elsewhere.example/log", 5, 1, &key());
    assert!(matches!(
        trail.admit(&elsewhere),
        Err(HeadError::Origin { .. })
    ));
    let other = SigningKey::from_seed(ORIGIN, &[8; 32]).unwrap();
    let forged = note_of(ORIGIN, 5, 1, &other);
    assert!(matches!(trail.admit(&forged), Err(HeadError::Signature(_))));
    assert_eq!(trail.newest(), None);
}

#[test]
fn memory_is_bounded() {
    let trail = trail();
    for size in 1..=2000 {
        trail.admit(&note(size, 1)).unwrap();
    }
    let seen = trail.seen();
    assert_eq!((seen.verified.len(), seen.sizes.len()), (1024, 1024));
}
