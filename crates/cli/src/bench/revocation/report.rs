//! What came of the trials, as figures.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Kind, Revoked, Seen};
use crate::bench::{
    RevocationArgs,
    report::Machine,
    statistics::{percentile, real},
};

/// Everything that `schakel bench revocation` found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// On what.
    pub(super) machine: Machine,
    /// How often each way was tried.
    pub(super) trials: u16,
    /// How many callers there were over open connections, and as many over new ones.
    pub(super) callers: u16,
    /// Each way to revoke.
    pub(super) ways: Vec<Way>,
    /// Whether no call begun after the bound got through.
    pub(super) pass: bool,
}

/// One way to revoke.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Way {
    /// Which.
    pub(super) revoked: &'static str,
    /// How long after the acknowledgement a call may be begun and get through, in milliseconds.
    pub(super) bound_ms: f64,
    /// Over connections that were open.
    pub(super) open: Found,
    /// Over a new connection for each call.
    pub(super) new: Found,
}

/// What was found over one kind of connection.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Found {
    /// How many calls were made.
    pub(super) calls: usize,
    /// How many of them got through though they were begun after the bound.
    pub(super) late: usize,
    /// How long after the acknowledgement the last call was begun that got through.
    pub(super) last_begun: Times,
    /// How long after the acknowledgement the last answer came that disclosed something.
    pub(super) last_answered: Times,
}

/// A time after the acknowledgement in milliseconds, over the trials; 0 where there was none after it.
#[expect(
    clippy::struct_field_names,
    reason = "the names stand in the JSON, where a number needs its unit"
)]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Times {
    pub(super) p50_ms: f64,
    pub(super) p90_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
}

impl Report {
    pub(super) fn of(machine: Machine, args: &RevocationArgs, ways: Vec<Way>) -> Self {
        Self {
            machine,
            trials: args.trials,
            callers: args.callers,
            pass: ways.iter().all(|way| way.open.late + way.new.late == 0),
            ways,
        }
    }
}

impl Way {
    /// From the moment of each acknowledgement and the calls of its trial.
    pub(super) fn of(way: Revoked, bound: Duration, trials: &[(Instant, Vec<Seen>)]) -> Self {
        Self {
            revoked: way.name(),
            bound_ms: millis(bound),
            open: Found::of(Kind::Open, bound, trials),
            new: Found::of(Kind::New, bound, trials),
        }
    }
}

impl Found {
    fn of(kind: Kind, bound: Duration, trials: &[(Instant, Vec<Seen>)]) -> Self {
        let (mut calls, mut late) = (0, 0);
        let (mut begun, mut answered) = (Vec::new(), Vec::new());
        for (acknowledged, seen) in trials {
            let of_kind = seen.iter().filter(|call| call.kind == kind);
            calls += of_kind.clone().count();
            let after = |at: Instant| at.saturating_duration_since(*acknowledged);
            let through = of_kind.filter(|call| call.through);
            late += through
                .clone()
                .filter(|call| call.began > *acknowledged && after(call.began) > bound)
                .count();
            let last = |at: fn(&Seen) -> Instant| {
                let times = through.clone().map(|call| after(at(call)));
                times.max().unwrap_or_default()
            };
            begun.push(last(|call| call.began));
            answered.push(last(|call| call.ended));
        }
        Self {
            calls,
            late,
            last_begun: Times::of(begun),
            last_answered: Times::of(answered),
        }
    }
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |part| percentile(&times, part).map_or(0.0, millis);
        Self {
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            max_ms: at(1.0),
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * real(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_call_that_got_through_counts_and_one_begun_after_the_bound_is_late() {
        let start = Instant::now();
        let ms = |millis| start + Duration::from_millis(millis);
        let call = |kind, began, ended, through| Seen {
            kind,
            began: ms(began),
            ended: ms(ended),
            through,
        };
        let acknowledged = ms(1000);
        let first = vec![
            call(Kind::Open, 900, 950, true),
            call(Kind::Open, 990, 1004, true),
            call(Kind::Open, 1100, 1110, false),
            call(Kind::New, 1050, 1060, true),
        ];
        let second = vec![
            call(Kind::Open, 900, 999, true),
            call(Kind::New, 990, 991, true),
        ];
        let trials = [(acknowledged, first), (acknowledged, second)];
        let at_once = Way::of(Revoked::Blocked, Duration::ZERO, &trials);
        assert_eq!((at_once.open.calls, at_once.open.late), (4, 0));
        assert!(at_once.open.last_begun.max_ms.abs() < 1e-9);
        assert!((at_once.open.last_answered.max_ms - 4.0).abs() < 1e-9);
        assert!(at_once.open.last_answered.p50_ms.abs() < 1e-9);
        assert_eq!((at_once.new.calls, at_once.new.late), (2, 1));
        let bound = Duration::from_millis(50);
        let within = Way::of(Revoked::Listed, bound, &trials);
        assert_eq!(within.new.late, 0);
        assert!((within.new.last_begun.max_ms - 50.0).abs() < 1e-9);
    }
}
