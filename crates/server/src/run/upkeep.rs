//! What the broker does by itself while it serves. Each of these ends when the broker stops.

use std::{sync::Arc, time::Duration};

use schakel_core::certificate::Seen;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::{HealthReporter, health_reporter},
};

use super::{foresight, replays, revocation, serve::SERVICES};
use crate::{
    call::CallError,
    config::Config,
    edge::{
        refusals::{Refusals, Tally},
        tls::Tls,
        uses::Uses,
    },
    sequencer::Sequencer,
};

/// The name under which the health service tells of publication.
const PUBLICATION: &str = "schakel.publication";
/// How long calls have the writer to themselves between two looks at what is due.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// How often finished minutes are looked for.
const REFUSALS_EVERY: Duration = Duration::from_secs(5);

/// Keeps the health service telling whether entries can be recorded. It says that the broker does not
/// serve until the first word to the contrary, and again from the moment it stops.
pub(super) async fn health(
    upkeep: &mut JoinSet<()>,
    sequencer: &Sequencer,
    published: Option<watch::Receiver<bool>>,
    mut stopping: watch::Receiver<bool>,
) -> HealthServer<impl Health> {
    let (reporter, server) = health_reporter();
    if let Some(published) = published {
        upkeep.spawn(tell_published(
            reporter.clone(),
            published,
            stopping.clone(),
        ));
    }
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
    let every = config.retention.look_every;
    upkeep.spawn(looks(every, sequencer.clone(), stopping.clone()));
    revocation::start(upkeep, config, tls, sequencer.metrics().clone(), stopping);
    upkeep.spawn(record_uses(
        Arc::clone(tls.uses()),
        sequencer.clone(),
        stopping.clone(),
    ));
    let warn_before = config.tls.warn_before;
    upkeep.spawn(foresight::warn(
        warn_before,
        Arc::clone(tls),
        sequencer.clone(),
        stopping.clone(),
    ));
    let (every, sample) = (config.audit.replay_every, config.audit.replay_sample);
    upkeep.spawn(replays::replays(
        every,
        sample,
        sequencer.clone(),
        stopping.clone(),
    ));
}

/// Shows what is new in inboxes, always at a tick.
async fn ticks(every: Duration, sequencer: Sequencer, stopping: watch::Receiver<bool>) {
    each(every, stopping, || {
        sequencer.tick();
        std::future::ready(())
    })
    .await;
}

/// Has destroyed what is due, first of all what became due while the broker was down.
async fn looks(every: Duration, sequencer: Sequencer, stopping: watch::Receiver<bool>) {
    each(every, stopping.clone(), || {
        let (sequencer, mut stopping) = (sequencer.clone(), stopping.clone());
        async move {
            // While the log cannot be written nothing is destroyed either; the next tick tries again.
            while sequencer.look_what_is_due().await.unwrap_or(false) {
                tokio::select! {
                    () = stopped(&mut stopping) => return,
                    // Calls come first: what is due has waited for years.
                    () = tokio::time::sleep(BETWEEN_LOOKS) => {}
                }
            }
        }
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

/// Has it recorded which certificates are used.
async fn record_uses(uses: Arc<Uses>, sequencer: Sequencer, stopping: watch::Receiver<bool>) {
    each(REFUSALS_EVERY, stopping, || {
        let due = uses.take_due(sequencer.now());
        tell_uses(&sequencer, &uses, &due);
        std::future::ready(())
    })
    .await;
}

fn tell_uses(sequencer: &Sequencer, uses: &Uses, due: &[Seen]) {
    if !due.is_empty() && sequencer.record_uses(due.to_vec()).is_err() {
        uses.put_back(due);
    }
}

/// Has everything recorded that was counted so far, before the log closes.
pub(super) fn record_all(sequencer: &Sequencer, refusals: &Refusals, uses: &Uses) {
    tell_uses(sequencer, uses, &uses.take_all(sequencer.now()));
    for tally in refusals.take_all() {
        if let Err(error) = record(sequencer, tally) {
            tracing::warn!(%error, "the last refusals were not recorded");
            return;
        }
    }
}

fn record(sequencer: &Sequencer, tally: Tally) -> Result<(), CallError> {
    let Tally {
        party,
        oin,
        minute,
        counts,
    } = tally;
    sequencer.record_refusals(party, minute, counts, oin)
}

/// Keeps the health service telling whether publication keeps up, under a name of its own: that it does not is
/// no reason to send calls elsewhere.
async fn tell_published(
    reporter: HealthReporter,
    mut published: watch::Receiver<bool>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        let status = if *published.borrow_and_update() {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        reporter.set_service_status(PUBLICATION, status).await;
        tokio::select! {
            () = stopped(&mut stopping) => break,
            changed = published.changed() => if changed.is_err() { break },
        }
    }
    let status = ServingStatus::NotServing;
    reporter.set_service_status(PUBLICATION, status).await;
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
pub(super) async fn each<F: Future<Output = ()> + Send>(
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

pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Without a sender there is nobody left to go on for.
    drop(stopping.wait_for(|stopping| *stopping).await);
}
