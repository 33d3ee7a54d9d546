//! The registry: changed by two actors, in force at once, and the source of what is granted.

use schakel_api::v1::{self, change::Change};
use schakel_pki::validity::Validity;
use schakel_tests::{
    HOUSING, Party, Scene, TestBroker, actor, at, bsn, item, key, mark, reason, violations,
};
use tonic::{Code, Status};

/// Makes a change as two administrators do.
pub(super) async fn change(broker: &TestBroker, change: Change) {
    let proposal = broker.party("beheer-een").await.propose(change).await;
    broker
        .party("beheer-twee")
        .await
        .approve(&proposal)
        .await
        .expect("it is approved");
}

fn housing(client_ref: &str) -> v1::AskItem {
    item(
        mark(client_ref),
        HOUSING,
        v1::Condition::Housing,
        v1::Granularity::Signal,
    )
}

async fn told(broker: &TestBroker) -> (Scene, Party) {
    let scene = Scene::set(broker, 1).await;
    broker
        .party("gemeente-oost")
        .await
        .consent(bsn(&scene.bsn))
        .await;
    let association = broker.party("wonen-zuid").await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
    (scene, association)
}

async fn housing_version(broker: &TestBroker) -> v1::PurposeVersion {
    let party = broker.party("toetser").await;
    let purposes = party
        .registry()
        .list_purposes(v1::ListPurposesRequest {})
        .await
        .unwrap();
    let mut purposes = purposes.into_inner().purposes.into_iter();
    purposes.find(|purpose| purpose.code == HOUSING).unwrap()
}

/// Nothing changes until another administrator approves, with another certificate.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_takes_two() {
    let broker = TestBroker::start().await;
    let (one, two) = (
        broker.party("beheer-een").await,
        broker.party("beheer-twee").await,
    );
    let (scene, association) = told(&broker).await;
    let proposal = one
        .propose(Change::SuspendPartyId("wonen-zuid".into()))
        .await;
    assert!(
        association.ask_housing(&scene.mark).await.is_some(),
        "it is only proposed"
    );
    let refused = one.approve(&proposal).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "SECOND_ACTOR_REQUIRED")
    );
    let waiting = two
        .registry()
        .list_proposals(v1::ListProposalsRequest {})
        .await
        .unwrap();
    assert_eq!(waiting.into_inner().proposals.len(), 1);
    two.approve(&proposal).await.unwrap();
    assert!(association.try_ask(housing(&scene.mark)).await.is_err());
    let again = two.approve(&proposal).await.unwrap_err();
    assert_eq!(
        (again.code(), reason(&again).as_str()),
        (Code::NotFound, "NOT_FOUND")
    );
}

/// The party as it is registered.
async fn registered(broker: &TestBroker, id: &str) -> v1::Party {
    let request = v1::ListPartiesRequest {};
    let anybody = broker.party("toetser").await;
    let parties = anybody.registry().list_parties(request).await.unwrap();
    let mut parties = parties.into_inner().parties.into_iter();
    parties.find(|party| party.party_id == id).unwrap()
}

/// A stream is a call that goes on: it ends with the role that it takes, also while the party itself stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_the_role_it_takes() {
    let broker = TestBroker::start().await;
    let association = broker.party("wonen-zuid").await;
    let mut stream = association.subscribe(None).await;
    let mut party = registered(&broker, "wonen-zuid").await;
    party.roles = vec![v1::Role::Auditor.into()];
    change(&broker, Change::PutParty(party)).await;
    let ended = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended as if all were well"),
            Err(status) => break status,
        }
    };
    assert_eq!(
        (ended.code(), reason(&ended).as_str()),
        (Code::PermissionDenied, "METHOD_NOT_FOR_ROLE")
    );
}

/// A rejected proposal is gone; its proposer may reject it too.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_proposal_is_gone() {
    let broker = TestBroker::start().await;
    let (one, two) = (
        broker.party("beheer-een").await,
        broker.party("beheer-twee").await,
    );
    let proposal_id = one
        .propose(Change::SuspendPartyId("wonen-zuid".into()))
        .await;
    let request = v1::RejectChangeRequest {
        idempotency_key: key(),
        proposal_id: proposal_id.clone(),
    };
    one.registry().reject_change(request).await.unwrap();
    assert_eq!(
        two.approve(&proposal_id).await.unwrap_err().code(),
        Code::NotFound
    );
}

