//! Certificates and enrolments: how many, for how long, and what closing one does.

use schakel_core::{
    certificate::StopReason,
    code::Role,
    enrolment::{Der, Enrolment, EnrolmentState, Holder, IssuanceEvent, IssuedCertificate, Origin},
    id::{EnrolmentId, EntryIndex},
    party::Party,
    registry::{
        KEPT_DAYS, MOST_CLOSED, MOST_ENDED, MOST_IN_A_ROW, Registry, RegistryKey, RegistryRow,
    },
    time::Timestamp,
};

use super::{
    super::scene::{EAST, now},
    dated, oin, with_oin,
};

const ENTRY: EntryIndex = EntryIndex(1);

fn certificate(number: u8, days: u32) -> IssuedCertificate {
    IssuedCertificate {
        sha256: [number; 32],
        oin: oin(1),
        serial: "01".to_owned(),
        issuer: "CN=Test".to_owned(),
        not_before: now(),
        not_after: now().plus_days(days),
        origin: Origin::Enrolled,
        replaces: None,
        began_with: None,
        key_sha256: None,
        revoked: None,
    }
}

fn enrolment(number: u8, token: Option<u8>) -> Enrolment {
    Enrolment {
        id: EnrolmentId::from_bytes([number; 16]),
        holder: Holder {
            profile: "party".to_owned(),
            oin: oin(1),
            name: "Testgemeente Oost".to_owned(),
            unit: None,
        },
        token_sha256: token.map(|token| [token; 32]),
        until: now().plus_days(1),
        opened_by: EAST.parse().unwrap(),
        opened_over: None,
        opened_with: None,
        confirmed: false,
        confirmed_by: None,
        replaces: None,
        state: match token {
            Some(_) => EnrolmentState::Open,
            None => EnrolmentState::Waiting { request: der() },
        },
    }
}

fn der() -> Der {
    Der(vec![1])
}

fn apply(registry: &mut Registry, event: &IssuanceEvent, at: Timestamp) -> Vec<RegistryKey> {
    registry.apply(event, ENTRY, at)
}

/// Something that touches no row of its own.
fn passing(registry: &mut Registry, at: Timestamp) -> Vec<RegistryKey> {
    let listed = IssuanceEvent::Listed {
        number: 1,
        sha256: [0; 32],
        until: at,
        revoked: 0,
    };
    apply(registry, &listed, at)
}

#[test]
fn a_certificate_is_known_for_a_term_after_its_end_and_then_no_more() {
    let mut registry = Registry::default();
    let one = certificate(1, 30);
    apply(
        &mut registry,
        &IssuanceEvent::Registered(one.clone()),
        now(),
    );
    let gone = one.not_after.plus_days(KEPT_DAYS);
    assert_eq!(passing(&mut registry, gone.minus_millis(1)), []);
    assert!(registry.issued(&one.sha256).is_some());
    let key = RegistryKey::Issued(one.sha256);
    assert_eq!(passing(&mut registry, gone), std::slice::from_ref(&key));
    assert_eq!(registry.row(&key), None, "and its row goes with it");
}

#[test]
fn of_what_ended_only_the_last_of_each_number_are_known() {
    let mut registry = Registry::default();
    let most = u8::try_from(MOST_ENDED).unwrap();
    for number in 0..=most {
        let mut short = certificate(number, 0);
        short.not_after = now().plus_millis(u64::from(number));
        apply(&mut registry, &IssuanceEvent::Registered(short), now());
    }
    let still = certificate(255, 30);
    apply(&mut registry, &IssuanceEvent::Registered(still), now());
    assert_eq!(registry.all_issued().count(), MOST_ENDED + 2);
    let gone = passing(&mut registry, now().plus_days(1));
    assert_eq!(gone, [RegistryKey::Issued([0; 32])], "the first to end");
}

fn party() -> Party {
    with_oin(
        EAST,
        Role::Municipality,
        dated(1, "2020-01-01T00:00:00Z", None),
    )
}

#[test]
fn certificates_in_force_are_counted_without_those_that_ended_or_were_revoked() {
    let party = party();
    let mut registry = Registry::default();
    for (number, days) in [(1, 1), (2, 30), (3, 30)] {
        let one = certificate(number, days);
        apply(&mut registry, &IssuanceEvent::Registered(one), now());
    }
    let mut foreign = certificate(4, 30);
    foreign.oin = oin(2);
    apply(&mut registry, &IssuanceEvent::Registered(foreign), now());
    let revoked = IssuanceEvent::Revoked {
        sha256: [3; 32],
        reason: StopReason::Superseded,
        same_key: Vec::new(),
    };
    assert_eq!(registry.certificates_in_force(&party, now()), 3);
    apply(&mut registry, &revoked, now());
    assert_eq!(registry.certificates_in_force(&party, now()), 2);
    let after = now().plus_days(2);
    assert_eq!(registry.certificates_in_force(&party, after), 1);
}

