//! Log time: the clock, held so that times in the log never decrease.

use std::time::Duration;

use schakel_core::time::Timestamp;

/// A clock this far behind the log is wrong: nothing is recorded until it is mended.
const REFUSED_MS: u64 = 60_000;
/// A clock that went this much further than time has passed is wrong: a consent would expire, and a term run
/// out, that has not. Nothing is recorded until it is set right, or the broker is started again.
const AHEAD_MS: u64 = Timestamp::DAY_MS;
/// A broker that starts this long after the last entry, by its clock, may have a clock that is wrong: nothing is
/// destroyed until somebody says that it is right.
const HELD_MS: u64 = Timestamp::DAY_MS;
/// A clock this far behind the log is noted in the log.
const NOTED_MS: u64 = 1_000;

/// What the clock's reading comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The time to record.
    At(Timestamp),
    /// The time to record; that the clock jumped back is to be noted.
    Jumped { at: Timestamp, clock: Timestamp },
    /// The clock is too far behind the log to record anything.
    Behind,
    /// The clock jumped too far ahead to record anything.
    Ahead,
}

/// Keeps the time of the last entry.
#[derive(Debug)]
pub(super) struct LogTime {
    last: Timestamp,
    noted: bool,
    /// The clock when it was last right, and how much time had passed then.
    right: Option<(Timestamp, Duration)>,
    /// What the clock said at the start, when that was long after the last entry.
    held: Option<Timestamp>,
}

impl LogTime {
    /// Goes on from the last entry.
    pub(super) fn new(last: Timestamp) -> Self {
        Self {
            last,
            noted: false,
            right: None,
            held: None,
        }
    }

    /// Whether keys may be destroyed because their time is over.
    pub(super) const fn may_destroy(&self) -> bool {
        self.held.is_none()
    }

    /// What the clock said at a start long after the last entry, unless somebody has said since that it is right.
    pub(super) const fn held(&self) -> Option<Timestamp> {
        self.held
    }

    /// Somebody says that the clock is right.
    pub(super) const fn acknowledge(&mut self) {
        self.held = None;
    }

    /// Reads the clock, given how much time has passed by one that nobody sets.
    pub(super) fn read(&mut self, clock: Timestamp, passed: Duration) -> Reading {
        if self.is_ahead(clock, passed) {
            return Reading::Ahead;
        }
        if self.right.replace((clock, passed)).is_none() {
            self.hold(clock);
        }
        let behind = self.last.as_millis().saturating_sub(clock.as_millis());
        if behind > REFUSED_MS {
            return Reading::Behind;
        }
        if behind > NOTED_MS && !self.noted {
            self.noted = true;
            return Reading::Jumped {
                at: self.last,
                clock,
            };
        }
        if behind == 0 {
            self.noted = false;
            self.last = clock;
        }
        Reading::At(self.last)
    }

    /// Looks at the first reading: a broker that was down for long cannot tell that from a clock that is wrong.
    fn hold(&mut self, clock: Timestamp) {
        let ahead = clock.as_millis().saturating_sub(self.last.as_millis());
        if ahead > HELD_MS && self.last != Timestamp::EPOCH {
            tracing::error!(
                %clock,
                "by its clock the broker was down for more than a day: nothing is destroyed until an \
                 administrator says that the clock is right"
            );
            self.held = Some(clock);
        }
    }

    /// Whether the clock went much further than time did since it was last right.
    fn is_ahead(&self, clock: Timestamp, passed: Duration) -> bool {
        self.right.is_some_and(|(right, then)| {
            let since = passed.saturating_sub(then).as_millis();
            let since = u64::try_from(since).unwrap_or(u64::MAX);
            let went = clock.as_millis().saturating_sub(right.as_millis());
            went.saturating_sub(since) > AHEAD_MS
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    /// What readings come to while no time passes.
    fn readings(from: u64, clock: &[u64]) -> Vec<Reading> {
        let mut time = LogTime::new(at(from));
        let read = |millis: &u64| time.read(at(*millis), Duration::ZERO);
        clock.iter().map(read).collect()
    }

    #[test]
    fn log_time_never_decreases() {
        let read = readings(1_000_000, &[1_000_005, 1_000_000]);
        assert_eq!(read, [Reading::At(at(1_000_005)); 2]);
    }

    #[test]
    fn a_second_back_is_nothing_an_hour_is_refused_until_the_clock_is_right() {
        let start = 10_000_000;
        let read = readings(start, &[start, start - 1000, start - 3_600_000, start + 1]);
        let same = Reading::At(at(start));
        assert_eq!(
            read,
            [same, same, Reading::Behind, Reading::At(at(start + 1))]
        );
    }

    #[test]
    fn a_start_long_after_the_last_entry_holds_what_is_destroyed_until_the_clock_is_said_to_be_right()
     {
        let day = Timestamp::DAY_MS;
        let start = |last, clock| {
            let mut time = LogTime::new(at(last));
            time.read(at(clock), Duration::ZERO);
            time
        };
        assert!(start(1_000_000, 1_000_000 + day).may_destroy());
        assert!(start(0, 40 * day).may_destroy(), "the first entry of all");
        let mut time = start(1_000_000, 1_000_001 + day);
        assert_eq!(time.held(), Some(at(1_000_001 + day)));
        time.read(at(1_000_002 + day), Duration::ZERO);
        assert!(!time.may_destroy(), "going on does not make it right");
        time.acknowledge();
        time.read(at(1_000_003 + day), Duration::ZERO);
        assert!(time.may_destroy());
        let passed = Duration::from_millis(3 * day);
        time.read(at(1_000_003 + 4 * day), passed);
        assert!(time.may_destroy(), "time that has passed is no jump");
    }

    #[test]
    fn a_jump_back_is_noted_once_and_a_wild_one_refused() {
        let jumped = Reading::Jumped {
            at: at(1_000_000),
            clock: at(995_000),
        };
        let read = readings(1_000_000, &[995_000, 995_001, 900_000, 1_000_001]);
        let [same, next] = [1_000_000, 1_000_001].map(|millis| Reading::At(at(millis)));
        assert_eq!(read, [jumped, same, Reading::Behind, next]);
    }

    #[test]
    fn a_year_ahead_is_refused_until_the_clock_is_right_or_the_broker_started_again() {
        let (start, year) = (1_000_000, 365 * Timestamp::DAY_MS);
        let read = readings(0, &[start, start + year, start + year + 1, start + 1]);
        let [first, last] = [start, start + 1].map(|millis| Reading::At(at(millis)));
        assert_eq!(read, [first, Reading::Ahead, Reading::Ahead, last]);
        let again = readings(start, &[start + year]);
        assert_eq!(again, [Reading::At(at(start + year))]);
    }

    #[test]
    fn an_hour_ahead_and_a_year_that_has_passed_are_taken() {
        let hour = 3_600_000;
        let read = readings(0, &[hour, 2 * hour]);
        assert_eq!(read, [Reading::At(at(hour)), Reading::At(at(2 * hour))]);
        let mut time = LogTime::new(at(0));
        let year = 365 * Timestamp::DAY_MS;
        time.read(at(1), Duration::ZERO);
        let passed = Duration::from_millis(year);
        assert_eq!(time.read(at(year), passed), Reading::At(at(year)));
    }
}
