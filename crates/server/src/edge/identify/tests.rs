//! Whom a certificate stands for, as the registry changes and time passes.

use schakel_core::{
    code::Role,
    party::{Contact, DatedOin, Delegation},
    registry::RegistryRow,
    time::Period,
};

use super::*;
use crate::edge::{
    access,
    tls::tests::{Pki, now},
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
        }],
        contact: Contact {
            team: "team".to_owned(),
            email: "team@example.nl".to_owned(),
            telephone: String::new(),
        },
        officer_for: None,
        delegates: Vec::new(),
        suspensions: Vec::new(),
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
    let principal = principal.map(|id| id.parse().unwrap());
    let found = connection.peer(ask(), principal.as_ref(), registry, at);
    // The registry says the same, more slowly.
    let oin = connection.oin().unwrap();
    assert_eq!(
        found.clone().ok(),
        registry.peer(oin, principal.as_ref(), at)
    );
    found
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
    assert!(connection.peer(withdraw, None, &registry, now()).is_ok());
}

#[test]
fn a_development_certificate_stands_for_nobody_in_production() {
    let connection = connection("gemeente-oost", Environment::Production);
    assert_eq!(connection.oin(), None);
    assert_eq!(
        connection.certificate(now()),
        Err(UnknownParty::Development)
    );
    let registry = registry(vec![party("gemeente-oost", EAST)]);
    assert_eq!(
        connection.peer(ask(), None, &registry, now()),
        Err(UnknownParty::Development)
    );
}

#[test]
fn a_certificate_that_no_longer_holds_stands_for_nobody() {
    let connection = connection("gemeente-oost", Environment::Development);
    assert!(connection.certificate(now()).is_ok());
    assert_eq!(
        connection.certificate(now().plus_days(8)),
        Err(UnknownParty::Lapsed)
    );
}

#[test]
fn bytes_that_are_no_certificate_stand_for_nobody() {
    let error = identity_of(
        Some(&CertificateDer::from(vec![1, 2, 3])),
        Environment::Development,
    );
    assert_eq!(error, Err(UnknownParty::NoOin(IdentityError::Malformed)));
}
