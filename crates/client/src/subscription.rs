//! A subscription to the inbox that outlives its connection.

use prost::bytes::Bytes;
use schakel_api::v1::{self, inbox_service_client::InboxServiceClient, subscribe_response::Event};
use tokio::time::{sleep, timeout};
use tonic::{Code, Status, Streaming};

use crate::{
    answer::{Answer as _, Incomplete},
    client::{Client, ClientError},
    retry::{Failure, Safety},
};

/// What waits for a party and what comes, one message at a time, over as many connections as it takes.
///
/// It goes on from the cursor of the last message it gave, or of the last heartbeat. Nothing is lost when
/// it is dropped: what was not acknowledged is handed over again.
#[derive(Debug)]
pub struct Subscription {
    client: Client,
    request: v1::SubscribeRequest,
    stream: Option<Streaming<v1::SubscribeResponse>>,
    /// Whether the stream gave anything: a heartbeat opens it, and says nothing yet of how it goes on.
    is_open: bool,
    /// What came off the stream and was not handed over yet.
    came: Option<v1::Message>,
    failures: u32,
}

impl Client {
    /// Subscribes to the inbox after a cursor; without one, from everything that is not acknowledged. The
    /// connection is made when the first message is asked for.
    #[must_use]
    pub fn subscribe(&self, actor: v1::Actor, cursor: Option<Bytes>) -> Subscription {
        Subscription {
            client: self.clone(),
            request: v1::SubscribeRequest {
                actor: Some(actor),
                cursor,
            },
            stream: None,
            is_open: false,
            came: None,
            failures: 0,
        }
    }
}

impl Subscription {
    /// The next message, verified; it waits until there is one. Cancelling it loses nothing.
    ///
    /// # Errors
    /// What the broker refuses, a message that does not hold, a receipt that cannot be kept, and a connection
    /// that could not be made as often as the client's policy tries. Asking again after an error goes on after
    /// the last message given.
    pub async fn next(&mut self) -> Result<v1::Message, ClientError> {
        loop {
            if let Some(message) = self.came.clone() {
                return self.hand_over(message).await;
            }
            let failure = match self.event().await {
                Ok(Some(Event::Message(message))) => {
                    self.came = Some(message);
                    continue;
                }
                Ok(Some(Event::Heartbeat(heartbeat))) => {
                    if std::mem::replace(&mut self.is_open, true) {
                        self.went_on(heartbeat.cursor);
                    }
                    continue;
                }
                Ok(None) => {
                    self.stream = None;
                    return Err(Incomplete { what: "event" }.into());
                }
                Err(failure) => failure,
            };
            self.stream = None;
            self.failures = self.failures.saturating_add(1);
            let policy = &self.client.config().retry;
            if !is_passing(&failure) || self.failures >= policy.max_attempts {
                self.failures = 0;
                return Err(failure.into());
            }
            sleep(policy.pause(self.failures, &*self.client.config().entropy)).await;
        }
    }

    /// The cursor to go on from, in this program or the next.
    #[must_use]
    pub fn cursor(&self) -> Option<&Bytes> {
        self.request.cursor.as_ref()
    }

    /// The next event of the stream, which is opened when it is not there.
    async fn event(&mut self) -> Result<Option<Event>, Failure> {
        let timeouts = self.client.config().timeouts;
        if self.stream.is_none() {
            let request = self.client.request(self.request.clone());
            let mut service = InboxServiceClient::new(self.client.channel());
            let opening = timeout(timeouts.attempt, service.subscribe(request)).await;
            let opened = opening.map_err(|_| Failure::Deadline)?;
            self.stream = Some(opened.map_err(Failure::of)?.into_inner());
            self.is_open = false;
        }
        let Some(stream) = &mut self.stream else {
            return Err(Failure::Deadline);
        };
        match timeout(timeouts.silence, stream.message()).await {
            Err(_) => Err(Failure::Deadline),
            Ok(Err(status)) => Err(Failure::of(status)),
            Ok(Ok(None)) => Err(Failure::Lost(Status::unavailable("the stream ended"))),
            Ok(Ok(Some(response))) => Ok(response.event),
        }
    }

    /// Checks and keeps what came. Until it is kept it stays here: whoever cancels or fails in between gets it
    /// the next time.
    async fn hand_over(&mut self, message: v1::Message) -> Result<v1::Message, ClientError> {
        // The stream may have held the message since before other calls saw a larger log, so nothing is
        // asked of its place but that it is the party's own.
        let mut expected = self.client.expect(false);
        expected.floor = None;
        if let Err(fault) = message.check(&expected) {
            self.came = None;
            self.stream = None;
            return Err(fault.into());
        }
        self.client.keep(expected).await?;
        self.came = None;
        self.went_on(message.cursor.clone());
        Ok(message)
    }

    fn went_on(&mut self, cursor: Bytes) {
        self.request.cursor = Some(cursor);
        self.failures = 0;
    }
}

/// Whether another connection may go on. The stream's deadline and the broker's stop end it in the ordinary
/// course of things.
fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::Deadline => true,
        Failure::Refused(refusal) if refusal.code == Code::DeadlineExceeded => true,
        other => other.may_be_retried(Safety::Ask),
    }
}
