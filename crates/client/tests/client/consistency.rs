//! The log may only grow.

use schakel_api::v1;
use schakel_audit::{leaf::EntryType, tree::Hash};
use schakel_client::{ClientError, HeadError};

use crate::{broker::Broker, log::leaf};

fn grow(broker: &Broker, by: u8) {
    let log = &mut broker.service.state().log;
    for id in 0..by {
        log.append(&leaf(EntryType::System, "broker", id));
    }
}

#[tokio::test]
async fn growth_is_proved_from_the_first_head_and_then_from_the_last() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    for (from, to) in [(5, 5), (5, 8), (8, 14)] {
        let proved = client.check_consistency().await.unwrap();
        assert_eq!(
            (proved.from.checkpoint.size, proved.to.checkpoint.size),
            (from, to)
        );
        grow(&broker, if to == 5 { 3 } else { 6 });
    }
}

#[tokio::test]
async fn a_kept_checkpoint_is_held_against_the_log_of_today() {
    let broker = Broker::start().await;
    let kept = broker.service.state().log.checkpoint();
    grow(&broker, 9);
    let proved = broker
        .client()
        .await
        .check_consistency_from(&kept)
        .await
        .unwrap();
    assert_eq!(
        (proved.from.checkpoint.size, proved.to.checkpoint.size),
        (5, 14)
    );
}

#[tokio::test]
async fn a_log_that_was_rewritten_is_found_out() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    client.check_consistency().await.unwrap();
    grow(&broker, 4);
    let forged = broker
        .service
        .state()
        .log
        .checkpoint_of(9, Hash::new([1; 32]));
    broker.service.state().checkpoint = Some(forged);
    let error = client.check_consistency().await.unwrap_err();
    assert!(
        matches!(error, ClientError::Inconsistent { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_log_that_was_rolled_back_is_found_out() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    let before = broker.service.state().log.checkpoint();
    grow(&broker, 4);
    client
        .get_checkpoint(v1::GetCheckpointRequest {})
        .await
        .unwrap();
    broker.service.state().checkpoint = Some(before);
    let error = client
        .get_checkpoint(v1::GetCheckpointRequest {})
        .await
        .unwrap_err();
    assert!(
        matches!(error, ClientError::Head(HeadError::Rollback { .. })),
        "{error:?}"
    );
}
