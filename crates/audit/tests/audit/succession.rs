//! The succession of checkpoint keys: followed from whichever key was pinned, and from nothing else.

use schakel_audit::{
    checkpoint::{Checkpoint, Origin},
    erasure::Opened,
    note::SigningKey,
    succession::{Followed, Statement, StatementError, Succession, SuccessionError, Turn},
    tree::Hash,
};

pub(crate) const ORIGIN: &str = "schakel.example/log";

fn origin() -> Origin {
    ORIGIN.parse().unwrap()
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
}

pub(crate) fn says(turn: Turn, about: u8, by: &[u8]) -> Statement {
    let signers: Vec<SigningKey> = by.iter().map(|seed| key(*seed)).collect();
    let signers: Vec<&SigningKey> = signers.iter().collect();
    Statement::make(&origin(), turn, key(about).verifying_key(), &signers).unwrap()
}

pub(crate) fn pinned(seed: u8) -> Succession {
    Succession::pinned(origin(), [key(seed).verifying_key().clone()])
}

/// The life of a log whose keys 1, 2 and 3 take over from each other.
pub(crate) fn life() -> Vec<Statement> {
    vec![
        says(Turn::InUse, 1, &[1]),
        says(Turn::InUse, 2, &[1, 2]),
        says(Turn::Retired, 1, &[2]),
        says(Turn::InUse, 3, &[2, 3]),
        says(Turn::Retired, 2, &[3]),
    ]
}

pub(crate) fn seeds(keys: &[schakel_audit::note::VerifyingKey]) -> Vec<u8> {
    let of = |known: &schakel_audit::note::VerifyingKey| {
        (1..=9)
            .find(|seed| key(*seed).verifying_key() == known)
            .unwrap()
    };
    keys.iter().map(of).collect()
}

#[test]
fn whichever_key_was_pinned_leads_to_the_one_that_signs_today() {
    for first in 1..=3 {
        let mut succession = pinned(first);
        for statement in life() {
            succession.follow(&statement).unwrap();
        }
        assert_eq!(seeds(succession.in_use()), [3], "pinned {first}");
    }
}

#[test]
fn checkpoints_verify_before_during_and_after_a_change_of_keys() {
    let checkpoint = Checkpoint {
        origin: origin(),
        size: 7,
        root: Hash::new([7; 32]),
    };
    let signed = |by: &[u8]| {
        let keys: Vec<SigningKey> = by.iter().map(|seed| key(*seed)).collect();
        checkpoint.sign_by(&keys)
    };
    let holds = |note: &str, seed: u8| Checkpoint::open(note, key(seed).verifying_key()).is_ok();
    // Before, during and after; whoever knows only one of the two is served in between.
    assert_eq!(signed(&[1]), checkpoint.sign(&key(1)));
    assert!(holds(&signed(&[1]), 1) && !holds(&signed(&[1]), 2));
    assert!(holds(&signed(&[1, 2]), 1) && holds(&signed(&[1, 2]), 2));
    assert!(!holds(&signed(&[2]), 1) && holds(&signed(&[2]), 2));
    // Who pinned the first key and followed the log accepts the last.
    let mut succession = pinned(1);
    for statement in &life()[..3] {
        succession.follow(statement).unwrap();
    }
    assert!(
        succession
            .in_use()
            .iter()
            .any(|key| Checkpoint::open(&signed(&[2]), key).is_ok())
    );
}

#[test]
fn a_key_that_nobody_in_use_vouches_for_convinces_nobody() {
    let mut succession = pinned(1);
    for stranger in [says(Turn::InUse, 8, &[8]), says(Turn::InUse, 8, &[9, 8])] {
        assert_eq!(succession.follow(&stranger), Ok(Followed::Nothing));
    }
    // Nor one that does not show it holds its own private part.
    let error = succession.follow(&says(Turn::InUse, 8, &[1])).unwrap_err();
    assert!(
        matches!(error, SuccessionError::Signature { .. }),
        "{error}"
    );
    assert_eq!(seeds(succession.in_use()), [1]);
}

#[test]
fn a_retired_key_vouches_for_nothing_and_never_comes_back() {
    let mut succession = pinned(1);
    for statement in &life()[..3] {
        succession.follow(statement).unwrap();
    }
    assert_eq!(seeds(succession.retired()), [1]);
    let by_retired = succession.follow(&says(Turn::InUse, 8, &[1, 8]));
    assert_eq!(by_retired, Ok(Followed::Nothing));
    let error = succession
        .follow(&says(Turn::InUse, 1, &[2, 1]))
        .unwrap_err();
    assert!(matches!(error, SuccessionError::Again { .. }), "{error}");
}

