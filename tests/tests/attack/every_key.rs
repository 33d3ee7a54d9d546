//! Every key there is, changed one after the other while parties call.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use schakel_api::v1::{self, change::Change};
use schakel_audit::leaf::EntryType;
use schakel_pki::authority::Issued;
use schakel_tests::{
    ANCHOR, Evidence, Forge, Forged, Line, Party, START, Settings, TestBroker, key, mark,
};
use tokio::{sync::watch, task::JoinHandle};

use super::rotation::{STRANGER, UWV, call, is_passing, until};

/// How long a call is tried again: longer than a broker takes to start, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who writes without a pause, each time with a key of its own under which it tries again.
struct Writer {
    line: watch::Sender<Line>,
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    failed: JoinHandle<Vec<String>>,
}

impl Writer {
    fn start(broker: &TestBroker, line: Line, anew: bool) -> Self {
        let (line, lines) = watch::channel(line);
        let (stop, written) = (Arc::default(), Arc::default());
        let writing = writes(
            (Arc::clone(broker.evidence()), broker.any_clock()),
            lines,
            anew,
            (Arc::clone(&stop), Arc::clone(&written)),
        );
        Self {
            line,
            stop,
            written,
            failed: tokio::spawn(writing),
        }
    }

    /// Waits until it has written some times more.
    async fn goes_on(&self) {
        let (from, started) = (self.written.load(Ordering::SeqCst), Instant::now());
        while self.written.load(Ordering::SeqCst) < from + 3 {
            assert!(!self.failed.is_finished() && started.elapsed() < 2 * PATIENCE);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn end(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        let failed = self.failed.await.unwrap();
        (self.written.load(Ordering::SeqCst), failed)
    }
}

async fn writes(
    (evidence, clock): (Arc<Evidence>, Arc<dyn schakel_server::clock::Clock>),
    mut lines: watch::Receiver<Line>,
    anew: bool,
    (stop, written): (Arc<AtomicBool>, Arc<AtomicU64>),
) -> Vec<String> {
    let mut failed = Vec::new();
    let mut channel = lines.borrow_and_update().lazy_channel();
    while !stop.load(Ordering::SeqCst) {
        let (key, started) = (key(), Instant::now());
        if anew || lines.has_changed().unwrap_or(false) {
            channel = lines.borrow_and_update().lazy_channel();
        }
        loop {
            let party = Party::new(
                "uwv-test",
                channel.clone(),
                Arc::clone(&evidence),
                Arc::clone(&clock),
            );
            match party.try_withdraw(mark("klant-1"), key.clone()).await {
                Ok(_) => drop(written.fetch_add(1, Ordering::SeqCst)),
                Err(status) if is_passing(&status) && started.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    channel = lines.borrow_and_update().lazy_channel();
                    continue;
                }
                Err(status) => failed.push(format!("{status:?}")),
            }
            break;
        }
    }
    failed
}

/// Somebody who is not entitled, and tries all the time.
struct Intruder {
    line: watch::Sender<Line>,
    own: Issued,
    let_in: JoinHandle<u64>,
}

impl Intruder {
    fn start(broker: &TestBroker, own: Issued, stop: &Arc<AtomicBool>) -> Self {
        let (line, lines) = watch::channel(broker.line_with(Some(&own)));
        let stop = Arc::clone(stop);
        let let_in = tokio::spawn(async move {
            let mut let_in = 0;
            while !stop.load(Ordering::SeqCst) {
                let channel = lines.borrow().lazy_channel();
                let_in += u64::from(call(channel).await.is_ok());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let_in
        });
        Self { line, own, let_in }
    }
}

/// Two generations of a root and three issuing authorities, as files of one anchor.
struct Authorities {
    roots: [Forge; 2],
    issuing: [Forge; 3],
}

impl Authorities {
    fn found() -> Self {
        let now = START.parse().unwrap();
        let roots = [Forge::root("Wortel", now), Forge::root("Wortel", now)];
        let below = |root: &Forge| root.below("Uitgever");
        let issuing = [below(&roots[0]), below(&roots[0]), below(&roots[1])];
        Self { roots, issuing }
    }

