//! The connection to the collector of traces and metrics. Over https it goes to nobody but whom the authorities of
//! the configuration vouch for; the broker shows no certificate of its own.

use std::{
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig,
    pki_types::ServerName,
    version::{TLS12, TLS13},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::edge::tls;

/// Whose calls go where, over TLS.
#[derive(Clone, Debug)]
struct Dialler {
    host: String,
    port: u16,
    authorities: PathBuf,
}

/// A channel to a collector with an `https` address; `None` for any other. It connects when it is first used, and
/// again when it was lost.
///
/// # Errors
/// When the authorities cannot be read, or the address is none.
pub(super) fn secured(
    address: &str,
    authorities: Option<&Path>,
    within: Duration,
) -> io::Result<Option<Channel>> {
    let uri: Uri = address.parse().map_err(io::Error::other)?;
    let (Some("https"), Some(authorities)) = (uri.scheme_str(), authorities) else {
        return Ok(None);
    };
    let dialler = Dialler {
        host: uri
            .host()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned(),
        port: uri.port_u16().unwrap_or(443),
        authorities: authorities.to_owned(),
    };
    // What is wrong with it from the beginning is told at the start.
    dialler.configuration()?;
    let endpoint = Endpoint::from(uri).connect_timeout(within).timeout(within);
    let dial = service_fn(move |_| dialler.clone().dial_boxed());
    Ok(Some(endpoint.connect_with_connector_lazy(dial)))
}

type Dial = Pin<Box<dyn Future<Output = io::Result<TokioIo<TlsStream<TcpStream>>>> + Send>>;

impl Dialler {
    fn dial_boxed(self) -> Dial {
        Box::pin(self.dial())
    }

    async fn dial(self) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let tls = TlsConnector::from(Arc::new(self.configuration()?));
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(tls.connect(name, stream).await?))
    }

    /// By what the next connection goes. The file is read each time, because authorities change.
    fn configuration(&self) -> io::Result<ClientConfig> {
        let roots = tls::roots(&self.authorities)?;
        let mut tls = ClientConfig::builder_with_provider(Arc::new(tls::provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        Ok(tls)
    }
}
