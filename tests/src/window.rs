//! A subscriber that says to the byte how much it takes in.

use std::{fs::read_to_string, time::Duration};

use h2::{RecvStream, client::Builder};
use http::Request;
use prost::{Message as _, bytes::Bytes};
use schakel_api::v1::{self, subscribe_response::Event};
use tokio::{sync::mpsc, time::sleep};

use crate::{broker::TestBroker, line::Line, requests::actor};

/// The length of the prefix of a message in gRPC over HTTP/2: a flag, and how many bytes follow.
const PREFIX: usize = 5;

/// A subscription over HTTP/2 whose receiver takes in no more bytes than it said.
#[derive(Debug)]
pub struct Window {
    stream: RecvStream,
    said: mpsc::UnboundedSender<Said>,
    /// The broker's and the receiver's.
    ports: [u16; 2],
    came: Vec<u8>,
    taken: u32,
}

/// What the receiver is to do.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// To take in so many bytes.
    Take(u32),
    /// To leave what comes in its socket, or to read on.
    Read(bool),
}

impl Window {
    /// Subscribes as a party with room for this many bytes.
    ///
    /// # Panics
    /// When the broker does not take the subscription.
    pub async fn open(broker: &TestBroker, party: &str, size: u32) -> Self {
        Self::over(&broker.line(party), size).await
    }

    /// As [`Self::open`], over this line.
    ///
    /// # Panics
    /// As [`Self::open`].
    pub async fn over(line: &Line, size: u32) -> Self {
        let line = line.dial().await.expect("a connection");
        let (socket, _) = line.get_ref();
        let ends = [socket.peer_addr(), socket.local_addr()];
        let ports = ends.map(|end| end.expect("its address").port());
        let mut builder = Builder::new();
        builder.initial_window_size(size);
        builder.initial_connection_window_size(size.max(65_535));
        let (mut calls, mut connection) = builder
            .handshake::<_, Bytes>(line)
            .await
            .expect("a handshake");
        let (said, mut to_do) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut reads = true;
            loop {
                tokio::select! {
                    // How it ended is seen in the stream.
                    _ = &mut connection, if reads => return,
                    Some(said) = to_do.recv() => match said {
                        Said::Take(size) => {
                            connection.set_initial_window_size(size).expect("one change at a time");
                        }
                        Said::Read(read) => reads = read,
                    },
                    else => return,
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
            said,
            ports,
            came: Vec::new(),
            taken: 0,
        }
    }

    /// Takes in this many bytes from the start of the stream on. Whoever was cut off takes in no more.
    pub fn widen(&self, size: u32) {
        let _ = self.said.send(Said::Take(size));
    }

    /// Leaves what comes in the socket from now on, or reads on.
    pub fn read(&self, read: bool) {
        let _ = self.said.send(Said::Read(read));
    }

    /// Waits until the broker's kernel has no such connection any more. The receiver's own cannot tell: with its
    /// buffers full it does not believe a reset.
    ///
    /// # Panics
    /// When the system says nothing of its connections.
    pub async fn is_gone(&self) {
        let [theirs, own] = self.ports;
        let there = format!(":{theirs:04X} 0100007F:{own:04X} ");
        while read_to_string("/proc/net/tcp")
            .expect("all connections")
            .contains(&there)
        {
            sleep(Duration::from_millis(5)).await;
        }
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
