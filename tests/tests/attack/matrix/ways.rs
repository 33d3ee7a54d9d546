//! Ways past the matrix: two generations, an old session, a balancer.

use super::*;

/// Two generations of one authority count side by side, each with the lists of its own.
#[tokio::test(flavor = "multi_thread")]
async fn two_generations_of_an_authority_count_side_by_side() {
    let now = START.parse().unwrap();
    let (old, new) = (
        Forge::root("Twee generaties", now),
        Forge::root("Twee generaties", now),
    );
    let [first, second, gone] = [&old, &new, &new].map(|forge| forge.issue(&Forged::of(UWV)));
    let settings = Settings {
        tls: r#"
            unpinned = "both"
            [[tls.anchor]]
            name = "both"
            certificates = "both.pem"
            crl = [{ file = "old.crl" }, { file = "new.crl" }]
        "#
        .to_owned(),
        files: vec![
            ("both.pem", format!("{}{}", old.pem(), new.pem())),
            ("old.crl", old.list(&[], 1, now)),
            ("new.crl", new.list(&[&gone], 1, now)),
        ],
        ..Settings::default()
    };
    let broker = TestBroker::start_with(settings).await;
    for (own, expected) in [
        (&first, Outcome::Admitted),
        (&second, Outcome::Admitted),
        (&gone, REVOKED),
    ] {
        assert_eq!(outcome(&broker.line_with(Some(own))).await, expected);
    }
}

/// A client that has a session still does not get in by it once its certificate is revoked, and its open connection
/// ends: no call goes through any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_of_no_use_after_a_revocation() {
    for version in ["1.3", "1.2"] {
        let settings = Settings {
            tls: format!("reload_every = \"1s\"\noldest_version = \"{version}\""),
            ..Settings::default()
        };
        let broker = TestBroker::start_with(settings).await;
        let own = broker.place().issued("wonen-zuid");
        let authority = broker.place().authority_pem();
        let line = match version {
            "1.2" => Line::old(broker.address(), &authority, Some(&own), broker.any_clock()),
            _ => broker.line_with(Some(&own)),
        };
        for _ in 0..2 {
            assert_eq!(outcome(&line).await, Outcome::Admitted, "{version}");
        }
        let open = line.channel().await.unwrap();
        let mut stream = {
            let evidence = Arc::clone(broker.evidence());
            let party =
                schakel_tests::Party::new("wonen-zuid", open.clone(), evidence, broker.any_clock());
            party.subscribe(None).await
        };
        broker.place().revoke(&[&own], 2, broker.now());
        let ended = loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended as if all were well"),
                Err(status) => break status,
            }
        };
        assert_eq!(reason(&ended), "PARTY_UNKNOWN", "{version}: {ended:?}");
        let mut audit = AuditServiceClient::new(open);
        let refused = audit
            .get_checkpoint(v1::GetCheckpointRequest {})
            .await
            .unwrap_err();
        assert_eq!(reason(&refused), "PARTY_UNKNOWN", "{version}");
        assert_eq!(outcome(&line).await, REVOKED, "{version}");
    }
}

/// A balancer that is believed says where a connection came from, and that stands in the trail; nobody else is
/// believed, and the balancer must say it.
#[tokio::test(flavor = "multi_thread")]
async fn the_origin_behind_a_balancer_stands_in_the_trail() {
    let settings = Settings {
        listen: "proxies = [\"127.0.0.1\"]".to_owned(),
        ..Settings::default()
    };
    let mut broker = TestBroker::start_with(settings).await;
    let line = broker.line("beheer-een");
    assert_eq!(outcome(&line).await, SILENTLY, "without the header");
    let origin = "192.0.2.7:50000".parse().unwrap();
    let channel = line.behind(origin).channel().await.unwrap();
    let request = v1::ProposeChangeRequest {
        idempotency_key: key(),
        change: Some(v1::Change {
            change: Some(Change::SuspendPartyId("wonen-zuid".into())),
        }),
    };
    let mut registry = v1::registry_service_client::RegistryServiceClient::new(channel);
    registry.propose_change(request).await.unwrap();
    broker.stop().await;
    let log = broker.check_log().await;
    let details = log.details(broker.place());
    let calls = details
        .iter()
        .flatten()
        .filter_map(|details| details.call.as_ref());
    let addresses: Vec<_> = calls.map(|call| call.address.as_str()).collect();
    assert_eq!(addresses, ["192.0.2.7:50000"]);
}
