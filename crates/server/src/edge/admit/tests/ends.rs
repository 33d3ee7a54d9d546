//! How calls end before their service has done: deadlines, the end of the broker, panics.

use http_body::{Body as _, Frame};
use tonic::codegen::Bytes;

use super::*;

/// A body that shows these frames and then never ends, or panics.
struct Frames(Vec<Bytes>, bool);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.0.pop() {
            Some(frame) => Poll::Ready(Some(Ok(Frame::data(frame)))),
            None if self.1 => panic!("while streaming"),
            None => Poll::Pending,
        }
    }
}

/// An answer that streams a frame and then does nothing more, or panics.
pub(super) fn streaming(panics: bool) -> impl Fn() -> future::Ready<Response<Body>> + Clone + Send {
    move || {
        future::ready(Response::new(Body::new(Frames(
            vec![Bytes::from_static(b"one")],
            panics,
        ))))
    }
}

/// Reads a body to its end: its data, and the status in its trailers.
async fn read(response: Response<Body>) -> (Vec<u8>, Status) {
    let mut body = response.into_body();
    let mut data = Vec::new();
    loop {
        let next = future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let frame = tokio::time::timeout(Duration::from_secs(10), next).await;
        let frame = frame
            .expect("it did not end")
            .expect("it ended without a status")
            .unwrap();
        match frame.into_data() {
            Ok(bytes) => data.extend_from_slice(&bytes),
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap();
                assert!(body.is_end_stream());
                return (data, Status::from_header_map(&trailers).unwrap());
            }
        }
    }
}

#[tokio::test]
async fn a_call_past_its_deadline_is_ended() {
    let edge = Edge::new();
    let never = || future::pending::<Response<Body>>();
    let status = status_of(&edge.call(ASK, &[("grpc-timeout", "20m")], never).await);
    assert_eq!(
        (status.code(), reason_in(&status).as_deref()),
        (Code::DeadlineExceeded, Some("DEADLINE"))
    );
    let short = Limits {
        call_timeout: Duration::from_millis(20),
        ..Limits::default()
    };
    let edge = Edge::of("wonen-zuid", &short, Duration::from_mins(1));
    for headers in [vec![], vec![("grpc-timeout", "1H")]] {
        let status = status_of(&edge.call(ASK, &headers, never).await);
        assert_eq!(status.code(), Code::DeadlineExceeded);
    }
    assert_eq!(edge.counted(), []);
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let edge = Edge::new();
    let response = edge
        .call(SUBSCRIBE, &[("grpc-timeout", "30m")], streaming(false))
        .await;
    let (data, status) = read(response).await;
    assert_eq!(
        (data.as_slice(), status.code()),
        (&b"one"[..], Code::DeadlineExceeded)
    );
}

#[tokio::test]
async fn a_stream_ends_when_the_broker_stops_and_with_its_connection() {
    let edge = Edge::new();
    let response = edge.call(SUBSCRIBE, &[], streaming(false)).await;
    edge.stop.send(true).unwrap();
    assert_eq!(read(response).await.1.code(), Code::Unavailable);

    let edge = Edge::of("wonen-zuid", &Limits::default(), Duration::from_millis(30));
    let response = edge.call(SUBSCRIBE, &[], streaming(false)).await;
    assert_eq!(read(response).await.1.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_panic_is_told_as_a_fault_with_its_request_id() {
    let edge = Edge::new();
    let answer = || async { panic!("in a service") };
    let first = status_of(&edge.call(ASK, &[], answer).await);
    let (data, second) = read(edge.call(SUBSCRIBE, &[], streaming(true)).await).await;
    assert_eq!(data, b"one");
    let ids = [first, second].map(|status| {
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("panic"));
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.reason, "INTERNAL");
        info.metadata["request_id"].clone()
    });
    assert_ne!(ids[0], ids[1]);
}
