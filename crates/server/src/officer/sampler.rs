//! Replaying a sample of past decisions, again and again, and raising the alarm when one comes out
//! otherwise: the records, the rules or the program are not what they were.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use schakel_audit::leaf::EntryType;
use schakel_core::{
    event::ReplayDiffered,
    id::EntryIndex,
    random::Random,
    replay::{Difference, Replay},
    time::Timestamp,
};

use super::records::{Again, Records};
use crate::trail::{Trail, TrailError};

/// How far from a place that was drawn a decision is looked for.
const REACH: u64 = 512;

/// What the broker's own replays came to since it started.
#[derive(Debug, Default)]
pub(crate) struct Sampled {
    replayed: AtomicU64,
    last_at: Mutex<Option<Timestamp>>,
}

impl Sampled {
    /// How many decisions were replayed, and when last.
    #[must_use]
    pub(crate) fn so_far(&self) -> (u64, Option<Timestamp>) {
        let last_at = *self.last_at.lock().unwrap_or_else(PoisonError::into_inner);
        (self.replayed.load(Ordering::Relaxed), last_at)
    }

    pub(crate) fn note(&self, replayed: u64, at: Timestamp) {
        self.replayed.fetch_add(replayed, Ordering::Relaxed);
        *self.last_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }
}

/// Replays a sample of decisions, drawn over the whole log: how many were replayed, and those that came
/// out otherwise. What rests on something erased is passed over.
pub(crate) fn sample(
    trail: &Trail,
    size: u32,
    random: &mut dyn Random,
) -> Result<(u64, Vec<ReplayDiffered>), TrailError> {
    let end = trail.size();
    let mut drawn: Vec<EntryIndex> = Vec::new();
    for _ in 0..size {
        drawn.extend(decision_near(trail, draw(end, random))?);
    }
    drawn.sort_unstable();
    drawn.dedup();
    let mut records = Records::new(trail)?;
    let (mut replayed, mut differed) = (0, Vec::new());
    for index in drawn {
        let Some(entry) = trail.entry(index.0)? else {
            continue;
        };
        match records.replay(index, &entry)? {
            Again::Decided(Replay::Same) => replayed += 1,
            Again::Decided(Replay::Differs(differences)) => {
                replayed += 1;
                differed.push(found(index, differences));
            }
            Again::Decided(Replay::NoDecision) | Again::Unreadable => {}
        }
    }
    Ok((replayed, differed))
}

const fn found(entry: EntryIndex, differences: Vec<Difference>) -> ReplayDiffered {
    ReplayDiffered { entry, differences }
}

/// A place in the log, each as likely as any other.
fn draw(end: u64, random: &mut dyn Random) -> u64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    u64::from_le_bytes(bytes) % end.max(1)
}

/// The first decision from a place on, if there is one near.
fn decision_near(trail: &Trail, from: u64) -> Result<Option<EntryIndex>, TrailError> {
    let until = from.saturating_add(REACH).min(trail.size());
    for index in (from..until).map(EntryIndex) {
        if trail.entry_if(index, decides)?.is_some() {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

const fn decides(kind: EntryType) -> bool {
    matches!(
        kind,
        EntryType::Disclosure | EntryType::Delivery | EntryType::Denial
    )
}
