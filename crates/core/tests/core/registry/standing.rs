//! Who stands for whom, by which certificate, and who may approve what.

use super::*;

#[test]
fn a_number_counts_only_under_the_anchor_it_is_pinned_to() {
    let mut registry = Registry::default();
    let pinned = DatedOin {
        anchor: Some(anchor("pkioverheid")),
        ..dated(1, "2026-01-01T00:00:00Z", None)
    };
    let loose = dated(2, "2026-01-01T00:00:00Z", None);
    make(
        &mut registry,
        &Change::PutParty(with_oin(PI, Role::Pi, pinned)),
        now(),
    );
    make(
        &mut registry,
        &Change::PutParty(with_oin(EAST, Role::Municipality, loose)),
        now(),
    );
    let [own, other] = ["own", "pkioverheid"].map(anchor);
    let found = |number, anchor: &AnchorName, unpinned: Option<&AnchorName>| {
        let anchors = [anchor.clone()];
        let found = registry.holder(proven(&oin(number), &anchors, unpinned), now());
        found.map(|party| party.id.to_string())
    };
    assert_eq!(found(1, &other, None).as_deref(), Some(PI));
    assert_eq!(
        found(1, &own, Some(&own)),
        None,
        "another anchor claims the number"
    );
    assert_eq!(found(2, &own, Some(&own)).as_deref(), Some(EAST));
    assert_eq!(found(2, &other, Some(&own)), None);
    assert_eq!(
        found(2, &own, None),
        None,
        "no anchor is named for numbers without"
    );
}

/// Units are dated, and neither an id nor a number is two units' at one time. A call is for one that there is.
#[test]
fn a_unit_is_one_of_its_party_in_its_period() {
    let (start, end) = (at("2026-01-01T00:00:00Z"), at("2026-07-01T00:00:00Z"));
    let unit = |id: &str, from, until, number: Option<u8>| Unit {
        id: id.parse().unwrap(),
        name: "Werk en inkomen".into(),
        period: Period { from, until },
        oin: number.map(oin),
    };
    let mut town = with_oin(
        EAST,
        Role::Municipality,
        dated(2, "2026-01-01T00:00:00Z", None),
    );
    town.units = vec![
        unit("work", start, Some(end), Some(2)),
        unit("work", end, None, Some(2)),
        unit("debt", start, Some(end), None),
    ];
    let mut registry = Registry::default();
    let put = Change::PutParty(town.clone());
    registry.check(&put).unwrap();
    make(&mut registry, &put, now());
    let stands = |id: &str, suspended_too, at| {
        let id = id.parse().unwrap();
        registry.standing(&party(EAST), &party(EAST), Some(&id), suspended_too, at)
    };
    assert_eq!(
        stands("work", false, start).unwrap().unit.unwrap().as_str(),
        "work"
    );
    assert!(stands("work", false, end).is_ok());
    assert_eq!(stands("debt", false, end), Err(NoStanding::Unit));
    assert!(stands("debt", true, end).is_ok(), "what is never refused");
    assert_eq!(stands("care", true, start), Err(NoStanding::Unit));
    for (wrong, why) in [
        (unit("debt", start, None, None), "one id twice"),
        (unit("care", start, None, Some(2)), "one number twice"),
        (unit("care", start, None, Some(3)), "another's number"),
    ] {
        let mut town = town.clone();
        town.units.push(wrong);
        let refused = registry.check(&Change::PutParty(town)).unwrap_err();
        assert_eq!(refused.0, "units", "{why}");
    }
}

/// After a merger the successor, and whoever carries for it, acts for the old party from the day on; the old
/// party's id stays. No circle of successions can be registered.
#[test]
fn a_successor_acts_for_the_party_whose_place_it_took() {
    let from = at("2026-07-01T00:00:00Z");
    let mut registry = served();
    let west = with_oin(WEST, Role::Pi, dated(3, "2026-01-01T00:00:00Z", None));
    make(&mut registry, &Change::PutParty(west.clone()), now());
    let mut old = registry.party(&party(PI)).unwrap().clone();
    old.delegates.clear();
    old.succession = Some(Succession {
        successor: party(WEST),
        from,
    });
    make(&mut registry, &Change::PutParty(old), now());
    let stands = |registry: &Registry, id: &str, at| {
        registry
            .standing(&party(id), &party(PI), None, false, at)
            .map(|peer| peer.principal)
    };
    assert_eq!(
        stands(&registry, WEST, from.minus_millis(1)),
        Err(NoStanding::Principal)
    );
    assert_eq!(stands(&registry, WEST, from), Ok(party(PI)));
    assert_eq!(
        stands(&registry, "leverancier", from),
        Err(NoStanding::Principal)
    );

    let mut circle = west.clone();
    circle.succession = Some(Succession {
        successor: party(PI),
        from,
    });
    assert_eq!(
        registry.check(&Change::PutParty(circle)).unwrap_err().0,
        "succession"
    );
    let mut itself = west.clone();
    itself.succession = Some(Succession {
        successor: party(WEST),
        from,
    });
    assert_eq!(
        registry.check(&Change::PutParty(itself)).unwrap_err().0,
        "succession"
    );

    let mut west = west;
    west.delegates.push(Delegation {
        delegate: party("leverancier"),
        period: Period::new(from, None).unwrap(),
    });
    make(&mut registry, &Change::PutParty(west), now());
    assert_eq!(stands(&registry, "leverancier", from), Ok(party(PI)));
    make(&mut registry, &Change::SuspendParty(party(WEST)), from);
    for id in [WEST, "leverancier"] {
        assert!(
            stands(&registry, id, from).is_err(),
            "{id}: the successor is suspended"
        );
    }
}

