//! A collector over TLS: it gets everything when its certificate is of an authority that counts, and else nothing.

use std::{
    convert::Infallible,
    fs,
    net::SocketAddr,
    path::Path,
    task::{Context as TaskContext, Poll},
};

use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use opentelemetry::trace::Tracer as _;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use schakel_pki::{
    authority::{DevelopmentAuthority, Issued},
    organisation::Organisations,
    validity::Validity,
};
use schakel_store::random::OsRandom;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{body::Body, server::NamedService, transport::Server};

use super::*;
use crate::{
    clock::{Clock as _, SystemClock},
    edge::tls,
};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// Takes whatever comes, and says which method that was.
#[derive(Clone)]
struct Taking<const OF_TRACES: bool>(mpsc::UnboundedSender<String>);

impl NamedService for Taking<true> {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl NamedService for Taking<false> {
    const NAME: &'static str = "opentelemetry.proto.collector.metrics.v1.MetricsService";
}

impl<const OF_TRACES: bool> tower::Service<Request<Body>> for Taking<OF_TRACES> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        drop(self.0.send(request.uri().path().to_owned()));
        let mut ok = HeaderMap::new();
        ok.insert("grpc-status", header::HeaderValue::from_static("0"));
        // A message without any field, and the status after it.
        let empty = Full::new(Bytes::from_static(&[0; 5]));
        let body = empty.with_trailers(std::future::ready(Some(Ok(ok))));
        let mut response = Response::new(Body::new(body));
        let grpc = header::HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(header::CONTENT_TYPE, grpc);
        std::future::ready(Ok(response))
    }
}

/// A collector that shows this certificate, and what it was sent.
async fn collector(own: &Issued) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let (sender, sent) = mpsc::unbounded_channel();
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let behind = plain.local_addr().unwrap();
    let server = Server::builder()
        .add_service(Taking::<true>(sender.clone()))
        .add_service(Taking::<false>(sender));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(plain)));
    let chain = CertificateDer::pem_slice_iter(own.cert_pem.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(tls::provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Whoever does not accept its certificate hangs up.
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let mut plain = TcpStream::connect(behind).await.unwrap();
                    drop(copy_bidirectional(&mut stream, &mut plain).await);
                }
            });
        }
    });
    (address, sent)
}

/// Sends a span and a metric to a collector and ends.
async fn send(address: SocketAddr, authorities: &Path) {
    let config = Config {
        otlp_endpoint: Some(format!("https://{address}")),
        otlp_ca: Some(authorities.to_owned()),
        trace_ratio: 1.0,
        ..Config::default()
    };
    let endpoint = config.otlp_endpoint.clone().unwrap();
    let secured = secured(&endpoint, &config).unwrap();
    assert!(secured.is_some());
    let traces = traces(&endpoint, secured.clone(), &config).unwrap();
    let meters = meters(&endpoint, secured, &config).unwrap();
    traces.tracer("schakel").in_span("call", |_| ());
    let metrics = Metrics::new(&meters.meter("schakel"));
    metrics.call("ExchangeService/Ask", Code::Ok, Duration::from_millis(1));
    let (_, written) = Lines::start(io::stderr, LogFormat::Readable).unwrap();
    let telemetry = Telemetry {
        traces: Some(traces),
        meters: Some(meters),
        metrics,
        _written: written,
    };
    telemetry.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_over_tls_gets_traces_and_metrics_once_its_authority_counts() {
    let now = SystemClock.now();
    let [right, wrong] = [(); 2].map(|()| DevelopmentAuthority::new(now, &mut OsRandom).unwrap());
    let organisations = Organisations::of_development().unwrap();
    let broker = organisations.find("broker").unwrap();
    let own = right.issue(broker, Validity::days(30, now), &mut OsRandom);
    let (address, mut sent) = collector(&own.unwrap()).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("collector-ca.pem");
    fs::write(&file, wrong.cert_pem()).unwrap();
    send(address, &file).await;
    assert!(sent.try_recv().is_err(), "something was said to a stranger");
    fs::write(&file, right.cert_pem()).unwrap();
    send(address, &file).await;
    let mut methods = Vec::new();
    while let Ok(method) = sent.try_recv() {
        methods.push(method);
    }
    methods.sort();
    methods.dedup();
    assert_eq!(methods, [METRICS, TRACES]);
}

#[test]
fn authorities_that_cannot_be_read_stop_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("collector-ca.pem");
    let config = Config {
        otlp_endpoint: Some("https://collector.example:4317".to_owned()),
        otlp_ca: Some(file.clone()),
        ..Config::default()
    };
    for content in [None, Some(""), Some("nonsense\n")] {
        if let Some(content) = content {
            fs::write(&file, content).unwrap();
        }
        let error = Telemetry::start(&config).unwrap_err();
        assert!(matches!(error, TelemetryError::Authorities { .. }));
        assert!(
            error.to_string().starts_with("`telemetry.otlp_ca`"),
            "{error}"
        );
    }
}