    /// The files when these count, two of each at most.
    fn files(&self, roots: &[usize], issuing: &[usize]) -> Vec<(&'static str, String)> {
        let now = START.parse().unwrap();
        let (roots, issuing) = (
            roots.iter().map(|at| &self.roots[*at]).collect::<Vec<_>>(),
            issuing
                .iter()
                .map(|at| &self.issuing[*at])
                .collect::<Vec<_>>(),
        );
        let pem = |all: &[&Forge]| all.iter().map(|one| one.pem()).collect::<String>();
        let list = |one: Option<&&Forge>| one.unwrap().list(&[], 1, now);
        vec![
            ("root-a.crl", list(roots.first())),
            ("root-b.crl", list(roots.last())),
            ("issuing-a.crl", list(issuing.first())),
            ("issuing-b.crl", list(issuing.last())),
            ("issuing.pem", pem(&issuing)),
            ("roots.pem", pem(&roots)),
        ]
    }

    fn settings(&self) -> Settings {
        let tls = format!(
            r#"
            reload_every = "1s"
            unpinned = "{ANCHOR}"
            [[tls.anchor]]
            name = "chain"
            certificates = "roots.pem"
            intermediates = "issuing.pem"
            crl = [
                {{ file = "root-a.crl" }}, {{ file = "root-b.crl" }},
                {{ file = "issuing-a.crl" }}, {{ file = "issuing-b.crl" }},
            ]
            "#
        );
        Settings {
            tls,
            files: self.files(&[0], &[0]),
            ..Settings::default()
        }
    }
}

/// Has the number of the party count under the anchor that is changed.
pub(super) async fn pin(broker: &TestBroker, anchor: &str) {
    let (one, two) = (
        broker.party("beheer-een").await,
        broker.party("beheer-twee").await,
    );
    let request = v1::ListPartiesRequest::default();
    let listed = one.registry().list_parties(request).await.unwrap();
    let mut parties = listed.into_inner().parties.into_iter();
    let mut party = parties.find(|party| party.party_id == "uwv-test").unwrap();
    party.oins[0].anchor = Some(anchor.to_owned());
    let proposal = one.propose(Change::PutParty(party)).await;
    two.approve(&proposal).await.unwrap();
}

/// The writers, by now with this certificate, and everything that goes on beside them.
struct Load {
    writers: [Writer; 2],
    intruders: Vec<Intruder>,
    stop: Arc<AtomicBool>,
}

impl Load {
    fn start(broker: &TestBroker, own: &Issued, intruders: Vec<Issued>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let writer = |anew| Writer::start(broker, broker.line_with(Some(own)), anew);
        let intruders = intruders.into_iter();
        Self {
            writers: [writer(false), writer(true)],
            intruders: intruders
                .map(|own| Intruder::start(broker, own, &stop))
                .collect(),
            stop,
        }
    }

    /// Has everybody call over a line to where the broker is now, the writers with this certificate.
    async fn goes_on_as(&self, broker: &TestBroker, own: &Issued) {
        for writer in &self.writers {
            writer.line.send_replace(broker.line_with(Some(own)));
        }
        for intruder in &self.intruders {
            let line = broker.line_with(Some(&intruder.own));
            intruder.line.send_replace(line);
        }
        for writer in &self.writers {
            writer.goes_on().await;
        }
    }

