//! Both sides of a connection must prove who they are.

use schakel_api::v1;
use schakel_client::{Client, ClientError, ConnectError};
use schakel_pki::validity::Validity;

use crate::{
    broker::{Broker, authority, issue, issue_for, now},
    service::PARTY,
};

/// With TLS 1.3 a client learns that its certificate is refused from the connection or from its first call.
async fn refused(config: schakel_client::ClientConfig) -> String {
    match Client::connect(config).await {
        Err(ConnectError::Tls { said, .. }) => said,
        Err(other) => panic!("{other:?}"),
        Ok(client) => match client.ask(v1::AskRequest::default()).await {
            Err(ClientError::Tls { said }) => said,
            other => panic!("{other:?}"),
        },
    }
}

#[tokio::test]
async fn a_broker_of_another_authority_is_refused() {
    let broker = Broker::start().await;
    let mut config = broker.config();
    config.ca_pem = authority().cert_pem().to_owned();
    assert!(
        refused(config)
            .await
            .starts_with("invalid peer certificate")
    );
}

#[tokio::test]
async fn a_broker_of_another_name_is_refused() {
    let broker = Broker::start().await;
    let mut config = broker.config();
    config.server_name = "broker.example".into();
    assert!(
        refused(config)
            .await
            .starts_with("invalid peer certificate")
    );
}

#[tokio::test]
async fn a_broker_that_speaks_an_older_tls_is_refused() {
    let broker = Broker::start_speaking(&rustls::version::TLS12).await;
    let said = refused(broker.config()).await;
    assert!(
        said.contains("ProtocolVersion") || said.contains("Tls13"),
        "{said}"
    );
}

#[tokio::test]
async fn a_client_that_the_broker_refuses_is_told_so_and_does_not_insist() {
    let broker = Broker::start().await;
    let mut config = broker.config();
    let foreign = issue(&authority(), PARTY);
    config.identity.certificate_pem = foreign.cert_pem;
    config.identity.key_pem = foreign.key_pem;
    assert!(refused(config).await.starts_with("received fatal alert"));

    let mut config = broker.config();
    let past =
        Validity::between(now().minus_millis(9_000_000), now().minus_millis(5_000_000)).unwrap();
    let expired = issue_for(&broker.authority, PARTY, past);
    config.identity.certificate_pem = expired.cert_pem;
    config.identity.key_pem = expired.key_pem;
    assert!(refused(config).await.starts_with("received fatal alert"));
    assert_eq!(broker.service.state().calls.len(), 0);
}

#[tokio::test]
async fn what_cannot_work_is_said_before_anything_is_sent() {
    let broker = Broker::start().await;
    let refused = async |change: fn(&mut schakel_client::ClientConfig)| {
        let mut config = broker.config();
        change(&mut config);
        Client::connect(config).await.unwrap_err()
    };
    assert!(matches!(
        refused(|c| c.address = "localhost".into()).await,
        ConnectError::Address { .. }
    ));
    assert!(matches!(
        refused(|c| c.ca_pem.clear()).await,
        ConnectError::Authority
    ));
    assert!(matches!(
        refused(|c| c.identity.certificate_pem.clear()).await,
        ConnectError::Certificate
    ));
    assert!(matches!(
        refused(|c| c.identity.key_pem.clear()).await,
        ConnectError::Key
    ));
    assert!(matches!(
        refused(|c| c.connections = 0).await,
        ConnectError::Connections { .. }
    ));
    assert!(matches!(
        refused(|c| c.server_name = "?".into()).await,
        ConnectError::ServerName { .. }
    ));
    assert!(matches!(
        refused(|c| c.principal = Some("Een Partij".into())).await,
        ConnectError::Principal { .. }
    ));
    assert!(matches!(
        refused(|c| c.address = "127.0.0.1:1".into()).await,
        ConnectError::Unreachable { .. }
    ));
}

#[tokio::test]
async fn the_key_must_be_that_of_the_certificate() {
    let broker = Broker::start().await;
    let mut config = broker.config();
    config.identity.key_pem = issue(&broker.authority, "pi-noord").key_pem;
    assert!(matches!(
        Client::connect(config).await,
        Err(ConnectError::Key)
    ));
}
