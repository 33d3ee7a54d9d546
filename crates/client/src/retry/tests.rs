use std::{cell::Cell, collections::HashMap, io};

use schakel_api::ERROR_DOMAIN;
use tonic::ConnectError;
use tonic_types::{ErrorDetails, StatusExt as _};

use super::*;
use crate::entropy::EntropyError;

/// Draws the same byte again and again.
#[derive(Debug)]
struct Same(u8);

impl Entropy for Same {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(self.0);
        Ok(())
    }
}

const POLICY: RetryPolicy = RetryPolicy {
    max_attempts: 4,
    first_pause: Duration::from_millis(100),
    longest_pause: Duration::from_millis(300),
};
const ATTEMPT: Duration = Duration::from_secs(1);
const CALL: Duration = Duration::from_secs(10);

/// Makes a call whose every attempt fails so; how many attempts there were, and how long they took.
async fn fail_with(safety: Safety, status: impl Fn() -> Status) -> (u32, Duration, Failure) {
    let (attempts, start) = (Cell::new(0), Instant::now());
    let times = (ATTEMPT, start + CALL);
    let failure = run(&POLICY, safety, times, &Same(0xff), |_| {
        attempts.set(attempts.get() + 1);
        let status = status();
        async { Err::<(), _>(status) }
    })
    .await
    .unwrap_err();
    (attempts.get(), start.elapsed(), failure)
}

fn lost() -> Status {
    Status::from_error(Box::new(ConnectError(
        io::Error::from(io::ErrorKind::ConnectionReset).into(),
    )))
}

/// What a call ends with that meets the end of its connection's life.
fn cut() -> Status {
    let error = io::Error::other("operation was canceled");
    let mut status = Status::cancelled("operation was canceled");
    status.set_source(std::sync::Arc::new(error));
    status
}

fn overloaded(wait: Duration) -> Status {
    let mut details = ErrorDetails::with_error_info("OVERLOADED", ERROR_DOMAIN, HashMap::new());
    details.set_retry_info(Some(wait));
    Status::with_error_details(Code::ResourceExhausted, "too much", details)
}

#[tokio::test(start_paused = true)]
async fn what_never_reached_a_decision_is_tried_again() {
    for safety in [Safety::Write, Safety::Ask] {
        for status in [lost, cut, || Status::unavailable("")] {
            let (attempts, ..) = fail_with(safety, status).await;
            assert_eq!(attempts, 4, "{safety:?} {:?}", status());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_broker_refuses_is_not_tried_again() {
    for code in [
        Code::InvalidArgument,
        Code::PermissionDenied,
        Code::AlreadyExists,
        Code::FailedPrecondition,
        Code::NotFound,
        Code::Unauthenticated,
        Code::Unimplemented,
        Code::Internal,
        Code::Unknown,
        Code::DataLoss,
        Code::OutOfRange,
        Code::Aborted,
    ] {
        for safety in [Safety::Write, Safety::Ask] {
            let (attempts, _, failure) = fail_with(safety, || Status::new(code, "no")).await;
            assert_eq!(attempts, 1, "{safety:?} {code}");
            assert!(matches!(failure, Failure::Refused(refusal) if refusal.code == code));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_ask_whose_time_passed_is_not_made_twice_and_a_write_with_its_key_is() {
    // Some servers say CANCELLED when the deadline passed.
    for passed in [
        || Status::deadline_exceeded(""),
        || Status::cancelled("Timeout expired"),
    ] {
        assert_eq!(fail_with(Safety::Ask, passed).await.0, 1);
        assert_eq!(fail_with(Safety::Write, passed).await.0, 4);
    }
    for (safety, expected) in [(Safety::Ask, 1), (Safety::Write, 4)] {
        let attempts = Cell::new(0);
        let times = (ATTEMPT, Instant::now() + CALL);
        let result = run(&POLICY, safety, times, &Same(0), |_| {
            attempts.set(attempts.get() + 1);
            std::future::pending::<Result<(), Status>>()
        })
        .await;
        assert!(matches!(result, Err(Failure::Deadline)));
        assert_eq!(attempts.get(), expected, "{safety:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_broker_is_given_the_time_it_asks_for() {
    let wait = Duration::from_secs(2);
    let (attempts, took, _) = fail_with(Safety::Write, || overloaded(wait)).await;
    assert_eq!((attempts, took), (4, 3 * wait));
    assert_eq!(fail_with(Safety::Ask, || overloaded(wait)).await.0, 1);
}

#[tokio::test(start_paused = true)]
async fn pauses_double_up_to_the_longest() {
    let (_, took, _) = fail_with(Safety::Ask, lost).await;
    assert_eq!(took, Duration::from_millis(100 + 200 + 300));
}

#[test]
fn half_of_a_pause_is_chance() {
    assert_eq!(POLICY.pause(1, &Same(0xff)), Duration::from_millis(100));
    assert_eq!(POLICY.pause(1, &Same(0)), Duration::from_millis(50));
    assert_eq!(POLICY.pause(40, &Same(0)), Duration::from_millis(150));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_the_call_and_not_a_pause_after_it() {
    let start = Instant::now();
    let times = (ATTEMPT, start + Duration::from_millis(150));
    let result = run(&POLICY, Safety::Ask, times, &Same(0xff), |within| {
        assert!(within <= Duration::from_millis(150));
        async { Err::<(), _>(lost()) }
    })
    .await;
    assert!(matches!(result, Err(Failure::Lost(_))));
    assert_eq!(start.elapsed(), Duration::from_millis(100));
}

#[test]
fn what_tls_refuses_is_final_and_a_connection_cut_in_its_middle_is_not() {
    let of = |fault: rustls::Error| {
        let error = io::Error::new(io::ErrorKind::InvalidData, fault);
        Failure::of(Status::from_error(Box::new(ConnectError(error.into()))))
    };
    let alert = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateExpired);
    assert!(matches!(of(alert), Failure::Tls(_)));
    assert!(matches!(
        of(rustls::Error::HandshakeNotComplete),
        Failure::Lost(_)
    ));
}
