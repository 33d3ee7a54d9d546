//! The broker as a whole: starting it in order, and ending it in the reverse order within a deadline.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use schakel_store::random::OsRandom;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::{JoinError, JoinHandle, JoinSet},
    time::{Instant, timeout, timeout_at},
};

use crate::{
    clock::Clock,
    config::Config,
    edge::{
        accept::{Acceptor, Protocol},
        admit::Admission,
        refusals::Refusals,
        tls::{COPIES, Tls},
    },
    issuing::Issuing,
    sequencer::{Sequencer, Started, WriterError},
    telemetry::{Metrics, Telemetry},
    trail::Trail,
};

use enrolment::{open_issuing, serve_guests};
use publish::{Prepared, Publishing};

mod enrolment;
mod error;
mod exposed;
mod foresight;
mod founding;
mod inspection;
mod listing;
mod publish;
mod replays;
mod revocation;
mod serve;
mod store;
mod upkeep;

pub use crate::issuing::IssuingError;
pub use error::RunError;
pub use exposed::{Exposed, Part, exposed};
pub use founding::FoundingError;
pub use inspection::{Inspected, Need, Outcome, inspect};
pub use publish::ReaderError;
pub use serve::serve_bare;

/// How long connections that were cut may take to notice.
const CUT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long telemetry may take for what waits to be sent.
const TELEMETRY_TIMEOUT: Duration = Duration::from_secs(5);

/// A broker that is to be started.
#[derive(Debug)]
pub struct Broker;

/// A broker that runs. Dropping it ends it, without waiting for the end.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    whole: JoinHandle<Result<(), RunError>>,
    trail: Trail,
    metrics: Metrics,
    publication_address: Option<SocketAddr>,
    enrolment: Option<SocketAddr>,
}

/// What runs, beside the task that waits for its end.
struct Parts {
    server: JoinHandle<Result<(), tonic::transport::Error>>,
    upkeep: JoinSet<()>,
    refusals: Arc<Refusals>,
    tls: Arc<Tls>,
    sequencer: Sequencer,
    writer: oneshot::Receiver<Result<(), WriterError>>,
    telemetry: Telemetry,
    stopping: watch::Sender<bool>,
    cut: watch::Sender<bool>,
    stop_timeout: Duration,
}

impl Broker {
    /// Starts a broker that serves on this listener: telemetry, certificates, store, services, in this order.
    /// The certificates come before the store, which records every start: one that cannot serve is none.
    ///
    /// # Errors
    /// The first part that cannot start; nothing runs then.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        listener: TcpListener,
    ) -> Result<Running, RunError> {
        let log = |what: &'static str, done, of| tracing::info!(what, done, of, "opening");
        Self::start_telling(config, clock, listener, log).await
    }

    /// As [`Self::start`], and tells how far opening the store is: what is done, how much of it, out of how
    /// much.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_telling(
        config: Config,
        clock: Arc<dyn Clock>,
        listener: TcpListener,
        progress: impl FnMut(&'static str, u64, u64) + Send + 'static,
    ) -> Result<Running, RunError> {
        let telemetry = Telemetry::start(&config.telemetry)?;
        exposed::warn_of_exposed(&config);
        let environment = config.broker.environment;
        let copies = config.broker.data_dir.join(COPIES);
        let tls = Tls::load(&config.tls, environment, Some(&copies), Arc::clone(&clock))?;
        let tls = Arc::new(tls);
        let issuing = open_issuing(&config).await?;
        let prepared = Prepared::load(&config).await?;
        let store = (config.clone(), Arc::clone(&clock), telemetry.metrics());
        let opening = tokio::task::spawn_blocking(move || {
            let (config, clock, metrics) = store;
            store::open(&config, clock, metrics, progress)
        });
        let started = opening.await.map_err(|_| RunError::Task)??;
        let opened = Opened {
            config,
            clock,
            telemetry,
            tls,
            issuing,
            prepared,
            started,
        };
        opened.serve(listener).await
    }
}

