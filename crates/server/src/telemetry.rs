//! Logs, traces and metrics. None of them is ever in the way of an answer, and none holds personal data:
//! of a call they know the method, the party, the status code and how long it took, never a field of it.

use std::{
    io::{self, IsTerminal as _},
    panic,
    path::PathBuf,
    time::Duration,
};

use opentelemetry::{
    metrics::MeterProvider as _,
    trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState, TracerProvider as _},
};
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig, WithTonicConfig,
};
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider},
};
use schakel_core::id::PartyId;
use tonic::{Code, transport::Channel};
use tracing::{Span, Subscriber, field::Empty, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{ParseError, Targets},
    fmt,
    layer::SubscriberExt as _,
    registry::LookupSpan,
};

use crate::{
    config::{LogFormat, Telemetry as Config},
    edge::TraceParent,
};

mod collector;
mod lines;
mod metrics;

pub use metrics::Metrics;

use lines::{Lines, Written};

/// The target of the span of a call: the only spans that leave the process.
const CALLS: &str = "schakel::call";

/// How many spans wait to be sent before more are dropped: the library's 2,048 fill up in a moment.
const SPANS_WAITING: usize = 16_384;

/// How long the collector may take for one export.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Running telemetry. It must be stopped for what waits to be sent.
#[derive(Debug)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    meters: Option<SdkMeterProvider>,
    metrics: Metrics,
    /// Last: what is said while the others end is written too.
    _written: Written,
}

/// Why telemetry does not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The collector's address cannot be used.
    #[error(
        "`telemetry.otlp_endpoint` cannot be used: it must be the address of a collector for OTLP over gRPC"
    )]
    Endpoint(#[source] ExporterBuildError),
    /// The authorities of the collector cannot be used.
    #[error("`telemetry.otlp_ca`: `{}` cannot be used: it must hold certificates, PEM", file.display())]
    Authorities {
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is no thread to write the log.
    #[error("no thread could be started to write the log")]
    Log(#[source] io::Error),
    /// The directives cannot be used.
    #[error("`telemetry.log` cannot be used: it must be a level or directives")]
    Directives(#[source] ParseError),
}

impl Telemetry {
    /// Starts logging, and traces and metrics when a collector is configured. Needs a tokio runtime.
    ///
    /// Logs and traces are the process's: where a subscriber was installed before, that one stays.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn start(config: &Config) -> Result<Self, TelemetryError> {
        let directives = EnvFilter::try_new(&config.log).map_err(TelemetryError::Directives)?;
        let (traces, meters) = match config.otlp_endpoint.as_deref() {
            Some(endpoint) => {
                let secured = secured(endpoint, config)?;
                (
                    Some(traces(endpoint, secured.clone(), config)?),
                    Some(meters(endpoint, secured, config)?),
                )
            }
            None => (None, None),
        };
        let metrics = meters.as_ref().map_or_else(Metrics::unsent, |meters| {
            Metrics::new(&meters.meter("schakel"))
        });
        let (lines, written) =
            Lines::start(io::stderr, config.log_format).map_err(TelemetryError::Log)?;
        let subscriber = tracing_subscriber::registry()
            .with(formatted(lines, config.log_format).with_filter(directives))
            .with(
                traces
                    .as_ref()
                    .map(|traces| call_layer(traces.tracer("schakel"))),
            );
        if tracing::subscriber::set_global_default(subscriber).is_ok() {
            panic::set_hook(Box::new(log_panic));
        }
        Ok(Self {
            traces,
            meters,
            metrics,
            _written: written,
        })
    }

    /// What the rest of the broker measures into.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Sends what waits, and ends. A collector that does not answer costs at most this long.
    pub async fn stop(self, within: Duration) {
        // Both block: within a task they could wait for the very thread they run on.
        let stopping = tokio::task::spawn_blocking(move || {
            let half = within / 2;
            let traces = self.traces.map(|traces| traces.shutdown_with_timeout(half));
            let meters = self.meters.map(|meters| meters.shutdown_with_timeout(half));
            for error in [traces, meters]
                .into_iter()
                .flatten()
                .filter_map(Result::err)
            {
                tracing::warn!(%error, "telemetry was lost");
            }
        });
        if tokio::time::timeout(within, stopping).await.is_err() {
            tracing::warn!("telemetry was lost: the collector does not answer");
        }
    }
}

/// The span of a call, linked to its caller's trace: another organisation's decision to sample is its own.
pub(crate) fn call_span(
    method: &'static str,
    party: Option<&PartyId>,
    parent: Option<TraceParent>,
) -> Span {
    let span = tracing::debug_span!(
        target: CALLS,
        "call",
        otel.name = method,
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.method = method,
        schakel.party = party.map(PartyId::as_str),
        rpc.grpc.status_code = Empty,
    );
    if let Some(TraceParent {
        trace,
        span: parent,
    }) = parent
        && !span.is_disabled()
    {
        span.add_link(SpanContext::new(
            TraceId::from_bytes(trace),
            SpanId::from_bytes(parent),
            TraceFlags::NOT_SAMPLED,
            true,
            TraceState::NONE,
        ));
    }
    span
}

/// Notes how a call ended.
pub(crate) fn close_span(span: &Span, code: Code) {
    span.record("rpc.grpc.status_code", code as i32);
}

/// Log lines in this format, left with a writer.
fn formatted<S, W>(to: W, format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(to);
    match format {
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
        LogFormat::Readable => layer.with_ansi(io::stderr().is_terminal()).boxed(),
    }
}

/// Sends the spans of calls and nothing else: neither what other crates trace, which would trace its own
/// sending, nor log lines.
fn call_layer<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_target(CALLS, LevelFilter::DEBUG))
}

