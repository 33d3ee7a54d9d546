//! Accepting connections: the handshake within its time, so many at once, so many of each party.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use rustls::ProtocolVersion;
use schakel_core::{event::RefusalReason, id::Oin};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    identify::Connection,
    limits::Counted,
    link::Link,
    proxy,
    refusals::{Refusals, Whom},
    sockets::{self, Opened, site},
    tls::Tls,
    turns::Turns,
};
use crate::{
    clock::Clock,
    config::{Environment, Limits},
};

/// What accepting needs; all of it is shared.
#[derive(Clone, Debug)]
pub struct Acceptor {
    /// What handshakes go by.
    pub tls: Arc<Tls>,
    /// What is spoken over connections.
    pub protocol: Protocol,
    /// Whether certificates for development count.
    pub environment: Environment,
    /// The balancers that say where a connection came from.
    pub proxies: Arc<[IpAddr]>,
    /// How much at once, and how long.
    pub limits: Limits,
    /// Where refused handshakes are counted.
    pub refusals: Arc<Refusals>,
    /// The time of those.
    pub clock: Arc<dyn Clock>,
    /// Cuts every connection when it turns true.
    pub cut: watch::Receiver<bool>,
}

/// What is spoken over connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/2, for calls; a client must say so in its handshake.
    Calls,
    /// HTTP/1.1, for files; a client need not say so.
    Files,
}

/// The bounds that all connections share.
#[derive(Clone, Debug)]
struct Bounds {
    handshakes: Arc<Turns>,
    by_address: Arc<Counted<IpAddr>>,
    by_oin: Arc<Counted<Option<Oin>>>,
}

impl Acceptor {
    /// Accepts connections until told to stop, or until nobody takes them any more. The listener closes
    /// then.
    #[must_use]
    pub fn run(
        self,
        listener: TcpListener,
        stopping: watch::Receiver<bool>,
    ) -> ReceiverStream<io::Result<Link>> {
        let (bounds, places) = (Bounds::new(&self.limits), self.limits.connections);
        sockets::accept(listener, places, stopping, move |opened| {
            self.clone().shake_hands(opened, bounds.clone())
        })
    }

    async fn shake_hands(self, opened: Opened, bounds: Bounds) -> Option<Link> {
        let Opened {
            stream,
            address: peer,
            place: held,
        } = opened;
        let proven = self.prove_in_turn(stream, peer, &bounds).await;
        let (stream, address) = match proven {
            Ok(proven) => proven,
            Err((reason, error)) => {
                tracing::debug!(%peer, %error, "handshake refused");
                self.refuse(reason);
                return None;
            }
        };
        let (_, session) = stream.get_ref();
        if !self.protocol.is(session.alpn_protocol()) {
            self.refuse(RefusalReason::Handshake);
            return None;
        }
        let version = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "1.2",
            _ => "1.3",
        };
        let chain = session.peer_certificates()?.iter();
        let lease = self
            .tls
            .lease(chain.map(|der| der.clone().into_owned()).collect());
        let ends_at = Instant::now() + self.limits.connection_age;
        let connection =
            Connection::new(lease, address, self.environment, ends_at).of_version(version);
        let Some(place) = bounds.by_oin.take(connection.oin().cloned()) else {
            tracing::debug!(%address, oin = connection.oin().map(Oin::as_str), "too many connections");
            self.refuse(RefusalReason::Quota);
            return None;
        };
        let of_its_own = is_cut(connection.outflow().cut().subscribe());
        let cut = async move {
            tokio::select! {
                () = is_cut(self.cut) => {}
                () = of_its_own => {}
            }
        };
        let first_call = Instant::now() + self.limits.handshake_timeout;
        Some(Link::new(
            stream,
            connection,
            first_call,
            cut,
            (held, place),
        ))
    }

    /// Lets a connection prove itself, for as long as a handshake may take and no newer one needs its
    /// turn.
    async fn prove_in_turn(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        bounds: &Bounds,
    ) -> Result<(TlsStream<TcpStream>, SocketAddr), (RefusalReason, io::Error)> {
        let turn = bounds.handshakes.take();
        let patience = self.limits.handshake_timeout;
        tokio::select! {
            shaken = timeout(patience, self.prove(stream, peer, bounds)) => {
                shaken.unwrap_or_else(|late| Err((RefusalReason::Handshake, late.into())))
            }
            () = turn.is_over() => {
                let error = io::Error::other("gave way to newer handshakes");
                Err((RefusalReason::Quota, error))
            }
        }
    }

    /// Finds out where a connection came from, and has it prove a certificate.
    async fn prove(
        &self,
        mut stream: TcpStream,
        mut address: SocketAddr,
        bounds: &Bounds,
    ) -> Result<(TlsStream<TcpStream>, SocketAddr), (RefusalReason, io::Error)> {
        let refused = |error| (RefusalReason::Handshake, error);
        // Short answers would wait for the client's acknowledgement otherwise.
        stream.set_nodelay(true).map_err(refused)?;
        if self.proxies.contains(&address.ip().to_canonical()) {
            let origin = proxy::read(&mut stream).await.map_err(refused)?;
            address = origin.unwrap_or(address);
        }
        let Some(_place) = bounds.by_address.take(site(address.ip())) else {
            let error = io::Error::other("too many handshakes from one address");
            return Err((RefusalReason::Quota, error));
        };
        let config = match self.protocol {
            Protocol::Calls => self.tls.server_config(),
            Protocol::Files => self.tls.files_config(),
        };
        let handshake = TlsAcceptor::from(config).accept(stream);
        Ok((handshake.await.map_err(refused)?, address))
    }

    fn refuse(&self, reason: RefusalReason) {
        self.refusals
            .count(Whom::default(), reason, self.clock.now());
    }
}

impl Protocol {
    /// Whether that is what a handshake settled on.
    fn is(self, settled: Option<&[u8]>) -> bool {
        match self {
            Self::Calls => settled == Some(b"h2"),
            Self::Files => settled.is_none_or(|settled| settled == b"http/1.1"),
        }
    }
}

impl Bounds {
    fn new(limits: &Limits) -> Self {
        Self {
            handshakes: Arc::new(Turns::new(limits.handshakes)),
            by_address: Arc::new(Counted::new(limits.handshakes.div_ceil(4))),
            by_oin: Arc::new(Counted::new(limits.connections_per_party)),
        }
    }
}

async fn is_cut(mut cut: watch::Receiver<bool>) {
    if cut.wait_for(|cut| *cut).await.is_err() {
        // Nobody is left to cut it.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
