//! Inboxes, the terms of consents, reports, and how values are written for people.

use schakel_core::{
    code::{Moment, Role, Status},
    consent::{
        Consent, ConsentKind, ConsentState, ConsentTerms, LONGEST_POSTDATING_DAYS,
        LONGEST_VALIDITY_DAYS,
    },
    id::{CaseId, DeliveryId, EntryIndex, NoticeId, SubjectId},
    inbox::{Inbox, InboxKey, Order, Pending, Topic},
    status::Report,
    time::{Date, Period, Timestamp},
};

use super::scene::{Altered, EAST, PI, at, consent, now, party, purpose, terms};

fn order(entry: u64) -> Order {
    Order(EntryIndex(entry), 0)
}

fn message(number: u8) -> Pending {
    let topic = Topic::Notice(NoticeId::from_bytes([number; 16]));
    Pending {
        subject: SubjectId::from_bytes([9; 16]),
        topic,
    }
}

fn delivery(number: u8) -> DeliveryId {
    DeliveryId::from_bytes([number; 16])
}

/// A message leaves the inbox at the next position.
fn leave(inbox: &mut Inbox, order: Order, delivery: DeliveryId) -> Vec<InboxKey> {
    let position = inbox.last_position() + 1;
    let mut rows = inbox.hand_over(order, delivery, position);
    rows.push(inbox.count());
    rows
}

#[test]
fn messages_get_their_position_when_they_leave_and_suppressed_ones_leave_no_gap() {
    let mut inbox = Inbox::default();
    for number in 1..=3 {
        inbox.add(order(number.into()), message(number));
    }
    let first = inbox.waiting().next().unwrap().0;
    assert_eq!(leave(&mut inbox, first, delivery(1)).len(), 3);
    inbox.suppress(order(2));
    leave(&mut inbox, order(3), delivery(3));
    let handed: Vec<_> = inbox
        .handed_after(0)
        .map(|(at, found)| (at, found.delivery))
        .collect();
    assert_eq!(handed, [(1, delivery(1)), (2, delivery(3))]);
    assert_eq!(inbox.last_position(), 2);
    assert_eq!(inbox.waiting().count(), 0);
}

#[test]
fn the_same_message_waits_once_and_may_wait_again_after_it_left() {
    let mut inbox = Inbox::default();
    assert_eq!(
        inbox.add(order(1), message(1)),
        Some(InboxKey::Pending(order(1)))
    );
    assert_eq!(inbox.add(order(2), message(1)), None);
    leave(&mut inbox, order(1), delivery(1));
    assert_eq!(
        inbox.add(order(3), message(1)),
        Some(InboxKey::Pending(order(3)))
    );
}

#[test]
fn what_was_handed_over_is_handed_over_again_until_it_is_acknowledged() {
    let mut inbox = Inbox::default();
    for number in 1..=2 {
        inbox.add(order(number.into()), message(number));
        leave(&mut inbox, order(number.into()), delivery(number));
    }
    assert_eq!(inbox.handed_after(0).count(), 2);
    assert_eq!(inbox.handed_after(1).next().unwrap().0, 2);
    let (position, _) = inbox.position_of(delivery(1)).unwrap();
    assert_eq!(inbox.drop_handed(position), InboxKey::Handed(1));
    assert_eq!(inbox.position_of(delivery(1)), None);
    assert_eq!(inbox.handed_after(0).next().unwrap().0, 2);
    assert_eq!(inbox.last_position(), 2, "positions are never given twice");
    inbox.count();
    assert_eq!(
        inbox.last_position(),
        3,
        "handing over again counts, so that leaves alone tell how often"
    );
}

#[test]
fn what_is_about_a_person_can_be_dropped() {
    let mut inbox = Inbox::default();
    for number in 1..=2 {
        inbox.add(order(number.into()), message(number));
    }
    leave(&mut inbox, order(1), delivery(1));
    assert_eq!(inbox.drop_about(SubjectId::from_bytes([8; 16])), []);
    let dropped = inbox.drop_about(SubjectId::from_bytes([9; 16]));
    assert_eq!(dropped, [InboxKey::Pending(order(2)), InboxKey::Handed(1)]);
    assert_eq!((inbox.messages().count(), inbox.last_position()), (0, 1));
}

#[test]
fn handing_over_what_does_not_wait_changes_nothing() {
    let mut inbox = Inbox::default();
    assert_eq!(inbox.hand_over(order(1), delivery(1), 1), []);
    assert_eq!(inbox, Inbox::default());
}

#[test]
fn the_rows_on_disk_make_the_same_inbox() {
    let mut inbox = Inbox::default();
    let mut keys: Vec<InboxKey> = Vec::new();
    keys.extend(inbox.add(order(1), message(1)));
    keys.extend(inbox.add(order(2), message(2)));
    keys.extend(inbox.add(order(3), message(3)));
    keys.extend(leave(&mut inbox, order(1), delivery(1)));
    keys.extend(leave(&mut inbox, order(2), delivery(2)));
    keys.push(inbox.drop_handed(1));
    keys.push(inbox.suppress(order(3)));
    let mut restored = Inbox::default();
    for row in keys.into_iter().filter_map(|key| inbox.row(key)) {
        restored.restore(row);
    }
    assert_eq!(restored, inbox);
}

