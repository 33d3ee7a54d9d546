//! What events make of a dossier, and that its rows on disk make the same dossier again.

use schakel_core::{
    case::ClosingReason,
    code::{Condition, Granularity, Moment, Regime, Role, Status},
    consent::{ConsentKind, ConsentState},
    decide::Grant,
    dossier::RowKey,
    event::{ConsentEnded, Delivered, Disclosed, Event, SlotUse},
    id::{ConsentId, DeliveryId, EntryIndex, NoticeId, PartyId, RestrictionId, SlotId},
    inbox::{Pending, Topic},
    notice::{Notice, NoticeKind},
    person::{Identifier, SubjectRef},
    restriction::RestrictionKind,
    status::Report,
    time::Period,
};

use super::{
    kept::{Kept, SUBJECT, details},
    scene::{CASE, DEBT, EAST, HOUSING, PI, WEST, ask, at, party, terms},
};

const CONSENT: ConsentId = ConsentId::from_bytes([1; 16]);
const NOTICE: NoticeId = NoticeId::from_bytes([2; 16]);

fn reported(notices: Vec<Notice>) -> Event {
    Event::StatusReported {
        case: CASE,
        condition: Condition::Housing,
        report: Report {
            status: Status::Arranged,
            as_of: "2026-03-01".parse().unwrap(),
            expected: None,
            moment: Moment::Entry,
            origin: Role::Pi,
            offered_by: None,
        },
        regime: Regime::Wjsg,
        messages: Vec::new(),
        notices,
    }
}

fn notice() -> Notice {
    Notice {
        id: NOTICE,
        kind: NoticeKind::Withdrawal,
        recipient: party(HOUSING),
        reference: SubjectRef::ClientRef("h-1".parse().unwrap()),
        conditions: [Condition::Housing].into(),
        issued_by: party(EAST),
        issued_at: at("2026-03-01T00:00:00Z"),
        deadline: at("2026-03-15T00:00:00Z"),
        delivered_at: None,
        acknowledged_at: None,
        entry: EntryIndex(0),
        issued_with: None,
    }
}

pub(crate) fn disclosed(provider: &str, consents: Vec<ConsentId>) -> Disclosed {
    let basis = schakel_core::purpose::LegalBasis {
        basis: schakel_core::code::Basis::Consent,
        law_ref: "any".into(),
    };
    Disclosed {
        ask: ask("P-ARRANGE-HOUSING", &[Condition::Housing]),
        version: 1,
        grants: vec![Grant {
            case: CASE,
            condition: Condition::Housing,
            provider: party(provider),
            status: EntryIndex(3),
            route: 0,
            provider_basis: basis.clone(),
            recipient_basis: basis,
            consents,
            granularity: Granularity::Signal,
            criminal_data_ground: None,
            art9_ground: None,
        }],
        granularity: Granularity::Signal,
        salt: [0; 32],
    }
}

#[test]
fn the_next_municipality_takes_the_place_of_the_one_before_at_once() {
    let mut kept = Kept::with_case();
    let moved = kept.now();
    let event = Event::MunicipalityAssigned {
        case: CASE,
        municipality: party(WEST),
    };
    assert_eq!(kept.apply(PI, event), [RowKey::Case(CASE)]);
    let case = &kept.dossier.cases[&CASE];
    assert_eq!(case.municipality(moved.minus_millis(1)), Some(&party(EAST)));
    assert_eq!(case.municipality(moved), Some(&party(WEST)));
    assert!(!case.has_member(&party(EAST), moved));
    assert!(
        case.has_member(&party(PI), moved),
        "who opened it keeps its place"
    );
}

#[test]
fn a_member_that_is_removed_loses_its_place_and_its_introductions() {
    let mut kept = Kept::with_case();
    let period = Period::new(kept.now(), None).unwrap();
    kept.apply(
        PI,
        Event::MemberAdded {
            case: CASE,
            party: party(HOUSING),
            period,
        },
    );
    introduce(&mut kept, HOUSING);
    let removed = kept.now();
    remove(&mut kept, HOUSING);
    let case = &kept.dossier.cases[&CASE];
    assert!(case.has_party(&party(HOUSING), Condition::Debt, removed.minus_millis(1)));
    assert!(!case.has_party(&party(HOUSING), Condition::Housing, removed));
}

pub(crate) fn remove(kept: &mut Kept, partner: &str) {
    let removed = Event::MemberRemoved {
        case: CASE,
        party: party(partner),
        codes_ended: true,
    };
    kept.apply(PI, removed);
}

pub(crate) fn introduce(kept: &mut Kept, partner: &str) {
    let introduced = Event::Introduced {
        case: CASE,
        partner: party(partner),
        condition: Condition::Housing,
        code_sha256: [4; 32],
        until: at("2026-04-01T00:00:00Z"),
    };
    kept.apply(PI, introduced);
    let client_ref = "h-1".parse().unwrap();
    kept.apply(
        partner,
        Event::Redeemed {
            code_sha256: [4; 32],
            client_ref,
        },
    );
}

