//! Messages that are none, or too much.

use prost::bytes::{BufMut as _, Bytes};
use schakel_api::v1;
use schakel_tests::{Child, Party, Scene, TestBroker, actor, bsn, reason, violations};
use tonic::{
    Code, Request, Response, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
};

/// Sends bytes as they are, and takes what comes.
#[derive(Clone, Copy, Debug, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        use prost::bytes::Buf as _;
        let len = from.remaining();
        Ok(Some(from.copy_to_bytes(len)))
    }
}

/// Calls a method with these bytes as its message.
async fn send(
    party: &Party,
    path: &'static str,
    message: Bytes,
) -> Result<Response<Bytes>, Status> {
    let mut grpc = Grpc::new(party.channel()).max_encoding_message_size(usize::MAX);
    grpc.ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    grpc.unary(Request::new(message), PathAndQuery::from_static(path), Raw)
        .await
}

const ASK: &str = "/schakel.v1.ExchangeService/Ask";

/// Bytes that are no message, or another one, are refused by name, and the connection lives.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_refused_by_name() {
    let broker = TestBroker::start().await;
    let association = broker.party("wonen-zuid").await;
    let entries = broker.check_log().await.leaves.len();
    let garbage: [&[u8]; 5] = [
        &[0xff; 100],
        &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x0a, 0x02, 0xff, 0xfe],
        &[0x0b],
        b"GET / HTTP/1.1\r\n\r\n",
    ];
    for bytes in garbage {
        let refused = send(&association, ASK, Bytes::from_static(bytes))
            .await
            .unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::InvalidArgument, "INVALID_REQUEST"),
            "{bytes:?}: {refused:?}"
        );
        assert_eq!(violations(&refused)[0].0, "message");
    }
    // Not even a message: everything it must have is named.
    let refused = send(&association, ASK, Bytes::new()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(
        broker.check_log().await.leaves.len(),
        entries,
        "nothing was decided"
    );
    assert!(
        association.ask_housing("huurder-1").await.is_none(),
        "the connection lives"
    );
}

/// A message that is too long is refused before it is read, a hundred megabytes as well; the memory of the
/// broker stays bounded, and it serves on.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_megabytes_are_not_read() {
    let child = Child::start("").await;
    let [pi, municipality, association] =
        ["pi-noord", "gemeente-oost", "wonen-zuid"].map(|id| child.party(id));
    let scene = Scene::set_with(&pi, &municipality, &association, 1).await;
    municipality.consent(bsn(&scene.bsn)).await;
    let before = child.peak_kib();
    for len in [65_537, 1 << 20, 100 << 20] {
        let attacker = child.party("wonen-noord");
        let refused = send(&attacker, ASK, vec![0x0a; len].into())
            .await
            .unwrap_err();
        // The rest of a message that is refused may be cut off under the sender's hands.
        let cut = [
            Code::Unknown,
            Code::Unavailable,
            Code::Cancelled,
            Code::Internal,
        ];
        let told = refused.code() == Code::InvalidArgument;
        let was_cut = len > 1 << 20 && cut.contains(&refused.code());
        assert!(told || was_cut, "{len}: {refused:?}");
    }
    let grown = child.peak_kib().saturating_sub(before);
    assert!(grown < 32 * 1024, "grew by {grown} KiB");
    assert!(
        association.ask_housing(&scene.mark).await.is_some(),
        "it serves on"
    );
}

/// A method that is none, and a header that is none.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_methods_and_headers_are_refused() {
    let broker = TestBroker::start().await;
    let association = broker.party("wonen-zuid").await;
    for path in [
        "/schakel.v1.ExchangeService/TellAll",
        "/other.v1.Service/Method",
    ] {
        let refused = send(&association, path, Bytes::new()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unimplemented, "{path}");
    }
    let mut request = Request::new(v1::PullRequest {
        actor: actor(),
        cursor: None,
        max_messages: 1,
    });
    request
        .metadata_mut()
        .insert("schakel-principal", "Niemand!".parse().unwrap());
    let refused = association.inbox().pull(request).await.unwrap_err();
    assert_eq!(
        (refused.code(), violations(&refused)[0].0.as_str()),
        (Code::InvalidArgument, "schakel-principal")
    );
}
