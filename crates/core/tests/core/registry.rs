//! What is registered, when it holds, and who calls.

mod issuance;
mod standing;

use schakel_core::{
    certificate::{Seen, StopReason, Thumbprint},
    code::Role,
    id::{AnchorName, EntryIndex, Oin, PartyId, ProposalId},
    party::{DatedOin, Delegation, MOST_PERIODS, Party, Peer, Succession, Unit},
    registry::{Change, MOST_SEEN, NoStanding, Proposal, Proven, Registry, RegistryKey},
    time::{Period, Timestamp},
};

use super::scene::{
    Altered, EAST, HOUSING, PI, WEST, at, catalogue, now, party, purpose, registered, registry,
};

fn oin(number: u8) -> Oin {
    format!("00000099000000{number:02}0000").parse().unwrap()
}

fn dated(number: u8, from: &str, until: Option<&str>) -> DatedOin {
    let period = Period::new(at(from), until.map(at)).unwrap();
    DatedOin {
        oin: oin(number),
        period,
        anchor: None,
    }
}

fn anchor(name: &str) -> AnchorName {
    name.parse().unwrap()
}

fn proven<'a>(
    oin: &'a Oin,
    anchors: &'a [AnchorName],
    unpinned: Option<&'a AnchorName>,
) -> Proven<'a> {
    Proven {
        oin,
        anchors,
        unpinned,
    }
}

/// Who calls with a number under the only anchor there is.
fn caller(
    registry: &Registry,
    oin: &Oin,
    principal: Option<&PartyId>,
    at: Timestamp,
) -> Option<Peer> {
    let anchors = [anchor("own")];
    let transport = registry.holder(proven(oin, &anchors, Some(&anchors[0])), at)?;
    let (own, principal) = (&transport.id, principal.unwrap_or(&transport.id));
    registry.standing(own, principal, None, false, at).ok()
}

fn with_oin(id: &str, role: Role, oin: DatedOin) -> Party {
    Party {
        oins: vec![oin],
        ..registered(id, vec![role])
    }
}

fn make(registry: &mut Registry, change: &Change, at: Timestamp) -> Option<RegistryKey> {
    registry.check(change).unwrap();
    registry.make(change, EntryIndex(1), at)
}

/// The PI with number 1 all of the year, served by a supplier with number 2 from March on.
fn served() -> Registry {
    let mut registry = Registry::default();
    let supplier = with_oin(
        "leverancier",
        Role::Uwv,
        dated(2, "2026-01-01T00:00:00Z", None),
    );
    make(&mut registry, &Change::PutParty(supplier), now());
    let mut pi = with_oin(PI, Role::Pi, dated(1, "2026-01-01T00:00:00Z", None));
    let period = Period::new(at("2026-03-01T00:00:00Z"), Some(at("2026-09-01T00:00:00Z"))).unwrap();
    pi.delegates.push(Delegation {
        delegate: party("leverancier"),
        period,
    });
    make(&mut registry, &Change::PutParty(pi), now());
    registry
}

fn seen(number: u8, id: &str, at: Timestamp) -> Seen {
    Seen {
        certificate: Thumbprint([number; 32]),
        party: party(id),
        oin: oin(1),
        anchor: anchor("own"),
        not_after: at.plus_days(90),
        first_used_at: at,
        last_used_at: at,
    }
}

#[test]
fn who_calls_is_known_by_its_number() {
    let registry = served();
    let peer = caller(&registry, &oin(1), None, now()).unwrap();
    assert_eq!((peer.principal.as_str(), peer.transport.as_str()), (PI, PI));
    assert_eq!(peer.roles, [Role::Pi]);
    let itself = caller(&registry, &oin(1), Some(&party(PI)), now()).unwrap();
    assert_eq!(itself, peer);
    assert_eq!(caller(&registry, &oin(3), None, now()), None);
}

#[test]
fn a_party_acts_for_another_only_under_a_delegation_that_holds() {
    let registry = served();
    let pi = party(PI);
    let for_pi = |at: Timestamp| caller(&registry, &oin(2), Some(&pi), at);
    let peer = for_pi(at("2026-03-01T00:00:00Z")).unwrap();
    assert_eq!(
        (peer.principal.as_str(), peer.transport.as_str()),
        (PI, "leverancier")
    );
    assert_eq!(peer.roles, [Role::Pi], "the roles are the principal's");
    assert_eq!(for_pi(at("2026-02-28T23:59:59.999Z")), None);
    assert_eq!(for_pi(at("2026-09-01T00:00:00Z")), None);
    let back = caller(&registry, &oin(1), Some(&party("leverancier")), now());
    assert_eq!(back, None, "a delegation has a direction");
}

