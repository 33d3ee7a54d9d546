//! The broker that is measured, in this process and in a directory of its own, and what is looked at inside.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use schakel_api::bench::echo_service_server::EchoServiceServer;
use schakel_client::{ClientConfig, Identity, Trail};
use schakel_core::{decide::Reason, event::Event, time::Timestamp};
use schakel_server::{
    clock::{Clock as _, SystemClock},
    config::Config,
    run::serve_bare,
    trail::Trail as Log,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::watch};
use tonic::service::Routes;

use super::{PlaceArgs, echo::Echo, report::Machine};
use crate::dev::broker::{self, DevelopmentBroker};

/// How long a call may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running broker with nobody known to it yet.
pub(super) struct Stage {
    broker: DevelopmentBroker,
    config: Config,
    /// What is known of the log, by all who call.
    trail: Arc<Trail>,
    watch: Watch,
    /// Ends the echo when dropped.
    echo: watch::Sender<bool>,
    /// Removed when dropped.
    directory: TempDir,
}

/// One flush of the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flush {
    /// When it had ended.
    pub(super) at: Instant,
    /// How many entries it made durable.
    pub(super) entries: usize,
    /// How long it took.
    pub(super) took: Duration,
}

/// What is looked at inside the broker while it runs.
#[derive(Clone)]
pub(super) struct Watch {
    log: Log,
    flushes: Arc<Mutex<Vec<Flush>>>,
}

impl Stage {
    /// Starts a broker as `schakel dev` does.
    pub(super) async fn open(place: &PlaceArgs) -> Result<Self> {
        Self::open_looking(place, None).await
    }

    /// Starts one that looks at its certificates and lists this often, where that is said.
    pub(super) async fn open_looking(place: &PlaceArgs, every: Option<Duration>) -> Result<Self> {
        let directory = match &place.directory {
            Some(directory) => TempDir::new_in(directory)
                .with_context(|| format!("nothing can be made in `{}`", directory.display()))?,
            None => TempDir::new().context("no temporary directory can be made")?,
        };
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let file = broker::furnish(directory.path(), listen, now())?;
        if let Some(every) = every {
            let section = format!("[tls]\nreload_every = \"{}s\"\n", every.as_secs());
            let text = fs::read_to_string(&file)?;
            fs::write(&file, text.replacen("[tls]\n", &section, 1))?;
        }
        let broker = DevelopmentBroker::start(directory.path(), &file).await?;
        let trail = Arc::new(Trail::pinned(broker::ORIGIN, &broker.verifier_key)?);
        let watch = Watch::of(&broker);
        Ok(Self {
            config: Config::load(&file)?,
            broker,
            trail,
            watch,
            echo: watch::Sender::new(false),
            directory,
        })
    }

    /// Ends the broker in order, and removes what it kept.
    pub(super) async fn close(self) -> Result<()> {
        self.echo.send_replace(true);
        drop(self.watch);
        self.broker.stop().await?;
        let path = self.directory.path().display().to_string();
        self.directory
            .close()
            .with_context(|| format!("`{path}` cannot be removed"))
    }

    /// Where the certificates lie.
    pub(super) fn certificates(&self) -> &Path {
        &self.broker.certificates
    }

    /// How a party calls the broker.
    pub(super) fn caller(&self, party: &str, connections: usize) -> Result<ClientConfig> {
        self.caller_at(party, connections, self.broker.address)
    }

    /// How a party calls what listens at another address.
    pub(super) fn caller_at(
        &self,
        party: &str,
        connections: usize,
        address: SocketAddr,
    ) -> Result<ClientConfig> {
        let read = |name: &str| {
            let path = self.broker.certificates.join(name);
            fs::read_to_string(&path)
                .with_context(|| format!("`{}` cannot be read", path.display()))
        };
        let certificate = read(&format!("{party}.cert.pem"))?;
        let key = read(&format!("{party}.key.pem"))?;
        let identity = Identity::new(party, certificate, key);
        let authority = read(schakel_pki::develop::AUTHORITY_CERTIFICATE)?;
        let trail = Arc::clone(&self.trail);
        let mut config = ClientConfig::new(address.to_string(), authority, identity, trail);
        config.connections = connections;
        config.timeouts.attempt = PATIENCE;
        config.timeouts.call = PATIENCE;
        Ok(config)
    }

