//! The layer behind the real transport, with a service made from `proto/`: what the transport would answer
//! by itself is told as the interface says.

use std::io;

use schakel_api::v1::{
    ApproveChangeRequest, ApproveChangeResponse, GetMyCertificateRequest, GetMyCertificateResponse,
    ListCertificatesRequest, ListCertificatesResponse, ListPartiesRequest, ListPartiesResponse,
    ListProposalsRequest, ListProposalsResponse, ListPurposesRequest, ListPurposesResponse,
    ProposeChangeRequest, ProposeChangeResponse, RejectChangeRequest, RejectChangeResponse,
    StopRequest, StopResponse,
    registry_service_server::{RegistryService, RegistryServiceServer},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tonic::{
    client::Grpc,
    transport::{Channel, Endpoint, Server, server::Connected},
};
use tonic_prost::ProstCodec;

use super::*;

/// A socket that pretends to have proven a certificate.
struct Proven(TcpStream, Connection);

impl Connected for Proven {
    type ConnectInfo = Connection;

    fn connect_info(&self) -> Connection {
        self.1.clone()
    }
}

impl AsyncRead for Proven {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Proven {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A registry service that never gets the purposes listed, and panics when a change is approved.
struct Faulty;

type Told<T> = Result<tonic::Response<T>, Status>;

#[tonic::async_trait]
impl RegistryService for Faulty {
    async fn list_parties(
        &self,
        _: tonic::Request<ListPartiesRequest>,
    ) -> Told<ListPartiesResponse> {
        Ok(tonic::Response::new(ListPartiesResponse::default()))
    }

    async fn list_purposes(
        &self,
        _: tonic::Request<ListPurposesRequest>,
    ) -> Told<ListPurposesResponse> {
        future::pending().await
    }

    async fn propose_change(
        &self,
        _: tonic::Request<ProposeChangeRequest>,
    ) -> Told<ProposeChangeResponse> {
        panic!("not called")
    }

    async fn approve_change(
        &self,
        _: tonic::Request<ApproveChangeRequest>,
    ) -> Told<ApproveChangeResponse> {
        panic!("in a service")
    }

    async fn reject_change(
        &self,
        _: tonic::Request<RejectChangeRequest>,
    ) -> Told<RejectChangeResponse> {
        panic!("not called")
    }

    async fn list_proposals(
        &self,
        _: tonic::Request<ListProposalsRequest>,
    ) -> Told<ListProposalsResponse> {
        panic!("not called")
    }

    async fn stop(&self, _: tonic::Request<StopRequest>) -> Told<StopResponse> {
        panic!("not called")
    }

    async fn list_certificates(
        &self,
        _: tonic::Request<ListCertificatesRequest>,
    ) -> Told<ListCertificatesResponse> {
        panic!("not called")
    }

    async fn get_my_certificate(
        &self,
        _: tonic::Request<GetMyCertificateRequest>,
    ) -> Told<GetMyCertificateResponse> {
        panic!("not called")
    }
}

async fn connect(edge: &Edge) -> Grpc<Channel> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connection = edge.connection.clone();
    let (sockets, incoming) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let proven = Ok::<_, io::Error>(Proven(stream, connection.clone()));
            if sockets.send(proven).await.is_err() {
                return;
            }
        }
    });
    let service = RegistryServiceServer::new(Faulty).max_decoding_message_size(64 * 1024);
    let server = Server::builder()
        .layer(edge.admission.clone())
        .add_service(service)
        .serve_with_incoming(tokio_stream::wrappers::ReceiverStream::new(incoming));
    tokio::spawn(server);
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    Grpc::new(endpoint.connect().await.unwrap())
}

/// A message of no method: a text in its first field.
#[derive(Clone, PartialEq, prost::Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

/// A message of no method: a number in its first field.
#[derive(Clone, PartialEq, prost::Message)]
struct Number {
    #[prost(uint64, tag = "1")]
    number: u64,
}

async fn send<M: prost::Message + 'static>(
    client: &mut Grpc<Channel>,
    method: &'static str,
    message: M,
    timeout: Option<&str>,
) -> Result<(), Status> {
    let mut request = tonic::Request::new(message);
    if let Some(timeout) = timeout {
        request
            .metadata_mut()
            .insert("grpc-timeout", timeout.parse().unwrap());
    }
    client.ready().await.unwrap();
    let codec: ProstCodec<M, Text> = ProstCodec::default();
    let path = http::uri::PathAndQuery::from_static(method);
    client.unary(request, path, codec).await.map(drop)
}

const LIST: &str = "/schakel.v1.RegistryService/ListParties";
const NEVER: &str = "/schakel.v1.RegistryService/ListPurposes";
const APPROVE: &str = "/schakel.v1.RegistryService/ApproveChange";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_is_told_as_a_deadline_every_time() {
    use std::error::Error as _;
    let edge = Edge::new();
    let mut client = connect(&edge).await;
    send(&mut client, LIST, Text::default(), None)
        .await
        .unwrap();
    let mut told = 0;
    for call in 0..60 {
        let timeout = format!("{}m", 8 + call % 7);
        let status = send(&mut client, NEVER, Text::default(), Some(&timeout))
            .await
            .unwrap_err();
        // The client has a timer of its own; a status with a source did not come from the broker.
        if status.source().is_none() {
            told += 1;
            let reason = reason_in(&status);
            assert_eq!(
                (status.code(), reason.as_deref()),
                (Code::DeadlineExceeded, Some("DEADLINE"))
            );
        }
    }
    assert!(told > 0, "the client was always first");
}

#[tokio::test]
async fn a_message_that_is_too_large_is_the_callers_to_mend() {
    let edge = Edge::new();
    let mut client = connect(&edge).await;
    let text = "x".repeat(1024 * 1024);
    let status = send(&mut client, LIST, Text { text }, None)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.message(), "`message` must have at most 65536 bytes");
    send(&mut client, LIST, Text::default(), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn bytes_that_are_no_message_are_the_callers_to_mend() {
    let edge = Edge::of("beheer-een", &Limits::default(), Duration::from_mins(1));
    let mut client = connect(&edge).await;
    let status = send(&mut client, APPROVE, Number { number: 7 }, None)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(reason_in(&status).as_deref(), Some("INVALID_REQUEST"));
    assert_eq!(
        edge.counted(),
        [(Some("beheer-een".to_owned()), RefusalReason::Invalid)]
    );
}

#[tokio::test]
async fn a_panic_in_a_service_leaves_the_connection_alive() {
    let edge = Edge::of("beheer-een", &Limits::default(), Duration::from_mins(1));
    let mut client = connect(&edge).await;
    let status = send(&mut client, APPROVE, Text::default(), None)
        .await
        .unwrap_err();
    assert_eq!(reason_in(&status).as_deref(), Some("INTERNAL"));
    send(&mut client, LIST, Text::default(), None)
        .await
        .unwrap();
}
