//! A connection to the broker: TLS with or without a certificate, and HTTP/2 over it.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    sign::{CertifiedKey, SingleCertAndKey},
    time_provider::TimeProvider,
    version::{TLS12, TLS13},
};
use schakel_pki::authority::Issued;
use schakel_server::clock::Clock;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};

/// How to reach a broker, and as whom.
#[derive(Clone)]
pub struct Line {
    address: SocketAddr,
    origin: Option<SocketAddr>,
    tls: Arc<ClientConfig>,
    /// How much its kernel takes in that nobody reads, in bytes.
    receives: Option<u32>,
}

impl Line {
    /// A line to this address, trusting this authority, with a certificate or with none.
    #[must_use]
    pub fn new(
        address: SocketAddr,
        authority_pem: &str,
        own: Option<&Issued>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::of_version(address, authority_pem, own, clock, false)
    }

    /// As [`Self::new`], with the older TLS 1.2.
    #[must_use]
    pub fn old(
        address: SocketAddr,
        authority_pem: &str,
        own: Option<&Issued>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::of_version(address, authority_pem, own, clock, true)
    }

    fn of_version(
        address: SocketAddr,
        authority_pem: &str,
        own: Option<&Issued>,
        clock: Arc<dyn Clock>,
        old: bool,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(authority_pem.as_bytes()).expect("PEM");
        roots.add(authority).expect("an authority");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let version = if old { &TLS12 } else { &TLS13 };
        let builder = ClientConfig::builder_with_details(provider, Arc::new(ClockTime(clock)))
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_root_certificates(roots);
        let mut tls = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = CertificateDer::pem_slice_iter(own.cert_pem.as_bytes())
                    .collect::<Result<Vec<_>, _>>()
                    .expect("PEM");
                let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).expect("PEM");
                // Not asked whether they belong together: that is what some tests are about.
                let key = any_supported_type(&key).expect("a key");
                let certified = Arc::new(CertifiedKey::new(chain, key));
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
        };
        tls.alpn_protocols = vec![b"h2".to_vec()];
        Self {
            address,
            origin: None,
            tls: Arc::new(tls),
            receives: None,
        }
    }

    /// A socket from another address of loopback, 127.0.0.`host`, that says nothing.
    ///
    /// # Errors
    /// When it cannot be connected.
    pub async fn silent(&self, host: u8) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, host], 0).into())?;
        socket.connect(self.address).await
    }

    /// The same as a balancer opens it for somebody at this address.
    #[must_use]
    pub fn behind(mut self, origin: SocketAddr) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The same with a kernel that takes in about so many bytes that nobody reads.
    #[must_use]
    pub fn receiving(mut self, bytes: u32) -> Self {
        self.receives = Some(bytes);
        self
    }

    /// Opens a connection and does the handshake.
    ///
    /// # Errors
    /// When the broker cannot be reached or TLS refuses.
    pub async fn dial(&self) -> io::Result<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = self.receives {
            socket.set_recv_buffer_size(bytes)?;
        }
        let mut stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        if let Some(origin) = self.origin {
            stream.write_all(&proxy_header(origin)).await?;
        }
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await
    }

    /// Reads a published file: the status, the head of the answer and its content.
    ///
    /// # Errors
    /// As [`Self::dial`], or when the answer is not one.
    pub async fn read(&self, address: SocketAddr, request: &str) -> io::Result<Answered> {
        let mut tls = ClientConfig::clone(&self.tls);
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let line = Self {
            address,
            origin: self.origin,
            tls: Arc::new(tls),
            receives: self.receives,
        };
        let mut stream = line.dial().await?;
        let request = format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.ok_or(io::ErrorKind::InvalidData)?;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok(Answered {
            status: status.ok_or(io::ErrorKind::InvalidData)?,
            head: head.to_ascii_lowercase(),
            content: answer[end + 4..].to_vec(),
        })
    }

    /// Opens a connection for calls. One that is lost opens itself anew.
    ///
    /// # Errors
    /// As [`Self::dial`].
    pub async fn channel(&self) -> Result<Channel, tonic::transport::Error> {
        self.endpoint()
            .connect_with_connector(self.connector())
            .await
    }

    /// A connection that is opened at its first call.
    #[must_use]
    pub fn lazy_channel(&self) -> Channel {
        self.endpoint()
            .connect_with_connector_lazy(self.connector())
    }

    fn endpoint(&self) -> Endpoint {
        let uri = format!("http://{}", self.address);
        Endpoint::from_shared(uri)
            .expect("an address")
            .connect_timeout(Duration::from_secs(20))
    }

    fn connector(&self) -> Connector {
        let line = self.clone();
        tower::service_fn(Box::new(move |_| {
            let line = line.clone();
            Box::pin(async move { Ok(TokioIo::new(line.dial().await?)) })
        }))
    }
}

/// An answer over HTTP/1.1.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// Its first line and headers, in small letters.
    pub head: String,
    /// What follows.
    pub content: Vec<u8>,
}

/// PROXY protocol version 2 for a connection from an IPv4 address.
fn proxy_header(origin: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(origin) = origin else {
        panic!("an IPv4 address");
    };
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    header.extend(origin.ip().octets());
    header.extend([10, 0, 0, 5]);
    header.extend(origin.port().to_be_bytes());
    header.extend(7443_u16.to_be_bytes());
    header
}

type Dial =
    std::pin::Pin<Box<dyn Future<Output = io::Result<TokioIo<TlsStream<TcpStream>>>> + Send>>;
type Connector = tower::util::ServiceFn<Box<dyn Fn(tonic::transport::Uri) -> Dial + Send + Sync>>;

/// The clock of the test, as TLS asks for it: certificates count by the same time on both sides.
struct ClockTime(Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = self.0.now().as_millis();
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockTime")
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
