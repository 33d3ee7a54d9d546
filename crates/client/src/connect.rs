//! Connections: TLS 1.3 with both certificates, HTTP/2, no delay.

use std::{error::Error, io, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use rustls::{
    RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    version::TLS13,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};

use crate::config::ClientConfig;

/// How long a guest waits for a connection, and for an answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Why there is no connection. What is about a file's content names what it must be.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is not one.
    #[error(
        "`{address}` is not an address: it must be a host and a port, such as `localhost:7443`"
    )]
    Address {
        /// What was given.
        address: String,
    },
    /// The authority's certificates cannot be read.
    #[error(
        "the certificates of the authority cannot be read: they must be one or more certificates in PEM"
    )]
    Authority,
    /// The party's certificate cannot be read.
    #[error(
        "the certificate of the party cannot be read: it must be a chain in PEM, its own first"
    )]
    Certificate,
    /// The number of connections is out of bounds.
    #[error("{connections} connections are not kept: choose 1 to 64")]
    Connections {
        /// What was given.
        connections: usize,
    },
    /// The party's key cannot be read, or is not that of the certificate.
    #[error(
        "the private key of the party cannot be used: it must be the certificate's own key, in PEM"
    )]
    Key,
    /// The principal is no party id.
    #[error(
        "`{principal}` cannot be acted for: a party id has 3 to 40 characters of a-z, 0-9 and -"
    )]
    Principal {
        /// What was given.
        principal: String,
    },
    /// The unit is no id of one.
    #[error("`{unit}` is no unit: the id of one has 1 to 40 characters of a-z, 0-9 and -")]
    Unit {
        /// What was given.
        unit: String,
    },
    /// The name that the broker's certificate must be for is none.
    #[error(
        "`{name}` cannot stand in the broker's certificate: it must be a host name or an IP address"
    )]
    ServerName {
        /// What was given.
        name: String,
    },
    /// The two could not agree on a connection: most often one of the certificates was not accepted.
    #[error("the TLS handshake with `{address}` failed: {said}")]
    Tls {
        /// Where.
        address: String,
        /// What TLS says of it.
        said: String,
    },
    /// The broker cannot be reached.
    #[error("`{address}` cannot be reached")]
    Unreachable {
        /// Where.
        address: String,
        /// What came in the way.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Opens bare connections: the first at once, so that what is wrong shows here, the others when they are
/// first used. Each opens itself anew when it was lost. For calls that [`crate::Client`] does not know; what
/// is answered to them nobody has verified.
///
/// # Errors
/// What is wrong with the configuration, why the address cannot be reached, or what TLS says.
pub async fn channels(config: &ClientConfig) -> Result<Vec<Channel>, ConnectError> {
    if !(1..=64).contains(&config.connections) {
        let connections = config.connections;
        return Err(ConnectError::Connections { connections });
    }
    let dialler = Dialler::new(config)?;
    let endpoint = endpoint(&config.address, config.timeouts.connect)?;
    let first = endpoint
        .connect_with_connector(tower::service_fn(dialler.clone().into_fn()))
        .await
        .map_err(|error| refused(&config.address, error))?;
    let rest = (1..config.connections).map(|_| {
        endpoint.connect_with_connector_lazy(tower::service_fn(dialler.clone().into_fn()))
    });
    Ok(std::iter::once(first).chain(rest).collect())
}

/// Does one handshake and waits for the broker's first word: under TLS 1.3 a client whose certificate is refused
/// learns it only by reading. For whoever wants to know what is wrong; [`channels`] is for calling.
///
/// # Errors
/// What is wrong with the configuration, why the address cannot be reached, or what TLS says.
pub async fn shake_hands(config: &ClientConfig) -> Result<(), ConnectError> {
    let address = config.address.clone();
    let dialler = Dialler::new(config)?;
    let shaken = async {
        let mut stream = dialler.dial().await?.into_inner();
        // HTTP/2 begins so: the preface, and settings that change nothing.
        stream
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
            .await?;
        stream.read_u8().await
    };
    let shaken = timeout(config.timeouts.connect, shaken).await;
    let shaken = shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    match shaken {
        Ok(_) => Ok(()),
        Err(error) => Err(match tls_refusal(&error) {
            Some(said) => ConnectError::Tls { address, said },
            None => ConnectError::Unreachable {
                address,
                source: error.into(),
            },
        }),
    }
}

/// Opens a connection without a certificate, to where certificates are asked for.
pub(crate) async fn guest_channel(
    address: &str,
    server_name: &str,
    ca_pem: &str,
) -> Result<Channel, ConnectError> {
    let roots = roots(ca_pem)?;
    let mut tls = versioned(address)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let dialler = Dialler::to(address, server_name, tls)?;
    endpoint(address, CONNECT_TIMEOUT)?
        .timeout(CALL_TIMEOUT)
        .connect_with_connector(tower::service_fn(dialler.into_fn()))
        .await
        .map_err(|error| refused(address, error))
}

/// What TLS said when it refused, if that is what failed. A handshake that was merely cut off is no refusal:
/// the next one may well come about.
pub(crate) fn tls_refusal(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        // An I/O error hides what it was made from: its source is the source of that.
        let fault = inner
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            .or_else(|| error.downcast_ref());
        if let Some(fault) = fault {
            return is_refusal(fault).then(|| fault.to_string());
        }
        // HTTP/2 keeps no more than the text of a fault below it. An alert came from the other side.
        let text = inner.map(ToString::to_string).unwrap_or_default();
        if text.starts_with("received fatal alert") {
            return Some(text);
        }
        next = error.source();
    }
    None
}