#[test]
fn what_was_announced_or_replaced_takes_no_place_of_what_is_in_force() {
    let party = party();
    let mut registry = Registry::default();
    for (number, origin, replaces) in [
        (1, Origin::Enrolled, None),
        (2, Origin::Enrolled, Some(1)),
        (3, Origin::Announced, None),
    ] {
        let mut one = certificate(number, 30);
        (one.origin, one.replaces) = (origin, replaces.map(|number| [number; 32]));
        apply(&mut registry, &IssuanceEvent::Registered(one), now());
    }
    let counted = |registry: &Registry| {
        let in_force = registry.certificates_in_force(&party, now());
        (in_force, registry.announced_in_force(&party, now()))
    };
    assert_eq!(counted(&registry), (1, 1));
    assert!(registry.is_replaced(&[1; 32], now()));
    assert!(!registry.is_replaced(&[2; 32], now()));
    let revoked = IssuanceEvent::Revoked {
        sha256: [2; 32],
        reason: StopReason::Superseded,
        same_key: Vec::new(),
    };
    apply(&mut registry, &revoked, now());
    assert_eq!(counted(&registry), (1, 1), "the one before it counts again");
    assert!(!registry.is_replaced(&[1; 32], now()));
}

#[test]
fn a_row_of_certificates_counts_those_in_force_and_has_an_end() {
    let mut registry = Registry::default();
    let most = u8::try_from(MOST_IN_A_ROW).unwrap();
    for number in 1..=most + 2 {
        let mut one = certificate(number, u32::from(number));
        one.replaces = (number > 1).then(|| [number - 1; 32]);
        apply(&mut registry, &IssuanceEvent::Registered(one), now());
    }
    assert_eq!(registry.in_a_row(&[2; 32], now()), 2);
    assert_eq!(registry.in_a_row(&[most + 2; 32], now()), MOST_IN_A_ROW);
    let later = now().plus_days(u32::from(most)).plus_millis(1);
    assert_eq!(registry.in_a_row(&[most + 2; 32], later), 2);
    assert_eq!(registry.in_a_row(&[99; 32], now()), 0, "nobody knows it");
}

/// Closed again and again, so that nothing else fits, it makes place by itself.
#[test]
fn of_what_was_closed_only_the_last_of_each_number_is_known() {
    let mut registry = Registry::default();
    let most = u8::try_from(MOST_CLOSED).unwrap();
    for number in 0..=most {
        let at = now().plus_millis(u64::from(number));
        let mut one = enrolment(number, None);
        one.until = at.plus_days(1);
        let closed = IssuanceEvent::Closed {
            enrolment: one.id,
            request_sha256: Some([number; 32]),
        };
        apply(&mut registry, &IssuanceEvent::Opened(one), at);
        apply(&mut registry, &closed, at);
    }
    assert_eq!(registry.enrolments().count(), MOST_CLOSED);
    let first = EnrolmentId::from_bytes([0; 16]);
    assert_eq!(registry.enrolment(first), None, "the first to be asked for");
    let waiting = enrolment(200, None);
    apply(&mut registry, &IssuanceEvent::Opened(waiting), now());
    assert_eq!(registry.waiting_renewals(&party()), 1, "of those that wait");
}

#[test]
fn leave_that_nobody_used_is_gone_once_it_ended_and_its_token_with_it() {
    let mut registry = Registry::default();
    let one = enrolment(1, Some(7));
    apply(&mut registry, &IssuanceEvent::Opened(one.clone()), now());
    assert_eq!(registry.enrolment_of_token(&[7; 32]), Some(&one));
    assert_eq!(
        passing(&mut registry, one.until),
        [RegistryKey::Enrolment(one.id)]
    );
    assert_eq!(registry.enrolment(one.id), None);
    assert_eq!(registry.enrolment_of_token(&[7; 32]), None);
}