/// A suspended party is stopped at once, on connections that were open already, and so is its stream; only
/// taking back a consent is never refused. Reinstated, it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_party_is_stopped_at_once() {
    let broker = TestBroker::start().await;
    let (scene, association) = told(&broker).await;
    let mut stream = association.subscribe(None).await;
    change(&broker, Change::SuspendPartyId("wonen-zuid".into())).await;
    let refused = association.try_ask(housing(&scene.mark)).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::PermissionDenied, "PARTY_UNKNOWN")
    );
    let ended = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended as if all were well"),
            Err(status) => break status,
        }
    };
    assert_eq!(
        (ended.code(), reason(&ended).as_str()),
        (Code::PermissionDenied, "PARTY_UNKNOWN")
    );
    association.withdraw(mark(&scene.mark)).await;
    change(&broker, Change::ReinstatePartyId("wonen-zuid".into())).await;
    assert!(
        association.ask_housing(&scene.mark).await.is_none(),
        "the consent is withdrawn"
    );
    broker
        .party("gemeente-oost")
        .await
        .consent(bsn(&scene.bsn))
        .await;
    assert!(association.ask_housing(&scene.mark).await.is_some());
}

/// It is told which field names the purpose, the rule, and where to look.
fn not_in_force(refused: &Status, field: &str) {
    assert_eq!(
        (refused.code(), reason(refused).as_str()),
        (Code::InvalidArgument, "PURPOSE_UNKNOWN")
    );
    let rule = "must be a purpose, in a version, that is in force: ListPurposes shows what is";
    assert_eq!(violations(refused), [(field.to_owned(), rule.to_owned())]);
}

/// A purpose nobody registered, or a version withdrawn, grants nothing from that moment on.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_14_what_is_not_in_force_grants_nothing() {
    let broker = TestBroker::start().await;
    let (scene, association) = told(&broker).await;
    let mut unknown = housing(&scene.mark);
    unknown.purpose = "P-NOBODY-KNOWS".into();
    let mut version = housing(&scene.mark);
    version.purpose_version = Some(2);
    for asked in [unknown, version] {
        let refused = association.try_ask(asked.clone()).await.unwrap_err();
        not_in_force(&refused, "item.purpose");
        let batch = v1::AskBatchRequest {
            actor: actor(),
            items: vec![housing(&scene.mark), asked],
        };
        let refused = association.exchange().ask_batch(batch).await.unwrap_err();
        not_in_force(&refused, "items[1].purpose");
    }
    let name = v1::PurposeName {
        code: HOUSING.into(),
        version: 1,
    };
    change(&broker, Change::WithdrawPurpose(name)).await;
    let refused = association.try_ask(housing(&scene.mark)).await.unwrap_err();
    assert_eq!(reason(&refused), "PURPOSE_UNKNOWN");
    let stranger = broker.party("zorg-midden").await;
    let refused = stranger
        .try_ask(item(
            bsn(&scene.bsn),
            "P-PLAN",
            v1::Condition::Housing,
            v1::Granularity::Signal,
        ))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::PermissionDenied, "PURPOSE_NOT_FOR_ROLE")
    );
}

/// A version that begins or ends does so at its instant; a basis that is missing grants nothing.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_14_a_missing_basis_grants_nothing() {
    let broker = TestBroker::start().await;
    let (scene, association) = told(&broker).await;
    let mut narrower = housing_version(&broker).await;
    narrower.version = 2;
    let from = broker.now().plus_millis(60_000);
    narrower.validity = Some(v1::Period {
        from: at(from),
        until: None,
    });
    // The prison's information reveals detention: without a ground for criminal data it goes nowhere.
    for route in &mut narrower.routes {
        route.criminal_data_ground = None;
    }
    change(&broker, Change::PutPurpose(narrower)).await;
    broker.clock().set(from.minus_millis(1));
    assert!(
        association.ask_housing(&scene.mark).await.is_some(),
        "version 1 is in force still"
    );
    broker.clock().set(from);
    let association = broker.party("wonen-zuid").await;
    let told = association
        .try_ask(housing(&scene.mark))
        .await
        .expect("an answer");
    // The association does not know of detention, so nothing reveals it to it; version 2 decides.
    assert_eq!(told.map(|(told, _)| told.purpose_version), Some(2));
}

