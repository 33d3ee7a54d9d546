//! Stopping somebody at once, and letting somebody go on; certificates as the registry knows them.

use schakel_api::v1::{self, change::Change, stop_request::What};
use schakel_core::{
    event::{Event, RefusalReason},
    time::Timestamp,
};
use schakel_pki::{
    authority::Issued, identity::parse_peer_pem, organisation::Organisations, validity::Validity,
};
use schakel_tests::{Party, Scene, TestBroker, actor, at, bsn, by_case, key, mark, reason};
use tonic::{Code, Request, Status};

use super::registry::change;

fn thumbprint(issued: &Issued) -> String {
    hex::encode(parse_peer_pem(&issued.cert_pem).unwrap().sha256)
}

async fn stop(party: &Party, what: What) -> Result<(), Status> {
    let request = v1::StopRequest {
        idempotency_key: key(),
        reason: v1::StopReason::KeyCompromise.into(),
        what: Some(what),
    };
    let answer = party.registry().stop(request).await?.into_inner();
    party.keep(answer.receipt);
    Ok(())
}

/// How a stream ends, whatever came before.
async fn ended(stream: &mut tonic::Streaming<v1::SubscribeResponse>) -> Status {
    loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended as if all were well"),
            Err(status) => return status,
        }
    }
}

fn assert_unknown(status: &Status) {
    assert_eq!(
        (status.code(), reason(status).as_str()),
        (Code::PermissionDenied, "PARTY_UNKNOWN")
    );
}

async fn told(broker: &TestBroker) -> (Scene, Party) {
    let scene = Scene::set(broker, 1).await;
    let municipality = broker.party("gemeente-oost").await;
    municipality.consent(bsn(&scene.bsn)).await;
    let association = broker.party("wonen-zuid").await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
    (scene, association)
}

/// One administrator blocks a certificate, and nothing is done with it any more: no call over a connection that is
/// open, no stream, no withdrawal either, since it is not known any more who asks. Another certificate of the party
/// works on. To let it count again takes two. The trail tells all of it, and who went on trying.
#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_certificate_is_stopped_at_once() {
    let broker = TestBroker::start().await;
    let (scene, association) = told(&broker).await;
    let mut stream = association.subscribe(None).await;
    let certificate = thumbprint(&broker.place().issued("wonen-zuid"));
    let administrator = broker.party("beheer-een").await;
    stop(&administrator, What::Certificate(certificate.clone()))
        .await
        .unwrap();

    let item = schakel_tests::item(
        mark(&scene.mark),
        schakel_tests::HOUSING,
        v1::Condition::Housing,
        v1::Granularity::Signal,
    );
    assert_unknown(&association.try_ask(item).await.unwrap_err());
    assert_unknown(&ended(&mut stream).await);
    let withdrawn = association.try_withdraw(mark(&scene.mark), key()).await;
    assert_unknown(&withdrawn.unwrap_err());
    let again = broker.line("wonen-zuid").channel().await.unwrap();
    let refused = v1::audit_service_client::AuditServiceClient::new(again)
        .get_checkpoint(v1::GetCheckpointRequest {})
        .await
        .unwrap_err();
    assert_unknown(&refused);

    let organisations = Organisations::of_development().unwrap();
    let organisation = organisations.find("wonen-zuid").unwrap();
    let next = broker
        .place()
        .issue(organisation, Validity::days(30, broker.now()));
    let channel = broker.line_with(Some(&next)).channel().await.unwrap();
    let evidence = std::sync::Arc::clone(broker.evidence());
    let renewed = Party::new("wonen-zuid", channel, evidence, broker.any_clock());
    assert!(
        renewed.ask_housing(&scene.mark).await.is_some(),
        "another certificate works"
    );

    let twice = stop(&administrator, What::Certificate(certificate.clone()))
        .await
        .unwrap_err();
    assert_eq!(reason(&twice), "REGISTRY_CONFLICT");
    let unblock = Change::UnblockCertificate(certificate.clone());
    let proposal = administrator.propose(unblock).await;
    let alone = administrator.approve(&proposal).await.unwrap_err();
    assert_eq!(reason(&alone), "SECOND_ACTOR_REQUIRED");
    broker
        .party("beheer-twee")
        .await
        .approve(&proposal)
        .await
        .unwrap();
    assert!(
        association.ask_housing(&scene.mark).await.is_some(),
        "it counts again"
    );

    let mut broker = broker;
    broker.stop().await;
    let log = broker.check_log().await;
    let events: Vec<Event> = log
        .details(broker.place())
        .into_iter()
        .flatten()
        .map(|details| details.event)
        .collect();
    let stopped = events.iter().any(|event| {
        matches!(event, Event::Changed { reason: Some(reason), .. } if reason.as_str() == "KEY_COMPROMISE")
    });
    assert!(stopped, "with its reason");
    let tried = events.iter().any(|event| {
        matches!(event, Event::Refused { party: Some(party), counts, .. }
            if party.as_str() == "wonen-zuid" && counts.iter().any(|(why, _)| *why == RefusalReason::Blocked))
    });
    assert!(tried, "who tried");
}

