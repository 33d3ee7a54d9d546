//! Accepting sockets, whoever comes.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::sleep,
};
use tokio_stream::wrappers::ReceiverStream;

/// How long the loop rests when the system gives no socket: too many open files end by themselves.
const REST: Duration = Duration::from_millis(100);

/// The part of an IPv6 address that one site has: its holder may call from any of the addresses behind it.
const SITE: u128 = !0 << 64;

/// A socket, and the place it takes.
pub(super) struct Opened {
    pub(super) stream: TcpStream,
    pub(super) address: SocketAddr,
    pub(super) place: OwnedSemaphorePermit,
}

/// Accepts sockets, so many at a time, until told to stop or until nobody takes them any more; the listener closes
/// then. Each is greeted in a task of its own, so that nobody waits for another's handshake.
pub(super) fn accept<T, F, Greeting>(
    listener: TcpListener,
    places: usize,
    stopping: watch::Receiver<bool>,
    greet: F,
) -> ReceiverStream<io::Result<T>>
where
    T: Send + 'static,
    F: Fn(Opened) -> Greeting + Send + 'static,
    Greeting: Future<Output = Option<T>> + Send + 'static,
{
    // Room for none: a connection nobody serves yet stays in its own task.
    let (accepted, connections) = mpsc::channel(1);
    tokio::spawn(accept_all(listener, places, stopping, greet, accepted));
    ReceiverStream::new(connections)
}

async fn accept_all<T, F, Greeting>(
    listener: TcpListener,
    places: usize,
    mut stopping: watch::Receiver<bool>,
    greet: F,
    accepted: mpsc::Sender<io::Result<T>>,
) where
    T: Send + 'static,
    F: Fn(Opened) -> Greeting,
    Greeting: Future<Output = Option<T>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(places));
    loop {
        let next = tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = accepted.closed() => return,
            next = next(&listener, &places) => next,
        };
        match next {
            Ok(opened) => {
                let (greeting, accepted) = (greet(opened), accepted.clone());
                tokio::spawn(async move {
                    if let Some(connection) = greeting.await {
                        // Nobody takes it any more: the broker stops.
                        drop(accepted.send(Ok(connection)).await);
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                sleep(REST).await;
            }
        }
    }
}

/// The next socket, once there is a place for it.
async fn next(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Opened> {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.map_err(|_| io::ErrorKind::BrokenPipe)?;
    let (stream, address) = listener.accept().await?;
    Ok(Opened {
        stream,
        address,
        place,
    })
}

/// What counts as one address.
pub(super) fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & SITE).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_one_site_are_one() {
        let of = |address: &str| site(address.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }
}
