//! The broker of `schakel dev`: a directory that holds all it needs, and the same start as `schakel serve`.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use schakel_audit::note::SigningKey;
use schakel_core::{catalogue::Catalogue, random::Random, time::Timestamp};
use schakel_pki::{
    develop::{self, AUTHORITY_CERTIFICATE, REVOCATION_LIST},
    organisation::Organisations,
};
use schakel_server::{
    clock::{Clock, SystemClock},
    config::Config,
    run::{Broker, Running},
};
use schakel_store::{keyring::Kek, random::OsRandom};
use tokio::net::TcpListener;

use crate::command::progress;

/// The name of the development log.
pub(crate) const ORIGIN: &str = "schakel.localhost/log";
const PURPOSES: &str = include_str!("../../../../deploy/purposes.toml");

/// A broker that runs in this process.
pub(crate) struct DevelopmentBroker {
    running: Running,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Where the certificates lie.
    pub(crate) certificates: PathBuf,
    /// The key that verifies its log.
    pub(crate) verifier_key: String,
    /// The file with that key.
    pub(crate) verifier_key_file: PathBuf,
    /// Where the log is published.
    pub(crate) published: PathBuf,
}

/// Fills a directory with what a development broker needs; keeps what is there already.
pub(crate) fn furnish(directory: &Path, listen: SocketAddr, now: Timestamp) -> Result<PathBuf> {
    let mut random = OsRandom;
    let organisations = Organisations::of_development()?;
    let certificates = directory.join("certificates");
    fs::create_dir_all(&certificates)
        .with_context(|| format!("cannot make `{}`", certificates.display()))?;
    develop::develop(&certificates, &organisations, now, &mut random)?;
    let kek = directory.join("kek");
    if !kek.exists() {
        Kek::create(&kek, &mut random)?;
    }
    let key = directory.join("checkpoint.key");
    if !key.exists() {
        write_checkpoint_key(&key, &mut random)?;
    }
    let parties = organisations
        .iter()
        .map(|organisation| organisation.party(now))
        .collect();
    let catalogue = Catalogue {
        parties,
        purposes: Vec::new(),
    };
    fs::write(directory.join("parties.toml"), toml::to_string(&catalogue)?)?;
    fs::write(directory.join("purposes.toml"), PURPOSES)?;
    let config = directory.join("schakel.toml");
    fs::write(&config, configuration(listen))?;
    Ok(config)
}

fn write_checkpoint_key(path: &Path, random: &mut dyn Random) -> Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};

    let mut seed = [0; 32];
    random.fill(&mut seed);
    let key = SigningKey::from_seed(ORIGIN, &seed)?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", key.to_skey().as_str())?;
    file.sync_all()?;
    Ok(())
}

fn configuration(listen: SocketAddr) -> String {
    format!(
        r#"# Written by `schakel dev`. Development only.
[broker]
origin = "{ORIGIN}"
environment = "development"
data_dir = "data"
keyring_dir = "keyring"
kek_file = "kek"
checkpoint_key_file = "checkpoint.key"

[listen]
address = "{listen}"

[tls]
certificate = "certificates/broker.cert.pem"
key = "certificates/broker.key.pem"

[[tls.anchor]]
name = "development"
certificates = "certificates/{AUTHORITY_CERTIFICATE}"
crl = [{{ file = "certificates/{REVOCATION_LIST}" }}]

[bootstrap]
parties = "parties.toml"
purposes = "purposes.toml"

[telemetry]
log = "warn"

[limits]
# More than anything here makes known, `schakel bench` included.
named_per_minute = 1000000

[inbox]
publication_tick = "50ms"

[publication]
every = "250ms"
"#
    )
}

impl DevelopmentBroker {
    /// Starts a broker in a directory that was furnished.
    pub(crate) async fn start(directory: &Path, config: &Path) -> Result<Self> {
        let config = Config::load(config)?;
        let published = config.publication_dir();
        let listener = TcpListener::bind(config.listen.address)
            .await
            .with_context(|| {
                let address = config.listen.address;
                format!("Cannot listen on {address}: choose another address by --listen")
            })?;
        let address = listener.local_addr()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let running = Broker::start_telling(config, clock, listener, progress()).await?;
        let verifier_key = running.verifier_key().to_owned();
        let certificates = directory.join("certificates");
        // Where every other command looks for it.
        let verifier_key_file = certificates.join("log.vkey");
        fs::write(&verifier_key_file, format!("{verifier_key}\n"))?;
        Ok(Self {
            running,
            address,
            certificates,
            verifier_key,
            verifier_key_file,
            published,
        })
    }

    /// The broker, for what is looked at inside.
    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// Goes on until told to end, or until the broker cannot: the command ends with it then, and says why.
    pub(crate) async fn run_until(self, end: impl Future<Output = ()>) -> Result<()> {
        let ended = self.running.run_until(end).await;
        ended.context("the broker ended of its own")
    }

    /// Ends the broker in order.
    pub(crate) async fn stop(self) -> Result<()> {
        self.running.stop().await?;
        Ok(())
    }
}
