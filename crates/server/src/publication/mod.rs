//! Publication: at every tick, what the log has more than is published, before the eyes of witnesses.
//!
//! It has a cadence of its own, so that others learn a size for each tick and no moment of any entry. Steps, in
//! the order that survives a crash at any point:
//!
//! 1. files for the head of the log are laid down and read back;
//! 2. the anchor is compared and replaced: what is about to leave is bound there first;
//! 3. the witnesses of the policy are asked for their cosignatures, side by side;
//! 4. with the quorum, the checkpoint is shown.
//!
//! Answers never wait for any of it. What goes wrong is told once, by the log, a metric and the health service,
//! and tried again at the next tick.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use schakel_store::{
    anchor::AnchorError,
    publication::{Publication, PublicationError, Shown, ShownError},
};
use tokio::{sync::watch, task::spawn_blocking, time::Instant};

pub(crate) mod halt;
pub(crate) mod outside;
mod serve;
#[cfg(test)]
mod tests;
mod witness;
mod witnesses;

pub(crate) use serve::{Door, Files};
pub(crate) use witnesses::Witnesses;

pub use halt::Halt;
pub use outside::OutsideError;
pub use witnesses::WitnessesError;

use self::{
    outside::{Outside, SharedAnchor},
    witnesses::{Asked, Lacking},
};
use crate::{
    clock::Clock,
    config,
    sequencer::Sequencer,
    telemetry::Metrics,
    trail::{Head, Published},
};

/// For so many ticks publication may fail before the health service says so, unless it is grave.
const PATIENCE: u32 = 3;

/// What publishes.
pub(crate) struct Publisher {
    publication: Arc<Mutex<Publication>>,
    anchor: Option<SharedAnchor>,
    witnesses: Option<Witnesses>,
    sequencer: Sequencer,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    refresh_every: Duration,
    patience: Duration,
    minimum_index: u64,
    healthy: watch::Sender<bool>,
    shown_at: Option<Instant>,
    well_at: Instant,
    told: Option<String>,
}