/// One administrator suspends a party at once; two reinstate it. No administrator suspends another alone.
#[tokio::test(flavor = "multi_thread")]
async fn one_stops_a_party_and_two_let_it_go_on() {
    let broker = TestBroker::start().await;
    let (scene, association) = told(&broker).await;
    let mut stream = association.subscribe(None).await;
    let administrator = broker.party("beheer-een").await;
    stop(&administrator, What::PartyId("wonen-zuid".into()))
        .await
        .unwrap();
    assert_unknown(&ended(&mut stream).await);
    let request = v1::GetCheckpointRequest {};
    assert_unknown(
        &association
            .audit()
            .get_checkpoint(request)
            .await
            .unwrap_err(),
    );
    change(&broker, Change::ReinstatePartyId("wonen-zuid".into())).await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
    let other = stop(&administrator, What::PartyId("beheer-twee".into())).await;
    assert_eq!(reason(&other.unwrap_err()), "SECOND_ACTOR_REQUIRED");
}

/// A purpose that one administrator stops grants nothing from then on.
#[tokio::test(flavor = "multi_thread")]
async fn one_stops_a_purpose() {
    let broker = TestBroker::start().await;
    let (scene, association) = told(&broker).await;
    let name = v1::PurposeName {
        code: schakel_tests::HOUSING.into(),
        version: 1,
    };
    stop(&broker.party("beheer-een").await, What::Purpose(name))
        .await
        .unwrap();
    let item = schakel_tests::item(
        mark(&scene.mark),
        schakel_tests::HOUSING,
        v1::Condition::Housing,
        v1::Granularity::Signal,
    );
    assert_eq!(
        reason(&association.try_ask(item).await.unwrap_err()),
        "PURPOSE_UNKNOWN"
    );
}

/// A change nobody approved within 14 days can no longer be approved.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_expires() {
    let broker = TestBroker::start().await;
    let proposal = broker
        .party("beheer-een")
        .await
        .propose(Change::SuspendPartyId("wonen-zuid".into()))
        .await;
    let second = broker.party("beheer-twee").await;
    let listed = second
        .registry()
        .list_proposals(v1::ListProposalsRequest {})
        .await
        .unwrap();
    let expires = listed.into_inner().proposals[0].expires_at;
    assert_eq!(expires, at(broker.now().plus_days(14)));
    // The list in the test counts for seven days; the newer one for as long again.
    for days in [6, 12] {
        let now = broker.place().furnished_at().plus_days(days);
        broker.place().revoke(&[], u64::from(days), now);
    }
    let later = broker.place().furnished_at().plus_days(14);
    broker.place().revoke(&[], 14, later);
    let mut broker = broker;
    broker.restart().await;
    broker.clock().set(later);
    broker.restart().await;
    let second = broker.party("beheer-twee").await;
    let refused = second.approve(&proposal).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}

/// After a merger the successor reaches the cases, consents and inbox of the party whose place it took, by naming
/// it, from the day on; what is recorded stays the old party's, and the entry names both.
#[tokio::test(flavor = "multi_thread")]
async fn a_successor_reaches_what_was_the_old_partys() {
    let broker = TestBroker::start().await;
    let (scene, association) = told(&broker).await;
    let successor = broker.party("wonen-noord").await;
    let from = broker.now().plus_millis(60_000);
    let parties = association
        .registry()
        .list_parties(v1::ListPartiesRequest {})
        .await
        .unwrap();
    let parties = parties.into_inner().parties;
    let mut old = parties
        .into_iter()
        .find(|party| party.party_id == "wonen-zuid")
        .unwrap();
    old.succession = Some(v1::Succession {
        successor_party_id: "wonen-noord".into(),
        from: at(from),
    });
    change(&broker, Change::PutParty(old)).await;
    let named = |message| {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("schakel-principal", "wonen-zuid".parse().unwrap());
        request
    };
    let ask = v1::AskRequest {
        actor: actor(),
        item: Some(schakel_tests::item(
            mark(&scene.mark),
            schakel_tests::HOUSING,
            v1::Condition::Housing,
            v1::Granularity::Signal,
        )),
    };
    let early = successor.exchange().ask(named(ask.clone())).await;
    assert_unknown(&early.unwrap_err());
    broker.clock().set(from);
    let answer = successor
        .exchange()
        .ask(named(ask))
        .await
        .unwrap()
        .into_inner();
    let Some(v1::ask_response::Outcome::Disclosed(_)) = answer.outcome else {
        panic!("the consent is the old party's, and so is the mark: {answer:?}");
    };
    let mut pull = Request::new(v1::PullRequest {
        actor: actor(),
        cursor: None,
        max_messages: 10,
    });
    let principal = "wonen-zuid".parse().unwrap();
    pull.metadata_mut().insert("schakel-principal", principal);
    successor.inbox().pull(pull).await.expect("its inbox");
    let log = broker.check_log().await;
    let leaf = log
        .leaves
        .iter()
        .rev()
        .find(|leaf| leaf.transport.is_some())
        .unwrap();
    assert_eq!(
        (leaf.party.as_str(), leaf.transport.as_deref()),
        ("wonen-zuid", Some("wonen-noord"))
    );
    assert!(
        association.ask_housing(&scene.mark).await.is_some(),
        "its own number is its still"
    );
    let stranger = broker.party("zorg-midden").await;
    let refused = stranger.cases().get_case(get_case(&scene)).await;
    assert!(refused.is_err(), "nobody else");
}