#[test]
fn what_was_issued_is_known_for_as_long_as_the_certificate() {
    let mut registry = Registry::default();
    let one = enrolment(1, None);
    apply(&mut registry, &IssuanceEvent::Opened(one.clone()), now());
    let answered = IssuanceEvent::Answered {
        enrolment: one.id,
        request_sha256: [1; 32],
        registered: certificate(1, 365),
        certificate: der(),
    };
    apply(&mut registry, &answered, now().plus_days(80));
    let gone = now().plus_days(365 + KEPT_DAYS);
    passing(&mut registry, gone.minus_millis(1));
    assert!(registry.enrolment(one.id).is_some());
    passing(&mut registry, gone);
    assert_eq!(registry.enrolment(one.id), None);
}

#[test]
fn a_closed_invitation_is_gone_and_a_closed_renewal_is_remembered_for_a_term() {
    let mut registry = Registry::default();
    let invitation = enrolment(1, Some(7));
    let renewal = enrolment(2, None);
    for one in [&invitation, &renewal] {
        apply(&mut registry, &IssuanceEvent::Opened(one.clone()), now());
    }
    let close = |one: &Enrolment, request_sha256| IssuanceEvent::Closed {
        enrolment: one.id,
        request_sha256,
    };
    apply(&mut registry, &close(&invitation, None), now());
    apply(&mut registry, &close(&renewal, Some([3; 32])), now());
    assert_eq!(registry.enrolment(invitation.id), None);
    assert_eq!(registry.enrolment_of_token(&[7; 32]), None);
    let state = &registry.enrolment(renewal.id).unwrap().state;
    let request_sha256 = [3; 32];
    assert_eq!(*state, EnrolmentState::Closed { request_sha256 });
    passing(&mut registry, renewal.until.plus_days(KEPT_DAYS));
    assert_eq!(registry.enrolments().count(), 0);
}

/// A registry that was read from its rows answers as the one that wrote them.
#[test]
fn a_token_is_found_after_rows_were_read_again() {
    let mut registry = Registry::default();
    let one = enrolment(1, Some(7));
    let keys = apply(&mut registry, &IssuanceEvent::Opened(one.clone()), now());
    let mut read = Registry::default();
    for key in &keys {
        let row: RegistryRow = registry.row(key).unwrap();
        read.restore(row);
    }
    assert_eq!(read, registry);
    assert_eq!(read.enrolment_of_token(&[7; 32]), Some(&one));
}

/// As the broker registers it: it says with what its chain began.
fn renewal(registry: &mut Registry, number: u8, replaces: u8, days: u32) {
    let replaces = [replaces; 32];
    let renewed = IssuedCertificate {
        replaces: Some(replaces),
        began_with: Some(registry.began_with(&replaces)),
        ..certificate(number, days)
    };
    apply(registry, &IssuanceEvent::Registered(renewed), now());
}

#[test]
fn renewals_of_one_certificate_are_of_one_chain_also_when_those_between_are_forgotten() {
    let mut registry = Registry::default();
    // The first was never registered. It was renewed twice, and one of these once more.
    renewal(&mut registry, 2, 1, 10);
    renewal(&mut registry, 3, 1, 400);
    renewal(&mut registry, 4, 2, 400);
    apply(
        &mut registry,
        &IssuanceEvent::Registered(certificate(5, 400)),
        now(),
    );
    renewal(&mut registry, 6, 5, 400);
    let chains = [&[1, 2, 3, 4][..], &[5, 6], &[7]];
    let check = |registry: &Registry| {
        for (one, chain) in chains.iter().enumerate() {
            for (two, other) in chains.iter().enumerate() {
                for (a, b) in chain
                    .iter()
                    .flat_map(|a| other.iter().map(move |b| (*a, *b)))
                {
                    let linked = registry.are_of_one_chain(&[a; 32], &[b; 32]);
                    assert!(linked == (one == two) || a == 2 || b == 2, "{a} and {b}");
                }
            }
        }
    };
    assert!(registry.are_of_one_chain(&[2; 32], &[4; 32]));
    check(&registry);
    passing(&mut registry, now().plus_days(10 + KEPT_DAYS));
    assert!(registry.issued(&[2; 32]).is_none(), "forgotten");
    check(&registry);
}

#[test]
fn a_chain_is_followed_where_only_the_one_before_was_said_and_a_circle_ends() {
    let mut registry = Registry::default();
    for (number, replaces) in [(2, 1), (3, 2), (4, 5), (5, 4)] {
        let renewed = IssuedCertificate {
            replaces: Some([replaces; 32]),
            ..certificate(number, 30)
        };
        apply(&mut registry, &IssuanceEvent::Registered(renewed), now());
    }
    assert!(registry.are_of_one_chain(&[3; 32], &[1; 32]));
    assert!(!registry.are_of_one_chain(&[3; 32], &[4; 32]));
}
