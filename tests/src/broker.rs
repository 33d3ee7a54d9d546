//! A broker in this process.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use schakel_audit::note::VerifyingKey;
use schakel_client::{Client, ClientConfig, Identity, Register, Trail};
use schakel_core::text::chain;
use schakel_core::time::Timestamp;
use schakel_pki::authority::Issued;
use schakel_server::{
    clock::{Clock, ManualClock, SystemClock},
    config::Config,
    run::{Broker, Running},
    telemetry::Metrics,
};
use tokio::net::TcpListener;

use crate::{
    evidence::{Evidence, Log},
    line::Line,
    party::Party,
    place::{ORIGIN, Place, START},
};

/// How a broker is started.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Lines added to its configuration, such as a section `[limits]`.
    pub more: String,
    /// Whether time passes by itself.
    pub system_clock: bool,
    /// Lines in section `[tls]` of its configuration, and more anchors.
    pub tls: String,
    /// Lines in section `[listen]`.
    pub listen: String,
    /// Files in its place, by name, beside those that every broker needs.
    pub files: Vec<(&'static str, String)>,
}

/// A broker in this process, on loopback, with real mutual TLS.
#[derive(Debug)]
pub struct TestBroker {
    place: Place,
    settings: Settings,
    manual: Arc<ManualClock>,
    clock: Arc<dyn Clock>,
    evidence: Arc<Evidence>,
    address: SocketAddr,
    running: Option<Running>,
}

impl TestBroker {
    /// A broker whose clock stands at [`START`] until it is moved.
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    /// A broker started so.
    pub async fn start_with(settings: Settings) -> Self {
        let manual = Arc::new(ManualClock::new(START.parse().expect("an instant")));
        let clock: Arc<dyn Clock> = if settings.system_clock {
            Arc::new(SystemClock)
        } else {
            Arc::<ManualClock>::clone(&manual)
        };
        let place = Place::furnish(clock.now())
            .with_tls(&settings.tls)
            .with_listen(&settings.listen);
        for (name, text) in &settings.files {
            place.write(name, text);
        }
        let mut broker = Self {
            place,
            settings,
            manual,
            clock,
            evidence: Arc::default(),
            address: ([127, 0, 0, 1], 0).into(),
            running: None,
        };
        broker.run().await.expect("the broker starts");
        broker
    }

