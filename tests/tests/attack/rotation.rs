//! Certificates and authorities are changed while parties call, and a revocation takes effect while they do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use schakel_api::v1::{
    self, audit_service_client::AuditServiceClient, change::Change, stop_request::What,
};
use schakel_pki::{authority::Issued, identity::parse_peer_pem};
use schakel_tests::{Forge, Forged, Line, Party, START, Settings, TestBroker, key};
use tokio::{sync::watch, task::JoinHandle};
use tonic::{Code, Status, transport::Channel};

pub(super) const UWV: &str = "00000099000000120000";
pub(super) const STRANGER: &str = "00000099999999990000";

pub(super) async fn call(channel: Channel) -> Result<(), Status> {
    let mut audit = AuditServiceClient::new(channel);
    audit
        .get_checkpoint(v1::GetCheckpointRequest {})
        .await
        .map(drop)
}

/// Whether trying again is safe and may help: what the client's own retries go by.
pub(super) fn is_passing(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::Cancelled
    )
}

/// Somebody who calls without a pause, over a connection that is kept or over a new one each time.
struct Caller {
    line: watch::Sender<Line>,
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
    failed: JoinHandle<Vec<String>>,
}

impl Caller {
    fn start(line: Line, anew: bool) -> Self {
        let (line, lines) = watch::channel(line);
        let (stop, calls) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (stopping, counted) = (Arc::clone(&stop), Arc::clone(&calls));
        let failed = tokio::spawn(async move {
            let (mut failed, mut lines) = (Vec::new(), lines);
            let mut channel = lines.borrow_and_update().lazy_channel();
            while !stopping.load(Ordering::SeqCst) {
                if anew || lines.has_changed().unwrap_or(false) {
                    channel = lines.borrow_and_update().lazy_channel();
                }
                let mut outcome = call(channel.clone()).await;
                for _ in 0..3 {
                    if outcome.as_ref().is_err_and(is_passing) {
                        channel = lines.borrow_and_update().lazy_channel();
                        outcome = call(channel.clone()).await;
                    }
                }
                match outcome {
                    Ok(()) => drop(counted.fetch_add(1, Ordering::SeqCst)),
                    Err(status) => failed.push(format!("{status:?}")),
                }
            }
            failed
        });
        Self {
            line,
            stop,
            calls,
            failed,
        }
    }

