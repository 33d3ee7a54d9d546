//! What is read from a message is written back as the same message.

use schakel_api::v1;
use schakel_core::{
    code::{Condition, Role},
    consent::{Consent, ConsentState, StateChange},
    id::{ConsentId, EntryIndex},
    registry::{Change, Registered},
    time::Timestamp,
};

use crate::{
    call::{Call, Outcome},
    wire::{
        consent, exchange, party, purpose, registry,
        request::read,
        testing::{self, answer},
        veil::Veil,
    },
};

#[test]
fn the_terms_of_a_consent() {
    let sent = testing::consent();
    let parsed = read(
        sent.clone(),
        &testing::peer(Role::Municipality),
        consent::record,
    )
    .unwrap();
    let Call::RecordConsent { terms, .. } = parsed.call else {
        panic!("{parsed:?}")
    };
    assert_eq!(terms.case.unwrap().to_string(), testing::id(1));
    assert_eq!(terms.collected_by.as_str(), "party-1");
    let history = vec![StateChange {
        state: ConsentState::Given,
        at: terms.collected_at,
        by: terms.collected_by.clone(),
        entry: EntryIndex(1),
    }];
    let consent = Consent {
        id: ConsentId::from_bytes([3; 16]),
        terms: *terms,
        history,
        narrowed: Vec::new(),
    };
    let at = consent.terms.valid_from;
    let shown = consent::shown(
        answer(Outcome::Consents(vec![consent], at)),
        &Veil::default(),
    );
    let Some(v1::get_consent_response::Outcome::Consents(shown)) = shown.unwrap().outcome else {
        panic!("not shown")
    };
    let terms = shown.consents[0].terms.clone().unwrap();
    let mut expected = sent.terms.unwrap();
    expected.conditions.sort_unstable();
    expected.provider_party_ids.sort_unstable();
    assert_eq!(terms, expected);
}

#[test]
fn a_party_and_a_purpose() {
    let proposed = |change| {
        let parsed = read(
            testing::proposal(change),
            &testing::peer(Role::Administrator),
            registry::propose,
        );
        match parsed.unwrap().call {
            Call::ProposeChange(change) => *change,
            other => panic!("{other:?}"),
        }
    };
    let sent = testing::party();
    let Change::PutParty(read) = proposed(v1::change::Change::PutParty(sent.clone())) else {
        panic!("another change")
    };
    assert_eq!(party::write(&read), sent);
    let sent = testing::purpose();
    let Change::PutPurpose(read) = proposed(v1::change::Change::PutPurpose(sent.clone())) else {
        panic!("another change")
    };
    assert_eq!(purpose::write(&read), sent);
    let withdrawn = Registered {
        version: read.into(),
        entry: EntryIndex(4),
        withdrawn_at: Timestamp::from_millis(1_500).ok(),
    };
    let at = prost_types::Timestamp {
        seconds: 1,
        nanos: 500_000_000,
    };
    assert_eq!(purpose::registered(&withdrawn).withdrawn_at, Some(at));
}

#[test]
fn every_field_of_a_report_and_of_a_question_is_taken_over() {
    let sent = v1::ReportStatusRequest {
        status: v1::ConditionStatus::HelpDeclined.into(),
        offered_by_party_id: Some("home-1".into()),
        origin: Some(v1::Role::Pi.into()),
        correction: true,
        ..testing::report()
    };
    let parsed = read(sent, &testing::peer(Role::Municipality), exchange::report).unwrap();
    let Call::ReportStatus {
        condition,
        report,
        correction,
        ..
    } = parsed.call
    else {
        panic!("{parsed:?}")
    };
    assert!(correction);
    assert_eq!(condition, Condition::Housing);
    assert_eq!(report.origin, Role::Pi);
    assert_eq!(report.as_of.to_string(), "2026-11-20");
    assert_eq!(report.expected.unwrap().to_string(), "2026-12-01");
    assert_eq!(report.offered_by.unwrap().as_str(), "home-1");
    let own = read(
        testing::report(),
        &testing::peer(Role::Municipality),
        exchange::report,
    );
    let Call::ReportStatus { report, .. } = own.unwrap().call else {
        panic!("no report")
    };
    assert_eq!(report.origin, Role::Municipality);
    let item = v1::AskItem {
        purpose_version: Some(3),
        ..testing::item()
    };
    let ask = v1::AskRequest {
        actor: Some(testing::actor()),
        item: Some(item),
    };
    let parsed = read(ask, &testing::peer(Role::Uwv), exchange::ask).unwrap();
    assert_eq!(parsed.who.unwrap().actor.as_str(), "emp-7");
    let Call::Ask(ask) = parsed.call else {
        panic!("no question")
    };
    assert_eq!((ask.purpose.as_str(), ask.version), ("P-PLAN", Some(3)));
}
