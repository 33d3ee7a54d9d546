//! Whom a certificate stands for, as the registry changes and time passes.

use schakel_core::{
    certificate::StopReason,
    code::Role,
    id::EntryIndex,
    party::{Contact, DatedOin, Delegation, Unit},
    registry::{Change, RegistryRow},
    time::Period,
};

use super::*;
use crate::{
    access,
    edge::tls::tests::{Pki, now},
};

fn party(id: &str, oin: &str) -> Party {
    Party {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        roles: vec![Role::Municipality],
        oins: vec![DatedOin {
            oin: oin.parse().unwrap(),
            period: Period {
                from: now(),
                until: None,
            },
            anchor: None,
        }],
        contact: Contact {
            team: "team".to_owned(),
            email: "team@example.nl".to_owned(),
            telephone: String::new(),
        },
        officer_for: None,
        delegates: Vec::new(),
        suspensions: Vec::new(),
        succession: None,
        units: Vec::new(),
    }
}

/// The numbers of `gemeente-oost` and `gemeente-west` in development.
const EAST: &str = "00000099000000020000";
const WEST: &str = "00000099000000030000";

fn registry(parties: Vec<Party>) -> Registry {
    let mut registry = Registry::default();
    for party in parties {
        registry.restore(RegistryRow::Party(Arc::new(party)));
    }
    registry
}

fn connection(id: &str, environment: Environment) -> Connection {
    let pki = Pki::new();
    let tls = pki.tls();
    let lease = Pki::lease(&tls, &pki.issue(id));
    let address = "192.0.2.7:50000".parse().unwrap();
    Connection::new(lease, address, environment, Instant::now())
}

fn ask() -> &'static Method {
    access::method("/schakel.v1.ExchangeService/Ask").unwrap()
}

fn peer(
    connection: &Connection,
    principal: Option<&str>,
    registry: &Registry,
    at: Timestamp,
) -> Result<Peer, UnknownParty> {
    let acting = Acting {
        principal: principal.map(|id| id.parse().unwrap()),
        unit: None,
    };
    connection.peer(ask(), &acting, registry, at)
}

#[test]
fn a_number_stands_for_its_party_while_it_is_the_partys() {
    let mut east = party("gemeente-oost", EAST);
    east.oins[0].period.until = Some(now().plus_days(1));
    let registry = registry(vec![east, party("gemeente-west", WEST)]);
    let connection = connection("gemeente-oost", Environment::Development);
    assert_eq!(
        peer(&connection, None, &registry, now())
            .unwrap()
            .principal
            .as_str(),
        "gemeente-oost"
    );
    let last = now().plus_days(1).minus_millis(1);
    assert!(peer(&connection, None, &registry, last).is_ok());
    let end = now().plus_days(1);
    assert_eq!(
        peer(&connection, None, &registry, end),
        Err(UnknownParty::NotRegistered)
    );
    assert_eq!(
        peer(&connection, None, &registry, now().minus_millis(1)),
        Err(UnknownParty::NotRegistered)
    );
}

#[test]
fn a_number_that_changes_hands_stands_for_the_new_party_at_once() {
    let connection = connection("gemeente-oost", Environment::Development);
    let old = registry(vec![party("gemeente-oost", EAST)]);
    assert_eq!(
        peer(&connection, None, &old, now())
            .unwrap()
            .principal
            .as_str(),
        "gemeente-oost"
    );
    let new = registry(vec![
        party("gemeente-oost", WEST),
        party("fusiegemeente", EAST),
    ]);
    assert_eq!(
        peer(&connection, None, &new, now())
            .unwrap()
            .principal
            .as_str(),
        "fusiegemeente"
    );
}

#[test]
fn another_party_is_acted_for_only_by_delegation_and_only_in_its_period() {
    let mut west = party("gemeente-west", WEST);
    west.delegates = vec![Delegation {
        delegate: "gemeente-oost".parse().unwrap(),
        period: Period {
            from: now(),
            until: Some(now().plus_days(1)),
        },
    }];
    let registry = registry(vec![party("gemeente-oost", EAST), west]);
    let connection = connection("gemeente-oost", Environment::Development);
    let found = peer(&connection, Some("gemeente-west"), &registry, now()).unwrap();
    assert_eq!(
        (found.principal.as_str(), found.transport.as_str()),
        ("gemeente-west", "gemeente-oost")
    );
    for (id, at) in [
        ("gemeente-west", now().plus_days(1)),
        ("gemeente-noord", now()),
    ] {
        assert_eq!(
            peer(&connection, Some(id), &registry, at),
            Err(UnknownParty::NoDelegation),
            "{id}"
        );
    }
    assert!(peer(&connection, Some("gemeente-oost"), &registry, now()).is_ok());
}

