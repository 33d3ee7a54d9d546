//! The instruments of the broker.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter, MeterProvider as _, NoopMeterProvider},
};
use schakel_core::decide::Reason;
use tonic::Code;

/// What is measured. Cheap to clone; measuring without a collector costs next to nothing.
#[derive(Clone)]
pub struct Metrics {
    calls: Counter<u64>,
    call_seconds: Histogram<f64>,
    batch_entries: Histogram<u64>,
    sync_seconds: Histogram<f64>,
    index_lag: Gauge<u64>,
    queue: Gauge<u64>,
    publication_lag: Gauge<u64>,
    witnesses: Counter<u64>,
    replays: Counter<u64>,
    differences: Counter<u64>,
    expiry: Gauge<f64>,
    flushed: Arc<OnceLock<Box<Flushed>>>,
    denied: Arc<OnceLock<Box<Denials>>>,
}

/// Is told of every batch: how many entries it had, and how long its flush took.
type Flushed = dyn Fn(u64, Duration) + Send + Sync;

/// Is told of every denial: why it was one.
type Denials = dyn Fn(Reason) + Send + Sync;

/// The bounds of latencies in seconds: from less than one flush to more than any deadline.
const SECONDS: &[f64] = &[
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0,
];

/// The bounds of batches in entries.
const ENTRIES: &[f64] = &[
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0,
];

impl Metrics {
    /// Instruments of this meter.
    #[must_use]
    pub fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, description: &'static str| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(description)
                .with_boundaries(SECONDS.to_vec())
                .build()
        };
        Self {
            calls: meter
                .u64_counter("schakel.calls")
                .with_description("Calls by method and status code")
                .build(),
            call_seconds: seconds(
                "schakel.call.duration",
                "From arrival until the answer has left",
            ),
            batch_entries: meter
                .u64_histogram("schakel.log.batch")
                .with_unit("{entry}")
                .with_description("Entries made durable by one flush")
                .with_boundaries(ENTRIES.to_vec())
                .build(),
            sync_seconds: seconds("schakel.log.sync.duration", "One flush of the log"),
            index_lag: meter
                .u64_gauge("schakel.index.lag")
                .with_unit("{entry}")
                .with_description("Durable entries not yet in the search indexes")
                .build(),
            queue: meter
                .u64_gauge("schakel.sequencer.queue")
                .with_unit("{request}")
                .with_description("Requests that wait for the writer")
                .build(),
            publication_lag: meter
                .u64_gauge("schakel.publication.lag")
                .with_unit("{entry}")
                .with_description("Durable entries that are not published yet")
                .build(),
            witnesses: meter
                .u64_counter("schakel.witness.answers")
                .with_description("Cosignatures asked for, by witness and outcome")
                .build(),
            replays: meter
                .u64_counter("schakel.replays")
                .with_unit("{decision}")
                .with_description("Past decisions that the broker replayed by itself")
                .build(),
            differences: meter
                .u64_counter("schakel.replays.different")
                .with_unit("{decision}")
                .with_description("Replays that came out otherwise: must stay 0")
                .build(),
            expiry: expiry(meter),
            flushed: Arc::default(),
            denied: Arc::default(),
        }
    }

    /// Instruments that measure into nothing.
    #[must_use]
    pub fn unsent() -> Self {
        Self::new(&NoopMeterProvider::new().meter("schakel"))
    }

    /// A call ended.
    pub fn call(&self, method: &'static str, code: Code, took: Duration) {
        let labels = [
            KeyValue::new("rpc.method", method),
            KeyValue::new("rpc.grpc.status_code", i64::from(code as i32)),
        ];
        self.calls.add(1, &labels);
        self.call_seconds.record(took.as_secs_f64(), &labels);
    }

    /// Has somebody in this process told of every batch from now on: how many entries it had, and how long
    /// its flush took. Told on the writing thread, so it must be quick. Only the first one who asks is told.
    pub fn watch_batches(&self, told: impl Fn(u64, Duration) + Send + Sync + 'static) {
        // Whoever asks later is not told: see above.
        let _ = self.flushed.set(Box::new(told));
    }

    /// A batch of this many entries was made durable by a flush that took so long.
    pub fn batch(&self, entries: u64, sync_took: Duration) {
        if let Some(told) = self.flushed.get() {
            told(entries, sync_took);
        }
        self.batch_entries.record(entries, &[]);
        self.sync_seconds.record(sync_took.as_secs_f64(), &[]);
    }

    /// Has somebody in this process told of every denial from now on, when it is durable and before its answer goes.
    /// For the test of whether the delay of a denial tells its reason: whoever is told can make the broker slower for
    /// one, and the test must find it. No broker that is served has anybody told, and nothing of it is measured. Only
    /// the first one who asks is told.
    pub fn watch_denials(&self, told: impl Fn(Reason) + Send + Sync + 'static) {
        // Whoever asks later is not told: see above.
        let _ = self.denied.set(Box::new(told));
    }

    /// Something was denied, for this reason before all.
    pub(crate) fn denied(&self, reason: Reason) {
        if let Some(told) = self.denied.get() {
            told(reason);
        }
    }

    /// The search indexes are this many entries behind the log.
    pub fn index_lag(&self, entries: u64) {
        self.index_lag.record(entries, &[]);
    }

    /// The published log is this many entries behind the log.
    pub fn publication_lag(&self, entries: u64) {
        self.publication_lag.record(entries, &[]);
    }

    /// A witness was asked, and cosigned or not.
    pub fn witness(&self, name: &str, cosigned: bool) {
        let labels = [
            KeyValue::new("witness", name.to_owned()),
            KeyValue::new("cosigned", cosigned),
        ];
        self.witnesses.add(1, &labels);
    }

    /// So many past decisions were replayed, of which so many came out otherwise.
    pub fn replayed(&self, replayed: u64, different: u64) {
        self.replays.add(replayed, &[]);
        self.differences.add(different, &[]);
    }

    /// So many days are left until something of this kind and name ends.
    pub fn expiry(&self, kind: &'static str, name: String, days: f64) {
        let labels = [KeyValue::new("kind", kind), KeyValue::new("name", name)];
        self.expiry.record(days, &labels);
    }

    /// This many requests wait for the writer.
    pub fn queue(&self, requests: u64) {
        self.queue.record(requests, &[]);
    }
}

fn expiry(meter: &Meter) -> Gauge<f64> {
    let what = "Until a certificate of the broker, an authority or a revocation list ends; negative from then on";
    let gauge = meter.f64_gauge("schakel.expiry").with_unit("d");
    gauge.with_description(what).build()
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}
