//! What the officer of a controller sees of an entry, and what the officer of an outsider does not.

use std::collections::BTreeSet;

use schakel_api::v1;
use schakel_audit::{
    erasure::Opened,
    leaf::{EntryType, Leaf, RetentionClass},
};
use schakel_core::{
    ask::Ask,
    code::{Condition, CriminalDataGround, Granularity, Role},
    decide::{Finding, Grant, Reason},
    event::{Asked, Call, Denied, Details, Disclosed, Event},
    id::{CaseId, ConsentId, EntryIndex, PartyId, Reference, SubjectId},
    person::SubjectRef,
    purpose::LegalBasis,
    registry::Registry,
    time::{Period, Timestamp},
};
use schakel_store::{
    details::Apart,
    entry::{Entry, Whole},
};

use crate::wire::{
    entry::{Viewer, entry},
    explanation::explanation,
    export::{self, Reader},
    testing,
};

fn party(id: &str) -> PartyId {
    id.parse().unwrap()
}

fn registry() -> Registry {
    testing::registry(&[
        ("pi-1", Role::Pi),
        ("town-1", Role::Municipality),
        ("home-1", Role::HousingAssociation),
    ])
}

fn viewer(controller: &str) -> Viewer {
    Viewer::new(&registry(), party(controller))
}

/// An entry that this party caused, about which two controllers may know.
fn read(by: &str, entry_type: EntryType, event: Event) -> Entry {
    let leaf = Leaf {
        entry_type,
        at_ms: 1_500,
        party: by.into(),
        transport: None,
        purpose: Some(("P-ARRANGE-HOUSING".into(), 1)),
        id: [1; 16],
        commitment: [2; 32],
        released: None,
        subject_tag: Some([3; 16]),
        class: RetentionClass::Permanent,
        destroy: None,
        rules: None,
    };
    let call = Call {
        principal: party(by),
        transport: party(by),
        certificate: [0; 32],
        address: "192.0.2.1:4000".into(),
        actor: Some("emp-7".parse().unwrap()),
        responsible: None,
        transaction: None,
        trace: None,
        write: None,
        roles: None,
        named: None,
        unit: Some("verhuur".parse().unwrap()),
    };
    let details = Details {
        call: Some(call),
        subject: None,
        controllers: [party(by), party("pi-1"), party("home-1")].into(),
        binds: Vec::new(),
        event,
    };
    Entry {
        leaf,
        details: Some(details),
        erased: BTreeSet::new(),
    }
}

fn ask() -> Ask {
    Ask {
        subject: SubjectRef::Bsn("111222333".parse().unwrap()),
        purpose: "P-ARRANGE-HOUSING".parse().unwrap(),
        version: None,
        conditions: [Condition::Housing].into(),
        granularity: Granularity::Signal,
    }
}

fn basis(code: &str) -> LegalBasis {
    LegalBasis {
        basis: code.parse().unwrap(),
        law_ref: "law".into(),
    }
}

fn disclosed() -> Event {
    let grant = Grant {
        case: CaseId::from_bytes([4; 16]),
        condition: Condition::Housing,
        provider: party("pi-1"),
        status: EntryIndex(3),
        route: 0,
        provider_basis: basis("PBW_18A"),
        recipient_basis: basis("CONSENT_AVG_6_1_A"),
        consents: vec![ConsentId::from_bytes([5; 16])],
        granularity: Granularity::Signal,
        criminal_data_ground: Some(CriminalDataGround::Uavg32a),
        art9_ground: None,
    };
    Event::Disclosed(Disclosed {
        ask: ask(),
        version: 1,
        grants: vec![grant],
        granularity: Granularity::Signal,
        salt: [6; 32],
    })
}

fn denied() -> Event {
    let finding = Finding {
        provider: Some(party("pi-1")),
        ..Finding::about(Reason::CriminalDataGroundMissing, Condition::Housing)
    };
    Event::Denied(Denied {
        asked: Asked::Disclosure(ask()),
        findings: vec![finding],
        reference: Reference::from_bytes([7; 16]),
    })
}

fn explain(event: &Event, controller: &str) -> v1::Explanation {
    let at = (EntryIndex(8), Timestamp::from_millis(1_500).unwrap());
    explanation(event, &registry(), at, &viewer(controller))
}

/// Whether anything in a message tells of detention or names the person.
fn tells(message: &impl prost::Message) -> bool {
    let bytes = message.encode_to_vec();
    [
        "pi-1",
        "PBW_18A",
        "UAVG_32_A",
        "CRIMINAL",
        "detention",
        "111222333",
    ]
    .iter()
    .any(|word| {
        bytes
            .windows(word.len())
            .any(|window| window == word.as_bytes())
    })
}

