//! What the opening of a case says of numbers.

use std::collections::BTreeSet;

use schakel_core::{
    case::ClosingReason,
    code::Condition,
    consent::{ConsentKind, ConsentState},
    dossier::{Dossier, Served},
    event::Event,
    id::{CaseId, ConsentId, EntryIndex, RestrictionId},
    person::{Identifier, SubjectRef},
    restriction::{self, RestrictionKind},
    withdrawal::{self, Scope},
};

use super::{
    kept::{Kept, SUBJECT, details},
    scene::{self, CARE, CASE, Counting, EAST, HOUSING, PI, UWV, now, party},
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
fn a_number_said_besides_stands_with_the_case_alone_until_its_opener_says_it_was_in_error() {
    let mut kept = Kept::new();
    kept.apply(PI, opened(CASE));
    assert!(!kept.dossier.identifiers.contains_key(&skn()));
    let case = &kept.dossier.cases[&CASE];
    assert_eq!((&*case.besides, case.in_error), (&[skn()][..], false));
    for (by, reason, in_error) in [
        (PI, ClosingReason::MovedAbroad, false),
        (EAST, ClosingReason::OpenedInError, false),
        (PI, ClosingReason::OpenedInError, true),
    ] {
        kept.apply(by, Event::CaseClosed { case: CASE, reason });
        assert_eq!(
            kept.dossier.cases[&CASE].in_error, in_error,
            "{reason} by {by}"
        );
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

/// What a party passes on for somebody to whom others' word alone leads shows nothing of it where it takes part.
#[test]
fn what_a_party_takes_part_in_is_left_alone_where_others_alone_say_who_is_meant() {
    let mut dossier = scene::dossier();
    let agreed = |number: u8, by: &str, to: &str| {
        let mut agreed = scene::terms(ConsentKind::ProcessingBasis);
        agreed.collected_by = party(by);
        agreed.providers = [party(PI)].into();
        agreed.recipients = [party(to)].into();
        scene::consent(number, agreed, &[ConsentState::Given])
    };
    let parts = [(EAST, HOUSING), (CARE, HOUSING), (EAST, CARE), (CARE, CARE)];
    for (number, (by, to)) in (1..).zip(parts) {
        scene::keep(&mut dossier, agreed(number, by, to));
    }
    let all = BTreeSet::new();
    let scope = |leaves| Scope {
        conditions: &all,
        recipient: None,
        leaves,
    };
    let care = party(CARE);
    for (leaves, ended) in [(None, vec![1, 2, 3, 4]), (Some(&care), vec![1])] {
        let random = &mut Counting(0);
        let plan = withdrawal::plan(&dossier, &scope(leaves), &care, now(), random);
        let ids = ended.iter().map(|n: &u8| ConsentId::from_bytes([*n; 16]));
        assert!(plan.consents.iter().copied().eq(ids), "{leaves:?}");
    }
}

#[test]
fn a_restriction_between_others_stands_in_no_exchange_of_who_recorded_it() {
    for between_others in [false, true] {
        let mut kept = Kept::with_case();
        let restriction = RestrictionId::from_bytes([6; 16]);
        let from = kept.now();
        let restricted = Event::Restricted {
            restriction,
            kind: RestrictionKind::Objection,
            controller: None,
            conditions: BTreeSet::new(),
            between_others,
            notices: Vec::new(),
        };
        kept.apply(CARE, restricted);
        let found = &kept.dossier.restrictions[&restriction];
        let blocks = |provider: &str, recipient: &str| {
            found.blocks(Condition::Debt, &party(provider), &party(recipient), from)
        };
        assert!(blocks(PI, EAST));
        assert_eq!(blocks(PI, CARE), !between_others);
        assert_eq!(blocks(CARE, EAST), !between_others);
    }
}

#[test]
fn a_restriction_between_others_tells_nobody_of_what_who_recorded_it_took_part_in() {
    let mut dossier = scene::dossier();
    for (who, provider) in [(HOUSING, PI), (CARE, PI), (UWV, CARE)] {
        let served = Served {
            recipient: party(who),
            condition: Condition::Debt,
            reference: SubjectRef::Case(CASE),
            consents: BTreeSet::new(),
            providers: [party(provider)].into(),
        };
        let key = (party(who), Condition::Debt);
        dossier.served.insert(key, served);
    }
    let told = |between_others| {
        let all = BTreeSet::new();
        let by = (&party(CARE), between_others);
        let notices = restriction::notices(&dossier, (None, &all), by, now(), &mut Counting(0));
        let told: BTreeSet<_> = notices.into_iter().map(|notice| notice.recipient).collect();
        told
    };
    assert_eq!(
        told(false),
        [party(HOUSING), party(CARE), party(UWV)].into()
    );
    assert_eq!(told(true), [party(HOUSING)].into());
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