    /// Waits until it was answered some times more.
    async fn goes_on(&self) {
        let from = self.calls.load(Ordering::SeqCst);
        while self.calls.load(Ordering::SeqCst) < from + 3 {
            assert!(!self.failed.is_finished());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn end(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        (
            self.calls.load(Ordering::SeqCst),
            self.failed.await.unwrap(),
        )
    }
}

/// Tries until the outcome is this; what may take as long as the files are looked at.
pub(super) async fn until(broker: &TestBroker, own: &Issued, admitted: bool) {
    let started = Instant::now();
    let line = broker.line_with(Some(own));
    while call(line.lazy_channel()).await.is_ok() != admitted {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "it never took effect"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The broker's certificate, the issuing authority and the certificates of parties are changed under load: no call
/// of anybody entitled fails for good, and nobody gets in who was not entitled.
#[tokio::test(flavor = "multi_thread")]
async fn everything_is_rotated_under_load() {
    let now = START.parse().unwrap();
    let (old, new) = (Forge::root("Uitgever", now), Forge::root("Uitgever", now));
    let list = old.list(&[], 1, now);
    let settings = Settings {
        tls: r#"
            reload_every = "1s"
            unpinned = "both"
            [[tls.anchor]]
            name = "both"
            certificates = "both.pem"
            crl = [{ file = "first.crl" }, { file = "second.crl" }]
        "#
        .to_owned(),
        files: vec![
            ("both.pem", old.pem().to_owned()),
            ("first.crl", list.clone()),
            ("second.crl", list),
        ],
        ..Settings::default()
    };
    let broker = TestBroker::start_with(settings).await;
    let [first, second] = [&old, &new].map(|forge| forge.issue(&Forged::of(UWV)));
    let stranger = old.issue(&Forged::of(STRANGER));
    let line = |own| broker.line_with(Some(own));
    let callers = [
        Caller::start(line(&first), false),
        Caller::start(line(&first), true),
    ];
    let foreign = broker.place().foreign("uwv-test");
    let intruders = [line(&stranger), line(&foreign)];
    let stop = Arc::new(AtomicBool::new(false));
    let let_in = intruders.map(|line| {
        let stop = Arc::clone(&stop);
        tokio::spawn(async move {
            let mut let_in = 0;
            while !stop.load(Ordering::SeqCst) {
                let_in += u64::from(call(line.lazy_channel()).await.is_ok());
            }
            let_in
        })
    });
    for caller in &callers {
        caller.goes_on().await;
    }
    assert!(
        call(line(&second).lazy_channel()).await.is_err(),
        "nobody trusts it yet"
    );

    // The broker's own certificate, key after certificate: in between they do not fit.
    broker.place().renew_broker();
    // The next generation of the authority beside the old one.
    broker.place().write("second.crl", &new.list(&[], 1, now));
    broker
        .place()
        .write("both.pem", &format!("{}{}", old.pem(), new.pem()));
    until(&broker, &second, true).await;
    for caller in &callers {
        caller.line.send_replace(line(&second));
        caller.goes_on().await;
    }
    // The old generation goes.
    broker.place().write("both.pem", new.pem());
    broker.place().write("first.crl", &new.list(&[], 1, now));
    until(&broker, &first, false).await;
    for caller in &callers {
        caller.goes_on().await;
    }
    let shown = line(&second).dial().await.unwrap();
    let shown = shown.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    assert_eq!(
        shown,
        broker.place().broker_certificate(),
        "the new one is served with"
    );

    stop.store(true, Ordering::SeqCst);
    for intruder in let_in {
        assert_eq!(intruder.await.unwrap(), 0, "somebody got in");
    }
    for caller in callers {
        let (calls, failed) = caller.end().await;
        assert!(failed.is_empty(), "of {calls}: {failed:?}");
    }
}

/// How long after a revocation was acknowledged a call still got through.
#[derive(Debug, Default)]
struct Late {
    /// The longest of calls over connections that were open.
    open: Duration,
    /// The longest of calls over new connections.
    anew: Duration,
    /// How many calls began after it and got through.
    began_after: u64,
}

/// Calls from both kinds of connection while something is done, and measures what still got through after it.
async fn measure(line: &Line, late: &mut Late, act: impl Future<Output = ()>) {
    let (acknowledged, told) = watch::channel(None::<Instant>);
    let open = line.channel().await.unwrap();
    let tasks = [false, true].map(|anew| {
        let (line, open, told) = (line.clone(), open.clone(), told.clone());
        tokio::spawn(async move {
            let mut got_through = Vec::new();
            loop {
                let began = Instant::now();
                let channel = if anew {
                    line.lazy_channel()
                } else {
                    open.clone()
                };
                let refused = match call(channel).await {
                    Ok(()) => {
                        got_through.push((began, Instant::now()));
                        false
                    }
                    Err(_) => told.borrow().is_some(),
                };
                if refused {
                    return got_through;
                }
            }
        })
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    act.await;
    let at = Instant::now();
    acknowledged.send_replace(Some(at));
    for (anew, task) in [false, true].into_iter().zip(tasks) {
        for (began, ended) in task.await.unwrap() {
            let after = ended.saturating_duration_since(at);
            let longest = if anew { &mut late.anew } else { &mut late.open };
            *longest = (*longest).max(after);
            late.began_after += u64::from(began > at);
        }
    }
}

async fn stop(party: &Party, what: What) {
    let request = v1::StopRequest {
        idempotency_key: key(),
        reason: v1::StopReason::Suspicion.into(),
        what: Some(what),
    };
    party.registry().stop(request).await.unwrap();
}

/// Over many trials, by each way to stop somebody: the longest time from the acknowledged revocation to the last call
/// that got through. Prints what it measured. Of what an administrator stops, nothing that began later gets through.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_gets_through_after_a_stop_that_began_later() {
    const TRIALS: u32 = 40;
    let settings = Settings {
        tls: "reload_every = \"1s\"".to_owned(),
        ..Settings::default()
    };
    let broker = TestBroker::start_with(settings).await;
    let (one, two) = (
        broker.party("beheer-een").await,
        broker.party("beheer-twee").await,
    );
    let own = broker.place().issued("wonen-zuid");
    let certificate = hex::encode(parse_peer_pem(&own.cert_pem).unwrap().sha256);
    let line = broker.line_with(Some(&own));
    let ways = [
        (
            What::Certificate(certificate.clone()),
            Change::UnblockCertificate(certificate),
        ),
        (
            What::PartyId("wonen-zuid".into()),
            Change::ReinstatePartyId("wonen-zuid".into()),
        ),
    ];
    for (what, undo) in ways {
        let mut late = Late::default();
        for _ in 0..TRIALS {
            measure(&line, &mut late, stop(&one, what.clone())).await;
            let proposal = one.propose(undo.clone()).await;
            two.approve(&proposal).await.unwrap();
        }
        println!("{what:?}, {TRIALS} trials: {late:?}");
        assert_eq!(late.began_after, 0, "{what:?}: {late:?}");
    }
    let mut late = Late::default();
    for number in 0..5 {
        let now = broker.now();
        measure(&line, &mut late, async {
            broker.place().revoke(&[&own], 2 + 2 * number, now)
        })
        .await;
        broker.place().revoke(&[], 3 + 2 * number, now);
        until(&broker, &own, true).await;
    }
    println!("a list in a file looked at every second, 5 trials: {late:?}");
}
