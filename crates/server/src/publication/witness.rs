//! One witness: asking it for a cosignature (C2SP tlog-witness).

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use schakel_audit::{
    cosignature::WitnessKey,
    note::{Note, Signature},
    tree::Hash,
    witness::{AddCheckpoint, CONFLICT, parse_conflict, parse_cosignatures},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::witnesses::Asked;

/// The longest answer that is read.
const MOST_ANSWER: usize = 64 * 1024;
/// How often a witness that remembers another size is asked again.
const MOST_TRIES: usize = 3;
/// How far the time in a cosignature may be from the broker's: what is older is no answer to this question.
const TOLERANCE_S: u64 = 600;

/// Where a witness is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    host: String,
    port: u16,
    path: String,
    pub(super) encrypted: bool,
}

/// A witness.
#[derive(Debug)]
pub(super) struct Witness {
    pub(super) name: String,
    pub(super) key: WitnessKey,
    pub(super) address: Address,
    /// The size that it cosigned last, as far as is known here.
    old: AtomicU64,
}

/// Why a witness gave no cosignature.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// It remembers a size that the log does not have.
    #[error("it has seen {seen} entries, and the log has {log}: the log was rolled back")]
    Rollback { seen: u64, log: u64 },
    /// It remembers a size, and does not when it is asked from there.
    #[error("it contradicts itself about the size that it has seen")]
    Wavers,
    /// It has seen more than the checkpoint it was asked about, which the log has.
    #[error("it has seen a newer checkpoint already")]
    Ahead,
    /// It does not accept the proof: the strongest sign of a fork there is beside a larger size.
    #[error(
        "it says that the log does not follow from what it has seen: compare the two before anything else"
    )]
    Inconsistent,
    /// It does not know the log, or the key that signed.
    #[error("it does not know the log, or not its key ({0}): enrol the log with it")]
    Unknown(StatusCode),
    /// Another status.
    #[error("it answers {0}")]
    Status(StatusCode),
    /// The answer is no cosignature.
    #[error("its answer is no cosignature of this checkpoint by its key")]
    Forged,
    /// The cosignature is of another time.
    #[error("its cosignature is of another time: {0} s since 1970")]
    Stale(u64),
    /// The proof for it cannot be made.
    #[error("the log cannot be read")]
    Log,
    /// It cannot be reached.
    #[error("it cannot be reached")]
    Io(#[from] std::io::Error),
    /// Its certificate is of no authority that counts, or does not hold.
    #[error("its certificate is not accepted by `publication.witness_ca`: {0}")]
    Untrusted(rustls::Error),
    /// TLS failed otherwise.
    #[error("no TLS connection comes about: {0}")]
    Tls(std::io::Error),
    /// HTTP failed.
    #[error("it does not speak HTTP as it should")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It took too long.
    #[error("it took too long")]
    Late,
}