    /// Ends everything, and gives how much was written.
    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        for intruder in self.intruders {
            assert_eq!(intruder.let_in.await.unwrap(), 0, "somebody got in");
        }
        let mut written = 0;
        for writer in self.writers {
            let (count, failed) = writer.end().await;
            assert!(failed.is_empty(), "of {count}: {failed:?}");
            written += count;
        }
        written
    }
}

fn write(broker: &TestBroker, files: Vec<(&'static str, String)>) {
    for (name, text) in files {
        broker.place().write(name, &text);
    }
}

/// The certificate of a party, its issuing authority, the root above, the broker's certificate, the key-encryption
/// key and the key that signs checkpoints are changed while a party writes: what it writes is written once, whatever
/// was tried again; nobody gets in who is not entitled, nor by what counted before; and the log verifies.
#[tokio::test(flavor = "multi_thread")]
async fn every_key_is_changed_under_load() {
    let authorities = Authorities::found();
    let mut broker = TestBroker::start_with(authorities.settings()).await;
    pin(&broker, "chain").await;
    let issue = |at: usize| authorities.issuing[at].issue(&Forged::of(UWV));
    let stranger = authorities.issuing[0].issue(&Forged::of(STRANGER));
    // Under an anchor that counts, and not the one to which the number is pinned.
    let misplaced = broker.place().issued("uwv-test");
    let intruders = vec![stranger, broker.place().foreign("uwv-test"), misplaced];
    let (first, renewed) = (issue(0), issue(0));
    let load = Load::start(&broker, &first, intruders);
    load.goes_on_as(&broker, &first).await;

    // The party's certificate and key, and the broker's.
    load.goes_on_as(&broker, &renewed).await;
    broker.place().renew_broker();
    // The issuing authority: the next beside it, then alone.
    let second = issue(1);
    write(&broker, authorities.files(&[0], &[0, 1]));
    until(&broker, &second, true).await;
    load.goes_on_as(&broker, &second).await;
    write(&broker, authorities.files(&[0], &[1]));
    until(&broker, &renewed, false).await;
    load.goes_on_as(&broker, &second).await;
    // The root: the next generation beside it, then alone.
    let third = issue(2);
    write(&broker, authorities.files(&[0, 1], &[1, 2]));
    until(&broker, &third, true).await;
    load.goes_on_as(&broker, &third).await;
    write(&broker, authorities.files(&[1], &[2]));
    until(&broker, &second, false).await;
    load.goes_on_as(&broker, &third).await;
    let shown = broker.line_with(Some(&third)).dial().await.unwrap();
    let shown = shown.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    assert_eq!(shown, broker.place().broker_certificate());
    // The key that wraps the keyring.
    let before = std::fs::read(broker.place().path("kek")).unwrap();
    let request = v1::RotateKekRequest {
        idempotency_key: key(),
    };
    let administrator = broker.party("beheer-een").await;
    administrator.retention().rotate_kek(request).await.unwrap();
    assert_ne!(std::fs::read(broker.place().path("kek")).unwrap(), before);
    load.goes_on_as(&broker, &third).await;
    // The key that signs checkpoints: the next beside it, then alone, each from a start on.
    let vkey = broker.place().write_checkpoint_key("next.key", 8);
    broker.evidence().expect_key(&vkey);
    broker
        .place_mut()
        .set_broker("next_checkpoint_key_file = \"next.key\"");
    broker.restart().await;
    load.goes_on_as(&broker, &third).await;
    broker.place().write_checkpoint_key("checkpoint.key", 8);
    broker.place_mut().set_broker("");
    broker.restart().await;
    load.goes_on_as(&broker, &third).await;
    assert_eq!(broker.verifier_key().to_string(), vkey);

    let written = load.end().await;
    let log = broker.check_log().await;
    let kept = broker.evidence().kept();
    let of_writers = kept.iter().filter(|kept| kept.party == "uwv-test");
    let entries: BTreeSet<_> = of_writers.map(|kept| kept.receipt.index).collect();
    assert_eq!(entries.len() as u64, written, "each was written once");
    let withdrawals = log
        .leaves
        .iter()
        .filter(|leaf| leaf.party == "uwv-test" && leaf.entry_type == EntryType::Consent);
    assert_eq!(withdrawals.count() as u64, written, "and no more than once");
    assert!(written > 30, "{written}");
}
