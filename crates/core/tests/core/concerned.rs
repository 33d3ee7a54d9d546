//! Whom the records of a person concern.

use std::collections::BTreeSet;

use schakel_core::{
    code::Condition,
    consent::ConsentState,
    event::{Asked, ConsentEnded, Denied, Event, LookedUp},
    id::{Reference, RestrictionId},
    inbox::{Pending, Topic},
    person::SubjectRef,
    restriction::{self, RestrictionKind},
};

use super::{
    dossier::disclosed,
    kept::{Kept, SUBJECT, details},
    scene::{CARE, CASE, EAST, PI, UWV, party},
};

const OFFICER: &str = "fg-zorg-midden";
const RESTRICTION: RestrictionId = RestrictionId::from_bytes([6; 16]);

fn named() -> SubjectRef {
    SubjectRef::Skn("123".parse().unwrap())
}

fn denied(asked: Asked) -> Event {
    Event::Denied(Denied {
        asked,
        findings: Vec::new(),
        reference: Reference::from_bytes([7; 16]),
    })
}

/// What a party, or its officer, does by no more than naming somebody.
fn namings() -> Vec<Event> {
    vec![
        Event::ConsentEnded(ConsentEnded {
            state: ConsentState::Withdrawn,
            subject: named(),
            conditions: BTreeSet::new(),
            recipient: None,
            consents: Vec::new(),
            narrowed: Vec::new(),
            notices: Vec::new(),
        }),
        Event::Restricted {
            restriction: RESTRICTION,
            kind: RestrictionKind::Objection,
            controller: None,
            conditions: BTreeSet::new(),
            between_others: false,
            notices: Vec::new(),
        },
        Event::RestrictionLifted {
            restriction: RESTRICTION,
            controller: Some(party(CARE)),
        },
        Event::RestrictionLifted {
            restriction: RESTRICTION,
            controller: None,
        },
        denied(Asked::Call {
            method: "ConsentsService/ListConsents".into(),
            subject: Some(named()),
        }),
        Event::LookedUp(LookedUp {
            method: "AuditService/SearchEntries".into(),
            purpose: None,
            subject: None,
            entry: None,
            question: String::new(),
            results: 0,
        }),
    ]
}

/// Neither a party nor the controller of a privacy officer has to do with somebody for having named them, whether
/// it did so itself or its officer for it.
#[test]
fn nobody_is_concerned_for_having_named_somebody() {
    for by in [CARE, OFFICER] {
        let mut kept = Kept::with_case();
        for event in namings() {
            // The officer's withdrawals and objections concern its controller only when that has to do with them.
            let passed_on = matches!(event, Event::ConsentEnded(_) | Event::Restricted { .. });
            let controllers: &[&str] = if passed_on { &[by] } else { &[CARE, by] };
            let sealed = details(by, controllers, event);
            assert!(!sealed.says_more_to(&party(CARE)), "{sealed:?}");
            kept.apply_details(&sealed);
        }
        assert!(!kept.dossier.concerns(&party(CARE)), "{by}");
        assert!(!kept.dossier.concerns(&party(OFFICER)), "{by}");
    }
}

/// To whoever is told of what somebody else passed on, was served, or had a message dropped, an entry says more.
#[test]
fn an_entry_says_more_than_a_name_to_whom_it_tells() {
    let message = denied(Asked::Message {
        order: None,
        position: None,
        message: Pending {
            subject: SUBJECT,
            topic: Topic::Status {
                case: CASE,
                condition: Condition::Housing,
                purpose: "P-PLAN".parse().unwrap(),
            },
        },
        receiver: None,
    });
    let passed_on = namings().into_iter().take(2);
    let events = passed_on.chain([message, Event::Disclosed(disclosed(PI, Vec::new()))]);
    for event in events {
        let sealed = details(EAST, &[UWV], event);
        assert!(sealed.says_more_to(&party(UWV)), "{sealed:?}");
        assert!(!sealed.says_more_to(&party(CARE)), "it does not concern it");
    }
}

/// Whoever must decide about an objection always may, however many others took a place.
#[test]
fn an_objection_stays_open_to_whom_it_concerns() {
    let mut kept = Kept::with_case();
    let objection = namings().swap_remove(1);
    kept.apply(CARE, objection);
    for n in 0..restriction::MOST_LIFTED {
        let controller = Some(party(&format!("stranger-{n}")));
        let lifted = Event::RestrictionLifted {
            restriction: RESTRICTION,
            controller,
        };
        kept.apply(OFFICER, lifted);
    }
    let found = &kept.dossier.restrictions[&RESTRICTION];
    let open = |id: &str| found.is_open_to(&party(id), kept.dossier.concerns(&party(id)));
    assert!(open(EAST) && open(PI));
    assert!(!open(UWV), "whom it does not concern");
    assert!(!open("stranger-1"), "twice");
}
