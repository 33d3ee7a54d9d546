//! The callers: over connections that stay open, and over a new one for each call.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use schakel_api::v1::{self, exchange_service_client::ExchangeServiceClient};
use schakel_client::ClientConfig;
use tokio::{task::JoinSet, time::sleep};
use tonic::transport::Channel;

/// How long it is called on once all callers are refused: what is let in again by mistake shows.
const GO_ON: Duration = Duration::from_millis(200);
/// How long beyond the bound callers may still get through before the trial is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked how far the callers are.
const LOOK: Duration = Duration::from_millis(2);
/// After how many refusals in a row a caller counts as refused.
const IN_A_ROW: usize = 3;

/// Over which connections it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One that was open before the revocation; when the broker ends it, another is tried.
    Open,
    /// A new one for each call.
    New,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) kind: Kind,
    pub(super) began: Instant,
    pub(super) ended: Instant,
    /// Whether something was disclosed.
    pub(super) through: bool,
}

/// What is to be tried.
pub(super) struct Trial {
    pub(super) request: v1::AskRequest,
    pub(super) caller: ClientConfig,
    /// How many callers there are of each kind.
    pub(super) callers: usize,
    pub(super) bound: Duration,
}

/// A trial whose callers call.
pub(super) struct Begun {
    tasks: JoinSet<Vec<Seen>>,
    progress: Vec<Arc<Progress>>,
    stop: Arc<AtomicBool>,
    bound: Duration,
}

/// How far a caller is.
#[derive(Debug, Default)]
struct Progress {
    got_through: AtomicUsize,
    refused_in_a_row: AtomicUsize,
}

impl Trial {
    /// Lets the callers begin; ready once each of them got through.
    pub(super) async fn begin(self) -> Result<Begun> {
        let mut begun = Begun {
            tasks: JoinSet::new(),
            progress: Vec::new(),
            stop: Arc::default(),
            bound: self.bound,
        };
        for kind in [Kind::Open, Kind::New] {
            for _ in 0..self.callers {
                let progress = Arc::<Progress>::default();
                begun.progress.push(Arc::clone(&progress));
                let caller = Caller {
                    kind,
                    config: self.caller.clone(),
                    request: self.request.clone(),
                    progress,
                    stop: Arc::clone(&begun.stop),
                };
                begun.tasks.spawn(caller.calls());
            }
        }
        let got_through = |one: &Progress| one.got_through.load(Ordering::Relaxed) > 0;
        begun.wait(PATIENCE, got_through).await.context(
            "not every caller got through before the revocation: the machine may be too busy",
        )?;
        Ok(begun)
    }
}

impl Begun {
    /// Lets the callers go on until all are refused, and somewhat longer; gives every call.
    pub(super) async fn end(mut self, acknowledged: Instant) -> Result<Vec<Seen>> {
        let refused = |one: &Progress| one.refused_in_a_row.load(Ordering::Relaxed) >= IN_A_ROW;
        let patience = self.bound.saturating_add(PATIENCE);
        let ended = self.wait(patience, refused).await;
        ended.context("calls got through long after the revocation")?;
        sleep(GO_ON).await;
        self.stop.store(true, Ordering::Relaxed);
        let mut seen = Vec::new();
        while let Some(calls) = self.tasks.join_next().await {
            seen.extend(calls?);
        }
        let before = seen.iter().filter(|call| call.ended < acknowledged);
        ensure!(before.count() > 0, "nobody called before the revocation");
        Ok(seen)
    }

    async fn wait(&self, patience: Duration, is: impl Fn(&Progress) -> bool) -> Result<()> {
        let begun = Instant::now();
        while !self.progress.iter().all(|one| is(one)) {
            ensure!(
                begun.elapsed() < patience,
                "it took longer than {patience:?}"
            );
            sleep(LOOK).await;
        }
        Ok(())
    }
}

struct Caller {
    kind: Kind,
    config: ClientConfig,
    request: v1::AskRequest,
    progress: Arc<Progress>,
    stop: Arc<AtomicBool>,
}

impl Caller {
    /// Calls one after the other until it is over.
    async fn calls(self) -> Vec<Seen> {
        let mut seen = Vec::new();
        let mut open = None;
        while !self.stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            let through = self.call(&mut open).await;
            seen.push(Seen {
                kind: self.kind,
                began,
                ended: Instant::now(),
                through,
            });
            let in_a_row = &self.progress.refused_in_a_row;
            if through {
                self.progress.got_through.fetch_add(1, Ordering::Relaxed);
                in_a_row.store(0, Ordering::Relaxed);
            } else {
                in_a_row.fetch_add(1, Ordering::Relaxed);
                // What is refused is asked again, not as fast as can be.
                sleep(LOOK).await;
            }
        }
        seen
    }

    async fn call(&self, open: &mut Option<Channel>) -> bool {
        let kept = open.take();
        let channel = match kept {
            Some(channel) => Some(channel),
            None => self.connect().await,
        };
        let Some(channel) = channel else {
            return false;
        };
        if self.kind == Kind::Open {
            *open = Some(channel.clone());
        }
        let mut client = ExchangeServiceClient::new(channel);
        let answer = client.ask(self.request.clone()).await.ok();
        let outcome = answer.and_then(|answer| answer.into_inner().outcome);
        matches!(outcome, Some(v1::ask_response::Outcome::Disclosed(_)))
    }

    async fn connect(&self) -> Option<Channel> {
        let channels = schakel_client::channels(&self.config).await.ok()?;
        channels.into_iter().next()
    }
}
