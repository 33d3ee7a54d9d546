//! Replaying past decisions again and again, and raising the alarm when one comes out otherwise.

use std::time::Duration;

use schakel_store::random::OsRandom;
use tokio::sync::watch;

use super::upkeep::each;
use crate::{officer::sampler, sequencer::Sequencer};

/// How long replays wait for the indexes.
const REPLAY_CATCH_UP: Duration = Duration::from_secs(30);

/// Replays a sample of past decisions, and raises the alarm when one comes out otherwise.
pub(super) async fn replays(
    every: Duration,
    sample: u32,
    sequencer: Sequencer,
    stopping: watch::Receiver<bool>,
) {
    each(every, stopping, || replay(sequencer.clone(), sample)).await;
}

async fn replay(sequencer: Sequencer, sample: u32) {
    let trail = sequencer.trail().clone();
    let sampling = trail.look(REPLAY_CATCH_UP, move |trail| {
        sampler::sample(trail, sample, &mut OsRandom)
    });
    let (replayed, differed) = match sampling.await {
        Ok(sampled) => sampled,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "past decisions could not be replayed");
            return;
        }
    };
    sequencer
        .metrics()
        .replayed(replayed, differed.len() as u64);
    sequencer.sampled().note(replayed, sequencer.now());
    for found in differed {
        let entry = found.entry.0;
        tracing::error!(
            entry,
            differences = ?found.differences,
            "a past decision came out otherwise when it was replayed"
        );
        if let Err(error) = sequencer.record_difference(found) {
            tracing::error!(entry, %error, "the difference could not be recorded");
        }
    }
}
