//! Keeping certificates and revocation lists current while the broker serves.

use std::{error::Error, sync::Arc};

use tokio::{
    sync::watch,
    task::{JoinSet, spawn_blocking},
    time::{Duration, MissedTickBehavior, interval, sleep},
};

use super::upkeep::stopped;
use crate::{
    config::{Anchor, Changed, Config, Watched},
    edge::tls::{Fetched, Reloaded, Tls, TlsError},
    telemetry::Metrics,
};

/// How soon a fetch that failed is tried again at first; each time twice as long, up to the ordinary pace.
const AGAIN: Duration = Duration::from_secs(5);

/// Looks at the configuration's anchors and at the files, and fetches each list at its own pace.
pub(super) fn start(
    upkeep: &mut JoinSet<()>,
    config: &Config,
    tls: &Arc<Tls>,
    metrics: Metrics,
    stopping: &watch::Receiver<bool>,
) {
    let looked = Looked {
        tls: Arc::clone(tls),
        metrics,
        watched: Watched::new(config),
        wanted: config.tls.anchors.clone(),
    };
    let every = config.tls.reload_every;
    upkeep.spawn(looks(every, looked, stopping.clone()));
}

/// What is looked at.
struct Looked {
    tls: Arc<Tls>,
    metrics: Metrics,
    watched: Option<Watched>,
    /// The anchors that the configuration names by now.
    wanted: Vec<Anchor>,
}

async fn looks(every: Duration, mut looked: Looked, mut stopping: watch::Receiver<bool>) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let tls = Arc::clone(&looked.tls);
    let (mut known, mut fetching) = (Vec::new(), JoinSet::new());
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => break,
            _ = ticks.tick() => {}
        }
        let look = spawn_blocking(move || {
            looked.look();
            looked
        });
        let Ok(again) = look.await else {
            tracing::error!("certificates and lists could not be looked at");
            break;
        };
        looked = again;
        let lists = tls.fetched();
        for list in &lists {
            if !known.iter().any(|known: &Fetched| known.is(list)) {
                fetching.spawn(fetches(list.clone(), Arc::clone(&tls), stopping.clone()));
            }
        }
        known = lists;
    }
    while fetching.join_next().await.is_some() {}
}

impl Looked {
    fn look(&mut self) {
        match self.watched.as_mut().map(Watched::look) {
            None | Some(Ok(None)) => {}
            Some(Ok(Some(Changed { anchors, restart }))) => {
                if let Some(anchors) = anchors {
                    self.wanted = anchors;
                }
                if !restart.is_empty() {
                    let sections = restart.join(", ");
                    tracing::warn!(%sections, "the configuration changed in what counts after a restart only");
                }
            }
            Some(Err(error)) => {
                let error: &dyn Error = &error;
                tracing::error!(
                    error,
                    "the configuration is broken: what counted before counts on"
                );
            }
        }
        let adopted = self.tls.adopt(&self.wanted);
        if adopted.changed {
            tracing::info!("the anchors of the configuration count from now on");
        }
        tell(adopted.broken);
        let Reloaded { changed, broken } = self.tls.reload();
        if changed {
            tracing::info!("certificates and lists were reloaded");
        }
        tell(broken);
        tell(self.tls.keep_newest().err().into_iter().collect());
        self.tls.measure(&self.metrics);
    }
}

fn tell(broken: Vec<TlsError>) {
    for error in broken {
        let error: &dyn Error = &error;
        tracing::error!(error, "part of what certificates are verified by is broken");
    }
}

/// Fetches a list again and again, until its anchor is gone: at its pace while that works, sooner while it does not.
async fn fetches(list: Fetched, tls: Arc<Tls>, mut stopping: watch::Receiver<bool>) {
    let mut again = AGAIN;
    while tls.fetched().iter().any(|there| there.is(&list)) {
        let pause = tokio::select! {
            () = stopped(&mut stopping) => return,
            fetched = tls.fetch(&list) => match fetched {
                Ok(()) => {
                    again = AGAIN;
                    list.refresh_every()
                }
                Err(error) => {
                    let error: &dyn Error = &error;
                    tracing::error!(error, "a revocation list was not brought up to date");
                    let pause = again.min(list.refresh_every());
                    again = again.saturating_mul(2);
                    pause
                }
            },
        };
        tokio::select! {
            () = stopped(&mut stopping) => return,
            () = sleep(pause) => {}
        }
    }
}
