//! Section `[audit]`: looking into the trail, and the broker's own replays.

use std::time::Duration;

use serde::Deserialize;

/// Looking into the trail, and the broker's own replays.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// The longest period of a search that names no person and that one officer may make alone: 1 h to 366
    /// days. A longer one, or one over all parties, needs a second officer.
    #[serde(with = "humantime_serde")]
    pub wide_period: Duration,
    /// How long a search that a second officer approved may be made: 1 m to 7 days.
    #[serde(with = "humantime_serde")]
    pub approval: Duration,
    /// How often a sample of past decisions is replayed, and for the first time at the start: 1 s to 7 days.
    #[serde(with = "humantime_serde")]
    pub replay_every: Duration,
    /// How many decisions a sample has: 1 to 10,000.
    pub replay_sample: u32,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            wide_period: Duration::from_hours(31 * 24),
            approval: Duration::from_hours(24),
            replay_every: Duration::from_hours(1),
            replay_sample: 100,
        }
    }
}
