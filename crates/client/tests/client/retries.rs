//! Calls are made again where that is safe, and nowhere else. The table is tested beside the code; here,
//! that the methods stand in the right column of it, over connections that really break.

use std::{sync::Arc, time::Duration};

use schakel_api::v1::{self, ErrorReason};
use schakel_client::{Client, ClientError, ReceiptError};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{broker::Broker, line::Line, service::Step};

fn calls(broker: &Broker, method: &str) -> usize {
    let state = broker.service.state();
    state
        .calls
        .iter()
        .filter(|(called, ..)| *called == method)
        .count()
}

fn then(broker: &Broker, steps: impl IntoIterator<Item = Step>) {
    broker.service.state().script.extend(steps);
}

#[tokio::test]
async fn an_unavailable_broker_is_called_again_with_the_same_key() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    let away = || Step::Refuse(Status::unavailable("stopping"));
    then(&broker, [away(), away()]);
    client
        .report_status(v1::ReportStatusRequest::default())
        .await
        .unwrap();
    let keys: Vec<_> = broker
        .service
        .state()
        .calls
        .iter()
        .map(|(_, key, _)| key.clone())
        .collect();
    assert_eq!(keys.len(), 3);
    assert_eq!(keys[0].len(), 36, "`{}` is no UUID", keys[0]);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");

    client
        .report_status(v1::ReportStatusRequest::default())
        .await
        .unwrap();
    let last = broker.service.state().calls.last().unwrap().1.clone();
    assert_ne!(last, keys[0], "every write has a key of its own");
    let own = v1::ReportStatusRequest {
        idempotency_key: "own".into(),
        ..v1::ReportStatusRequest::default()
    };
    client.report_status(own).await.unwrap();
    assert_eq!(broker.service.state().calls.last().unwrap().1, "own");
}

#[tokio::test]
async fn a_broker_that_stays_away_is_given_up() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    then(
        &broker,
        std::iter::repeat_with(|| Step::Refuse(Status::unavailable(""))).take(5),
    );
    let error = client.ask(v1::AskRequest::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused(refusal) if refusal.code == Code::Unavailable));
    assert_eq!(calls(&broker, "Ask"), 3);
}

#[tokio::test]
async fn what_is_refused_is_told_precisely_and_once() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    let mut details = ErrorDetails::with_error_info(
        "INVALID_REQUEST",
        "schakel",
        [(); 0].map(|()| unreachable()),
    );
    details.add_bad_request_violation("item.purpose", "must be set");
    let status =
        Status::with_error_details(Code::InvalidArgument, "`item.purpose` must be set", details);
    then(&broker, [Step::Refuse(status)]);
    let Err(ClientError::Refused(refusal)) = client.ask(v1::AskRequest::default()).await else {
        panic!("not refused")
    };
    assert_eq!(refusal.reason, Some(ErrorReason::InvalidRequest));
    assert_eq!(refusal.violations[0].field, "item.purpose");
    assert_eq!(calls(&broker, "Ask"), 1);
}

fn unreachable() -> (String, String) {
    panic!("an empty array has no elements")
}

#[tokio::test]
async fn a_hanging_ask_is_made_once_and_a_hanging_write_again() {
    let broker = Broker::start().await;
    let mut config = broker.config();
    config.timeouts.attempt = Duration::from_millis(200);
    let client = Client::connect(config).await.unwrap();
    then(&broker, [Step::Hang]);
    let error = client.ask(v1::AskRequest::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::Deadline), "{error:?}");
    assert_eq!(calls(&broker, "Ask"), 1);
    then(&broker, [Step::Hang]);
    client
        .report_status(v1::ReportStatusRequest::default())
        .await
        .unwrap();
    assert_eq!(calls(&broker, "ReportStatus"), 2);
}

#[tokio::test]
async fn a_connection_that_was_cut_opens_itself_anew() {
    let broker = Broker::start().await;
    let line = Line::to(&broker.address).await;
    let mut config = broker.config();
    config.address.clone_from(&line.address);
    let client = Client::connect(config).await.unwrap();
    for _ in 0..3 {
        client.ask(v1::AskRequest::default()).await.unwrap();
        line.cut();
    }
    client
        .report_status(v1::ReportStatusRequest::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn an_ask_cut_off_in_its_middle_is_made_again_as_a_new_decision() {
    let broker = Broker::start().await;
    let line = Line::to(&broker.address).await;
    let mut config = broker.config();
    config.address.clone_from(&line.address);
    let client = Client::connect(config).await.unwrap();
    then(&broker, [Step::Hang]);
    let asking = tokio::spawn(async move { client.ask(v1::AskRequest::default()).await });
    while calls(&broker, "Ask") == 0 {
        tokio::task::yield_now().await;
    }
    line.cut();
    asking.await.unwrap().unwrap();
    assert_eq!(calls(&broker, "Ask"), 2);
    assert_eq!(broker.service.state().log.size(), 5 + 2, "each is an entry");
}

#[tokio::test]
async fn several_connections_are_used_in_turn_and_share_what_they_know() {
    let broker = Broker::start().await;
    let line = Line::to(&broker.address).await;
    let mut config = broker.config();
    config.address.clone_from(&line.address);
    config.connections = 3;
    let client = Client::connect(config).await.unwrap();
    for _ in 0..6 {
        client.clone().ask(v1::AskRequest::default()).await.unwrap();
    }
    assert_eq!(line.connections(), 3);
    assert_eq!(client.trail().newest().unwrap().checkpoint.size, 11);
}

#[tokio::test]
async fn clients_that_share_a_trail_hold_the_broker_to_what_the_others_saw() {
    let broker = Broker::start().await;
    let client = broker.client().await;
    client.ask(v1::AskRequest::default()).await.unwrap();
    let mut config = broker.config();
    config.trail = Arc::clone(client.trail());
    let other = Client::connect(config).await.unwrap();
    let receipt = broker.service.state().log.receipt(0);
    let lie = move |answer: &mut v1::ReportStatusResponse| {
        let receipt = Some(receipt.clone());
        let reported = v1::StatusReported { receipt };
        answer.outcome = Some(v1::report_status_response::Outcome::Reported(reported));
    };
    then(&broker, [Step::LieReport(Box::new(lie))]);
    let result = other
        .report_status(v1::ReportStatusRequest::default())
        .await;
    assert!(matches!(
        result,
        Err(ClientError::Receipt(ReceiptError::OtherAct { .. }))
    ));
}

#[tokio::test]
async fn whoever_acts_for_another_says_so_and_the_entry_must_too() {
    let broker = Broker::start().await;
    let mut config = broker.config();
    config.principal = Some("wonen-noord".into());
    let client = Client::connect(config).await.unwrap();
    {
        let mut state = broker.service.state();
        state.party = "wonen-noord".into();
        state.transport = Some("wonen-zuid".into());
    }
    client.ask(v1::AskRequest::default()).await.unwrap();
    assert_eq!(
        broker.service.state().calls[0].2.as_deref(),
        Some("wonen-noord")
    );
    broker.service.state().transport = None;
    let result = client.ask(v1::AskRequest::default()).await;
    assert!(matches!(
        result,
        Err(ClientError::Receipt(ReceiptError::OtherParty { .. }))
    ));
}
