//! What waits in inboxes, and what does not any more, when a person is erased.

use prost::Message as _;
use schakel_api::v1::{self, message::Content};
use schakel_tests::{Scene, TestBroker};

use super::{erase, start};

/// What the municipality is handed: of which condition, or that it is a notice.
async fn handed(broker: &TestBroker) -> Vec<String> {
    let municipality = broker.party("gemeente-oost").await;
    let pulled = municipality.pull(None, 100).await.messages;
    let about = pulled.into_iter().map(|message| match message.content {
        Some(Content::Disclosed(disclosed)) => {
            let told = v1::Disclosure::decode(disclosed.disclosure).unwrap();
            format!("{:?}", told.items[0].condition())
        }
        other => format!("{other:?}"),
    });
    about.collect()
}

/// A person of whom the municipality was told about housing and acknowledged it, was told about debts and did not,
/// and about whose income a message still waits.
async fn told(broker: &TestBroker) -> Scene {
    let scene = Scene::set(broker, 1).await;
    let pi = broker.party("pi-noord").await;
    let municipality = broker.party("gemeente-oost").await;
    for message in municipality.pull(None, 100).await.messages {
        municipality.acknowledge(vec![message.delivery_id]).await;
    }
    assert!(handed(broker).await.is_empty(), "acknowledged");
    let said = |condition| pi.report(&scene.case, condition, v1::ConditionStatus::ActionNeeded);
    assert!(said(v1::Condition::Debt).await);
    assert_eq!(handed(broker).await, ["Debt"]);
    assert!(said(v1::Condition::Income).await);
    scene
}

/// An erasure brings nothing back that was acknowledged, nor does the start after it: what waits is what waited before,
/// from the view as from the log.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_brings_no_acknowledged_message_back() {
    let mut broker = start().await;
    let scene = told(&broker).await;
    assert!(erase(&broker, &scene.case, 2).await > 0);
    broker.restart().await;
    assert_eq!(handed(&broker).await, ["Debt", "Income"], "from the view");
    broker.stop().await;
    broker.forget_derived();
    broker.run().await.unwrap();
    assert_eq!(handed(&broker).await, ["Debt", "Income"], "from the log");
}
