//! Where the broker gets the time from.

use std::{
    fmt::Debug,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use schakel_core::time::Timestamp;

/// A source of wall-clock time. It may jump; whoever records times keeps them from decreasing.
pub trait Clock: Debug + Send + Sync {
    /// The time now, in whole milliseconds.
    fn now(&self) -> Timestamp;

    /// How much time has passed since some moment that does not change, by a clock that nobody sets: a jump of
    /// the other shows against it.
    fn passed(&self) -> Duration;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// When it was first asked how much time has passed.
static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock for SystemClock {
    fn passed(&self) -> Duration {
        FIRST.elapsed()
    }

    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the broker's clock is the machine's"
        )]
        let now = SystemTime::now();
        // A clock set before 1970 gives the epoch, at which no certificate holds and nothing is decided.
        let millis = now.duration_since(UNIX_EPOCH).map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        });
        Timestamp::from_millis(millis).unwrap_or(Timestamp::MAX)
    }
}

/// A clock that stands still until it is moved: for tests and rehearsals, here because those of other
/// crates need it too.
#[derive(Debug)]
pub struct ManualClock {
    now: AtomicU64,
    passed: AtomicU64,
}

impl ManualClock {
    /// A clock that shows this instant.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            now: AtomicU64::new(now.as_millis()),
            passed: AtomicU64::new(0),
        }
    }

    /// Moves the clock to an instant, forward or back. Forward, the time in between has passed.
    pub fn set(&self, now: Timestamp) {
        let passed = now.as_millis().saturating_sub(self.now().as_millis());
        self.passed.fetch_add(passed, Ordering::SeqCst);
        self.jump(now);
    }

    /// Sets the clock to an instant while no time passes, as somebody does who sets it wrong.
    pub fn jump(&self, now: Timestamp) {
        self.now.store(now.as_millis(), Ordering::SeqCst);
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.set(self.now().plus_millis(millis));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    fn passed(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_moved() {
        let start: Timestamp = "2026-11-23T14:00:00Z".parse().unwrap();
        let clock = ManualClock::new(start);
        assert_eq!(clock.now(), start);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now(), start.plus_millis(90_000));
        assert_eq!(clock.passed(), Duration::from_secs(90));
        clock.set(start);
        assert_eq!(clock.now(), start);
        clock.jump(start.plus_days(400));
        assert_eq!(clock.passed(), Duration::from_secs(90));
    }

    #[test]
    fn the_system_clock_is_past_the_day_it_was_written() {
        let written: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        assert!(SystemClock.now() > written);
    }
}