impl Address {
    /// Reads the submission prefix of a witness. Plain `http` is for this machine alone.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let encrypted = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = uri.host()?.trim_matches(['[', ']']).to_owned();
        let is_here =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let plain = uri.query().is_none() && (encrypted || is_here);
        plain.then(|| Self {
            port: uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 }),
            path: format!("{}/add-checkpoint", uri.path().trim_end_matches('/')),
            host,
            encrypted,
        })
    }

    fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl Witness {
    pub(super) const fn new(name: String, key: WitnessKey, address: Address) -> Self {
        Self {
            name,
            key,
            address,
            old: AtomicU64::new(0),
        }
    }

    /// Asks for a cosignature.
    pub(super) async fn ask(
        &self,
        asked: &Asked,
        tls: Option<&Arc<ClientConfig>>,
        within: Duration,
    ) -> Result<Signature, Refused> {
        timeout(within, self.negotiate(asked, tls))
            .await
            .unwrap_or(Err(Refused::Late))
    }

    async fn negotiate(
        &self,
        asked: &Asked,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Signature, Refused> {
        for _ in 0..MOST_TRIES {
            let old = self.old.load(Ordering::Relaxed);
            let body = request(asked, old)?;
            let (status, answer) = self.post(body, tls).await?;
            match status {
                StatusCode::OK => {
                    let signature = self.cosignature(asked, &answer)?;
                    self.old.store(asked.size, Ordering::Relaxed);
                    return Ok(signature);
                }
                status if status.as_u16() == CONFLICT => self.conflict(asked, old, &answer)?,
                StatusCode::UNPROCESSABLE_ENTITY => return Err(Refused::Inconsistent),
                StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => {
                    return Err(Refused::Unknown(status));
                }
                status => return Err(Refused::Status(status)),
            }
        }
        Err(Refused::Wavers)
    }

    /// Learns what the witness remembers.
    fn conflict(&self, asked: &Asked, old: u64, answer: &str) -> Result<(), Refused> {
        let seen = parse_conflict(answer).ok_or(Refused::Status(StatusCode::CONFLICT))?;
        // The log may have grown since the question was put together; it never shrinks.
        let log = asked.trail.size();
        if seen > log {
            return Err(Refused::Rollback { seen, log });
        }
        if seen > asked.size {
            return Err(Refused::Ahead);
        }
        if seen == old {
            return Err(Refused::Wavers);
        }
        self.old.store(seen, Ordering::Relaxed);
        Ok(())
    }

    fn cosignature(&self, asked: &Asked, answer: &str) -> Result<Signature, Refused> {
        let note = Note::parse(&asked.checkpoint).map_err(|_| Refused::Forged)?;
        let signatures = parse_cosignatures(answer).ok_or(Refused::Forged)?;
        let found = signatures.into_iter().find_map(|signature| {
            let at = self.key.verify(note.text(), &signature)?;
            Some((signature, at))
        });
        let (signature, at) = found.ok_or(Refused::Forged)?;
        let now = asked.now.as_millis() / 1000;
        if at.abs_diff(now) > TOLERANCE_S {
            return Err(Refused::Stale(at));
        }
        Ok(signature)
    }

    async fn post(
        &self,
        body: String,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<(StatusCode, String), Refused> {
        let address = &self.address;
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        stream.set_nodelay(true)?;
        if !address.encrypted {
            return self.exchange(stream, body).await;
        }
        let config = tls.ok_or(std::io::ErrorKind::InvalidInput).map(Arc::clone);
        let name = ServerName::try_from(address.host.clone()).map_err(http)?;
        let connector = TlsConnector::from(config.map_err(std::io::Error::from)?);
        let connected = connector.connect(name, stream).await;
        let stream = connected.map_err(untrusted)?;
        self.exchange(stream, body).await
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        body: String,
    ) -> Result<(StatusCode, String), Refused> {
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(http)?;
        // It ends when the sender is gone, at the latest with this call.
        let running = tokio::spawn(connection);
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.address.path)
            .header(header::HOST, self.address.authority())
            .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(Full::new(Bytes::from(body)))
            .map_err(http)?;
        let response = sender.send_request(request).await.map_err(http)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MOST_ANSWER);
        let bytes = body.collect().await.map_err(Refused::Http)?.to_bytes();
        drop(sender);
        running.abort();
        let text = String::from_utf8(bytes.to_vec()).map_err(http)?;
        Ok((status, text))
    }
}

fn request(asked: &Asked, old: u64) -> Result<String, Refused> {
    let proof = if old == 0 || old >= asked.size {
        Vec::new()
    } else {
        let proof = asked.trail.consistency(old, asked.size).ok().flatten();
        let hashes = proof.ok_or(Refused::Log)?.hashes;
        hashes.into_iter().map(Hash::new).collect()
    };
    let request = AddCheckpoint {
        old,
        proof,
        checkpoint: asked.checkpoint.to_string(),
    };
    Ok(request.to_string())
}

/// What a failed handshake came to.
fn untrusted(error: std::io::Error) -> Refused {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(refused @ rustls::Error::InvalidCertificate(_)) => Refused::Untrusted(refused.clone()),
        _ => Refused::Tls(error),
    }
}

fn http(error: impl std::error::Error + Send + Sync + 'static) -> Refused {
    Refused::Http(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_is_asked_in_clear_on_this_machine_alone() {
        let path =
            |url: &str| Address::parse(url).map(|address| (address.authority(), address.path));
        for (url, authority, submit) in [
            (
                "https://witness.example/w1",
                "witness.example:443",
                "/w1/add-checkpoint",
            ),
            (
                "https://witness.example:8443/",
                "witness.example:8443",
                "/add-checkpoint",
            ),
            ("http://127.0.0.1:7001", "127.0.0.1:7001", "/add-checkpoint"),
            ("http://[::1]:7001/a/b", "[::1]:7001", "/a/b/add-checkpoint"),
            ("http://localhost/x", "localhost:80", "/x/add-checkpoint"),
        ] {
            assert_eq!(
                path(url),
                Some((authority.to_owned(), submit.to_owned())),
                "{url}"
            );
        }
        for url in [
            "http://witness.example/w1",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "https://witness.example/?a=b",
            "witness.example",
        ] {
            assert_eq!(path(url), None, "{url}");
        }
    }
}