    /// Starts the echo on the broker's own threads, and gives its address.
    pub(super) async fn echo(&self) -> Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (config, stopping) = (self.config.clone(), self.echo.subscribe());
        let routes = Routes::new(EchoServiceServer::new(Echo));
        tokio::spawn(async move {
            // When it does not serve, the first call to it says so.
            let _ = serve_bare(&config, Arc::new(SystemClock), listener, routes, stopping).await;
        });
        Ok(address)
    }

    /// What is looked at inside.
    pub(super) fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Has somebody told of every denial before its answer goes, by its reason.
    pub(super) fn watch_denials(&self, told: impl Fn(Reason) + Send + Sync + 'static) {
        self.broker.running().metrics().watch_denials(told);
    }

    /// How many entries the log has.
    pub(super) fn entries(&self) -> u64 {
        self.watch.log.size()
    }

    /// Makes sure that the denials recorded since have these reasons, in this order.
    pub(super) fn check_denials(&self, since: u64, wanted: &[Reason]) -> Result<()> {
        let mut found = Vec::new();
        for index in since..self.entries() {
            let entry = self
                .watch
                .log
                .entry(index)?
                .context("an entry is missing")?;
            if let Some(Event::Denied(denied)) = entry.details.map(|details| details.event) {
                found.extend(denied.findings.first().map(|finding| finding.reason));
            }
        }
        ensure!(
            found == wanted,
            "the denials have the reasons {found:?}, not {wanted:?}"
        );
        Ok(())
    }

    /// What it runs on.
    pub(super) fn machine(&self) -> Machine {
        machine(self.directory.path())
    }
}

impl Watch {
    fn of(broker: &DevelopmentBroker) -> Self {
        let flushes = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&flushes);
        broker
            .running()
            .metrics()
            .watch_batches(move |entries, took| {
                let flush = Flush {
                    at: Instant::now(),
                    entries: usize::try_from(entries).unwrap_or(usize::MAX),
                    took,
                };
                told.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(flush);
            });
        let log = broker.running().trail().clone();
        Self { log, flushes }
    }

    /// How many entries are not yet in the search indexes.
    pub(super) fn index_lag(&self) -> u64 {
        self.log.index_lag()
    }

    /// The flushes of the log that ended within.
    pub(super) fn flushes(&self, (from, until): (Instant, Instant)) -> Vec<Flush> {
        let flushes = self.flushes.lock().unwrap_or_else(PoisonError::into_inner);
        flushes
            .iter()
            .filter(|flush| (from..until).contains(&flush.at))
            .copied()
            .collect()
    }
}

/// The present, as the broker has it.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// What is measured on, with the data in a directory of a directory.
pub(super) fn machine(directory: &Path) -> Machine {
    let kept = directory.parent().unwrap_or(directory);
    Machine {
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        directory: kept.display().to_string(),
        file_system: file_system(directory).unwrap_or_else(|| "an unknown file system".to_owned()),
        build: if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        },
    }
}

/// The kind of file system that a directory is on, where the system tells.
fn file_system(directory: &Path) -> Option<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    file_system_in(&mounts, &directory.canonicalize().ok()?)
}

/// The kind of the innermost mount that holds the directory; of two in one place, the one mounted last.
fn file_system_in(mounts: &str, directory: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((Path::new(fields.next()?), fields.next()?))
    });
    let holding = mounts.filter(|(place, _)| directory.starts_with(place));
    let innermost = holding.max_by_key(|(place, _)| place.components().count());
    innermost.map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_on_its_innermost_mount() {
        let mounts = "/dev/a / ext4 rw 0 0\nnone /tmp tmpfs rw 0 0\n/dev/b /tmp xfs rw 0 0\n";
        let kind = |path| file_system_in(mounts, Path::new(path));
        assert_eq!(kind("/home/x").as_deref(), Some("ext4"));
        assert_eq!(kind("/tmp/y").as_deref(), Some("xfs"));
        assert_eq!(kind("/tmpfile").as_deref(), Some("ext4"));
        assert_eq!(file_system_in("", Path::new("/")), None);
    }
}