/// A rule that does not parse, or a purpose that is refused by design, cannot be registered.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_14_a_rule_that_does_not_parse_is_not_registered() {
    let broker = TestBroker::start().await;
    let administrator = broker.party("beheer-een").await;
    let sound = housing_version(&broker).await;
    let edit = |edit: &dyn Fn(&mut v1::PurposeVersion)| {
        let mut version = sound.clone();
        version.version = 2;
        edit(&mut version);
        Change::PutPurpose(version)
    };
    for (what, broken) in [
        (
            "an unknown basis",
            edit(&|purpose| {
                purpose.routes[0].provider_basis.as_mut().unwrap().basis = "BECAUSE".into();
            }),
        ),
        (
            "no basis",
            edit(&|purpose| purpose.routes[0].recipient_basis = None),
        ),
        (
            "a gap in the versions",
            edit(&|purpose| purpose.version = 3),
        ),
        (
            "a zero condition",
            edit(&|purpose| purpose.conditions = vec![0]),
        ),
        (
            "investigation",
            edit(&|purpose| {
                (purpose.code, purpose.version) = ("P-INVESTIGATION".into(), 1);
            }),
        ),
    ] {
        let change = Some(v1::Change {
            change: Some(broken),
        });
        let request = v1::ProposeChangeRequest {
            idempotency_key: key(),
            change,
        };
        let refused = administrator
            .registry()
            .propose_change(request)
            .await
            .expect_err(what);
        let code = refused.code();
        assert!(
            matches!(code, Code::InvalidArgument | Code::FailedPrecondition),
            "{what}: {code:?}"
        );
        assert!(!violations(&refused).is_empty(), "{what}: {refused:?}");
    }
}

/// A party may act for another only under a delegation in force, and the entry names both.
#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_acts_for_another_while_it_may() {
    let broker = TestBroker::start().await;
    let (scene, _) = told(&broker).await;
    let carrier = broker.party("wonen-noord").await;
    let ask = |party: &Party| {
        let asked = v1::AskRequest {
            actor: actor(),
            item: Some(housing(&scene.mark)),
        };
        let mut request = tonic::Request::new(asked);
        request
            .metadata_mut()
            .insert("schakel-principal", "wonen-zuid".parse().unwrap());
        let mut exchange = party.exchange();
        async move { exchange.ask(request).await }
    };
    let refused = ask(&carrier).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::PermissionDenied, "PARTY_UNKNOWN")
    );
    let mut party = registered(&broker, "wonen-zuid").await;
    let until = broker.now().plus_millis(60_000);
    party.delegates = vec![v1::Delegation {
        delegate_party_id: "wonen-noord".into(),
        period: Some(v1::Period {
            from: at(broker.now()),
            until: at(until),
        }),
    }];
    change(&broker, Change::PutParty(party)).await;
    assert!(ask(&carrier).await.is_ok());
    let log = broker.check_log().await;
    let leaf = log.leaves.last().unwrap();
    assert_eq!(
        (leaf.party.as_str(), leaf.transport.as_deref()),
        ("wonen-zuid", Some("wonen-noord"))
    );
    broker.clock().set(until);
    assert!(ask(&carrier).await.is_err(), "the delegation has ended");
}

/// A new number of a party counts from its instant, and its old certificate no longer after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_a_number_nobody_has_is_nobody() {
    let broker = TestBroker::start().await;
    let organisations = schakel_pki::organisation::Organisations::of_development().unwrap();
    let mut organisation = organisations.find("wonen-zuid").unwrap().clone();
    organisation.oin = "00000099777777770000".parse().unwrap();
    let issued = broker
        .place()
        .issue(&organisation, Validity::days(30, broker.now()));
    let channel = broker.line_with(Some(&issued)).channel().await.unwrap();
    let mut exchange = v1::exchange_service_client::ExchangeServiceClient::new(channel);
    let asked = v1::AskRequest {
        actor: actor(),
        item: Some(housing("huurder-1")),
    };
    let refused = exchange.ask(asked).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::PermissionDenied, "PARTY_UNKNOWN")
    );
}