#[test]
fn the_officer_of_the_provider_sees_on_what_it_was_disclosed() {
    let read = read("home-1", EntryType::Disclosure, disclosed());
    let shown = entry(8, &read, &viewer("pi-1"));
    assert_eq!(
        (shown.index, shown.r#type.as_str(), shown.readable),
        (8, "DISCLOSURE", true)
    );
    assert_eq!(
        shown.at,
        Some(prost_types::Timestamp {
            seconds: 1,
            nanos: 500_000_000
        })
    );
    assert_eq!(shown.provider_party_ids, ["pi-1"]);
    assert_eq!(shown.recipient_party_id.as_deref(), Some("home-1"));
    let bases: Vec<_> = shown
        .bases
        .iter()
        .map(|basis| basis.basis.as_str())
        .collect();
    assert_eq!(bases, ["CONSENT_AVG_6_1_A", "PBW_18A"]);
    assert_eq!(shown.consent_ids.len(), 1);
    assert!(shown.case_id.is_some());
    assert_eq!(shown.actor_ref, None);
    assert_eq!(shown.unit_id.as_deref(), Some("verhuur"), "who was told");
    assert_eq!(shown.summary, "told of HOUSING: whether help is needed");
}

#[test]
fn the_officer_of_an_outsider_is_told_nothing_of_detention() {
    for event in [disclosed(), denied()] {
        let read = read("home-1", EntryType::Denial, event.clone());
        assert!(tells(&entry(8, &read, &viewer("pi-1"))) || matches!(event, Event::Denied(_)));
        let shown = entry(8, &read, &viewer("home-1"));
        assert!(!tells(&shown), "{shown:?}");
        assert_eq!(shown.case_id, None);
        assert_eq!(shown.actor_ref.as_deref(), Some("emp-7"));
        assert!(tells(&explain(&event, "pi-1")));
        let explained = explain(&event, "home-1");
        assert!(!tells(&explained), "{explained:?}");
        assert_eq!(explained.reasons.len(), 1);
    }
}

#[test]
fn an_entry_made_by_a_penitentiary_institution_is_neither_shown_to_outsiders_nor_missed() {
    let by_pi = read("pi-1", EntryType::Consent, denied());
    let by_town = read("town-1", EntryType::Consent, denied());
    let own = read("home-1", EntryType::Consent, denied());
    let told_to_pi = read("pi-1", EntryType::Disclosure, disclosed());
    let told_to_town = read("town-1", EntryType::Disclosure, disclosed());
    for (controller, seen) in [
        ("pi-1", [true, true, true, true, true]),
        ("town-1", [false, true, false, false, true]),
        // Whether an institution or a town recorded it makes no difference.
        ("home-1", [false, false, true, false, true]),
    ] {
        let viewer = viewer(controller);
        let sees = |read: &Entry| viewer.sees(&read.leaf, read.details.as_ref().unwrap());
        let all = [&by_pi, &by_town, &own, &told_to_pi, &told_to_town];
        assert_eq!(all.map(sees), seen, "{controller}");
    }
    assert!(viewer("town-1").sees_actor(&by_pi.leaf));
    assert!(!viewer("home-1").sees_actor(&by_pi.leaf));
}

#[test]
fn a_denial_is_shown_with_its_reference_and_most_telling_reason() {
    let read = read("home-1", EntryType::Denial, denied());
    let shown = entry(8, &read, &viewer("pi-1"));
    assert_eq!(
        shown.reason.as_deref(),
        Some("CRIMINAL_DATA_GROUND_MISSING")
    );
    assert_eq!(shown.reference.unwrap(), vec![7; 16]);
    assert_eq!(shown.conditions, [v1::Condition::Housing as i32]);
    let outsider = entry(8, &read, &viewer("home-1"));
    assert_eq!(outsider.reason.as_deref(), Some("NO_BASIS"));
}

#[test]
fn an_erased_entry_shows_its_leaf_and_nothing_more() {
    let Entry { leaf, .. } = read("home-1", EntryType::Disclosure, disclosed());
    let shown = entry(
        8,
        &Entry {
            leaf,
            details: None,
            erased: BTreeSet::new(),
        },
        &viewer("pi-1"),
    );
    assert!(!shown.readable);
    assert_eq!(shown.party_id, "home-1");
    assert_eq!(shown.purpose.as_deref(), Some("P-ARRANGE-HOUSING"));
    assert!(shown.conditions.is_empty() && shown.recipient_party_id.is_none());
    assert!(shown.summary.starts_with("erased"));
}

/// What links the person across controllers must not leave with what is opened: older brokers committed to it. What
/// they wrote is closed for nobody as well, or it would tell.
#[test]
fn an_export_keeps_closed_what_older_brokers_wrote_of_somebody_and_of_nobody() {
    let everything = Period {
        from: Timestamp::EPOCH,
        until: None,
    };
    let reader = Reader::Officer(viewer("town-1"), Some(everything));
    let exported = |subject, apart| {
        let mut entry = read("town-1", EntryType::Denial, denied());
        let details = entry.details.as_mut().unwrap();
        details.subject = subject;
        entry.leaf.subject_tag = Some([4; 16]);
        let whole = Whole {
            encoded: entry.leaf.encode(),
            entry,
            opened: Some(Opened {
                blind: [0; 32],
                details: Vec::new(),
            }),
            apart,
            slots: Vec::new(),
        };
        let now = Timestamp::from_millis(2_000).unwrap();
        let shown = export::entry((8, &whole), &[], (&reader, None), now);
        shown.details.is_some()
    };
    let somebody = Some(SubjectId::from_bytes([9; 16]));
    for subject in [somebody, None] {
        assert!(exported(subject, Apart::All));
        assert!(!exported(subject, Apart::Links));
        assert!(!exported(subject, Apart::Nothing));
    }
}
