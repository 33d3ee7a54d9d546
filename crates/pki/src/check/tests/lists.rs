//! Short chains, and how long a revocation list counts.

use super::*;

/// A broker that trusts the root, and completes short chains by the issuing authority.
fn completing(world: &World, revoked: &[&[u8]]) -> Acceptance {
    let mut acceptance = world.acceptance(revoked);
    acceptance.anchors[0].intermediates = vec![world.issuing.certificate().to_vec()];
    acceptance
}

fn revocation(acceptance: &Acceptance, chain: &Chain, conditions: &Conditions) -> Vec<Finding> {
    let findings = acceptance.check(chain, conditions).into_iter();
    findings
        .filter(|finding| finding.check == "revocation")
        .collect()
}

#[test]
fn an_intermediate_of_the_broker_completes_a_short_chain_and_is_trusted_no_further_than_its_root() {
    let mut world = World::new(1);
    let whole = world.chain();
    let short = Chain::new(whole.own().to_vec(), Vec::new());
    let acceptance = completing(&world, &[]);
    for chain in [&whole, &short] {
        assert!(acceptance.accepts(chain, &Conditions::at(now())));
        let looked_into = revocation(&acceptance, chain, &Conditions::at(now()));
        assert_eq!(looked_into.len(), 2, "{looked_into:?}");
    }
    let acceptance = completing(&world, &[world.issuing.certificate()]);
    let told = only_failure(&acceptance, &short, now());
    assert!(
        told.contains("`root.crl.pem`") && told.contains("CN=Testbeheer Issuing 1"),
        "{told}"
    );
    let mut unrooted = completing(&world, &[]);
    unrooted.anchors[0].authorities = vec![World::new(2).root.certificate().to_vec()];
    let told = only_failure(&unrooted, &short, now());
    assert!(told.starts_with("authority: "), "{told}");
}

#[test]
fn of_two_certificates_of_one_authority_the_one_that_holds_counts() {
    let mut world = World::new(1);
    let chain = world.chain();
    let issuing = identity::parse(world.issuing.certificate()).unwrap();
    let name = AuthorityName {
        organisation: "Testbeheer".to_owned(),
        common_name: "Testbeheer Issuing 1".to_owned(),
    };
    let (spki, validity) = (issuing.public_key().raw, Validity::days(1, now()));
    let ended = world
        .root
        .certify_authority(&name, spki, validity, None, &mut world.random)
        .unwrap();
    let mut acceptance = world.acceptance(&[]);
    acceptance.anchors[0].intermediates = vec![ended];
    let later = Conditions::at(now().plus_days(5));
    assert!(
        acceptance.accepts(&chain, &later),
        "the one that was sent holds"
    );
    let short = Chain::new(chain.own().to_vec(), Vec::new());
    let told = only_failure(&acceptance, &short, later.at);
    assert!(told.contains("Testbeheer Issuing 1` holds from"), "{told}");
}

/// How long the broker relies on a list that it fetches is its own bound on the age, counted from when it fetched it.
#[test]
fn a_list_that_is_fetched_counts_as_the_broker_counts_it() {
    let mut world = World::new(1);
    let chain = world.chain();
    let mut acceptance = world.acceptance(&[]);
    let list = &mut acceptance.anchors[0].lists[1];
    list.from = "`http://pki.example/issuing.crl`".to_owned();
    list.counted_from = Some(now());
    list.max_age_ms = Some(2 * 3_600_000);
    let hours = |hours: u64| now().plus_millis(hours * 3_600_000);
    assert!(acceptance.accepts(&chain, &Conditions::at(hours(1))));
    let told = only_failure(&acceptance, &chain, hours(2));
    assert!(
        told.contains("`http://pki.example/issuing.crl` of `") && told.contains("ended at"),
        "{told}"
    );
    let aged = |age: u64| Conditions {
        lists: Lists::Aged(age * 3_600_000),
        ..Conditions::at(hours(1))
    };
    assert!(acceptance.accepts(&chain, &aged(1)));
    assert!(!acceptance.accepts(&chain, &aged(2)));

    acceptance.anchors[0].lists[1].admits_stale = true;
    let found = revocation(&acceptance, &chain, &Conditions::at(hours(2)));
    assert_eq!(found[0].verdict, Verdict::Warned, "{found:?}");
}

#[test]
fn a_list_that_was_never_fetched_is_told_by_its_address_and_not_as_one_that_is_lacking() {
    let mut world = World::new(1);
    let chain = world.chain();
    let mut acceptance = world.acceptance(&[]);
    let list = &mut acceptance.anchors[0].lists[1];
    list.from = "`http://pki.example/issuing.crl`".to_owned();
    list.text = None;
    let told = only_failure(&acceptance, &chain, now());
    assert!(
        told.contains("was ever fetched from `http://pki.example/issuing.crl`")
            && told.contains("Testbeheer Issuing 1`")
            && told.contains("whether it is revoked is not known"),
        "{told}"
    );
    let fresh = Conditions {
        lists: Lists::Fresh,
        ..Conditions::at(now())
    };
    assert!(acceptance.accepts(&chain, &fresh));
    acceptance.anchors[0].lists[1].admits_stale = true;
    assert!(acceptance.accepts(&chain, &Conditions::at(now())));
}
