//! What a benchmark found, as figures.

use std::time::Duration;

use serde::Serialize;

use super::{
    cpu::Used,
    load::Measured,
    stage::Flush,
    statistics::{median, percentile, real},
};

/// Everything that `schakel bench` found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// On what.
    pub(super) machine: Machine,
    /// Under which load.
    pub(super) load: Load,
    /// The bare echo.
    pub(super) echo: Kind,
    /// Audited disclosures.
    pub(super) disclosure: Kind,
    /// The throughput of disclosures as a part of that of the echo.
    pub(super) ratio: f64,
    /// The log during the disclosures.
    pub(super) log: Log,
    /// Entries not yet in the search indexes, during the disclosures.
    pub(super) index_lag: IndexLag,
    /// One call at a time.
    pub(super) unloaded: Unloaded,
}

/// What it ran on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Machine {
    /// How many processors this process may use.
    pub(super) processors: usize,
    /// Where the log was.
    pub(super) directory: String,
    /// The kind of file system there.
    pub(super) file_system: String,
    /// `release` or `debug`.
    pub(super) build: &'static str,
}

/// The load.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Load {
    pub(super) in_flight: u16,
    pub(super) connections: u16,
    pub(super) seconds: u16,
    pub(super) rounds: u16,
    pub(super) persons: u32,
    /// Whether the client verified every receipt.
    pub(super) receipts_verified: bool,
    /// The encoded size of a question, as it was before the last round.
    pub(super) request_bytes: usize,
    /// The encoded size of an answer with its receipt, likewise.
    pub(super) answer_bytes: usize,
}

/// One kind of call.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Kind {
    /// Calls a second in the median round, of which the other figures are too.
    pub(super) per_second: f64,
    /// Calls a second in each round.
    pub(super) rounds: Vec<f64>,
    /// How long a call took.
    pub(super) latency: Percentiles,
    /// The processor time of a call by threads, in microseconds, most first.
    pub(super) processor_us: Vec<(String, f64)>,
    /// The part of the processors' time that other processes used meanwhile: what disturbs the figures.
    pub(super) others: f64,
}

/// Percentiles of a time, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the unit stands in the name, in the JSON too"
)]
pub(super) struct Percentiles {
    pub(super) p50_us: f64,
    pub(super) p90_us: f64,
    pub(super) p99_us: f64,
    pub(super) p999_us: f64,
}

/// The log.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Log {
    /// How often it was flushed.
    pub(super) flushes: usize,
    /// Entries that one flush made durable, on average.
    pub(super) entries_per_flush: f64,
    /// How long it took to write and flush a batch.
    pub(super) flush: Percentiles,
}

/// How far the search indexes were behind, in the round in which that grew most: between two rounds they catch up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct IndexLag {
    /// Which round of disclosures it was, counted from 1.
    pub(super) round: usize,
    /// In the first third of its time.
    pub(super) start: Lag,
    /// In the second.
    pub(super) middle: Lag,
    /// In the last.
    pub(super) end: Lag,
    /// Whether it grew in any round: to more than twice what it was, and by more than is under way at a time.
    pub(super) grows: bool,
}

/// How many entries the indexes were behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Lag {
    pub(super) median: u64,
    pub(super) most: u64,
}

/// One call at a time over one connection: medians, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the unit stands in the name, in the JSON too"
)]
pub(super) struct Unloaded {
    pub(super) echo_us: f64,
    /// Until the answer was there.
    pub(super) disclosure_us: f64,
    /// Until its receipt was verified too.
    pub(super) verified_us: f64,
    /// One flush of the log, meanwhile.
    pub(super) flush_us: f64,
}

impl Unloaded {
    /// How many flushes of the log a disclosure took longer than an echo.
    pub(super) fn flushes_more(&self) -> f64 {
        (self.disclosure_us - self.echo_us) / self.flush_us
    }
}

/// One round of one kind.
#[derive(Clone, Debug)]
pub(super) struct Round {
    /// The calls.
    pub(super) measured: Measured,
    /// The processor time used.
    pub(super) processor: Used,
    /// The flushes of the log.
    pub(super) flushes: Vec<Flush>,
    /// The lag of the indexes, from time to time.
    pub(super) lag: Vec<u64>,
}

impl Kind {
    /// The figures of the median round by throughput, and that round.
    pub(super) fn of(rounds: &[Round], processors: usize) -> Option<(Self, &Round)> {
        let throughput = |round: &&Round| round.measured.throughput();
        let list: Vec<_> = rounds.iter().collect();
        let round = median(&list, |one, other| {
            throughput(one).total_cmp(&throughput(other))
        })?;
        let calls = real(round.measured.latencies.len());
        let (from, until) = round.measured.window;
        let took = until - from;
        let each = |(name, used): &(String, Duration)| (name.clone(), micros(*used) / calls);
        let kind = Self {
            per_second: round.measured.throughput(),
            rounds: rounds
                .iter()
                .map(|round| round.measured.throughput())
                .collect(),
            latency: Percentiles::of(&round.measured.latencies)?,
            processor_us: round.processor.threads.iter().map(each).collect(),
            others: round.processor.others.as_secs_f64() / (took.as_secs_f64() * real(processors)),
        };
        Some((kind, round))
    }

    /// The processor time of a call, in microseconds.
    pub(super) fn processor_us(&self) -> f64 {
        self.processor_us.iter().map(|(_, used)| used).sum()
    }
}

impl Percentiles {
    /// Of times in ascending order; `None` when there are none.
    pub(super) fn of(sorted: &[Duration]) -> Option<Self> {
        let at = |part| percentile(sorted, part).map(micros);
        Some(Self {
            p50_us: at(0.5)?,
            p90_us: at(0.9)?,
            p99_us: at(0.99)?,
            p999_us: at(0.999)?,
        })
    }
}

