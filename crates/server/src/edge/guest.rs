//! Connections without a client certificate, for whoever asks for a first one: few at a time, and short.
//!
//! Nothing but enrolment is served over them, and at an address of its own, so that no mistake in a table can
//! let somebody in elsewhere without a certificate.

use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use schakel_core::event::RefusalReason;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, watch},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::{
    limits::{Counted, Place},
    proxy,
    refusals::Refusals,
    sockets::{self, Opened, site},
    tls::Tls,
    turns::{Turn, Turns},
};
use crate::clock::Clock;

/// Guests at a time, and from one address. When there are more, the oldest has to go.
const GUESTS: usize = 32;
const GUESTS_OF_ADDRESS: usize = 4;

/// Sockets at a time: those of the guests, and of those who are going.
const SOCKETS: usize = 2 * GUESTS;

/// How long a guest may stay, the handshake included. Handing in a request takes a second.
const STAY: Duration = Duration::from_secs(30);

/// What letting guests in needs.
#[derive(Clone, Debug)]
pub(crate) struct Guests {
    /// What handshakes go by.
    pub(crate) tls: Arc<Tls>,
    /// The balancers that say where a connection came from.
    pub(crate) proxies: Arc<[IpAddr]>,
    /// How long one may take.
    pub(crate) handshake_timeout: Duration,
    /// Where refused handshakes are counted.
    pub(crate) refusals: Arc<Refusals>,
    /// The time of those.
    pub(crate) clock: Arc<dyn Clock>,
}

/// A connection of a guest.
pub(crate) struct Guest {
    stream: TlsStream<TcpStream>,
    address: SocketAddr,
    ends: Pin<Box<dyn Future<Output = ()> + Send>>,
    _held: (OwnedSemaphorePermit, Place<IpAddr>),
}

impl Guests {
    /// Lets guests in until told to stop, or until nobody takes them any more. The listener closes then.
    pub(crate) fn run(
        self,
        listener: TcpListener,
        stopping: watch::Receiver<bool>,
    ) -> ReceiverStream<io::Result<Guest>> {
        let by_address = Arc::new(Counted::new(GUESTS_OF_ADDRESS));
        let turns = Arc::new(Turns::new(GUESTS));
        sockets::accept(listener, SOCKETS, stopping, move |mut opened| {
            let guests = self.clone();
            let (by_address, turns) = (Arc::clone(&by_address), Arc::clone(&turns));
            async move {
                opened.address = guests.origin(&mut opened).await?;
                // One who has as many places as an address may takes nobody's turn.
                let Some(place) = by_address.take(site(opened.address.ip())) else {
                    guests.refuse(RefusalReason::Quota);
                    return None;
                };
                guests.shake_hands(opened, turns.take(), place).await
            }
        })
    }

    /// Where a connection came from: for one of a balancer, what that says before anything else.
    async fn origin(&self, opened: &mut Opened) -> Option<SocketAddr> {
        let address = opened.address;
        if !self.proxies.contains(&address.ip().to_canonical()) {
            return Some(address);
        }
        let told = timeout(self.handshake_timeout, proxy::read(&mut opened.stream)).await;
        let Ok(Ok(origin)) = told else {
            tracing::debug!(%address, "a balancer does not say where a guest came from");
            self.refuse(RefusalReason::Handshake);
            return None;
        };
        Some(origin.unwrap_or(address))
    }

    async fn shake_hands(
        self,
        opened: Opened,
        turn: Turn,
        of_address: Place<IpAddr>,
    ) -> Option<Guest> {
        let Opened {
            stream,
            address,
            place,
        } = opened;
        let mut ends: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            // When it is over, nobody needs to know which of the two it was.
            drop(timeout(STAY, turn.is_over()).await);
        });
        stream.set_nodelay(true).ok()?;
        let handshake = TlsAcceptor::from(self.tls.guest_config()).accept(stream);
        let shaken = tokio::select! {
            shaken = timeout(self.handshake_timeout, handshake) => shaken.ok().and_then(Result::ok),
            () = &mut ends => None,
        };
        let stream = shaken.filter(|stream| stream.get_ref().1.alpn_protocol() == Some(b"h2"));
        let Some(stream) = stream else {
            tracing::debug!(%address, "handshake of a guest refused");
            self.refuse(RefusalReason::Handshake);
            return None;
        };
        Some(Guest {
            stream,
            address,
            ends,
            _held: (place, of_address),
        })
    }

    fn refuse(&self, reason: RefusalReason) {
        self.refusals.count(None, reason, self.clock.now());
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Connected for Guest {
    type ConnectInfo = SocketAddr;

    fn connect_info(&self) -> SocketAddr {
        self.address
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let guest = self.get_mut();
        if guest.ends.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut guest.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
