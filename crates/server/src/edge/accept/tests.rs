//! Which handshakes are accepted, over real sockets.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use rustls::pki_types::CertificateDer;
use schakel_core::time::Timestamp;
use schakel_pki::{authority::DevelopmentAuthority, validity::Validity};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{mpsc, oneshot},
};
use tokio_rustls::{TlsConnector, client};
use tokio_stream::StreamExt as _;
use tonic::transport::server::Connected as _;

use super::*;
use crate::{
    clock::ManualClock,
    edge::tls::tests::{Pki, Seeded, broker_name, issue, now, serial},
};

/// An acceptor whose accepted connections are counted and say one byte back.
struct Door {
    pki: Pki,
    tls: Arc<Tls>,
    address: SocketAddr,
    refusals: Arc<Refusals>,
    accepted: Arc<AtomicUsize>,
    stop: watch::Sender<bool>,
    cut: watch::Sender<bool>,
    /// Connections that said [`KEPT`].
    kept: mpsc::UnboundedReceiver<Link>,
}

/// What a connection says that is not to be answered.
const KEPT: u8 = b'!';

type Client = client::TlsStream<TcpStream>;

impl Door {
    async fn open(limits: Limits) -> Self {
        let pki = Pki::new();
        let (tls, refusals) = (pki.tls(), Arc::new(Refusals::default()));
        let (cut, cuts) = watch::channel(false);
        let acceptor = Acceptor {
            tls: Arc::clone(&tls),
            protocol: Protocol::Calls,
            environment: Environment::Development,
            proxies: Arc::new([]),
            limits,
            refusals: Arc::clone(&refusals),
            clock: Arc::<ManualClock>::clone(&pki.clock),
            cut: cuts,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let mut links = acceptor.run(listener, stopping);
        let accepted = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&accepted);
        let (keep, kept) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(mut link)) = links.next().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let keep = keep.clone();
                tokio::spawn(async move {
                    let mut byte = [0];
                    while link.read_exact(&mut byte).await.is_ok() {
                        if byte == [KEPT] {
                            keep.send(link).unwrap();
                            return;
                        }
                        link.write_all(&byte).await.unwrap();
                    }
                });
            }
        });
        Self {
            pki,
            tls,
            address,
            refusals,
            accepted,
            stop,
            cut,
            kept,
        }
    }

    async fn shake_hands(&self, config: Arc<rustls::ClientConfig>) -> io::Result<Client> {
        let stream = TcpStream::connect(self.address).await?;
        let mut client = TlsConnector::from(config)
            .connect(broker_name(), stream)
            .await?;
        // Under TLS 1.3 a client learns only by reading that its certificate was refused.
        client.write_all(b"?").await?;
        let mut byte = [0];
        client.read_exact(&mut byte).await?;
        Ok(client)
    }

    async fn refusal(&self, config: Arc<rustls::ClientConfig>) -> String {
        let error = self.shake_hands(config).await.expect_err("it was let in");
        assert_eq!(self.accepted.load(Ordering::SeqCst), 0);
        assert_eq!(self.counted().await, [(RefusalReason::Handshake, 1)]);
        error.to_string()
    }

    /// What was counted; waits until something was, as the client may know first.
    async fn counted(&self) -> Vec<(RefusalReason, u64)> {
        for _ in 0..500 {
            let tallies = self.refusals.take_all();
            if let Some(tally) = tallies.into_iter().next() {
                assert_eq!(tally.party, None);
                return tally.counts;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing was counted");
    }
}

#[tokio::test]
async fn a_certificate_of_the_authority_is_accepted_and_read_once() {
    let door = Door::open(Limits::default()).await;
    let own = door.pki.issue("pi-noord");
    let client = door
        .shake_hands(door.pki.client(Some(&own), false))
        .await
        .unwrap();
    let (_, session) = client.get_ref();
    assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(session.alpn_protocol(), Some(&b"h2"[..]));
    let group = session.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), rustls::NamedGroup::X25519MLKEM768);
    assert_eq!(door.accepted.load(Ordering::SeqCst), 1);
    assert_eq!(door.refusals.take_all(), []);
}

#[tokio::test]
async fn no_session_is_resumed() {
    let door = Door::open(Limits::default()).await;
    let config = door.pki.client(Some(&door.pki.issue("pi-noord")), false);
    for _ in 0..2 {
        let client = door.shake_hands(Arc::clone(&config)).await.unwrap();
        assert_eq!(
            client.get_ref().1.handshake_kind(),
            Some(rustls::HandshakeKind::Full)
        );
    }
}