#[test]
fn a_certificate_is_blocked_once_and_let_in_again_once() {
    let mut registry = served();
    let certificate = Thumbprint([7; 32]);
    let block = Change::BlockCertificate(certificate, StopReason::Suspicion);
    let unblock = Change::UnblockCertificate(certificate);
    assert_eq!(registry.check(&unblock).unwrap_err().0, "certificate");
    make(&mut registry, &block, now());
    assert!(registry.blocks(&certificate.0) && !registry.blocks(&[8; 32]));
    let blocked: Vec<_> = registry
        .blocked()
        .map(|one| (one.reason, one.since))
        .collect();
    assert_eq!(blocked, [(StopReason::Suspicion, now())]);
    assert_eq!(registry.check(&block).unwrap_err().0, "certificate");
    make(&mut registry, &unblock, now());
    assert!(!registry.blocks(&certificate.0));
}

#[test]
fn a_proposal_waits_for_two_weeks_and_no_longer() {
    let mut registry = served();
    let proposal = |number, at| Proposal {
        id: ProposalId::from_bytes([number; 16]),
        change: Change::SuspendParty(party(PI)),
        proposed_by: party(EAST),
        certificate: [1; 32],
        proposed_at: at,
        transport: None,
    };
    let first = ProposalId::from_bytes([1; 16]);
    registry.propose(proposal(1, now()));
    let end = now().plus_days(14);
    assert!(registry.proposal(first, end.minus_millis(1)).is_some());
    assert_eq!(registry.proposal(first, end), None);
    assert_eq!(registry.proposals(end).count(), 0);
    let touched = registry.propose(proposal(2, end));
    assert_eq!(
        touched.len(),
        2,
        "the expired one goes when the next one comes"
    );
    assert_eq!(registry.row(&RegistryKey::Proposal(first)), None);
}

#[test]
fn a_second_actor_is_another_party_over_another_connection_with_another_certificate() {
    let proposal = Proposal {
        id: ProposalId::from_bytes([1; 16]),
        change: Change::SuspendParty(party(PI)),
        proposed_by: party(EAST),
        certificate: [1; 32],
        proposed_at: now(),
        transport: Some(party("leverancier")),
    };
    let may = |principal: &str, transport: &str, certificate| {
        let peer = Peer {
            principal: party(principal),
            transport: party(transport),
            roles: vec![Role::Administrator],
            unit: None,
        };
        proposal.may_be_approved_by(&peer, &[certificate; 32])
    };
    assert!(may(WEST, WEST, 2));
    assert!(!may(WEST, WEST, 1), "the same certificate");
    assert!(!may(EAST, EAST, 2), "the same party");
    assert!(
        !may(WEST, "leverancier", 2),
        "over the same party's connection"
    );
    assert!(
        !may("leverancier", "leverancier", 2),
        "who carried the proposal"
    );
}

#[test]
fn of_each_party_only_so_many_certificates_are_remembered() {
    let mut registry = Registry::default();
    for number in 0..=u8::try_from(MOST_SEEN).unwrap() {
        let at = now().plus_millis(u64::from(number));
        registry.see(&[seen(number, PI, at), seen(100 + number, EAST, at)]);
    }
    let of_pi = registry.seen().filter(|one| one.party == party(PI));
    assert_eq!(of_pi.count(), MOST_SEEN);
    assert!(
        registry
            .seen()
            .all(|one| one.certificate != Thumbprint([0; 32]))
    );
    let later = now().plus_days(3);
    registry.see(&[seen(9, PI, later)]);
    let again = registry
        .seen()
        .find(|one| one.certificate == Thumbprint([9; 32]))
        .unwrap();
    assert_eq!(
        (again.first_used_at, again.last_used_at),
        (now().plus_millis(9), later)
    );
}
