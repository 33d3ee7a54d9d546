//! A connection after its handshake, as long as it may be used.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use schakel_core::id::Oin;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep_until},
};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::{identify::Connection, limits::Place};

/// How long calls under way may go on over a connection past its age: then it is cut.
const PAST_AGE: Duration = Duration::from_secs(330);

/// How much TLS holds for a peer that takes nothing in, and the kernel of what it has not sent, in bytes each. What
/// comes after that waits where the broker can still keep it back.
const HELD: usize = 16 * 1024;

/// A connection after its handshake. It is cut when nothing comes over it at first, and some time past its
/// age, whatever still runs: a client cannot hold its place for ever.
///
/// What was cut sends nothing any more: not what TLS still holds, which a last flush would send, nor what the kernel
/// holds, which goes with the socket.
pub struct Link {
    stream: TlsStream<TcpStream>,
    connection: Connection,
    ends: Pin<Box<Sleep>>,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
    spoken: bool,
    is_over: bool,
    _held: (OwnedSemaphorePermit, Place<Option<Oin>>),
}

impl Link {
    /// A connection over which the first call must come by an instant; it is cut when that future ends.
    pub(super) fn new(
        mut stream: TlsStream<TcpStream>,
        connection: Connection,
        first_call: Instant,
        cut: impl Future<Output = ()> + Send + 'static,
        held: (OwnedSemaphorePermit, Place<Option<Oin>>),
    ) -> Self {
        let (socket, session) = stream.get_mut();
        session.set_buffer_limit(Some(HELD));
        hold_little(socket);
        Self {
            stream,
            connection,
            ends: Box::pin(sleep_until(first_call)),
            cut: Box::pin(cut),
            spoken: false,
            is_over: false,
            _held: held,
        }
    }

    /// Whether it is cut, by now or before. Whoever waits for the peer is woken when it is.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let is_over = self.is_over
            || self.connection.outflow().is_cut()
            || self.ends.as_mut().poll(cx).is_ready()
            || self.cut.as_mut().poll(cx).is_ready();
        if is_over && !std::mem::replace(&mut self.is_over, true) {
            let (socket, _) = self.stream.get_ref();
            if let Err(error) = socket.set_zero_linger() {
                // Gone already, and what it held with it.
                tracing::debug!(%error, "a connection that was cut is not reset");
            }
        }
        is_over
    }

    /// Sends, as long as it is not cut. A peer that takes nothing in is no reason not to notice it.
    fn sends<T>(
        &mut self,
        cx: &mut Context<'_>,
        send: impl FnOnce(Pin<&mut TlsStream<TcpStream>>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let cut = || Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        if (self.is_over || self.connection.outflow().is_cut()) && self.is_over(cx) {
            return cut();
        }
        let done = send(Pin::new(&mut self.stream), cx);
        if done.is_pending() {
            self.connection.outflow().set_flows(false);
            if self.is_over(cx) {
                return cut();
            }
        }
        done
    }
}

/// Has the kernel take no more than little of what it cannot send yet.
#[cfg(target_os = "linux")]
fn hold_little(socket: &TcpStream) {
    let most = u32::try_from(HELD).unwrap_or(u32::MAX);
    if let Err(error) = SockRef::from(socket).set_tcp_notsent_lowat(most) {
        tracing::debug!(%error, "what a socket holds is not bounded");
    }
}

/// Elsewhere the kernel takes what it takes.
#[cfg(not(target_os = "linux"))]
fn hold_little(_socket: &TcpStream) {}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

impl Connected for Link {
    type ConnectInfo = Connection;

    fn connect_info(&self) -> Connection {
        self.connection.clone()
    }
}

impl AsyncRead for Link {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let link = self.get_mut();
        if link.is_over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let read = Pin::new(&mut link.stream).poll_read(cx, buffer);
        if read.is_ready() && !link.spoken {
            link.spoken = true;
            link.ends
                .as_mut()
                .reset(link.connection.ends_at() + PAST_AGE);
        }
        read
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let link = self.get_mut();
        link.sends(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let link = self.get_mut();
        link.sends(cx, |stream, cx| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let link = self.get_mut();
        let flushed = link.sends(cx, AsyncWrite::poll_flush);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            link.connection.outflow().set_flows(true);
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().sends(cx, AsyncWrite::poll_shutdown)
    }
}