/// Everything that must be open before anybody is served.
struct Opened {
    config: Config,
    clock: Arc<dyn Clock>,
    telemetry: Telemetry,
    tls: Arc<Tls>,
    issuing: Option<Issuing>,
    prepared: Prepared,
    started: Started,
}

impl Opened {
    async fn serve(self, listener: TcpListener) -> Result<Running, RunError> {
        let Self {
            config,
            clock,
            telemetry,
            tls,
            issuing,
            prepared,
            started,
        } = self;
        let Started {
            sequencer,
            outside,
            ended,
        } = started;
        let ((stopping, stops), (cut, cuts)) = (watch::channel(false), watch::channel(false));
        let (refusals, mut upkeep) = (Arc::new(Refusals::default()), JoinSet::new());
        let acceptor = acceptor(&config, &tls, &refusals, clock, cuts);
        let publication_address = prepared.address();
        let publishing = Publishing {
            config: &config,
            outside,
            sequencer: &sequencer,
            metrics: telemetry.metrics(),
            acceptor: &acceptor,
            stopping: &stops,
        };
        let published = prepared.start(&mut upkeep, publishing);
        let health = upkeep::health(&mut upkeep, &sequencer, published, stops.clone()).await;
        upkeep::start(&mut upkeep, &config, &sequencer, &refusals, &tls, &stops);
        let (upkeeps, own) = (&mut upkeep, issuing.clone());
        let enrolment = serve_guests(upkeeps, &config, &sequencer, own, &acceptor, &stops).await?;
        let routes = serve::routes(&config, &sequencer, &tls, issuing, &stops, health)?;
        let admission = admission(&config, &sequencer, &refusals, telemetry.metrics(), &stops);
        let links = acceptor.run(listener, stops.clone());
        let (trail, metrics) = (sequencer.trail().clone(), telemetry.metrics());
        let stop_timeout = config.limits.stop_timeout;
        let serving = serve::server(config.limits, admission, routes, links, stops);
        let parts = Parts {
            stop_timeout,
            server: tokio::spawn(serving),
            upkeep,
            refusals,
            tls,
            sequencer,
            writer: ended,
            telemetry,
            stopping,
            cut,
        };
        let (stop, told) = watch::channel(false);
        Ok(Running {
            stop,
            whole: tokio::spawn(parts.run(told)),
            trail,
            metrics,
            publication_address,
            enrolment,
        })
    }
}

impl Running {
    /// The key that verifies the log, as a vkey.
    #[must_use]
    pub fn verifier_key(&self) -> &str {
        self.trail.verifier_key()
    }

    /// Where certificates may be asked for, when that is configured.
    #[must_use]
    pub const fn enrolment_address(&self) -> Option<SocketAddr> {
        self.enrolment
    }

    /// The trail, for reading what stands in it. Who calls over the wire is never shown it this way.
    #[must_use]
    pub const fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Where published files are served; `None` when they are not.
    #[must_use]
    pub const fn publication_address(&self) -> Option<SocketAddr> {
        self.publication_address
    }

    /// What is measured, for whoever runs the broker.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Ends the broker: no new calls, calls under way in their time, streams at once, then the log.
    ///
    /// # Errors
    /// What did not end in order.
    pub async fn stop(self) -> Result<(), RunError> {
        self.run_until(async {}).await
    }

    /// Runs until told to end, and ends then as [`Self::stop`] does; or until the broker ends of its own,
    /// which it does when the log can no longer be written. The process must end then.
    ///
    /// # Errors
    /// Why it ended of its own, or what did not end in order.
    pub async fn run_until(mut self, end: impl Future<Output = ()>) -> Result<(), RunError> {
        tokio::select! {
            ended = &mut self.whole => return ended.map_err(|_| RunError::Task)?,
            () = end => {}
        }
        // When nobody listens it has ended already.
        self.stop.send_replace(true);
        self.whole.await.map_err(|_| RunError::Task)?
    }
}