    /// Stops the broker in order and starts it again from what it kept, on another port.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.run().await.expect("the broker starts again");
    }

    /// Starts it again after [`Self::stop`]; says why when it refuses.
    ///
    /// # Errors
    /// Why it refused, with every cause.
    pub async fn run(&mut self) -> Result<(), String> {
        let path = self.configure();
        let config = Config::load(&path).expect("a configuration");
        let listener = TcpListener::bind(config.listen.address)
            .await
            .expect("a port");
        self.address = listener.local_addr().expect("an address");
        let running = Broker::start(config, Arc::clone(&self.clock), listener)
            .await
            .map_err(|error| chain(&error))?;
        // The broker's hook keeps what a panic says out of the logs; a test that fails must say it.
        drop(std::panic::take_hook());
        self.evidence.trust(running.verifier_key());
        self.running = Some(running);
        Ok(())
    }

    /// Adds lines to its configuration, from the next start on.
    pub fn configure_more(&mut self, more: &str) {
        self.settings.more.push_str(more);
    }

    /// Writes its configuration anew; a broker that runs sees what may change meanwhile.
    pub fn configure(&self) -> PathBuf {
        let inbox = "[inbox]\nheartbeat = \"1s\"\npublication_tick = \"10ms\"\n";
        let more = format!("{inbox}{}", self.settings.more);
        self.place.configure(([127, 0, 0, 1], 0).into(), &more)
    }

    /// Ends the broker in order.
    pub async fn stop(&mut self) {
        let running = self.running.take().expect("it runs");
        running.stop().await.expect("it stops in order");
    }

    /// Takes the running broker, to stop it in a way of one's own.
    #[must_use]
    pub fn take(&mut self) -> Running {
        self.running.take().expect("it runs")
    }

    /// Where it serves what it published.
    #[must_use]
    pub fn files(&self) -> SocketAddr {
        let running = self.running.as_ref().expect("it runs");
        running.publication_address().expect("it serves files")
    }

    /// Its instruments, by which a test is told of what happens inside.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        self.running.as_ref().expect("it runs").metrics()
    }

    /// How many entries are published.
    #[must_use]
    pub fn published(&self) -> u64 {
        let running = self.running.as_ref().expect("it runs");
        running.trail().published_size()
    }

    /// A party on a connection of its own.
    pub async fn party(&self, id: &str) -> Party {
        let channel = self.line(id).channel().await.expect("a connection");
        Party::new(
            id,
            channel,
            Arc::clone(&self.evidence),
            Arc::clone(&self.clock),
        )
    }

    /// The client that ships, for a party, with a register of its receipts or without. Its TLS goes by the
    /// machine's clock, so the broker must too.
    pub async fn client(&self, id: &str, register: Option<Arc<Register>>) -> Client {
        assert!(self.settings.system_clock, "certificates of another time");
        let issued = self.place.issued(id);
        let trail = Trail::new(ORIGIN.parse().expect("a name"), self.verifier_key());
        let identity = Identity::new(id, issued.cert_pem, issued.key_pem);
        let mut config = ClientConfig::new(
            self.address.to_string(),
            self.place.authority_pem(),
            identity,
            Arc::new(trail),
        );
        config.register = register;
        Client::connect(config).await.expect("a connection")
    }

    /// The line of a party, with the certificate it got.
    #[must_use]
    pub fn line(&self, id: &str) -> Line {
        self.line_with(Some(&self.place.issued(id)))
    }

    /// A line with this certificate, or with none.
    #[must_use]
    pub fn line_with(&self, own: Option<&Issued>) -> Line {
        Line::new(
            self.address,
            &self.place.authority_pem(),
            own,
            Arc::clone(&self.clock),
        )
    }

    /// A line without a certificate to where certificates are asked for.
    #[must_use]
    pub fn enrolment_line(&self) -> Line {
        let running = self.running.as_ref().expect("it runs");
        let address = running.enrolment_address().expect("it is configured");
        let authority = self.place.authority_pem();
        Line::new(address, &authority, None, Arc::clone(&self.clock))
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its directory.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Its directory, to be changed between two starts.
    pub const fn place_mut(&mut self) -> &mut Place {
        &mut self.place
    }

    /// Its clock, when that is moved by hand.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        assert!(!self.settings.system_clock, "time passes by itself here");
        &self.manual
    }

    /// The clock it goes by.
    #[must_use]
    pub fn any_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// What its clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What was received from it.
    #[must_use]
    pub fn evidence(&self) -> &Arc<Evidence> {
        &self.evidence
    }

    /// The key that verifies its log.
    #[must_use]
    pub fn verifier_key(&self) -> VerifyingKey {
        self.evidence.key()
    }

    /// Deletes everything that is derived from the log: view, search indexes and hashes. Only when stopped.
    pub fn forget_derived(&self) {
        assert!(self.running.is_none(), "stop it first");
        forget_derived(&self.place);
    }

    /// What an outsider finds who checks the whole log; see [`Evidence::check`]. The broker may be running.
    pub async fn check_log(&self) -> Log {
        let newest = match &self.running {
            Some(_) => Some(self.party("toetser").await.checkpoint().await),
            None => None,
        };
        self.evidence.check(&self.place, newest.as_deref())
    }
}

/// Deletes everything in a place that is derived from the log.
pub(crate) fn forget_derived(place: &Place) {
    let found = fs::read_dir(place.data()).expect("a directory");
    let mut forgotten = 0;
    for entry in found.map(|entry| entry.expect("an entry").path()) {
        let name = entry
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.starts_with("view") || name.starts_with("index") {
            fs::remove_dir_all(&entry).expect("a directory to delete");
            forgotten += 1;
        }
    }
    assert!(forgotten >= 2, "view and indexes were there to be deleted");
}