#[tokio::test]
async fn without_a_certificate_nobody_is_let_in() {
    let door = Door::open(Limits::default()).await;
    let error = door.refusal(door.pki.client(None, false)).await;
    assert!(error.contains("CertificateRequired"), "{error}");
}

#[tokio::test]
async fn an_expired_or_not_yet_valid_certificate_is_refused() {
    let past = Validity::between(
        now().minus_millis(Timestamp::DAY_MS),
        now().minus_millis(1000),
    )
    .unwrap();
    let future = Validity::between(now().plus_days(1), now().plus_days(2)).unwrap();
    for validity in [past, future] {
        let door = Door::open(Limits::default()).await;
        let own = issue(&door.pki.authority, "pi-noord", validity);
        let error = door.refusal(door.pki.client(Some(&own), false)).await;
        assert!(
            error.contains("CertificateExpired") || error.contains("BadCertificate"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let door = Door::open(Limits::default()).await;
    let other = DevelopmentAuthority::new(now(), &mut Seeded(9)).unwrap();
    let own = issue(&other, "pi-noord", Validity::days(90, now()));
    let error = door.refusal(door.pki.client(Some(&own), false)).await;
    assert!(
        error.contains("UnknownCA") || error.contains("DecryptError"),
        "{error}"
    );
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_from_the_reload_on() {
    let door = Door::open(Limits::default()).await;
    let own = door.pki.issue("pi-noord");
    door.pki.list(&[serial(&own)], 2);
    assert!(door.tls.reload().broken.is_empty());
    let error = door.refusal(door.pki.client(Some(&own), false)).await;
    assert!(error.contains("CertificateRevoked"), "{error}");
}

#[tokio::test]
async fn a_list_past_its_end_admits_nobody() {
    let door = Door::open(Limits::default()).await;
    door.pki.clock.set(now().plus_days(8));
    let own = door.pki.issue("pi-noord");
    door.refusal(door.pki.client(Some(&own), false)).await;
}

#[tokio::test]
async fn an_older_version_of_tls_is_refused() {
    let door = Door::open(Limits::default()).await;
    let own = door.pki.issue("pi-noord");
    let error = door.refusal(door.pki.client(Some(&own), true)).await;
    assert!(error.contains("ProtocolVersion"), "{error}");
}

#[tokio::test]
async fn a_protocol_other_than_http_2_is_refused() {
    let door = Door::open(Limits::default()).await;
    let own = door.pki.issue("pi-noord");
    let mut config = (*door.pki.client(Some(&own), false)).clone();
    config.alpn_protocols = Vec::new();
    door.refusal(Arc::new(config)).await;
}

#[tokio::test]
async fn a_silent_socket_is_closed() {
    let limits = Limits {
        handshake_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let door = Door::open(limits).await;
    let mut silent = TcpStream::connect(door.address).await.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(door.counted().await, [(RefusalReason::Handshake, 1)]);
    let own = door.pki.issue("pi-noord");
    let config = door.pki.client(Some(&own), false);
    let stream = TcpStream::connect(door.address).await.unwrap();
    let mut shaken = TlsConnector::from(config)
        .connect(broker_name(), stream)
        .await
        .unwrap();
    let ended = shaken.read(&mut [0]).await;
    assert!(
        matches!(ended, Ok(0) | Err(_)),
        "a connection without a call stayed open"
    );
}

#[tokio::test]
async fn one_party_has_so_many_connections_and_no_more() {
    let limits = Limits {
        connections_per_party: 2,
        ..Limits::default()
    };
    let door = Door::open(limits).await;
    let config = door.pki.client(Some(&door.pki.issue("pi-noord")), false);
    let first = door.shake_hands(Arc::clone(&config)).await.unwrap();
    let _second = door.shake_hands(Arc::clone(&config)).await.unwrap();
    assert!(door.shake_hands(Arc::clone(&config)).await.is_err());
    assert_eq!(door.counted().await, [(RefusalReason::Quota, 1)]);
    let other = door.pki.client(Some(&door.pki.issue("wonen-zuid")), false);
    door.shake_hands(other).await.unwrap();
    drop(first);
    let again = async {
        while door.shake_hands(Arc::clone(&config)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), again).await.unwrap();
}

#[tokio::test]
async fn open_connections_can_be_cut() {
    let door = Door::open(Limits::default()).await;
    let config = door.pki.client(Some(&door.pki.issue("pi-noord")), false);
    let mut client = door.shake_hands(config).await.unwrap();
    door.cut.send(true).unwrap();
    let ended = timeout(Duration::from_secs(10), client.read(&mut [0]))
        .await
        .unwrap();
    assert!(matches!(ended, Ok(0) | Err(_)), "it stayed open");
}

/// A peer that reads nothing until its connection was cut gets what lay in its own buffers, and not what TLS or the
/// kernel held for it.
#[tokio::test]
async fn what_a_cut_connection_has_not_sent_is_thrown_away() {
    let mut door = Door::open(Limits::default()).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(door.address).await.unwrap();
    let config = door.pki.client(Some(&door.pki.issue("pi-noord")), false);
    let connector = TlsConnector::from(config);
    let mut client = connector.connect(broker_name(), stream).await.unwrap();
    client.write_all(&[KEPT]).await.unwrap();
    let mut link = door.kept.recv().await.unwrap();
    let (cut, (is_full, full)) = (link.connect_info().outflow().cut(), oneshot::channel());
    let sending = tokio::spawn(async move {
        let sent = fill(&mut link).await;
        is_full.send(()).unwrap();
        let kinds = [
            link.write(&[0]).await.unwrap_err().kind(),
            link.flush().await.unwrap_err().kind(),
            link.shutdown().await.unwrap_err().kind(),
        ];
        assert_eq!(kinds, [io::ErrorKind::BrokenPipe; 3]);
        sent
    });
    full.await.unwrap();
    cut.send_replace(true);
    let sent = timeout(Duration::from_secs(20), sending).await;
    let sent = sent.expect("it notices although nobody reads").unwrap();
    let (mut raw, _) = client.into_inner();
    let mut came = Vec::new();
    let end = raw.read_to_end(&mut came).await.unwrap_err();
    assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    assert!(came.len() * 2 < sent, "{} of {sent}", came.len());
}

/// Sends until nothing more is taken in; how many bytes were.
async fn fill(link: &mut Link) -> usize {
    let mut sent = 0;
    loop {
        tokio::select! {
            biased;
            more = link.write(&[0; 1024]) => sent += more.unwrap(),
            () = std::future::ready(()) => return sent,
        }
    }
}

/// Whoever connects from many addresses and says nothing keeps nobody out.
#[tokio::test]
async fn silent_connections_give_way_to_those_that_speak() {
    let limits = Limits {
        handshakes: 8,
        handshake_timeout: Duration::from_mins(1),
        ..Limits::default()
    };
    let door = Door::open(limits).await;
    let mut silent = Vec::new();
    for host in 10..50 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, host], 0).into()).unwrap();
        silent.push(socket.connect(door.address).await.unwrap());
    }
    let config = door.pki.client(Some(&door.pki.issue("pi-noord")), false);
    let served = timeout(Duration::from_secs(20), door.shake_hands(config)).await;
    served.expect("it waits for the silent ones").unwrap();
    // The oldest of those were cut.
    let ended = timeout(Duration::from_secs(20), silent[0].read(&mut [0])).await;
    assert!(matches!(ended.unwrap(), Ok(0) | Err(_)));
}

#[tokio::test]
async fn nothing_is_accepted_after_the_end() {
    let door = Door::open(Limits::default()).await;
    door.stop.send(true).unwrap();
    let config = door.pki.client(Some(&door.pki.issue("pi-noord")), false);
    let closed = async {
        while door.shake_hands(Arc::clone(&config)).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), closed).await.unwrap();
}

#[test]
fn a_chain_is_read_for_its_own_certificate() {
    let pki = Pki::new();
    let lease = Pki::lease(&pki.tls(), &pki.issue("pi-noord"));
    let address = "192.0.2.1:1".parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _guard = runtime.enter();
    assert!(
        lease
            .certificate()
            .is_some_and(|own: &CertificateDer<'_>| !own.is_empty())
    );
    let connection = Connection::new(lease, address, Environment::Development, Instant::now());
    assert_eq!(
        connection.oin().map(Oin::as_str),
        Some("00000099000000010000")
    );
    assert_eq!(connection.address(), "192.0.2.1:1");
}
