//! A whole broker in a directory: it starts, serves, stops in time, and starts again.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt as _, path::Path};

use schakel_audit::note::SigningKey;
use schakel_core::catalogue::Catalogue;
use schakel_pki::organisation::Organisations;
use schakel_store::keyring::Kek;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::edge::tls::tests::{Pki, Seeded, broker_name, now};

const ORIGIN: &str = "schakel.example/log";

/// Everything a broker needs.
struct Place {
    pki: Pki,
    dir: TempDir,
}

impl Place {
    fn furnish() -> Self {
        let place = Self {
            pki: Pki::new(),
            dir: tempfile::tempdir().unwrap(),
        };
        Kek::create(&place.path("kek"), &mut Seeded(2)).unwrap();
        let key = SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap();
        let file = place.path("checkpoint.key");
        fs::write(&file, key.to_skey().as_str()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let organisations = Organisations::of_development().unwrap();
        let founding = Catalogue {
            parties: organisations.iter().map(|one| one.party(now())).collect(),
            purposes: Vec::new(),
        };
        fs::write(
            place.path("parties.toml"),
            toml::to_string(&founding).unwrap(),
        )
        .unwrap();
        fs::write(
            place.path("purposes.toml"),
            include_str!("../../../../deploy/purposes.toml"),
        )
        .unwrap();
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn config(&self) -> Config {
        let text = format!(
            r#"
            [broker]
            origin = "{ORIGIN}"
            environment = "development"
            data_dir = "data"
            keyring_dir = "keyring"
            kek_file = "kek"
            checkpoint_key_file = "checkpoint.key"
            [listen]
            address = "127.0.0.1:0"
            [tls]
            certificate = ""
            key = ""
            [[tls.anchor]]
            name = "own"
            certificates = ""
            crl = [{{ file = "" }}]
            [bootstrap]
            parties = "parties.toml"
            purposes = "purposes.toml"
            [limits]
            stop_timeout = "1s"
            "#
        );
        let mut config = Config::parse(&text, Path::new("schakel.toml"), self.dir.path()).unwrap();
        config.tls = self.pki.config();
        config
    }

    async fn start(&self) -> Result<(Running, SocketAddr), RunError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clock: Arc<dyn Clock> = Arc::<crate::clock::ManualClock>::clone(&self.pki.clock);
        Ok((
            Broker::start(self.config(), clock, listener).await?,
            address,
        ))
    }

    /// A connection over which HTTP/2 was begun: the client's preface and settings went, the broker's came.
    async fn connect(&self, address: SocketAddr) -> TlsStream<TcpStream> {
        let config = self.pki.client(Some(&self.pki.issue("pi-noord")), false);
        let stream = TcpStream::connect(address).await.unwrap();
        let mut stream = TlsConnector::from(config)
            .connect(broker_name(), stream)
            .await
            .unwrap();
        stream
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
            .await
            .unwrap();
        let mut settings = [0; 9];
        stream.read_exact(&mut settings).await.unwrap();
        assert_eq!(
            settings[3], 4,
            "the first frame is not the broker's settings"
        );
        stream
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_serves_stops_in_time_and_starts_again() {
    let place = Place::furnish();
    for _ in 0..2 {
        let (running, address) = place.start().await.unwrap();
        assert!(running.verifier_key().starts_with(ORIGIN));
        let mut open = place.connect(address).await;
        let mut rest = Vec::new();
        let (stopped, _) = tokio::join!(running.stop(), open.read_to_end(&mut rest));
        stopped.unwrap();
        assert!(
            TcpStream::connect(address).await.is_err(),
            "it still listens"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_broker_ends() {
    let place = Place::furnish();
    let (running, address) = place.start().await.unwrap();
    drop(running);
    let ended = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        while place.start().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), ended).await.unwrap();
}

#[tokio::test]
async fn a_start_that_cannot_serve_is_not_recorded() {
    let place = Place::furnish();
    place.pki.write("broker.key.pem", "nothing");
    let error = place.start().await.unwrap_err();
    assert!(matches!(error, RunError::Tls(_)), "{error}");
    assert!(!place.path("data").exists());
}

#[tokio::test]
async fn a_start_without_what_comes_first_names_the_key() {
    let place = Place::furnish();
    fs::remove_file(place.path("parties.toml")).unwrap();
    let error = place.start().await.unwrap_err();
    assert!(
        error.to_string().starts_with("`bootstrap.parties`"),
        "{error}"
    );
    assert!(error.is_of_configuration() && !RunError::Task.is_of_configuration());
}

/// What has no end is broken off at the deadline, so that the stop is still recorded.
#[tokio::test]
async fn upkeep_that_does_not_end_is_broken_off() {
    let (held, broken_off) = oneshot::channel::<()>();
    let mut upkeep = JoinSet::new();
    upkeep.spawn(async move {
        std::future::pending::<()>().await;
        drop(held);
    });
    let ended = async {
        end_upkeep(&mut upkeep, Instant::now()).await;
        broken_off.await
    };
    let ended = timeout(Duration::from_secs(20), ended).await;
    ended.expect("it is not waited for").unwrap_err();
}