fn secured(endpoint: &str, config: &Config) -> Result<Option<Channel>, TelemetryError> {
    let authorities = config.otlp_ca.as_deref();
    let channel = collector::secured(endpoint, authorities, EXPORT_TIMEOUT);
    channel.map_err(|source| TelemetryError::Authorities {
        file: config.otlp_ca.clone().unwrap_or_default(),
        source,
    })
}

/// Where an exporter sends: over a connection of our own when there is one.
fn to<T: WithTonicConfig + WithExportConfig>(
    exporter: T,
    endpoint: &str,
    secured: Option<Channel>,
) -> T {
    let exporter = exporter
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT);
    match secured {
        Some(channel) => exporter.with_channel(channel),
        None => exporter,
    }
}

fn traces(
    endpoint: &str,
    secured: Option<Channel>,
    config: &Config,
) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = to(SpanExporter::builder().with_tonic(), endpoint, secured)
        .build()
        .map_err(TelemetryError::Endpoint)?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(SPANS_WAITING)
        .build();
    let processor = BatchSpanProcessor::builder(exporter)
        .with_batch_config(batches)
        .build();
    Ok(SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_sampler(Sampler::TraceIdRatioBased(config.trace_ratio))
        .with_resource(resource())
        .build())
}

fn meters(
    endpoint: &str,
    secured: Option<Channel>,
    config: &Config,
) -> Result<SdkMeterProvider, TelemetryError> {
    let exporter = to(MetricExporter::builder().with_tonic(), endpoint, secured)
        .build()
        .map_err(TelemetryError::Endpoint)?;
    let reader = PeriodicReader::builder(exporter)
        .with_interval(config.metrics_every)
        .build();
    Ok(SdkMeterProvider::builder()
        .with_reader(reader)
        .with_resource(resource())
        .build())
}

fn resource() -> Resource {
    Resource::builder().with_service_name("schakel").build()
}

/// Logs where a panic happened, never its message: that may show the value it happened on.
fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let location = info.location().map(ToString::to_string);
    tracing::error!(location, "panic");
}

#[cfg(test)]
mod tests;