impl Log {
    /// Of some flushes; `None` when there were none.
    pub(super) fn of(flushes: &[Flush]) -> Option<Self> {
        let mut took: Vec<_> = flushes.iter().map(|flush| flush.took).collect();
        took.sort_unstable();
        let entries: usize = flushes.iter().map(|flush| flush.entries).sum();
        Some(Self {
            flushes: flushes.len(),
            entries_per_flush: real(entries) / real(flushes.len()),
            flush: Percentiles::of(&took)?,
        })
    }
}

impl IndexLag {
    /// Of the readings of each round in the order of time, with so many requests under way; `None` without a round.
    pub(super) fn of(rounds: &[&[u64]], in_flight: u16) -> Option<Self> {
        let rounds = (1..).zip(rounds);
        let each: Vec<_> = rounds
            .map(|(number, readings)| Self::in_round(number, readings, in_flight))
            .collect();
        let grows = each.iter().any(|round| round.grows);
        let growth = |round: &&Self| {
            (
                round.grows,
                round.end.median.saturating_sub(round.start.median),
            )
        };
        let worst = each.iter().max_by_key(growth)?;
        Some(Self { grows, ..*worst })
    }

    fn in_round(round: usize, readings: &[u64], in_flight: u16) -> Self {
        let third = readings.len() / 3;
        let (start, rest) = readings.split_at(third);
        let (middle, end) = rest.split_at(third);
        let lag = |readings: &[u64]| Lag {
            median: median(readings, Ord::cmp).unwrap_or_default(),
            most: readings.iter().copied().max().unwrap_or_default(),
        };
        let (start, end) = (lag(start), lag(end));
        Self {
            round,
            start,
            middle: lag(middle),
            end,
            grows: end.median > 2 * start.median + u64::from(in_flight),
        }
    }
}

/// A time in microseconds.
pub(super) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn round(calls: u64, used: Duration) -> Round {
        let now = Instant::now();
        Round {
            measured: Measured {
                window: (now, now + Duration::from_secs(2)),
                latencies: (1..=calls).map(Duration::from_micros).collect(),
            },
            processor: Used {
                threads: vec![("a".to_owned(), used)],
                others: Duration::from_secs(1),
            },
            flushes: Vec::new(),
            lag: Vec::new(),
        }
    }

    #[test]
    fn the_figures_are_those_of_the_median_round() {
        let used = Duration::from_millis(10);
        let rounds = [round(100, used), round(4000, used), round(1000, used)];
        let (kind, chosen) = Kind::of(&rounds, 4).unwrap();
        assert_eq!(chosen.measured.latencies.len(), 1000);
        assert!((kind.per_second - 500.0).abs() < 1e-9);
        assert!((kind.latency.p99_us - 990.0).abs() < 1e-9);
        assert!((kind.processor_us() - 10.0).abs() < 1e-9);
        // One second of two seconds of four processors.
        assert!((kind.others - 0.125).abs() < 1e-9);
        assert_eq!(kind.rounds.len(), 3);
        assert!(Kind::of(&[], 4).is_none());
    }

    #[test]
    fn entries_are_counted_by_flush() {
        let flush = |entries, micros| Flush {
            at: Instant::now(),
            entries,
            took: Duration::from_micros(micros),
        };
        let log = Log::of(&[flush(1, 300), flush(5, 100), flush(6, 200)]).unwrap();
        assert_eq!(log.flushes, 3);
        assert!((log.entries_per_flush - 4.0).abs() < 1e-9);
        assert!((log.flush.p50_us - 200.0).abs() < 1e-9);
        assert!(Log::of(&[]).is_none());
    }

    #[test]
    fn the_lag_is_told_by_thirds_of_the_round_in_which_it_grew_most() {
        let (flat, growing) = ([9, 9, 9, 9, 9, 9], [1, 2, 3, 40, 50, 60, 70, 80, 90]);
        let lag = IndexLag::of(&[&flat, &growing, &flat], 100).unwrap();
        assert_eq!((lag.round, lag.grows), (2, false));
        assert_eq!(lag.start, Lag { median: 2, most: 3 });
        let of = |median, most| Lag { median, most };
        assert_eq!((lag.middle, lag.end), (of(50, 60), of(80, 90)));
        assert!(IndexLag::of(&[], 100).is_none());
    }

    /// Rounds between which the indexes catch up, so that the rounds are alike: growth shows within them.
    #[test]
    fn a_lag_that_grows_within_each_round_is_found() {
        let growing: Vec<u64> = (0..90).map(|reading| reading * 20).collect();
        let lag = IndexLag::of(&[&growing, &growing, &growing], 256).unwrap();
        assert!(lag.grows, "{lag:?}");
        // A lag that swings by what is under way does not grow.
        let swinging: Vec<u64> = (0..90).map(|reading| reading % 3 * 100).collect();
        let lag = IndexLag::of(&[&swinging, &swinging, &swinging], 256).unwrap();
        assert!(!lag.grows, "{lag:?}");
        // In one round is enough.
        let lag = IndexLag::of(&[&swinging, &growing, &swinging], 256).unwrap();
        assert_eq!((lag.grows, lag.round), (true, 2));
    }

    #[test]
    fn what_a_disclosure_takes_longer_is_told_in_flushes() {
        let unloaded = Unloaded {
            echo_us: 100.0,
            disclosure_us: 400.0,
            verified_us: 500.0,
            flush_us: 200.0,
        };
        assert!((unloaded.flushes_more() - 1.5).abs() < 1e-9);
    }
}
