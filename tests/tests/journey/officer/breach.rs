//! Breaches by number, by party and by certificate, and who may ask.

use schakel_api::v1::{self, get_breach_request::By};
use schakel_tests::{Party, Scene, TestBroker, actor, at, bsn, reason};

use super::PURPOSE;

const OIN: &str = "00000099000000050000";

fn asked(broker: &TestBroker, by: By) -> v1::GetBreachRequest {
    v1::GetBreachRequest {
        actor: actor(),
        purpose: PURPOSE.into(),
        by: Some(by),
        period: Some(v1::Period {
            from: at(broker.place().furnished_at()),
            until: at(broker.now().plus_days(1)),
        }),
        discovered_at: at(broker.now()),
        ..v1::GetBreachRequest::default()
    }
}

async fn breach(broker: &TestBroker, asker: &Party, by: By) -> v1::GetBreachResponse {
    let answer = asker.audit().get_breach(asked(broker, by)).await;
    answer.unwrap().into_inner()
}

async fn told(broker: &TestBroker, persons: u32) -> Vec<Scene> {
    let (town, home) = (
        broker.party("gemeente-oost").await,
        broker.party("wonen-zuid").await,
    );
    let mut scenes = Vec::new();
    for n in 0..persons {
        let scene = Scene::set(broker, n).await;
        town.consent(bsn(&scene.bsn)).await;
        home.ask_housing(&scene.mark).await.expect("a signal");
        scenes.push(scene);
    }
    scenes
}

/// The same persons and numbers by the number that a party holds, by the party and by its certificate; nothing by
/// a party and a certificate that did nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_breach_is_the_same_by_number_by_party_and_by_certificate() {
    let broker = TestBroker::start().await;
    told(&broker, 2).await;
    let officer = broker.party("fg-wonen-zuid").await;
    let certificate = hex::decode(broker.certificate("wonen-zuid")).unwrap();
    let by_party = breach(&broker, &officer, By::PartyId("wonen-zuid".into())).await;
    assert_eq!(by_party.persons.len(), 2);
    let [share] = &by_party.shares[..] else {
        panic!("one controller's share");
    };
    assert_eq!((share.persons, share.disclosed), (2, 2));
    assert_eq!(share.recipient_party_ids, ["wonen-zuid"]);
    for by in [
        By::Oin(OIN.into()),
        By::CertificateSha256(certificate.into()),
    ] {
        let found = breach(&broker, &officer, by.clone()).await;
        assert_eq!(found.shares, by_party.shares, "{by:?}");
        assert_eq!(found.persons, by_party.persons, "{by:?}");
        // 72 hours after it was discovered.
        assert_eq!(found.seconds_left, 72 * 3600);
    }
    for by in [
        By::PartyId("uwv-test".into()),
        By::CertificateSha256(vec![7; 32].into()),
    ] {
        let found = breach(&broker, &officer, by.clone()).await;
        assert!(found.persons.is_empty(), "{by:?}");
        assert_eq!(found.shares[0].entries, 0, "{by:?}");
        assert!(found.receipt.is_some(), "looking is recorded all the same");
    }
}

/// Administrators and auditors get the numbers of every controller and no person; partners get nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_gets_numbers_and_partners_are_refused_as_the_access_table_says() {
    let broker = TestBroker::start().await;
    told(&broker, 1).await;
    let administrator = broker.party("beheer-een").await;
    let whole = breach(&broker, &administrator, By::Oin(OIN.into())).await;
    assert!(whole.persons.is_empty() && whole.next_page_token.is_none());
    let mut of: Vec<_> = whole
        .shares
        .iter()
        .map(|share| (share.controller_party_id.as_str(), share.persons))
        .collect();
    of.sort_unstable();
    // The municipality of return stood in for whoever reported, and the prison had.
    assert_eq!(
        of,
        [("gemeente-oost", 1), ("pi-noord", 1), ("wonen-zuid", 1)]
    );
    let auditor = broker.party("toetser").await;
    let same = breach(&broker, &auditor, By::Oin(OIN.into())).await;
    assert_eq!(same.shares, whole.shares);
    assert!(same.persons.is_empty());
    for party in ["wonen-zuid", "gemeente-oost", "pi-noord"] {
        let asker = broker.party(party).await;
        let request = asked(&broker, By::Oin(OIN.into()));
        let refused = asker.audit().get_breach(request).await.unwrap_err();
        assert_eq!(reason(&refused), "METHOD_NOT_FOR_ROLE", "{party}");
    }
}
