//! Keeping so many calls under way for so long, and what came of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::{runtime::Runtime, task::JoinSet};

use super::call::Call;

/// The threads that make the load: apart from the broker's, as its callers are.
#[derive(Debug)]
pub(super) struct Generator(Option<Runtime>);

/// How the threads that make the load are called.
pub(super) const THREADS: &str = "bench-load";

/// How much load, and when it is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// How many calls are under way at a time.
    pub(super) in_flight: usize,
    /// What is not measured at first: connections open, caches fill.
    pub(super) warm_up: Duration,
    /// What is measured.
    pub(super) measured: Duration,
}

/// What came of a load.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    /// When measuring began and ended.
    pub(super) window: (Instant, Instant),
    /// How long each call took that ended within, ascending.
    pub(super) latencies: Vec<Duration>,
}

impl Generator {
    /// Starts the threads.
    pub(super) fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name(THREADS)
            .enable_all()
            .build()
            .context("the threads that make the load do not start")?;
        Ok(Self(Some(runtime)))
    }

    /// Runs something on these threads.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let runtime = self
            .0
            .as_ref()
            .context("the threads that make the load have ended")?;
        runtime
            .spawn(work)
            .await
            .context("the load ended before its time")?
    }

    /// Keeps calls under way, each worker making one after another.
    pub(super) async fn drive<C: Call>(&self, call: &C, load: Load) -> Result<Measured> {
        self.run(drive(call.clone(), load)).await
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        // Waiting for it is not allowed where other tasks run; nothing on it matters any more.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Measured {
    /// Calls a second.
    pub(super) fn throughput(&self) -> f64 {
        let (from, until) = self.window;
        super::statistics::real(self.latencies.len()) / (until - from).as_secs_f64()
    }
}

async fn drive<C: Call>(call: C, load: Load) -> Result<Measured> {
    let from = Instant::now() + load.warm_up;
    let window = (from, from + load.measured);
    let call = Arc::new(call);
    let mut workers = JoinSet::new();
    for worker in 0..load.in_flight {
        workers.spawn(work(Arc::clone(&call), worker, window));
    }
    let mut latencies = Vec::new();
    while let Some(worked) = workers.join_next().await {
        // The first failure ends all: the others are aborted when the set is dropped.
        latencies.extend(worked.context("a worker ended before its time")??);
    }
    latencies.sort_unstable();
    Ok(Measured { window, latencies })
}

async fn work<C: Call>(
    call: Arc<C>,
    worker: usize,
    (from, until): (Instant, Instant),
) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    for turn in 0.. {
        let begun = Instant::now();
        if begun >= until {
            break;
        }
        call.call(worker, turn).await?;
        let ended = Instant::now();
        if (from..until).contains(&ended) {
            latencies.push(ended - begun);
        }
    }
    Ok(latencies)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Clone, Default)]
    struct Counting {
        under_way: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
        fails: bool,
    }

    impl Call for Counting {
        async fn call(&self, _worker: usize, turn: usize) -> Result<()> {
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::task::yield_now().await;
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            anyhow::ensure!(!(self.fails && turn == 3), "the fourth call failed");
            Ok(())
        }
    }

    fn drive(call: &Counting) -> Result<Measured> {
        let load = Load {
            in_flight: 7,
            warm_up: Duration::ZERO,
            measured: Duration::from_millis(30),
        };
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async { Generator::start()?.drive(call, load).await })
    }

    #[test]
    fn every_call_is_counted_and_never_more_are_under_way_than_wanted() {
        let call = Counting::default();
        let measured = drive(&call).unwrap();
        assert!((1..=7).contains(&call.most.load(Ordering::SeqCst)));
        assert!(measured.latencies.is_sorted() && !measured.latencies.is_empty());
        assert!(measured.throughput() > 0.0);
    }

    #[test]
    fn a_call_that_fails_ends_the_measurement() {
        let call = Counting {
            fails: true,
            ..Counting::default()
        };
        assert_eq!(
            drive(&call).unwrap_err().to_string(),
            "the fourth call failed"
        );
    }
}