#[test]
fn neither_a_suspended_party_nor_one_that_acts_for_it_is_let_in() {
    for suspended in [PI, "leverancier"] {
        let mut registry = served();
        make(
            &mut registry,
            &Change::SuspendParty(party(suspended)),
            now(),
        );
        assert_eq!(
            caller(&registry, &oin(2), Some(&party(PI)), now()),
            None,
            "{suspended}"
        );
        let before = now().minus_millis(1);
        assert!(
            caller(&registry, &oin(2), Some(&party(PI)), before).is_some(),
            "{suspended}"
        );
        make(
            &mut registry,
            &Change::ReinstateParty(party(suspended)),
            now().plus_millis(5),
        );
        assert!(caller(&registry, &oin(2), Some(&party(PI)), now().plus_millis(5)).is_some());
        assert_eq!(
            caller(&registry, &oin(2), Some(&party(PI)), now().plus_millis(4)),
            None
        );
    }
}

#[test]
fn a_suspension_ended_in_its_own_millisecond_leaves_no_trace() {
    let mut registry = served();
    make(&mut registry, &Change::SuspendParty(party(PI)), now());
    make(&mut registry, &Change::SuspendParty(party(PI)), now());
    assert_eq!(
        registry.party(&party(PI)).unwrap().suspensions.len(),
        1,
        "suspended once"
    );
    make(&mut registry, &Change::ReinstateParty(party(PI)), now());
    assert!(registry.party(&party(PI)).unwrap().suspensions.is_empty());
}

#[test]
fn only_so_many_suspensions_are_kept_and_never_at_the_cost_of_the_last() {
    let mut registry = served();
    for day in 0..40 {
        make(
            &mut registry,
            &Change::SuspendParty(party(PI)),
            now().plus_days(2 * day),
        );
        make(
            &mut registry,
            &Change::ReinstateParty(party(PI)),
            now().plus_days(2 * day + 1),
        );
    }
    make(
        &mut registry,
        &Change::SuspendParty(party(PI)),
        now().plus_days(100),
    );
    let kept = registry.party(&party(PI)).unwrap();
    assert_eq!(kept.suspensions.len(), MOST_PERIODS);
    assert!(!kept.is_active(now().plus_days(101)));
    assert!(!kept.is_active(now().plus_days(78)) && kept.is_active(now().plus_days(79)));
}

#[test]
fn two_parties_never_hold_one_number_at_one_time() {
    let mut registry = Registry::default();
    let until = Some("2026-06-01T00:00:00Z");
    let first = with_oin(
        EAST,
        Role::Municipality,
        dated(1, "2026-01-01T00:00:00Z", until),
    );
    make(&mut registry, &Change::PutParty(first), now());
    let next = |from| Change::PutParty(with_oin(WEST, Role::Municipality, dated(1, from, None)));
    assert_eq!(
        registry.check(&next("2026-05-31T00:00:00Z")).unwrap_err().0,
        "oins"
    );
    make(&mut registry, &next("2026-06-01T00:00:00Z"), now());
    let anchors = [anchor("own")];
    let holder = |at| {
        registry
            .holder(proven(&oin(1), &anchors, Some(&anchors[0])), at)
            .map(|party| party.id.to_string())
    };
    assert_eq!(
        holder(at("2026-05-31T23:59:59.999Z")).as_deref(),
        Some(EAST)
    );
    assert_eq!(holder(at("2026-06-01T00:00:00Z")).as_deref(), Some(WEST));
}

#[test]
fn a_party_that_breaks_a_rule_is_refused_by_its_field() {
    let breaks: [Altered<Party>; 10] = [
        ("name", |party| party.name.clear()),
        ("roles", |party| party.roles.clear()),
        ("oins", |party| party.oins.clear()),
        ("officer_for", |party| {
            party.officer_for = Some("gemeente-oost".parse().unwrap());
        }),
        ("officer_for", |party| {
            party.roles = vec![Role::PrivacyOfficer];
        }),
        ("officer_for", |party| {
            party.roles = vec![Role::PrivacyOfficer];
            party.officer_for = Some("nobody".parse().unwrap());
        }),
        ("delegates", |party| {
            let period = Period::new(now(), None).unwrap();
            party.delegates = vec![Delegation {
                delegate: "nobody".parse().unwrap(),
                period,
            }];
        }),
        ("suspensions", |party| {
            party.suspensions = vec![Period::new(now(), None).unwrap(); 13];
        }),
        ("contact.team", |party| party.contact.team.clear()),
        ("contact", |party| party.contact.email.clear()),
    ];
    for (field, alter) in breaks {
        let mut party = with_oin(HOUSING, Role::Uwv, dated(1, "2026-01-01T00:00:00Z", None));
        registry().check(&Change::PutParty(party.clone())).unwrap();
        alter(&mut party);
        let refused = registry().check(&Change::PutParty(party)).unwrap_err();
        assert_eq!(refused.0, field, "{}", refused.1);
    }
}

