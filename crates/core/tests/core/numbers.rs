//! What the opening of a case says of numbers.

use std::collections::BTreeSet;

use schakel_core::{
    case::ClosingReason,
    dossier::Dossier,
    event::Event,
    id::{CaseId, EntryIndex},
    person::Identifier,
};

use super::{
    kept::{Kept, SUBJECT, details},
    scene::{CASE, EAST, PI},
};

fn skn() -> Identifier {
    Identifier::Skn("456".parse().unwrap())
}

fn opened(case: CaseId) -> Event {
    Event::CaseOpened {
        case,
        identifiers: vec![Identifier::Bsn("111222333".parse().unwrap())],
        besides: vec![skn()],
        municipality: None,
    }
}

/// Nobody finds the person by it: not another, and not who reads the dossier.
#[test]
fn a_number_said_besides_stands_with_the_case_alone_until_that_was_opened_in_error() {
    let mut kept = Kept::new();
    kept.apply(PI, opened(CASE));
    assert!(!kept.dossier.identifiers.contains_key(&skn()));
    let case = &kept.dossier.cases[&CASE];
    assert_eq!((&*case.besides, case.in_error), (&[skn()][..], false));
    for (reason, in_error) in [
        (ClosingReason::MovedAbroad, false),
        (ClosingReason::OpenedInError, true),
    ] {
        kept.apply(EAST, Event::CaseClosed { case: CASE, reason });
        assert_eq!(kept.dossier.cases[&CASE].in_error, in_error, "{reason}");
    }
}

#[test]
fn whose_a_number_is_to_a_party_goes_with_what_it_has_erased() {
    let mut dossier = Dossier::new(SUBJECT);
    let opened = details(PI, &[PI, EAST], opened(CASE));
    let at = Kept::new().now();
    dossier.apply_remains(&opened, EntryIndex(1), at);
    assert!(dossier.cases[&CASE].besides.is_empty());
    assert_eq!(
        dossier.identifiers.len(),
        1,
        "by what others find the person"
    );
}

/// What brokers recorded before a number could be one party's own word: nothing is said besides.
#[test]
fn every_number_of_an_older_case_is_everybodys() {
    let numbers = [skn(), Identifier::Bsn("111222333".parse().unwrap())];
    let opened = Event::CaseOpened {
        case: CASE,
        identifiers: numbers.to_vec(),
        besides: Vec::new(),
        municipality: None,
    };
    let older = toml::to_string(&opened).unwrap();
    assert!(!older.contains("besides"), "{older}");
    let mut kept = Kept::new();
    kept.apply(PI, toml::from_str(&older).unwrap());
    assert!(kept.dossier.identifiers.keys().eq(&BTreeSet::from(numbers)));
}
