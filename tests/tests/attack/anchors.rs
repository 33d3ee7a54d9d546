//! Anchors that come and go while the broker serves.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use schakel_pki::authority::Issued;
use schakel_tests::{ANCHOR, Forge, Forged, START, Settings, TestBroker};

use super::{
    every_key::pin,
    rotation::{UWV, call, until},
};

/// What stands in section `[tls]` when there is no other anchor.
const ALONE: &str = "reload_every = \"1s\"\nunpinned = \"own\"\n";

/// The same with another anchor.
fn with_partner() -> String {
    let anchor = r#"
        [[tls.anchor]]
        name = "partner"
        certificates = "partner.pem"
        crl = [{ file = "first.crl" }, { file = "second.crl" }]
    "#;
    format!("{ALONE}{anchor}")
}

/// Whether a connection that was open has ended for good.
async fn ends(channel: tonic::transport::Channel) {
    let started = Instant::now();
    while call(channel.clone()).await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(60), "it goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the files were looked at once more: a list is written, and counts.
async fn looked_at(broker: &TestBroker) {
    static NUMBER: AtomicU64 = AtomicU64::new(2);
    let own = broker.place().issued("zorg-midden");
    for (revoked, admitted) in [(&[&own][..], false), (&[][..], true)] {
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        broker.place().revoke(revoked, number, broker.now());
        until(broker, &own, admitted).await;
    }
}

fn reconfigure(broker: &mut TestBroker, tls: &str) {
    broker.place_mut().set_tls(tls);
    broker.configure();
}

/// An anchor that is added counts without a restart, and so does its next generation; one that is taken away ends
/// the connections under it, and no other. A configuration that is broken changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_is_added_renewed_and_taken_away_while_the_broker_serves() {
    assert_eq!(ANCHOR, "own");
    let now = START.parse().unwrap();
    let [first, second] = [Forge::root("Partner", now), Forge::root("Partner", now)];
    let mut broker = TestBroker::start_with(Settings {
        tls: ALONE.to_owned(),
        files: vec![
            ("partner.pem", first.pem().to_owned()),
            ("first.crl", first.list(&[], 1, now)),
            ("second.crl", first.list(&[], 1, now)),
        ],
        ..Settings::default()
    })
    .await;
    pin(&broker, "partner").await;
    let issue = |forge: &Forge| -> Issued { forge.issue(&Forged::of(UWV)) };
    let (own, next) = (issue(&first), issue(&second));
    let other = broker.line("wonen-zuid").channel().await.unwrap();
    call(other.clone()).await.unwrap();
    assert!(
        call(broker.line_with(Some(&own)).lazy_channel())
            .await
            .is_err()
    );

    reconfigure(&mut broker, &with_partner());
    until(&broker, &own, true).await;
    // The next generation of it.
    broker
        .place()
        .write("second.crl", &second.list(&[], 1, now));
    let both = format!("{}{}", first.pem(), second.pem());
    broker.place().write("partner.pem", &both);
    until(&broker, &next, true).await;
    // With files that are not there, and with nonsense, it goes on as it was.
    for broken in [
        with_partner().replace("partner.pem", "missing.pem"),
        "nonsense".to_owned(),
    ] {
        reconfigure(&mut broker, &broken);
        looked_at(&broker).await;
    }
    let open = broker.line_with(Some(&own)).channel().await.unwrap();
    call(open.clone()).await.unwrap();

    reconfigure(&mut broker, ALONE);
    ends(open).await;
    until(&broker, &next, false).await;
    call(other).await.unwrap();
    // And again.
    reconfigure(&mut broker, &with_partner());
    until(&broker, &next, true).await;
}
