//! Who may connect at all.

use schakel_api::v1::{self, audit_service_client::AuditServiceClient};
use schakel_pki::{authority::Issued, organisation::Organisations, validity::Validity};
use schakel_tests::{Line, TestBroker, reason};
use tonic::{Code, Status};

/// Connects and calls. Under TLS 1.3 a refused certificate may show on either.
async fn call(line: Line) -> Result<(), Option<Status>> {
    let channel = line.channel().await.map_err(|_| None)?;
    let call = AuditServiceClient::new(channel)
        .get_checkpoint(v1::GetCheckpointRequest {})
        .await;
    call.map(drop).map_err(Some)
}

/// Whether TLS refused, rather than the broker by an answer of its own.
fn is_refused_handshake(outcome: Result<(), Option<Status>>) -> bool {
    match outcome {
        Ok(()) => false,
        Err(None) => true,
        Err(Some(status)) => reason(&status).is_empty() && status.code() != Code::PermissionDenied,
    }
}

fn dated(broker: &TestBroker, from_days: i64, until_days: i64) -> Issued {
    let organisations = Organisations::of_development().unwrap();
    let day = 86_400_000;
    let at = |days: i64| {
        let millis = u64::try_from(days.abs()).unwrap() * day;
        if days < 0 {
            broker.now().minus_millis(millis)
        } else {
            broker.now().plus_millis(millis)
        }
    };
    let validity = Validity::between(at(from_days), at(until_days)).unwrap();
    broker
        .place()
        .issue(organisations.find("wonen-zuid").unwrap(), validity)
}

/// No certificate, another authority's, one that is over or not yet good: no handshake. The good one works,
/// before and after.
#[tokio::test(flavor = "multi_thread")]
async fn only_certificates_that_hold_shake_hands() {
    let broker = TestBroker::start().await;
    assert!(call(broker.line("wonen-zuid")).await.is_ok());
    let foreign = broker.place().foreign("wonen-zuid");
    // The authority holds from five minutes before the broker was started: so does what it issues.
    let ahead = dated(&broker, 5, 30);
    for (what, own) in [
        ("none", None),
        ("foreign", Some(&foreign)),
        ("not yet", Some(&ahead)),
    ] {
        assert!(
            is_refused_handshake(call(broker.line_with(own)).await),
            "{what}"
        );
    }
    let short = dated(&broker, 0, 1);
    assert!(call(broker.line_with(Some(&short))).await.is_ok());
    broker
        .clock()
        .advance(std::time::Duration::from_secs(2 * 86_400));
    assert!(
        is_refused_handshake(call(broker.line_with(Some(&short))).await),
        "expired"
    );
    assert!(
        call(broker.line("wonen-zuid")).await.is_ok(),
        "the broker serves on"
    );
}

/// An older TLS is refused.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_tls_is_refused() {
    let broker = TestBroker::start().await;
    let (authority, own) = (
        broker.place().authority_pem(),
        broker.place().issued("wonen-zuid"),
    );
    let old = Line::old(broker.address(), &authority, Some(&own), broker.any_clock());
    assert!(is_refused_handshake(call(old).await));
}

/// A good certificate for a number nobody has: the handshake succeeds, and every call is refused.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_number_is_nobody() {
    let broker = TestBroker::start().await;
    let stranger = broker.place().unregistered();
    let refused = call(broker.line_with(Some(&stranger)))
        .await
        .unwrap_err()
        .expect("an answer");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::PermissionDenied, "PARTY_UNKNOWN")
    );
}

/// Refused calls are counted into the log by party and minute, without anybody's content.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_recorded() {
    let mut broker = TestBroker::start().await;
    let stranger = broker.place().unregistered();
    for _ in 0..5 {
        call(broker.line_with(Some(&stranger))).await.unwrap_err();
    }
    broker.stop().await;
    let log = broker.check_log().await;
    let counted: u64 = log
        .details(broker.place())
        .into_iter()
        .flatten()
        .filter_map(|details| match details.event {
            schakel_core::event::Event::Refused { counts, .. } => Some(counts),
            _ => None,
        })
        .flatten()
        .map(|(_, count)| count)
        .sum();
    assert!(counted >= 5, "{counted}");
}
