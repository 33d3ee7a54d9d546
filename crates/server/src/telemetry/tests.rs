//! What telemetry knows of a call, and that a collector which does not answer holds nobody up.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Instant,
};

use tracing::{
    field::{Field, Visit},
    span,
};
use tracing_subscriber::layer::Context;

use super::*;

mod tls;

/// Keeps the fields of every span.
#[derive(Clone, Default)]
struct Fields(Arc<Mutex<Vec<(String, String)>>>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0
            .lock()
            .unwrap()
            .push((field.name().to_owned(), format!("{value:?}")));
    }
}

impl<S: Subscriber> Layer<S> for Fields {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        attributes.record(&mut self.clone());
    }

    fn on_record(&self, _: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        values.record(&mut self.clone());
    }
}

#[test]
fn the_span_of_a_call_holds_method_party_and_code_and_nothing_else() {
    let fields = Fields::default();
    let party: PartyId = "pi-noord".parse().unwrap();
    let subscriber = tracing_subscriber::registry().with(fields.clone());
    tracing::subscriber::with_default(subscriber, || {
        let span = call_span("ExchangeService/Ask", Some(&party), None);
        close_span(&span, Code::Ok);
    });
    let seen = fields.0.lock().unwrap().clone();
    let names: Vec<_> = seen
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let expected = [
        ("otel.name", "\"ExchangeService/Ask\""),
        ("otel.kind", "\"server\""),
        ("rpc.system", "\"grpc\""),
        ("rpc.method", "\"ExchangeService/Ask\""),
        ("schakel.party", "\"pi-noord\""),
        ("rpc.grpc.status_code", "0"),
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_collector_that_does_not_answer_holds_up_nothing_for_long() {
    // Bound and never read from: connections open, and nothing comes back.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = Config {
        otlp_endpoint: Some(format!("http://{}", silent.local_addr().unwrap())),
        ..Config::default()
    };
    let telemetry = Telemetry::start(&config).unwrap();
    telemetry
        .metrics()
        .call("ExchangeService/Ask", Code::Ok, Duration::from_millis(1));
    let began = Instant::now();
    telemetry.stop(Duration::from_millis(300)).await;
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn without_a_collector_measuring_goes_nowhere() {
    let telemetry = Telemetry::start(&Config::default()).unwrap();
    let metrics = telemetry.metrics();
    metrics.batch(3, Duration::from_micros(100));
    metrics.index_lag(0);
    metrics.queue(1);
    telemetry.stop(Duration::from_secs(1)).await;
}

#[test]
fn directives_that_cannot_be_read_are_told_by_their_key() {
    let config = Config {
        log: "schakel=loud".to_owned(),
        ..Config::default()
    };
    let error = Telemetry::start(&config).unwrap_err();
    assert!(error.to_string().starts_with("`telemetry.log`"), "{error}");
}
