//! The minimum index: announced by the keys that sign for the log, and by nobody else.

use schakel_audit::{
    minimum::{MinimumError, MinimumIndex},
    note::sign,
};

use super::succession::{ORIGIN, key};

fn open(note: &str, seed: u8) -> Result<u64, MinimumError> {
    let origin = ORIGIN.parse().unwrap();
    let key = key(seed);
    MinimumIndex::open(note, &origin, &[key.verifying_key()]).map(|found| found.index())
}

#[test]
fn an_announcement_holds_for_each_key_that_signed_it() {
    let origin = ORIGIN.parse().unwrap();
    for index in [0, 1, 70_000, u64::MAX] {
        let made = MinimumIndex::make(&origin, index, &[key(1), key(2)]).unwrap();
        assert_eq!(made.index(), index);
        let note = made.to_string();
        assert_eq!((open(&note, 1), open(&note, 2)), (Ok(index), Ok(index)));
        assert!(matches!(open(&note, 3), Err(MinimumError::Signature(_))));
        let altered = note.replacen(&format!("\n{index}\n"), "\n12\n", 1);
        assert!(matches!(open(&altered, 1), Err(MinimumError::Signature(_))));
    }
}

#[test]
fn a_note_of_another_form_or_log_announces_nothing() {
    let word = "schakel/minimum-index/v1";
    for text in [
        format!("{ORIGIN}\n{word}\n"),
        format!("{ORIGIN}\n{word}\n07\n"),
        format!("{ORIGIN}\n{word}\n-1\n"),
        format!("{ORIGIN}\n{word}\n18446744073709551616\n"),
        format!("{ORIGIN}\n{word}\n7\nmore\n"),
        format!("{ORIGIN}\nschakel/minimum-index/v2\n7\n"),
        format!("{ORIGIN}\n7\nmMl/C6MXXNCLAx3QhLncTmSbZNGijm6mlGRlAxc6tYc=\n"),
    ] {
        let note = sign(&text, &key(1)).unwrap();
        assert_eq!(open(&note, 1), Err(MinimumError::Lines), "{text}");
    }
    let elsewhere = sign(&format!("other.example/log\n{word}\n7\n"), &key(1)).unwrap();
    assert!(matches!(
        open(&elsewhere, 1),
        Err(MinimumError::Origin { .. })
    ));
    assert!(matches!(open("nonsense", 1), Err(MinimumError::Note(_))));
}
