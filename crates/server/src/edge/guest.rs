//! Connections without a client certificate, for whoever asks for a first one: few at a time, and short.
//!
//! Nothing but enrolment is served over them, and at an address of its own, so that no mistake in a table can
//! let somebody in elsewhere without a certificate.

use std::{
    fmt, io,
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
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::{Sleep, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::{
    limits::{Counted, Place},
    refusals::Refusals,
    tls::Tls,
};
use crate::clock::Clock;

/// Guests at a time, and from one address.
const GUESTS: usize = 32;
const GUESTS_OF_ADDRESS: usize = 4;

/// How long a guest may stay, the handshake included. Handing in a request takes a second.
const STAY: Duration = Duration::from_secs(30);

/// How long the loop rests when the system gives no socket.
const REST: Duration = Duration::from_millis(100);

/// What letting guests in needs.
#[derive(Clone, Debug)]
pub(crate) struct Guests {
    /// What handshakes go by.
    pub(crate) tls: Arc<Tls>,
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
    ends: Pin<Box<Sleep>>,
    _held: (OwnedSemaphorePermit, Place<IpAddr>),
}

impl Guests {
    /// Lets guests in until told to stop, or until nobody takes them any more. The listener closes then.
    pub(crate) fn run(
        self,
        listener: TcpListener,
        stopping: watch::Receiver<bool>,
    ) -> ReceiverStream<io::Result<Guest>> {
        let (accepted, guests) = mpsc::channel(1);
        tokio::spawn(self.accept_all(listener, accepted, stopping));
        ReceiverStream::new(guests)
    }

    async fn accept_all(
        self,
        listener: TcpListener,
        accepted: mpsc::Sender<io::Result<Guest>>,
        mut stopping: watch::Receiver<bool>,
    ) {
        let places = Arc::new(Semaphore::new(GUESTS));
        let by_address = Arc::new(Counted::new(GUESTS_OF_ADDRESS));
        loop {
            let next = tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => return,
                () = accepted.closed() => return,
                next = next(&listener, &places) => next,
            };
            let (stream, address, permit) = match next {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(%error, "no guest could be let in");
                    sleep(REST).await;
                    continue;
                }
            };
            let Some(place) = by_address.take(address.ip()) else {
                self.refuse(RefusalReason::Quota);
                continue;
            };
            let (guests, accepted) = (self.clone(), accepted.clone());
            tokio::spawn(async move {
                let held = (permit, place);
                if let Some(guest) = guests.shake_hands(stream, address, held).await {
                    drop(accepted.send(Ok(guest)).await);
                }
            });
        }
    }

    async fn shake_hands(
        self,
        stream: TcpStream,
        address: SocketAddr,
        held: (OwnedSemaphorePermit, Place<IpAddr>),
    ) -> Option<Guest> {
        let ends = Box::pin(sleep(STAY));
        stream.set_nodelay(true).ok()?;
        let handshake = TlsAcceptor::from(self.tls.guest_config()).accept(stream);
        let Ok(Ok(stream)) = timeout(self.handshake_timeout, handshake).await else {
            tracing::debug!(%address, "handshake of a guest refused");
            self.refuse(RefusalReason::Handshake);
            return None;
        };
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            self.refuse(RefusalReason::Handshake);
            return None;
        }
        Some(Guest {
            stream,
            address,
            ends,
            _held: held,
        })
    }

    fn refuse(&self, reason: RefusalReason) {
        self.refusals.count(None, reason, self.clock.now());
    }
}

async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(places).acquire_owned().await;
    let permit = permit.map_err(|_| io::ErrorKind::BrokenPipe)?;
    let (stream, address) = listener.accept().await?;
    Ok((stream, address, permit))
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