fn is_refusal(fault: &rustls::Error) -> bool {
    matches!(
        fault,
        rustls::Error::AlertReceived(_)
            | rustls::Error::InvalidCertificate(_)
            | rustls::Error::NoApplicationProtocol
            | rustls::Error::PeerIncompatible(_)
    )
}

/// What opens one connection after another.
#[derive(Clone)]
struct Dialler {
    tls: TlsConnector,
    address: Arc<str>,
    server_name: ServerName<'static>,
}

impl Dialler {
    fn new(config: &ClientConfig) -> Result<Self, ConnectError> {
        Self::to(&config.address, &config.server_name, tls(config)?)
    }

    fn to(address: &str, name: &str, tls: rustls::ClientConfig) -> Result<Self, ConnectError> {
        let server_name = ServerName::try_from(name.to_owned());
        let server_name = server_name.map_err(|_| ConnectError::ServerName {
            name: name.to_owned(),
        })?;
        Ok(Self {
            tls: TlsConnector::from(Arc::new(tls)),
            address: address.into(),
            server_name,
        })
    }

    fn into_fn<Uri>(self) -> impl Fn(Uri) -> Dial + Clone {
        move |_| Box::pin(self.clone().dial())
    }

    async fn dial(self) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
        let stream = TcpStream::connect(&*self.address).await?;
        // Without it a short answer waits for the acknowledgement of the packet before: 40 ms.
        stream.set_nodelay(true)?;
        let stream = self.tls.connect(self.server_name, stream).await?;
        Ok(TokioIo::new(stream))
    }
}

type Dial =
    std::pin::Pin<Box<dyn Future<Output = io::Result<TokioIo<TlsStream<TcpStream>>>> + Send>>;

fn endpoint(to: &str, connect_timeout: Duration) -> Result<Endpoint, ConnectError> {
    let address = || ConnectError::Address {
        address: to.to_owned(),
    };
    let port = to.rsplit_once(':').map(|(_, port)| port);
    if port.is_none_or(|port| port.parse::<u16>().is_err()) {
        return Err(address());
    }
    // The scheme is that of what the connector gives, in which TLS is already spoken.
    let endpoint = Endpoint::from_shared(format!("http://{to}")).map_err(|_| address())?;
    Ok(endpoint
        .connect_timeout(connect_timeout)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20)))
}

fn tls(config: &ClientConfig) -> Result<rustls::ClientConfig, ConnectError> {
    let roots = roots(&config.ca_pem)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(config.identity.certificate_pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| ConnectError::Certificate)?;
    if chain.is_empty() {
        return Err(ConnectError::Certificate);
    }
    let key = PrivateKeyDer::from_pem_slice(config.identity.key_pem.as_bytes())
        .map_err(|_| ConnectError::Key)?;
    let mut tls = versioned(&config.address)?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(|_| ConnectError::Key)?;
    tls.alpn_protocols = vec![b"h2".to_vec()];
    Ok(tls)
}

/// TLS 1.3 and nothing older.
fn versioned(
    address: &str,
) -> Result<rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier>, ConnectError> {
    rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|fault| ConnectError::Tls {
            address: address.to_owned(),
            said: fault.to_string(),
        })
}

fn roots(pem: &str) -> Result<RootCertStore, ConnectError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| ConnectError::Authority)?;
        roots
            .add(certificate)
            .map_err(|_| ConnectError::Authority)?;
    }
    if roots.is_empty() {
        return Err(ConnectError::Authority);
    }
    Ok(roots)
}

fn refused(address: &str, error: tonic::transport::Error) -> ConnectError {
    let address = address.to_owned();
    match tls_refusal(&error) {
        Some(said) => ConnectError::Tls { address, said },
        None => ConnectError::Unreachable {
            address,
            source: error.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_tls_is_found_within_errors_that_hide_it() {
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateExpired);
        let said = Some(alert.to_string());
        assert_eq!(tls_refusal(&alert), said);
        let of = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        assert_eq!(
            tls_refusal(&of(Box::<dyn Error + Send + Sync>::from(alert.clone()))),
            said
        );
        assert_eq!(tls_refusal(&of(alert.to_string().into())), said);
    }

    #[test]
    fn a_handshake_that_was_cut_off_is_no_refusal() {
        assert_eq!(tls_refusal(&rustls::Error::HandshakeNotComplete), None);
        assert_eq!(
            tls_refusal(&io::Error::from(io::ErrorKind::UnexpectedEof)),
            None
        );
    }

    #[test]
    fn only_certificates_are_an_authority() {
        for pem in [
            "",
            "nonsense",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert!(
                matches!(roots(pem), Err(ConnectError::Authority)),
                "`{pem}`"
            );
        }
    }
}