fn get_case(scene: &Scene) -> Request<v1::GetCaseRequest> {
    let mut request = Request::new(v1::GetCaseRequest {
        actor: actor(),
        subject: Some(by_case(&scene.case)),
    });
    let principal = "wonen-zuid".parse().unwrap();
    request
        .metadata_mut()
        .insert("schakel-principal", principal);
    request
}

/// Whoever holds a certificate that ends soon is told so with every answer, refusals included, and by the one
/// method that tells everything about it.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_soon_is_told_with_every_answer() {
    let broker = TestBroker::start().await;
    let organisations = Organisations::of_development().unwrap();
    let organisation = organisations.find("wonen-zuid").unwrap();
    let expires = |metadata: &tonic::metadata::MetadataMap| {
        let value = metadata.get("schakel-certificate-expires")?;
        Some(value.to_str().unwrap().to_owned())
    };
    // Of a short life it is told when a quarter is left.
    let cases = [
        (29, 200, true),
        (31, 200, false),
        (7, 30, true),
        (20, 30, false),
    ];
    for (days, life, soon) in cases {
        let lived = u64::from(life - days) * Timestamp::DAY_MS;
        let validity = Validity::days(life, broker.now().minus_millis(lived));
        let own = broker.place().issue(organisation, validity);
        let channel = broker.line_with(Some(&own)).channel().await.unwrap();
        let mut registry = v1::registry_service_client::RegistryServiceClient::new(channel);
        let request = v1::GetMyCertificateRequest {};
        let answer = registry.get_my_certificate(request).await.unwrap();
        let told = soon.then(|| broker.now().plus_days(days).to_string());
        assert_eq!(expires(answer.metadata()), told, "{days}");
        let answer = answer.into_inner();
        assert_eq!(answer.certificate, thumbprint(&own));
        assert_eq!(answer.anchors, [schakel_tests::ANCHOR]);
        assert_eq!(answer.not_after, at(broker.now().plus_days(days)));
        assert_eq!(
            (answer.expires_soon, answer.tls_version.as_str()),
            (soon, "1.3")
        );
        let refused = registry
            .list_proposals(v1::ListProposalsRequest {})
            .await
            .unwrap_err();
        assert_eq!(expires(refused.metadata()), told, "a refusal too");
    }
}

/// Which certificates are used, by whom and when last, is known after a restart too.
#[tokio::test(flavor = "multi_thread")]
async fn the_use_of_certificates_is_known() {
    let mut broker = TestBroker::start().await;
    broker.party("wonen-zuid").await.checkpoint().await;
    broker.restart().await;
    let auditor = broker.party("toetser").await;
    let request = v1::ListCertificatesRequest {};
    let listed = auditor
        .registry()
        .list_certificates(request)
        .await
        .unwrap()
        .into_inner();
    let own = thumbprint(&broker.place().issued("wonen-zuid"));
    let used = listed
        .used
        .iter()
        .find(|used| used.certificate == own)
        .unwrap();
    assert_eq!(
        (used.party_id.as_str(), used.anchor.as_str()),
        ("wonen-zuid", "own")
    );
    assert_eq!(used.last_used_at, at(broker.now()));
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.unwrap();
    let auditor = broker.party("toetser").await;
    let again = auditor
        .registry()
        .list_certificates(request)
        .await
        .unwrap()
        .into_inner();
    assert!(
        again.used.iter().any(|used| used.certificate == own),
        "rebuilt from the log"
    );
}
