//! What the broker does by itself while it serves. Each of these ends when the broker stops.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::{JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval},
};
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::{HealthReporter, health_reporter},
};

use super::serve::SERVICES;
use crate::{
    call::CallError,
    config::Config,
    edge::{
        refusals::{Refusals, Tally},
        tls::{Reloaded, Tls},
    },
    sequencer::Sequencer,
};

/// How often finished minutes are looked for.
const REFUSALS_EVERY: Duration = Duration::from_secs(5);

/// Keeps the health service telling whether entries can be recorded. It says that the broker does not
/// serve until the first word to the contrary, and again from the moment it stops.
pub(super) async fn health(
    upkeep: &mut JoinSet<()>,
    sequencer: &Sequencer,
    mut stopping: watch::Receiver<bool>,
) -> HealthServer<impl Health> {
    let (reporter, server) = health_reporter();
    let mut healthy = sequencer.health();
    tell(&reporter, *healthy.borrow_and_update()).await;
    upkeep.spawn(async move {
        loop {
            let recording = tokio::select! {
                () = stopped(&mut stopping) => break,
                changed = healthy.changed() => changed.is_ok() && *healthy.borrow_and_update(),
            };
            tell(&reporter, recording).await;
            if healthy.has_changed().is_err() {
                // The writer is gone; nothing can be recorded any more.
                break;
            }
        }
        tell(&reporter, false).await;
    });
    server
}

/// Starts everything else.
pub(super) fn start(
    upkeep: &mut JoinSet<()>,
    config: &Config,
    sequencer: &Sequencer,
    refusals: &Arc<Refusals>,
    tls: &Arc<Tls>,
    stopping: &watch::Receiver<bool>,
) {
    let tick = config.inbox.publication_tick;
    upkeep.spawn(ticks(tick, sequencer.clone(), stopping.clone()));
    let counted = Arc::clone(refusals);
    upkeep.spawn(record_finished(
        counted,
        sequencer.clone(),
        stopping.clone(),
    ));
    let every = config.tls.reload_every;
    upkeep.spawn(reloads(every, Arc::clone(tls), stopping.clone()));
}

/// Shows what is new in inboxes, always at a tick.
async fn ticks(every: Duration, sequencer: Sequencer, stopping: watch::Receiver<bool>) {
    each(every, stopping, || {
        sequencer.tick();
        std::future::ready(())
    })
    .await;
}

/// Has the refusals of every finished minute recorded.
async fn record_finished(
    refusals: Arc<Refusals>,
    sequencer: Sequencer,
    stopping: watch::Receiver<bool>,
) {
    each(REFUSALS_EVERY, stopping, || {
        for tally in refusals.take_finished(sequencer.now()) {
            if record(&sequencer, tally.clone()).is_err() {
                refusals.put_back(tally);
            }
        }
        std::future::ready(())
    })
    .await;
}

/// Has all refusals recorded that were counted so far, before the log closes.
pub(super) fn record_all(sequencer: &Sequencer, refusals: &Refusals) {
    for tally in refusals.take_all() {
        if let Err(error) = record(sequencer, tally) {
            tracing::warn!(%error, "the last refusals were not recorded");
            return;
        }
    }
}

/// Looks at the files of section `[tls]` for changes.
async fn reloads(every: Duration, tls: Arc<Tls>, stopping: watch::Receiver<bool>) {
    each(every, stopping, || reload(Arc::clone(&tls))).await;
}

async fn reload(tls: Arc<Tls>) {
    match spawn_blocking(move || tls.reload()).await {
        Ok(Ok(Reloaded::Unchanged)) => {}
        Ok(Ok(Reloaded::Changed)) => tracing::info!("certificates and lists were reloaded"),
        Ok(Err(error)) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "certificates and lists as they were before count on");
        }
        Err(_) => tracing::error!("certificates and lists could not be looked at"),
    }
}

fn record(sequencer: &Sequencer, tally: Tally) -> Result<(), CallError> {
    let Tally {
        party,
        minute,
        counts,
    } = tally;
    sequencer.record_refusals(party, minute, counts)
}

async fn tell(reporter: &HealthReporter, serves: bool) {
    let status = if serves {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    for service in std::iter::once("").chain(SERVICES.iter().copied()) {
        reporter.set_service_status(service, status).await;
    }
}

/// Does something at every tick until the broker stops.
async fn each<F: Future<Output = ()> + Send>(
    every: Duration,
    mut stopping: watch::Receiver<bool>,
    mut act: impl FnMut() -> F + Send,
) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => return,
            _ = ticks.tick() => act().await,
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Without a sender there is nobody left to go on for.
    drop(stopping.wait_for(|stopping| *stopping).await);
}
