//! A subscriber that says to the byte how much it takes in.

use h2::{RecvStream, client::Builder};
use http::Request;
use prost::{Message as _, bytes::Bytes};
use schakel_api::v1::{self, subscribe_response::Event};
use tokio::sync::mpsc;

use crate::{broker::TestBroker, requests::actor};

/// The length of the prefix of a message in gRPC over HTTP/2: a flag, and how many bytes follow.
const PREFIX: usize = 5;

/// A subscription over HTTP/2 whose receiver takes in no more bytes than it said.
#[derive(Debug)]
pub struct Window {
    stream: RecvStream,
    sizes: mpsc::UnboundedSender<u32>,
    came: Vec<u8>,
    taken: u32,
}

impl Window {
    /// Subscribes as a party with room for this many bytes.
    ///
    /// # Panics
    /// When the broker does not take the subscription.
    pub async fn open(broker: &TestBroker, party: &str, size: u32) -> Self {
        let line = broker.line(party).dial().await.expect("a connection");
        let mut builder = Builder::new();
        builder.initial_window_size(size);
        let (mut calls, mut connection) = builder
            .handshake::<_, Bytes>(line)
            .await
            .expect("a handshake");
        let (sizes, mut wanted) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    // How it ended is seen in the stream.
                    _ = &mut connection => return,
                    Some(size) = wanted.recv() => {
                        connection.set_initial_window_size(size).expect("one change at a time");
                    }
                }
            }
        });
        let request = Request::post("http://localhost/schakel.v1.InboxService/Subscribe")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .expect("a request");
        let (answer, mut body) = calls.send_request(request, false).expect("a call");
        let message = v1::SubscribeRequest {
            actor: actor(),
            cursor: None,
        }
        .encode_to_vec();
        let len = u32::try_from(message.len()).expect("a short message");
        let framed = [&[0], &len.to_be_bytes()[..], &message].concat();
        body.send_data(framed.into(), true).expect("sent");
        let answer = answer.await.expect("an answer");
        Self {
            stream: answer.into_body(),
            sizes,
            came: Vec::new(),
            taken: 0,
        }
    }

    /// Takes in this many bytes from the start of the stream on. Whoever was cut off takes in no more.
    pub fn widen(&self, size: u32) {
        let _ = self.sizes.send(size);
    }

    /// The next event; `None` once the stream has ended, in whatever way.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.whole() {
                return Some(event);
            }
            let bytes = self.stream.data().await?.ok()?;
            self.came.extend_from_slice(&bytes);
        }
    }

    /// How many bytes came in whole events.
    #[must_use]
    pub const fn taken(&self) -> u32 {
        self.taken
    }

    /// How many bytes came of an event that is not whole.
    #[must_use]
    pub const fn rest(&self) -> usize {
        self.came.len()
    }

    /// An event that came whole. What came takes no room again: the window is the test's alone.
    fn whole(&mut self) -> Option<Event> {
        let (prefix, rest) = self.came.split_at_checked(PREFIX)?;
        let len = u32::from_be_bytes(prefix[1..].try_into().expect("four bytes"));
        let message = rest.get(..usize::try_from(len).expect("a length"))?;
        let response = v1::SubscribeResponse::decode(message).expect("an event");
        let whole = PREFIX + message.len();
        self.taken += u32::try_from(whole).expect("a length");
        self.came.drain(..whole);
        Some(response.event.expect("which"))
    }
}