#[test]
fn purpose_versions_follow_each_other_and_are_never_replaced() {
    let mut registry = registry();
    let mut plan = catalogue().purposes.remove(0);
    assert_eq!(
        registry
            .check(&Change::PutPurpose(plan.clone()))
            .unwrap_err()
            .0,
        "version"
    );
    plan.version = 3;
    assert_eq!(
        registry
            .check(&Change::PutPurpose(plan.clone()))
            .unwrap_err()
            .0,
        "version"
    );
    plan.version = 2;
    plan.validity = Period::new(now(), None).unwrap();
    make(&mut registry, &Change::PutPurpose(plan), now());

    let code = purpose("P-PLAN");
    let number = |registry: &Registry, asked, at| {
        registry
            .purpose(&code, asked, at)
            .map(|found| found.version.version)
    };
    let before = now().minus_millis(1);
    assert_eq!(number(&registry, None, before), Some(1));
    assert_eq!(
        number(&registry, None, now()),
        Some(2),
        "the newest in force"
    );
    assert_eq!(
        number(&registry, Some(1), now()),
        Some(1),
        "the one asked for"
    );
    assert_eq!(number(&registry, Some(2), before), None);
    assert_eq!(number(&registry, Some(3), now()), None);

    make(
        &mut registry,
        &Change::WithdrawPurpose(code.clone(), 2),
        now().plus_millis(9),
    );
    assert_eq!(number(&registry, None, now().plus_millis(8)), Some(2));
    assert_eq!(number(&registry, None, now().plus_millis(9)), Some(1));
    assert_eq!(registry.versions(&code).count(), 2, "it stays for replay");
}

#[test]
fn what_is_not_there_cannot_be_changed() {
    let mut registry = registry();
    let nobody = party("nobody");
    let withdraw = |version| Change::WithdrawPurpose(purpose("P-PLAN"), version);
    for (change, field) in [
        (Change::SuspendParty(nobody.clone()), "party"),
        (Change::ReinstateParty(nobody), "party"),
        (withdraw(2), "version"),
        (Change::WithdrawPurpose(purpose("P-NONE"), 1), "version"),
    ] {
        assert_eq!(registry.check(&change).unwrap_err().0, field);
        assert_eq!(registry.make(&change, EntryIndex(1), now()), None);
    }
    make(&mut registry, &withdraw(1), now());
    assert_eq!(
        registry.check(&withdraw(1)).unwrap_err().0,
        "version",
        "withdrawn already"
    );
}

#[test]
fn the_rows_on_disk_make_the_same_registry() {
    let mut registry = registry();
    let proposal = Proposal {
        id: ProposalId::from_bytes([1; 16]),
        change: Change::SuspendParty(party(PI)),
        proposed_by: party(EAST),
        certificate: [0; 32],
        proposed_at: now(),
        transport: Some(party(EAST)),
    };
    let waiting = registry.propose(proposal).remove(0);
    let certificate = Thumbprint([3; 32]);
    make(
        &mut registry,
        &Change::BlockCertificate(certificate, StopReason::KeyCompromise),
        now(),
    );
    registry.see(&[seen(4, PI, now())]);
    make(
        &mut registry,
        &Change::WithdrawPurpose(purpose("P-PLAN"), 1),
        now(),
    );

    let parties = registry
        .parties()
        .map(|party| RegistryKey::Party(party.id.clone()));
    let purposes = registry
        .purposes()
        .map(|found| RegistryKey::Purpose(found.version.code.clone(), found.version.version));
    let mut restored = Registry::default();
    for key in parties.chain(purposes).chain([
        waiting.clone(),
        RegistryKey::Blocked(certificate),
        RegistryKey::Seen(Thumbprint([4; 32])),
    ]) {
        restored.restore(registry.row(&key).unwrap());
    }
    assert_eq!(restored, registry);

    assert_eq!(registry.settle(ProposalId::from_bytes([1; 16])), waiting);
    assert_eq!(registry.row(&waiting), None);
    assert_eq!(registry.proposals(now()).count(), 0);
}

#[test]
fn replacing_what_is_registered_of_a_suspended_party_does_not_reinstate_it() {
    let mut registry = served();
    make(&mut registry, &Change::SuspendParty(party(PI)), now());
    let again = with_oin(PI, Role::Pi, dated(1, "2026-01-01T00:00:00Z", None));
    make(&mut registry, &Change::PutParty(again), now());
    assert!(registry.roles(&party(PI), now()).is_empty());
}