impl Parts {
    async fn run(mut self, mut told: watch::Receiver<bool>) -> Result<(), RunError> {
        tracing::info!("serving");
        // Whichever ends first is gone after this, and must not be waited for again.
        let (first, writer, server) = tokio::select! {
            _ = told.wait_for(|told| *told) => (Ok(()), Some(self.writer), Some(self.server)),
            ended = &mut self.writer => (fault(of_writer(ended)), None, Some(self.server)),
            ended = &mut self.server => (fault(of_server(ended)), Some(self.writer), None),
        };
        tracing::info!("stopping");
        self.stopping.send_replace(true);
        let deadline = Instant::now() + self.stop_timeout + CUT_TIMEOUT;
        let calls = match server {
            Some(server) => end_calls(server, &self.cut, self.stop_timeout).await,
            None => Ok(()),
        };
        end_upkeep(&mut self.upkeep, deadline).await;
        upkeep::record_all(&self.sequencer, &self.refusals, self.tls.uses());
        // The writer ends when the last handle to it is gone.
        drop(self.sequencer);
        let log = match writer {
            Some(writer) => timeout(self.stop_timeout, writer)
                .await
                .map_or(Err(RunError::Unfinished), of_writer),
            None => Ok(()),
        };
        self.telemetry.stop(TELEMETRY_TIMEOUT).await;
        first.and(calls).and(log)
    }
}

/// Waits for the calls under way, and cuts their connections when they do not end in time.
async fn end_calls(
    mut server: JoinHandle<Result<(), tonic::transport::Error>>,
    cut: &watch::Sender<bool>,
    within: Duration,
) -> Result<(), RunError> {
    if let Ok(ended) = timeout(within, &mut server).await {
        return of_server(ended);
    }
    tracing::warn!("calls did not end in time: their connections are cut");
    cut.send_replace(true);
    if let Ok(ended) = timeout(CUT_TIMEOUT, &mut server).await {
        return of_server(ended);
    }
    server.abort();
    Err(RunError::Unfinished)
}

/// Waits for what the broker does by itself, and breaks off what has not ended by the deadline of the calls: that it
/// stopped is recorded after them.
async fn end_upkeep(upkeep: &mut JoinSet<()>, deadline: Instant) {
    let all = async { while upkeep.join_next().await.is_some() {} };
    if timeout_at(deadline, all).await.is_err() {
        tracing::warn!("what the broker does by itself did not end in time: it is broken off");
        upkeep.abort_all();
    }
}

/// What ended without having been told to is a fault even when it ended well.
fn fault(ended: Result<(), RunError>) -> Result<(), RunError> {
    ended.and(Err(RunError::Task))
}

fn of_writer(
    ended: Result<Result<(), WriterError>, oneshot::error::RecvError>,
) -> Result<(), RunError> {
    Ok(ended.map_err(|_| RunError::Task)??)
}

fn of_server(
    ended: Result<Result<(), tonic::transport::Error>, JoinError>,
) -> Result<(), RunError> {
    ended.map_err(|_| RunError::Task)?.map_err(RunError::Serve)
}

fn acceptor(
    config: &Config,
    tls: &Arc<Tls>,
    refusals: &Arc<Refusals>,
    clock: Arc<dyn Clock>,
    cut: watch::Receiver<bool>,
) -> Acceptor {
    Acceptor {
        tls: Arc::clone(tls),
        protocol: Protocol::Calls,
        environment: config.broker.environment,
        proxies: config.listen.proxies.clone().into(),
        limits: config.limits.clone(),
        refusals: Arc::clone(refusals),
        clock,
        cut,
    }
}

fn admission(
    config: &Config,
    sequencer: &Sequencer,
    refusals: &Arc<Refusals>,
    metrics: Metrics,
    stopping: &watch::Receiver<bool>,
) -> Admission {
    Admission::new(
        Arc::new(sequencer.clone()),
        Arc::clone(refusals),
        &config.limits,
        metrics,
        stopping.clone(),
        &mut OsRandom,
    )
}

#[cfg(test)]
mod tests;