#[test]
fn terms_that_break_a_rule_are_refused_by_their_field() {
    let breaks: [Altered<ConsentTerms>; 10] = [
        ("conditions", |terms| terms.conditions.clear()),
        ("purposes", |terms| {
            terms.purposes = (0..9).map(|n| format!("P-{n}").parse().unwrap()).collect();
        }),
        ("providers", |terms| terms.providers.clear()),
        ("recipients", |terms| {
            terms.recipients = (0..17).map(|n| party(&format!("party-{n}"))).collect();
        }),
        ("notice.version", |terms| terms.notice.version.clear()),
        ("notice.language", |terms| {
            terms.notice.language = "n l".into();
        }),
        ("valid_until", |terms| terms.valid_until = terms.valid_from),
        ("valid_until", |terms| {
            let last = terms.valid_from.plus_days(LONGEST_VALIDITY_DAYS);
            terms.valid_until = last.plus_millis(1);
        }),
        ("valid_from", |terms| {
            let last = terms.collected_at.plus_days(LONGEST_POSTDATING_DAYS);
            terms.valid_from = last.plus_millis(1);
            terms.valid_until = terms.valid_from.plus_days(1);
        }),
        ("valid_from", |terms| {
            terms.valid_from = terms.collected_at.minus_millis(1);
        }),
    ];
    for (field, alter) in breaks {
        let mut terms = one_way();
        terms.check(&[Role::Municipality]).unwrap();
        alter(&mut terms);
        assert_eq!(terms.check(&[Role::Municipality]).unwrap_err().0, field);
    }
}

/// Terms that a municipality collects as the provider.
fn one_way() -> ConsentTerms {
    let mut terms = terms(ConsentKind::ProcessingBasis);
    terms.purposes = [purpose("P-ARRANGE-HOUSING")].into();
    terms.providers = [party(EAST), party(PI)].into();
    terms.recipients = [party("wonen-zuid")].into();
    terms
}

#[test]
fn nobody_records_a_consent_in_its_own_favour() {
    let mut both = one_way();
    both.recipients.insert(party(EAST));
    assert_eq!(
        both.check(&[Role::Municipality]).unwrap_err().0,
        "recipients"
    );

    let mut receiving = one_way();
    receiving.collected_by = party("wonen-zuid");
    receiving.check(&[Role::HousingAssociation]).unwrap();
    let pi = receiving.check(&[Role::Pi]).unwrap_err();
    assert_eq!(pi.0, "recipients", "a PI never, not even on one side");
}

#[test]
fn only_partners_collect_consents() {
    for role in Role::ALL {
        let collects = one_way().check(&[*role]).is_ok();
        let partner = !matches!(
            role,
            Role::PrivacyOfficer | Role::Auditor | Role::Administrator | Role::Broker
        );
        assert_eq!(collects, partner, "{role}");
    }
}

#[test]
fn a_consent_has_no_state_before_it_was_recorded_and_expires_at_its_hard_end() {
    let given: Consent = consent(
        1,
        terms(ConsentKind::ProcessingBasis),
        &[ConsentState::Given],
    );
    let recorded = given.history[0].at;
    assert_eq!(given.state(recorded.minus_millis(1)), None);
    assert_eq!(given.state(recorded), Some(ConsentState::Given));
    assert!(!given.is_in_force(recorded), "it begins later");
    let end = given.terms.valid_until;
    assert!(given.is_in_force(end.minus_millis(1)));
    assert_eq!(given.state(end), Some(ConsentState::Expired));
    assert!(!given.is_in_force(end));
}

#[test]
fn an_end_before_the_hard_end_is_told_apart_from_expiry() {
    let states = [ConsentState::Given, ConsentState::Withdrawn];
    let withdrawn = consent(1, terms(ConsentKind::ProcessingBasis), &states);
    assert_eq!(
        withdrawn.state(Timestamp::MAX),
        Some(ConsentState::Withdrawn)
    );
}

#[test]
fn only_given_and_renewed_permit() {
    for state in ConsentState::ALL {
        let permits = matches!(state, ConsentState::Given | ConsentState::Renewed);
        assert_eq!(state.permits(), permits, "{state}");
        assert!(!permits || state.is_recordable(), "{state}");
    }
}

#[test]
fn a_report_that_breaks_a_rule_is_refused_by_its_field() {
    let today: Date = now().date();
    let good = Report {
        status: Status::InProgress,
        as_of: today,
        expected: Some(today),
        moment: Moment::Release,
        origin: Role::Municipality,
        offered_by: None,
    };
    good.check(today).unwrap();
    let tomorrow = now().plus_days(1).date();
    let yesterday = now().minus_millis(Timestamp::DAY_MS).date();
    let declined = Report {
        status: Status::HelpDeclined,
        ..good.clone()
    };
    let named = Report {
        offered_by: Some(party(EAST)),
        ..declined.clone()
    };
    named.check(today).unwrap();
    let breaks = [
        (
            "as_of",
            Report {
                as_of: tomorrow,
                expected: None,
                ..good.clone()
            },
        ),
        (
            "expected",
            Report {
                expected: Some(yesterday),
                ..good.clone()
            },
        ),
        ("offered_by", declined),
        (
            "offered_by",
            Report {
                status: Status::Arranged,
                ..named
            },
        ),
    ];
    for (field, report) in breaks {
        assert_eq!(report.check(today).unwrap_err().0, field);
    }
}

#[test]
fn files_that_people_read_hold_instants_and_ids_as_text() {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Written {
        at: Timestamp,
        case: CaseId,
        period: Period,
    }
    let written = Written {
        at: at("2026-06-01T12:00:00.250Z"),
        case: CaseId::from_bytes([0xab; 16]),
        period: Period::new(at("2026-06-01T00:00:00Z"), None).unwrap(),
    };
    let text = toml::to_string(&written).unwrap();
    assert!(text.contains("at = \"2026-06-01T12:00:00.250Z\""), "{text}");
    assert!(
        text.contains("case = \"abababab-abab-abab-abab-abababababab\""),
        "{text}"
    );
    assert_eq!(toml::from_str::<Written>(&text).unwrap(), written);
    assert!(toml::from_str::<Written>(&text.replace("T12", "T99")).is_err());
}