/// Why a tick did not publish what it should.
#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error("signing was stopped: {0}")]
    Halted(String),
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    #[error(transparent)]
    Publication(#[from] PublicationError),
    #[error("the head of the log is no signed checkpoint")]
    Head(#[from] ShownError),
    #[error(transparent)]
    Lacking(#[from] Lacking),
    #[error("the task that publishes ended in a fault")]
    Task,
}

impl Publisher {
    /// Takes over what was opened.
    pub(crate) fn new(
        config: &config::Publication,
        outside: Outside,
        witnesses: Option<Witnesses>,
        sequencer: &Sequencer,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        let Outside {
            publication,
            anchor,
            minimum_index,
        } = outside;
        let publisher = Self {
            publication: Arc::new(Mutex::new(publication)),
            anchor,
            witnesses,
            sequencer: sequencer.clone(),
            clock,
            metrics,
            refresh_every: config.refresh_every,
            patience: config.every.saturating_mul(PATIENCE),
            minimum_index,
            healthy: watch::Sender::new(true),
            shown_at: None,
            well_at: Instant::now(),
            told: None,
        };
        if let Some(shown) = publisher.with(|publication| publication.shown().cloned()) {
            publisher.tell(&shown);
        }
        publisher
    }

    /// Whether publication keeps up.
    pub(crate) fn health(&self) -> watch::Receiver<bool> {
        self.healthy.subscribe()
    }

    /// Publishes what is new, and tells how it went.
    pub(crate) async fn tick(&mut self) {
        let outcome = self.publish().await;
        let trail = self.sequencer.trail();
        let behind = trail.size().saturating_sub(trail.published_size());
        self.metrics.publication_lag(behind);
        match outcome {
            Ok(()) => {
                self.well_at = Instant::now();
                if self.told.take().is_some() {
                    tracing::info!("publication goes on");
                }
                self.be(true);
            }
            Err(error) => {
                let late = self.well_at.elapsed() >= self.patience;
                if late || error.is_grave() {
                    self.be(false);
                }
                self.complain(&error, behind);
            }
        }
    }

    async fn publish(&mut self) -> Result<(), PublishError> {
        let halt = self.sequencer.halt().clone();
        if let Some(why) = halt.why().map(ToOwned::to_owned) {
            spawn_blocking(move || halt.keep())
                .await
                .map_err(|_| PublishError::Task)?;
            return Err(PublishError::Halted(why));
        }
        let head = self.sequencer.trail().head();
        if head.size == self.sequencer.trail().published_size() && !self.is_stale() {
            return Ok(());
        }
        let laid = self.lay(Arc::clone(&head)).await?;
        let note = self.witnessed(&head).await?;
        let shown = self.show(laid, note).await?;
        self.shown_at = Some(Instant::now());
        self.tell(&shown);
        Ok(())
    }

    /// Steps 1 and 2.
    async fn lay(&self, head: Arc<Head>) -> Result<schakel_store::publication::Laid, PublishError> {
        let publication = Arc::clone(&self.publication);
        let (anchor, reader) = (self.anchor.clone(), self.sequencer.trail().reader().clone());
        spawn_blocking(move || {
            let signed = Shown::parse(head.checkpoint.to_string())?;
            let laid = lock(&publication).lay(&reader, head.size)?;
            if let Some(anchor) = anchor {
                anchor.replace(&signed)?;
            }
            Ok(laid)
        })
        .await
        .map_err(|_| PublishError::Task)?
    }

    /// Step 3: the checkpoint with the cosignatures of the quorum.
    async fn witnessed(&self, head: &Head) -> Result<String, PublishError> {
        let Some(witnesses) = &self.witnesses else {
            return Ok(head.checkpoint.to_string());
        };
        let asked = Asked {
            size: head.size,
            checkpoint: Arc::clone(&head.checkpoint),
            trail: self.sequencer.trail().clone(),
            now: self.clock.now(),
        };
        let answered = witnesses.ask(asked, &self.metrics).await;
        if let Some(why) = answered.rollback {
            let (halt, told) = (self.sequencer.halt().clone(), why.clone());
            spawn_blocking(move || halt.pull(told))
                .await
                .map_err(|_| PublishError::Task)?;
            return Err(PublishError::Halted(why));
        }
        Ok(answered.note?)
    }

    /// Step 4.
    async fn show(
        &self,
        laid: schakel_store::publication::Laid,
        note: String,
    ) -> Result<Shown, PublishError> {
        let publication = Arc::clone(&self.publication);
        let minimum = self.minimum_index;
        spawn_blocking(move || {
            let mut publication = lock(&publication);
            publication.show(&laid, &note)?;
            publication.prune(minimum)?;
            Ok(Shown::parse(note)?)
        })
        .await
        .map_err(|_| PublishError::Task)?
    }

    /// Whether witnesses are to be asked again although nothing is new.
    fn is_stale(&self) -> bool {
        let old = |at: Instant| at.elapsed() >= self.refresh_every;
        self.witnesses.is_some() && self.shown_at.is_none_or(old)
    }

    /// Lets readers of the trail know what is published.
    fn tell(&self, shown: &Shown) {
        let witnessed = self.witnesses.as_ref();
        self.sequencer.trail().publish(Published {
            size: shown.checkpoint.size,
            checkpoint: shown.note.as_str().into(),
            witnessed: witnessed.is_some_and(|witnesses| witnesses.have_seen(&shown.note)),
        });
    }

    fn be(&self, healthy: bool) {
        self.healthy
            .send_if_modified(|was| std::mem::replace(was, healthy) != healthy);
    }

    /// Tells what is wrong, once.
    fn complain(&mut self, error: &PublishError, behind: u64) {
        let text = error.to_string();
        if self.told.as_ref() == Some(&text) {
            return;
        }
        let error: &dyn std::error::Error = error;
        tracing::error!(error, behind, "the log is not published");
        self.told = Some(text);
    }

    fn with<T>(&self, use_it: impl FnOnce(&Publication) -> T) -> T {
        use_it(&lock(&self.publication))
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").finish_non_exhaustive()
    }
}

impl PublishError {
    /// Whether waiting does not help.
    const fn is_grave(&self) -> bool {
        match self {
            Self::Halted(_) | Self::Anchor(_) | Self::Head(_) | Self::Task => true,
            Self::Publication(error) => !matches!(error, PublicationError::Io { .. }),
            Self::Lacking(_) => false,
        }
    }
}

fn lock(publication: &Mutex<Publication>) -> std::sync::MutexGuard<'_, Publication> {
    // What a panic left half done is found and compared at the next attempt, as after a crash.
    publication.lock().unwrap_or_else(PoisonError::into_inner)
}
