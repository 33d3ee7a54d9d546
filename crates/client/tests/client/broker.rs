//! The broker of the tests: its authority, its certificate, its listener.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::{
    RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
    version::TLS13,
};
use schakel_api::v1::{
    audit_service_server::AuditServiceServer, exchange_service_server::ExchangeServiceServer,
    inbox_service_server::InboxServiceServer,
};
use schakel_client::{Client, ClientConfig, Identity, RetryPolicy, Trail};
use schakel_core::{random::Random, time::Timestamp};
use schakel_pki::{
    authority::{DevelopmentAuthority, Issued},
    organisation::Organisations,
    validity::Validity,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use crate::{
    log::{Log, ORIGIN},
    service::{PARTY, Service},
};

/// A broker on loopback. Dropped with the runtime of its test.
pub(crate) struct Broker {
    pub(crate) address: String,
    pub(crate) service: Service,
    pub(crate) authority: DevelopmentAuthority,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        Self::start_speaking(&TLS13).await
    }

    /// A broker that speaks this version of TLS and no other.
    pub(crate) async fn start_speaking(version: &'static SupportedProtocolVersion) -> Self {
        let authority = authority();
        let acceptor = acceptor(&authority, version);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (accepted, incoming) = tokio::sync::mpsc::channel(8);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, accepted) = (acceptor.clone(), accepted.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = accepted.send(Ok::<_, io::Error>(Accepted(stream))).await;
                    }
                });
            }
        });
        let service = Service::new();
        let server = tonic::transport::Server::builder()
            .add_service(ExchangeServiceServer::new(service.clone()))
            .add_service(InboxServiceServer::new(service.clone()))
            .add_service(AuditServiceServer::new(service.clone()))
            .serve_with_incoming(ReceiverStream::new(incoming));
        tokio::spawn(server);
        Self {
            address,
            service,
            authority,
        }
    }

    /// What a client needs to call this broker as the housing association, with short pauses.
    pub(crate) fn config(&self) -> ClientConfig {
        let issued = issue(&self.authority, PARTY);
        let identity = Identity::new(PARTY, issued.cert_pem, issued.key_pem);
        let trail = Trail::pinned(ORIGIN, &Log::vkey()).unwrap();
        let mut config = ClientConfig::new(
            &self.address,
            self.authority.cert_pem(),
            identity,
            Arc::new(trail),
        );
        config.retry = RetryPolicy {
            max_attempts: 3,
            first_pause: Duration::from_millis(5),
            longest_pause: Duration::from_millis(20),
        };
        config
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.config()).await.unwrap()
    }
}

pub(crate) fn authority() -> DevelopmentAuthority {
    DevelopmentAuthority::new(now(), &mut Counter(0)).unwrap()
}

pub(crate) fn issue(authority: &DevelopmentAuthority, id: &str) -> Issued {
    issue_for(authority, id, Validity::days(1, now()))
}

pub(crate) fn issue_for(authority: &DevelopmentAuthority, id: &str, validity: Validity) -> Issued {
    let organisations = Organisations::of_development().unwrap();
    let organisation = organisations.find(id).unwrap();
    authority
        .issue(organisation, validity, &mut Counter(10))
        .unwrap()
}

/// TLS takes the time from the machine, so certificates for it must too.
#[expect(
    clippy::disallowed_methods,
    reason = "the certificates are held against the machine's clock"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap()).unwrap()
}

struct Counter(u8);

impl Random for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0 += 1;
        bytes.fill(self.0);
    }
}

fn acceptor(
    authority: &DevelopmentAuthority,
    version: &'static SupportedProtocolVersion,
) -> TlsAcceptor {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(authority.cert_der().to_vec()))
        .unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
        .build()
        .unwrap();
    let own = issue(authority, "broker");
    let certificate = CertificateDer::from_pem_slice(own.cert_pem.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// A connection as the server wants it.
struct Accepted(TlsStream<TcpStream>);

impl Connected for Accepted {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Accepted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
