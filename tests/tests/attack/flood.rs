//! Too much of everything: connections that say nothing, and too many of them.

use std::time::Duration;

use schakel_api::v1;
use schakel_tests::{Child, Scene, Settings, TestBroker, bsn, reason};
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};
use tonic::Code;

/// Clients that connect and say nothing are cut off in time, take little memory, and keep nobody out.
#[tokio::test(flavor = "multi_thread")]
async fn silent_clients_are_cut_off() {
    let child = Child::start("[limits]\nhandshake_timeout = \"1s\"\nhandshakes = 64\n").await;
    let [pi, municipality, association] =
        ["pi-noord", "gemeente-oost", "wonen-zuid"].map(|id| child.party(id));
    let scene = Scene::set_with(&pi, &municipality, &association, 1).await;
    municipality.consent(bsn(&scene.bsn)).await;
    let before = child.peak_kib();
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(child.address()).await.unwrap());
    }
    assert!(
        association.ask_housing(&scene.mark).await.is_some(),
        "who is connected is served"
    );
    // All are cut off: a read ends, with nothing to read.
    for stream in &mut silent {
        let read = timeout(Duration::from_secs(20), stream.read(&mut [0; 64])).await;
        assert!(matches!(read.expect("cut off in time"), Ok(0) | Err(_)));
    }
    let grown = child.peak_kib().saturating_sub(before);
    assert!(grown < 32 * 1024, "grew by {grown} KiB");
    assert!(
        child
            .party("wonen-zuid")
            .ask_housing(&scene.mark)
            .await
            .is_some(),
        "who comes now too"
    );
}

/// One party cannot take every connection: beyond its share it is refused, and others are served.
#[tokio::test(flavor = "multi_thread")]
async fn one_party_cannot_take_every_connection() {
    let more = "[limits]\nconnections_per_party = 4\n".to_owned();
    let broker = TestBroker::start_with(Settings {
        more,
        system_clock: false,
        ..Settings::default()
    })
    .await;
    let mut own = Vec::new();
    for _ in 0..4 {
        own.push(broker.party("wonen-zuid").await);
    }
    for party in &own {
        assert!(party.ask_housing("huurder-1").await.is_none());
    }
    let fifth = broker.line("wonen-zuid").channel().await;
    let refused = match fifth {
        Err(_) => true,
        Ok(channel) => {
            let mut audit = v1::audit_service_client::AuditServiceClient::new(channel);
            audit
                .get_checkpoint(v1::GetCheckpointRequest {})
                .await
                .is_err()
        }
    };
    assert!(refused, "the fifth connection");
    assert!(
        broker
            .party("zorg-midden")
            .await
            .checkpoint()
            .await
            .starts_with("schakel")
    );
}

/// Beyond its share of calls at a time a party is told to come back; a withdrawal is never refused for that.
#[tokio::test(flavor = "multi_thread")]
async fn too_many_calls_are_sent_back_and_withdrawals_are_not() {
    let more = "[limits]\ncalls_per_party = 1\n".to_owned();
    let broker = TestBroker::start_with(Settings {
        more,
        system_clock: false,
        ..Settings::default()
    })
    .await;
    let scene = Scene::set(&broker, 1).await;
    let association = broker.party("wonen-zuid").await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let party = association.clone();
        let question = schakel_tests::item(
            schakel_tests::mark(&scene.mark),
            schakel_tests::HOUSING,
            v1::Condition::Housing,
            v1::Granularity::Signal,
        );
        calls.spawn(async move { party.try_ask(question).await.map(drop) });
        let (party, subject) = (association.clone(), schakel_tests::mark(&scene.mark));
        calls.spawn(async move {
            party
                .try_withdraw(subject, schakel_tests::key())
                .await
                .expect("never refused");
            Ok(())
        });
    }
    let outcomes = calls.join_all().await;
    let refused: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(!refused.is_empty(), "32 at a time are more than one");
    for status in refused {
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::ResourceExhausted, "OVERLOADED")
        );
        let details = tonic_types::StatusExt::get_error_details(&status);
        assert!(details.retry_info().is_some(), "it says when to come back");
    }
    assert!(association.ask_housing(&scene.mark).await.is_none());
}