#[test]
fn a_call_is_for_a_unit_that_the_party_has_and_for_the_one_whose_number_the_certificate_carries() {
    let unit = |id: &str, oin: Option<&str>, until| Unit {
        id: id.parse().unwrap(),
        name: id.into(),
        period: Period { from: now(), until },
        oin: oin.map(|oin| oin.parse().unwrap()),
    };
    let mut east = party("gemeente-oost", EAST);
    let end = now().plus_days(1);
    east.units = vec![
        unit("werk", None, Some(end)),
        unit("schuldhulp", None, None),
    ];
    let connection = connection("gemeente-oost", Environment::Development);
    let found = |named: Option<&str>, east: &Party, method: &Method, at| {
        let acting = Acting {
            principal: None,
            unit: named.map(|id| id.parse().unwrap()),
        };
        let found = connection.peer(method, &acting, &registry(vec![east.clone()]), at)?;
        Ok(found.unit.map(|unit| unit.to_string()))
    };
    let named = |id: &str| Ok(Some(id.to_owned()));
    assert_eq!(found(None, &east, ask(), now()), Ok(None));
    assert_eq!(found(Some("werk"), &east, ask(), now()), named("werk"));
    for (id, at) in [("werk", end), ("burgerzaken", now())] {
        let refused = found(Some(id), &east, ask(), at);
        assert_eq!(refused, Err(UnknownParty::NoUnit), "{id}");
    }
    let withdraw = access::method("/schakel.v1.ConsentsService/WithdrawConsent").unwrap();
    assert_eq!(found(Some("werk"), &east, withdraw, end), named("werk"));
    // With a number of its own the certificate says which unit it is, and no other may be named.
    east.units = vec![
        unit("werk", Some(EAST), Some(end)),
        unit("schuldhulp", None, None),
    ];
    assert_eq!(found(None, &east, ask(), now()), named("werk"));
    assert_eq!(found(Some("werk"), &east, ask(), now()), named("werk"));
    for (id, at) in [(Some("schuldhulp"), now()), (None, end)] {
        let refused = found(id, &east, ask(), at);
        assert_eq!(refused, Err(UnknownParty::NoUnit), "{id:?}");
    }
}

#[test]
fn a_suspended_party_may_do_nothing_but_pass_on_a_withdrawal() {
    let mut east = party("gemeente-oost", EAST);
    east.suspensions = vec![Period {
        from: now(),
        until: None,
    }];
    let registry = registry(vec![east]);
    let connection = connection("gemeente-oost", Environment::Development);
    assert_eq!(
        peer(&connection, None, &registry, now()),
        Err(UnknownParty::NotRegistered)
    );
    let withdraw = access::method("/schakel.v1.ConsentsService/WithdrawConsent").unwrap();
    assert!(
        connection
            .peer(withdraw, &Acting::default(), &registry, now())
            .is_ok()
    );
}

#[test]
fn a_development_certificate_stands_for_nobody_in_production() {
    let connection = connection("gemeente-oost", Environment::Production);
    assert_eq!(connection.oin(), None);
    let registry = registry(vec![party("gemeente-oost", EAST)]);
    assert_eq!(
        connection.certificate(&registry, now()),
        Err(UnknownParty::Development)
    );
    assert_eq!(
        connection.peer(ask(), &Acting::default(), &registry, now()),
        Err(UnknownParty::Development)
    );
}

#[test]
fn a_certificate_that_no_longer_holds_stands_for_nobody() {
    let connection = connection("gemeente-oost", Environment::Development);
    let registry = registry(vec![party("gemeente-oost", EAST)]);
    assert!(connection.certificate(&registry, now()).is_ok());
    assert_eq!(
        connection.certificate(&registry, now().plus_days(8)),
        Err(UnknownParty::Lapsed)
    );
    let party = Some("gemeente-oost".parse().unwrap());
    assert!(
        connection
            .peer(ask(), &Acting::default(), &registry, now())
            .is_ok()
    );
    let whom = connection.whom(&registry, now().plus_days(8));
    assert_eq!(whom, Whom::from(party), "it is known whose it was");
}

#[test]
fn a_blocked_certificate_stands_for_nobody_and_it_is_known_whose_it_is() {
    let connection = connection("gemeente-oost", Environment::Development);
    let mut registry = registry(vec![party("gemeente-oost", EAST)]);
    let certificate = Thumbprint(connection.identity().unwrap().sha256);
    let block = Change::BlockCertificate(certificate, StopReason::KeyCompromise);
    registry.make(&block, EntryIndex(1), now());
    assert_eq!(
        connection.certificate(&registry, now()),
        Err(UnknownParty::Blocked)
    );
    let party = Some("gemeente-oost".parse().unwrap());
    assert_eq!(connection.whom(&registry, now()), Whom::from(party));
}

#[test]
fn a_number_pinned_to_another_anchor_stands_for_nobody_and_is_known() {
    let connection = connection("gemeente-oost", Environment::Development);
    let mut east = party("gemeente-oost", EAST);
    east.oins[0].anchor = Some("pkioverheid".parse().unwrap());
    let registry = registry(vec![east]);
    assert_eq!(
        peer(&connection, None, &registry, now()),
        Err(UnknownParty::NotRegistered)
    );
    let whom = connection.whom(&registry, now());
    assert_eq!(whom.oin.as_ref().map(Oin::as_str), Some(EAST));
}

#[test]
fn the_use_of_a_certificate_is_noted_once_a_minute() {
    let pki = Pki::new();
    let tls = pki.tls();
    let lease = Pki::lease(&tls, &pki.issue("gemeente-oost"));
    let address = "192.0.2.7:50000".parse().unwrap();
    let connection = Connection::new(lease, address, Environment::Development, Instant::now());
    let party = "gemeente-oost".parse().unwrap();
    connection.note_use(&party, now());
    connection.note_use(&party, now().plus_millis(NOTED_MS - 1));
    let last = |at| tls.uses().take_all(at).pop().map(|seen| seen.last_used_at);
    assert_eq!(last(now()), Some(now()));
    connection.note_use(&party, now().plus_millis(NOTED_MS));
    assert_eq!(last(now()), Some(now().plus_millis(NOTED_MS)));
}

#[test]
fn bytes_that_are_no_certificate_stand_for_nobody() {
    let error = identity_of(
        Some(&CertificateDer::from(vec![1, 2, 3])),
        Environment::Development,
    );
    assert_eq!(error, Err(UnknownParty::NoOin(IdentityError::Malformed)));
}
