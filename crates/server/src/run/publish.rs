//! What publishes the log, and what serves the files of it.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{RunError, upkeep::stopped};
use crate::{
    config::Config,
    edge::{
        accept::{Acceptor, Protocol},
        identify,
    },
    publication::{Door, Files, Publisher, Witnesses, outside::Outside},
    sequencer::Sequencer,
    telemetry::Metrics,
};

/// What must be there before anything is recorded.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) witnesses: Option<Witnesses>,
    pub(super) readers: Arc<[[u8; 32]]>,
    pub(super) listener: Option<TcpListener>,
}

/// A certificate of a reader cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`publication.reader_certificates`: `{}` must be a file with one certificate", file.display())]
pub struct ReaderError {
    /// The file.
    file: PathBuf,
}

impl Prepared {
    /// Reads the policy and the certificates of readers, and takes the address.
    pub(super) async fn load(config: &Config) -> Result<Self, RunError> {
        let listener = match config.publication.listen {
            Some(address) => {
                let bound = TcpListener::bind(address).await;
                Some(bound.map_err(|source| RunError::Listen { address, source })?)
            }
            None => None,
        };
        let readers = config
            .publication
            .reader_certificates
            .iter()
            .map(fingerprint);
        Ok(Self {
            witnesses: Witnesses::load(config)?,
            readers: readers.collect::<Result<_, _>>()?,
            listener,
        })
    }

    /// Where files are served.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref()?.local_addr().ok()
    }
}

pub(super) fn fingerprint(file: &PathBuf) -> Result<[u8; 32], ReaderError> {
    let unusable = || ReaderError { file: file.clone() };
    let pem = fs::read(file).map_err(|_| unusable())?;
    let certificate = CertificateDer::from_pem_slice(&pem).map_err(|_| unusable())?;
    identify::sha256(&certificate).ok_or_else(unusable)
}

/// What publishing needs of the rest of the broker.
pub(super) struct Publishing<'a> {
    pub(super) config: &'a Config,
    pub(super) outside: Option<Outside>,
    pub(super) sequencer: &'a Sequencer,
    pub(super) metrics: Metrics,
    /// How connections for calls are accepted.
    pub(super) acceptor: &'a Acceptor,
    pub(super) stopping: &'a watch::Receiver<bool>,
}

impl Prepared {
    /// Starts to publish, and to serve what is published. Gives word of whether publication keeps up.
    pub(super) fn start(
        self,
        upkeep: &mut JoinSet<()>,
        with: Publishing<'_>,
    ) -> Option<watch::Receiver<bool>> {
        let Publishing {
            config,
            outside,
            sequencer,
            metrics,
            acceptor,
            stopping,
        } = with;
        let clock = Arc::clone(&acceptor.clock);
        let settings = &config.publication;
        let publisher = Publisher::new(
            settings,
            outside?,
            self.witnesses,
            sequencer,
            clock,
            metrics,
        );
        let health = publisher.health();
        upkeep.spawn(publish(settings.every, publisher, stopping.clone()));
        if let Some(listener) = self.listener {
            let door = Door {
                files: files(config, sequencer, acceptor, self.readers),
                acceptor: Acceptor {
                    protocol: Protocol::Files,
                    ..acceptor.clone()
                },
                head_timeout: config.limits.handshake_timeout,
                stop_timeout: config.limits.stop_timeout,
            };
            upkeep.spawn(door.serve(listener, stopping.clone()));
        }
        Some(health)
    }
}

/// Publishes at every tick until the broker stops, and then once more, so that little is left out until the next
/// start.
async fn publish(every: Duration, mut publisher: Publisher, mut stopping: watch::Receiver<bool>) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => break,
            _ = ticks.tick() => publisher.tick().await,
        }
    }
    publisher.tick().await;
}

fn files(
    config: &Config,
    sequencer: &Sequencer,
    acceptor: &Acceptor,
    readers: Arc<[[u8; 32]]>,
) -> Files {
    Files {
        dir: config.publication_dir().into(),
        trail: sequencer.trail().clone(),
        directory: Arc::new(sequencer.clone()),
        refusals: Arc::clone(&acceptor.refusals),
        clock: Arc::clone(&acceptor.clock),
        readers,
    }
}
