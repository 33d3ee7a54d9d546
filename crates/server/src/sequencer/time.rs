//! Log time: the clock, held so that times in the log never decrease.

use schakel_core::time::Timestamp;

/// A clock this far behind the log is wrong: nothing is recorded until it is mended.
const REFUSED_MS: u64 = 60_000;
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
    Wrong,
}

/// Keeps the time of the last entry.
#[derive(Debug)]
pub(super) struct LogTime {
    last: Timestamp,
    noted: bool,
}

impl LogTime {
    /// Goes on from the last entry.
    pub(super) fn new(last: Timestamp) -> Self {
        Self { last, noted: false }
    }

    /// Reads the clock.
    pub(super) fn read(&mut self, clock: Timestamp) -> Reading {
        let behind = self.last.as_millis().saturating_sub(clock.as_millis());
        if behind > REFUSED_MS {
            return Reading::Wrong;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    #[test]
    fn log_time_never_decreases() {
        let mut time = LogTime::new(at(1_000_000));
        assert_eq!(time.read(at(1_000_005)), Reading::At(at(1_000_005)));
        assert_eq!(time.read(at(1_000_000)), Reading::At(at(1_000_005)));
    }

    #[test]
    fn a_jump_back_is_noted_once_and_a_wild_one_refused() {
        let mut time = LogTime::new(at(1_000_000));
        let jumped = Reading::Jumped {
            at: at(1_000_000),
            clock: at(995_000),
        };
        assert_eq!(time.read(at(995_000)), jumped);
        assert_eq!(time.read(at(995_001)), Reading::At(at(1_000_000)));
        assert_eq!(time.read(at(900_000)), Reading::Wrong);
        assert_eq!(time.read(at(1_000_001)), Reading::At(at(1_000_001)));
    }
}