#[test]
fn the_last_key_is_not_retired_and_another_logs_statement_is_refused() {
    let mut succession = pinned(1);
    let error = succession
        .follow(&says(Turn::Retired, 1, &[1]))
        .unwrap_err();
    assert!(matches!(error, SuccessionError::Last { .. }), "{error}");
    let other = SigningKey::from_seed("other.example/log", &[1; 32]).unwrap();
    let elsewhere = "other.example/log".parse().unwrap();
    let vkey = other.verifying_key();
    let statement = Statement::make(&elsewhere, Turn::InUse, vkey, &[&other]).unwrap();
    let error = succession.follow(&statement).unwrap_err();
    assert!(matches!(error, SuccessionError::Origin { .. }), "{error}");
}

#[test]
fn a_statement_that_was_altered_is_refused() {
    let honest = says(Turn::InUse, 2, &[1, 2]).to_string();
    let altered = honest.replace("in-use", "retired");
    let mut succession = pinned(1);
    let statement = Statement::parse(&altered).unwrap();
    let error = succession.follow(&statement).unwrap_err();
    assert!(
        matches!(error, SuccessionError::Signature { .. }),
        "{error}"
    );
}

/// The details as the broker writes them, field by field.
pub(crate) fn details(statement: &str, key: &str, in_use: bool) -> Vec<u8> {
    use ciborium::Value;
    let text = |text: &str| Value::from(text);
    let held = Value::Map(vec![
        (text("statement"), text(statement)),
        (text("key"), text(key)),
        (text("in_use"), Value::from(in_use)),
    ]);
    let event = Value::Map(vec![(text("CheckpointKey"), held)]);
    let mut bytes = Vec::new();
    ciborium::into_writer(&Value::Map(vec![(text("event"), event)]), &mut bytes).unwrap();
    bytes
}

#[test]
fn a_statement_is_read_from_the_details_of_its_entry_and_from_nothing_else() {
    let statement = says(Turn::InUse, 2, &[1, 2]);
    let vkey = key(2).verifying_key().to_string();
    let opened = |details| Opened {
        blind: [0; 32],
        details,
    };
    let honest = details(&statement.to_string(), &vkey, true);
    assert_eq!(
        Statement::in_details(&opened(honest.clone())).unwrap(),
        statement
    );
    let other = key(3).verifying_key().to_string();
    for wrong in [
        details(&statement.to_string(), &other, true),
        details(&statement.to_string(), &vkey, false),
        details("nonsense", &vkey, true),
        honest[..honest.len() - 1].to_vec(),
        [honest.as_slice(), &[0]].concat(),
        Vec::new(),
    ] {
        assert!(Statement::in_details(&opened(wrong)).is_err());
    }
    for at in 0..honest.len() {
        let mut altered = honest.clone();
        altered[at] ^= 1;
        // It may still be read, as what it says then; it never panics.
        drop(Statement::in_details(&opened(altered)));
    }
}

#[test]
fn a_note_of_another_form_is_no_statement() {
    let signed = |text: &str| schakel_audit::note::sign(text, &key(1)).unwrap();
    let vkey = key(2).verifying_key().to_string();
    for text in [
        format!("{ORIGIN}\n7\nmMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=\n"),
        format!("{ORIGIN}\nschakel/checkpoint-key/v1 borrowed\n{vkey}\n"),
        format!("{ORIGIN}\nschakel/checkpoint-key/v1 in-use\n{vkey}\nmore\n"),
        format!("{ORIGIN}\nschakel/checkpoint-key/v1 in-use\n"),
    ] {
        assert!(
            matches!(Statement::parse(&signed(&text)), Err(StatementError::Lines)),
            "{text}"
        );
    }
    let foreign = SigningKey::from_seed("other.example/log", &[2; 32]).unwrap();
    let text = format!(
        "{ORIGIN}\nschakel/checkpoint-key/v1 in-use\n{}\n",
        foreign.verifying_key()
    );
    assert!(matches!(
        Statement::parse(&signed(&text)),
        Err(StatementError::Name { .. })
    ));
}
