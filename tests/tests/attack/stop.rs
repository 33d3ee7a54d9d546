//! Deadlines, the end, and what health says.

use std::time::Duration;

use schakel_api::v1;
use schakel_tests::{Scene, Settings, TestBroker, actor, reason};
use tokio::time::{Instant, timeout};
use tonic::{Code, Request};

/// A subscription ends at its caller's deadline with DEADLINE_EXCEEDED, not with silence or CANCELLED.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_at_its_deadline() {
    let broker = TestBroker::start().await;
    let association = broker.party("wonen-zuid").await;
    let mut request = Request::new(v1::SubscribeRequest {
        actor: actor(),
        cursor: None,
    });
    // By the header alone: a deadline of the client's own would end it first.
    request
        .metadata_mut()
        .insert("grpc-timeout", "300m".parse().unwrap());
    let start = Instant::now();
    let status = match association.inbox().subscribe(request).await {
        Err(status) => status,
        Ok(stream) => {
            let mut stream = stream.into_inner();
            loop {
                match stream.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("it ended as if all were well"),
                    Err(status) => break status,
                }
            }
        }
    };
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

/// A call whose deadline is too short to be met is told so.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_past_its_deadline_is_told_so() {
    let broker = TestBroker::start().await;
    let association = broker.party("wonen-zuid").await;
    let question = schakel_tests::item(
        schakel_tests::mark("huurder-1"),
        schakel_tests::HOUSING,
        v1::Condition::Housing,
        v1::Granularity::Signal,
    );
    // The client reads the same header and may give up first, which says nothing about the broker. A denial
    // waits for the grid of 10 ms: three are never enough.
    for _ in 0..200 {
        let mut request = Request::new(v1::AskRequest {
            actor: actor(),
            item: Some(question.clone()),
        });
        request
            .metadata_mut()
            .insert("grpc-timeout", "3m".parse().unwrap());
        let refused = association.exchange().ask(request).await.unwrap_err();
        if refused.code() != Code::Cancelled {
            assert_eq!(refused.code(), Code::DeadlineExceeded, "{refused:?}");
            assert_eq!(reason(&refused), "DEADLINE");
            return;
        }
    }
    panic!("the broker never told that a deadline had passed");
}

/// A stop ends open streams with UNAVAILABLE, lets calls under way finish, and does not wait for who is idle.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_orderly_and_prompt() {
    let mut broker = TestBroker::start().await;
    let scene = Scene::set(&broker, 1).await;
    let association = broker.party("wonen-zuid").await;
    let _idle = broker.party("zorg-midden").await.checkpoint().await;
    let mut stream = association.subscribe(None).await;
    let asking = {
        let (party, client_ref) = (broker.party("wonen-zuid").await, scene.mark.clone());
        tokio::spawn(async move {
            let mut answers = 0;
            let question = || {
                schakel_tests::item(
                    schakel_tests::mark(&client_ref),
                    schakel_tests::HOUSING,
                    v1::Condition::Housing,
                    v1::Granularity::Signal,
                )
            };
            loop {
                match party.try_ask(question()).await {
                    Ok(_) => answers += 1,
                    Err(status) => return (answers, status),
                }
            }
        })
    };
    association.checkpoint().await;
    timeout(Duration::from_secs(15), broker.stop())
        .await
        .expect("it does not wait for the stream");
    let ended = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended as if all were well"),
            Err(status) => break status.code(),
        }
    };
    assert_eq!(ended, Code::Unavailable);
    let (_, status) = asking.await.unwrap();
    // Cancelled is what the client itself says of a call whose connection closed before it was sent.
    assert!(
        matches!(
            status.code(),
            Code::Unavailable | Code::Unknown | Code::Cancelled
        ),
        "{status:?}"
    );
    // What was answered last is in the log, and that it stopped in order stands at its end.
    let log = broker.check_log().await;
    let details = log.details(broker.place());
    let last = details.last().unwrap().as_ref().unwrap();
    assert!(
        matches!(last.event, schakel_core::event::Event::Stopped),
        "{last:?}"
    );
}

/// A short time to stop is kept to.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_keeps_to_its_time() {
    let more = "[limits]\nstop_timeout = \"1s\"\n".to_owned();
    let mut broker = TestBroker::start_with(Settings {
        more,
        system_clock: false,
        ..Settings::default()
    })
    .await;
    let association = broker.party("wonen-zuid").await;
    let _streams = [
        association.subscribe(None).await,
        association.subscribe(None).await,
    ];
    let start = Instant::now();
    broker.stop().await;
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

/// Health says that the broker serves, to whoever has a certificate, and that it does not when the log cannot
/// be written.
#[tokio::test(flavor = "multi_thread")]
async fn health_is_that_of_the_log() {
    use tonic_health::pb::{
        HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
    };
    let broker = TestBroker::start().await;
    let stranger = broker.place().unregistered();
    let channel = broker.line_with(Some(&stranger)).channel().await.unwrap();
    let check = async || {
        let request = HealthCheckRequest {
            service: String::new(),
        };
        HealthClient::new(channel.clone())
            .check(request)
            .await
            .unwrap()
            .into_inner()
            .status()
    };
    assert_eq!(check().await, ServingStatus::Serving);
    broker.clock().advance(Duration::from_secs(300));
    let association = broker.party("wonen-zuid").await;
    association.ask_housing("huurder-1").await;
    broker.clock().set(broker.now().minus_millis(120_000));
    let question = schakel_tests::item(
        schakel_tests::mark("huurder-1"),
        schakel_tests::HOUSING,
        v1::Condition::Housing,
        v1::Granularity::Signal,
    );
    assert_eq!(
        association.try_ask(question).await.unwrap_err().code(),
        Code::Unavailable
    );
    let mut watch = HealthClient::new(channel.clone())
        .watch(HealthCheckRequest {
            service: String::new(),
        })
        .await
        .unwrap()
        .into_inner();
    let mut status = watch.message().await.unwrap().unwrap().status();
    while status != ServingStatus::NotServing {
        let next = timeout(Duration::from_secs(20), watch.message()).await;
        status = next.expect("it says so in time").unwrap().unwrap().status();
    }
    assert_eq!(check().await, ServingStatus::NotServing);
}