#[test]
fn an_introduction_gives_a_place_for_its_condition_once_it_is_redeemed() {
    let mut kept = Kept::with_case();
    introduce(&mut kept, HOUSING);
    let case = &kept.dossier.cases[&CASE];
    assert!(case.has_party(&party(HOUSING), Condition::Housing, kept.now()));
    assert!(!case.has_party(&party(HOUSING), Condition::Debt, kept.now()));
    assert!(kept.dossier.introductions[&[4; 32]].redeemed);
    let mark = Identifier::ClientRef(party(HOUSING), "h-1".parse().unwrap());
    assert!(kept.dossier.identifiers.contains_key(&mark));
}

#[test]
fn a_partner_that_is_removed_has_no_code_left_to_come_back_with() {
    let mut kept = Kept::with_case();
    let introduced = |code, partner| Event::Introduced {
        case: CASE,
        partner: party(partner),
        condition: Condition::Housing,
        code_sha256: [code; 32],
        until: at("2026-04-01T00:00:00Z"),
    };
    kept.apply(PI, introduced(4, HOUSING));
    kept.apply(PI, introduced(5, DEBT));
    let leads = |kept: &Kept, code: u8, partner| {
        kept.dossier.introductions[&[code; 32]].leads(CASE, &party(partner), kept.now())
    };
    assert!(leads(&kept, 4, HOUSING) && !leads(&kept, 4, DEBT));
    let removed = |codes_ended| Event::MemberRemoved {
        case: CASE,
        party: party(HOUSING),
        codes_ended,
    };
    // As older brokers recorded it: what followed in their log was decided with the code still good.
    kept.apply(PI, removed(false));
    assert!(leads(&kept, 4, HOUSING));
    kept.apply(PI, removed(true));
    assert!(!leads(&kept, 4, HOUSING) && leads(&kept, 5, DEBT));
}

#[test]
fn a_case_is_open_until_it_is_closed() {
    let mut kept = Kept::with_case();
    let closed = kept.now();
    let reason = ClosingReason::Completed;
    kept.apply(PI, Event::CaseClosed { case: CASE, reason });
    let case = &kept.dossier.cases[&CASE];
    assert!(case.is_open(closed.minus_millis(1)) && !case.is_open(closed));
}

#[test]
fn a_consent_ends_whole_or_in_part_and_its_terms_never_change() {
    let mut kept = Kept::with_case();
    let agreed = terms(ConsentKind::ProcessingBasis);
    let recorded = Event::ConsentRecorded {
        consent: CONSENT,
        state: ConsentState::Given,
        terms: agreed.clone(),
        identifier: Some(Identifier::Bsn("111222333".parse().unwrap())),
    };
    let rows = kept.apply(EAST, recorded);
    assert_eq!(rows.len(), 2, "the consent and the number");

    let ended = |narrowed, consents, notices| {
        Event::ConsentEnded(ConsentEnded {
            state: ConsentState::Withdrawn,
            subject: SubjectRef::Case(CASE),
            conditions: [Condition::Housing].into(),
            recipient: Some(party(HOUSING)),
            consents,
            narrowed,
            notices,
        })
    };
    let part = kept.now();
    kept.apply(EAST, ended(vec![CONSENT], Vec::new(), vec![notice()]));
    let consent = &kept.dossier.consents[&CONSENT];
    let state = |condition, who: &str, at| consent.state_for(condition, &party(who), at);
    assert_eq!(
        state(Condition::Housing, HOUSING, part),
        Some(ConsentState::Withdrawn)
    );
    let before = part.minus_millis(1);
    assert_eq!(
        state(Condition::Housing, HOUSING, before),
        Some(ConsentState::Given)
    );
    assert_eq!(
        state(Condition::Debt, HOUSING, part),
        Some(ConsentState::Given)
    );
    assert_eq!(
        state(Condition::Housing, WEST, part),
        Some(ConsentState::Given)
    );
    assert_eq!(kept.dossier.notices[&NOTICE].entry, EntryIndex(3));

    let whole = kept.now();
    kept.apply(EAST, ended(Vec::new(), vec![CONSENT], Vec::new()));
    let consent = &kept.dossier.consents[&CONSENT];
    assert_eq!(consent.state(whole), Some(ConsentState::Withdrawn));
    assert_eq!(consent.last_entry(), Some(EntryIndex(4)));
    assert_eq!(consent.terms, agreed);
}

#[test]
fn a_new_report_replaces_the_last_one_and_keeps_the_notices_of_a_correction() {
    let mut kept = Kept::with_case();
    kept.apply(PI, reported(Vec::new()));
    kept.apply(PI, reported(vec![notice()]));
    assert_eq!(kept.dossier.statuses.len(), 1);
    let record = kept.dossier.statuses.values().next().unwrap();
    assert_eq!(
        (record.entry, record.reporter.as_str()),
        (EntryIndex(3), PI)
    );
    assert_eq!(kept.dossier.notices[&NOTICE].entry, EntryIndex(3));
}

