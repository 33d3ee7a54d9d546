//! A subscription outlives its connection.

use schakel_api::v1;
use schakel_client::{ClientError, Subscription};
use tonic::{Code, Status};

use crate::{broker::Broker, service::Step};

async fn next(subscription: &mut Subscription) -> String {
    subscription.next().await.unwrap().delivery_id
}

#[tokio::test]
async fn it_goes_on_from_the_last_cursor_whatever_ends_the_stream() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    broker.service.state().script.extend([
        Step::EndAfter(2),
        Step::Refuse(Status::unavailable("stopping")),
        // The heartbeat at 3 and message 4; then the stream's deadline.
        Step::EndAfter(2),
        Step::Refuse(Status::deadline_exceeded("")),
    ]);
    let mut subscription = client.subscribe(v1::Actor::default(), None);
    for position in [1, 2, 4, 5, 7, 8, 10] {
        assert_eq!(
            next(&mut subscription).await,
            format!("delivery-{position}")
        );
        assert_eq!(
            subscription.cursor().map(|cursor| cursor.to_vec()),
            Some(vec![position])
        );
    }
    let cursors = broker.service.state().cursors.clone();
    let after = |position: u8| Some(vec![position]);
    assert_eq!(cursors, [None, after(2), after(2), after(4), after(4)]);
}

#[tokio::test]
async fn a_refusal_is_told_and_a_broker_that_stays_away_is_given_up() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    broker
        .service
        .state()
        .script
        .push_back(Step::Refuse(Status::permission_denied("no")));
    let mut subscription = client.subscribe(v1::Actor::default(), None);
    let error = subscription.next().await.unwrap_err();
    assert!(
        matches!(error, ClientError::Refused(refusal) if refusal.code == Code::PermissionDenied)
    );
    let away = || Step::Refuse(Status::unavailable(""));
    broker
        .service
        .state()
        .script
        .extend([away(), away(), away(), away()]);
    let error = subscription.next().await.unwrap_err();
    assert!(matches!(error, ClientError::Refused(refusal) if refusal.code == Code::Unavailable));
    assert_eq!(
        broker.service.state().cursors.len(),
        4,
        "one refusal and three attempts"
    );
    assert_eq!(next(&mut subscription).await, "delivery-1");
}

#[tokio::test]
async fn a_message_that_does_not_hold_is_not_given_and_its_cursor_not_taken() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    broker.service.state().script.push_back(Step::EndAfter(1));
    let mut subscription = client.subscribe(v1::Actor::default(), None);
    assert_eq!(next(&mut subscription).await, "delivery-1");
    broker.service.state().party = "gemeente-oost".into();
    let error = subscription.next().await.unwrap_err();
    assert!(matches!(error, ClientError::Receipt(_)), "{error:?}");
    broker.service.state().party = crate::service::PARTY.into();
    assert_eq!(next(&mut subscription).await, "delivery-2");
    let cursors = broker.service.state().cursors.clone();
    assert_eq!(cursors, [None, Some(vec![1]), Some(vec![1])]);
}