#[test]
fn whoever_is_served_is_remembered_once_with_all_providers_and_consents() {
    let mut kept = Kept::with_case();
    let key = RowKey::Served(party(HOUSING), Condition::Housing);
    let asked = |provider, consents| Event::Disclosed(disclosed(provider, consents));
    let first = kept.apply(HOUSING, asked(PI, vec![CONSENT]));
    assert_eq!(first, vec![key.clone()]);
    assert_eq!(
        kept.apply(HOUSING, asked(PI, vec![CONSENT])),
        [],
        "nothing new"
    );
    assert_eq!(kept.apply(HOUSING, asked(EAST, Vec::new())), [key]);
    let served = &kept.dossier.served[&(party(HOUSING), Condition::Housing)];
    let providers: Vec<&PartyId> = served.providers.iter().collect();
    assert_eq!(providers, [&party(EAST), &party(PI)]);
    assert_eq!(served.consents, [CONSENT].into());
}

#[test]
fn a_notice_remembers_when_it_was_first_handed_over_and_acknowledged() {
    let mut kept = Kept::with_case();
    kept.apply(PI, reported(vec![notice()]));
    let handed = |order| {
        let topic = Topic::Notice(NOTICE);
        Event::Delivered(Delivered {
            delivery: DeliveryId::from_bytes([5; 16]),
            position: 1,
            order,
            message: Pending {
                subject: SUBJECT,
                topic,
            },
            disclosed: None,
        })
    };
    let acknowledged = Event::Acknowledged {
        delivery: DeliveryId::from_bytes([5; 16]),
        position: 1,
        notice: Some(NOTICE),
        about: None,
    };
    let first = kept.now();
    kept.apply(HOUSING, handed(None));
    kept.apply(HOUSING, handed(None));
    let told = kept.now();
    kept.apply(HOUSING, acknowledged);
    let notice = &kept.dossier.notices[&NOTICE];
    assert_eq!(
        (notice.delivered_at, notice.acknowledged_at),
        (Some(first), Some(told))
    );
}

#[test]
fn a_message_that_carries_a_status_serves_its_receiver() {
    let mut kept = Kept::with_case();
    let topic = Topic::Status {
        case: CASE,
        condition: Condition::Housing,
        purpose: "P-PLAN".parse().unwrap(),
    };
    let delivered = Event::Delivered(Delivered {
        delivery: DeliveryId::from_bytes([5; 16]),
        position: 1,
        order: None,
        message: Pending {
            subject: SUBJECT,
            topic,
        },
        disclosed: Some(disclosed(PI, vec![CONSENT])),
    });
    kept.apply(EAST, delivered);
    assert!(
        kept.dossier
            .served
            .contains_key(&(party(EAST), Condition::Housing))
    );
}

#[test]
fn a_restriction_stands_until_it_is_lifted() {
    let mut kept = Kept::with_case();
    let restriction = RestrictionId::from_bytes([6; 16]);
    let from = kept.now();
    let restricted = Event::Restricted {
        restriction,
        kind: RestrictionKind::Objection,
        controller: Some(party(EAST)),
        conditions: [Condition::Housing].into(),
        between_others: false,
        notices: vec![notice()],
    };
    kept.apply(EAST, restricted);
    let lifted = kept.now();
    kept.apply(
        EAST,
        Event::RestrictionLifted {
            restriction,
            controller: None,
        },
    );
    let found = &kept.dossier.restrictions[&restriction];
    let blocks = |condition, provider: &str, recipient: &str, at| {
        found.blocks(condition, &party(provider), &party(recipient), at)
    };
    assert!(blocks(Condition::Housing, PI, EAST, from));
    assert!(blocks(Condition::Housing, EAST, HOUSING, from));
    assert!(
        !blocks(Condition::Housing, PI, HOUSING, from),
        "not directed at either"
    );
    assert!(!blocks(Condition::Debt, PI, EAST, from));
    assert!(!blocks(Condition::Housing, PI, EAST, from.minus_millis(1)));
    assert!(!blocks(Condition::Housing, PI, EAST, lifted));
    assert!(kept.dossier.notices.contains_key(&NOTICE));
}

#[test]
fn the_keys_an_entry_binds_are_kept_and_other_events_touch_nothing() {
    let mut kept = Kept::with_case();
    let usage = SlotUse::Controller(party(PI));
    let mut details = details(PI, &[], Event::Stopped);
    details.binds = vec![(usage.clone(), SlotId::from_bytes([7; 16]))];
    assert_eq!(kept.apply_details(&details), [RowKey::Slot(usage.clone())]);
    assert_eq!(kept.dossier.slots[&usage], SlotId::from_bytes([7; 16]));
}
