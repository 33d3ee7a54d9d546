//! The inbox: pulling, subscribing, acknowledging.

mod feed;

use schakel_api::v1::{self, inbox_service_server::InboxService};
use schakel_core::party::Peer;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use self::feed::{Feed, Next};
use super::{Fault, Waits, called, connected, opened};
use crate::{
    call::{Call, Outcome},
    edge::{
        identify::{Caller, Connection},
        refusals::Refusal,
    },
    sequencer::{CursorKind, Handover, Sequencer},
    wire::{
        inbox,
        person::Who,
        request::{Parsed, read},
    },
};

/// The service.
#[derive(Clone, Debug)]
pub struct Inbox {
    sequencer: Sequencer,
    waits: Waits,
    stopping: watch::Receiver<bool>,
}

/// The messages of one party after a position.
struct Reader {
    sequencer: Sequencer,
    caller: Caller,
    who: Who,
    after: u64,
    /// The connection that messages go over one by one; absent where they go with an answer.
    connection: Option<Connection>,
    /// The way of the last message, as long as it may not have left.
    under_way: Option<Handover>,
}

impl Inbox {
    /// The service in front of a sequencer. Subscriptions end once `stopping` becomes true.
    #[must_use]
    pub const fn new(sequencer: Sequencer, waits: Waits, stopping: watch::Receiver<bool>) -> Self {
        Self {
            sequencer,
            waits,
            stopping,
        }
    }

    fn reader(
        &self,
        caller: Caller,
        pull: inbox::Pull,
        connection: Option<Connection>,
    ) -> Result<Reader, Status> {
        let after = match &pull.cursor {
            Some(cursor) => self
                .sequencer
                .open_cursor(&caller.peer.principal, CursorKind::Inbox, cursor)
                .ok_or_else(|| inbox::foreign("cursor"))?,
            None => 0,
        };
        Ok(Reader {
            sequencer: self.sequencer.clone(),
            caller,
            who: pull.who,
            after,
            connection,
            under_way: None,
        })
    }
}

impl Next for Reader {
    /// Asks for the next message that may be read, as whoever the caller is by now: a long subscription
    /// ends with the party's place in the registry.
    async fn next(&mut self) -> Result<Option<v1::Message>, Status> {
        let (registry, now) = (self.sequencer.registry(), self.sequencer.now());
        let Peer {
            transport,
            principal,
            unit,
            ..
        } = &self.caller.peer;
        self.caller.peer = registry
            .standing(transport, principal, unit.as_ref(), false, now)
            .map_err(|why| Status::from(&Refusal::PartyUnknown(why.into())))?;
        let outflow = self.connection.as_ref().map(Connection::outflow);
        let over = outflow.map(|outflow| Handover::over(outflow.cut()));
        let parsed = Parsed {
            who: Some(self.who.clone()),
            write: None,
            call: Call::NextMessage {
                after: self.after,
                over: over.clone(),
            },
        };
        let answer = self.sequencer.submit(called(&self.caller, parsed)).await?;
        let position = match &answer.outcome {
            Outcome::NoMessage => return Ok(None),
            Outcome::Message(message) if message.position > self.after => message.position,
            _ => return Err(Fault::Misfit.into()),
        };
        self.after = position;
        self.under_way = over;
        let message = inbox::message(answer, self.cursor()).map_err(Fault::from)?;
        Ok(Some(message))
    }

    async fn flows(&mut self) {
        if let Some(connection) = &self.connection {
            connection.outflow().flows().await;
        }
    }

    fn has_left(&mut self) {
        self.under_way = None;
    }

    fn cursor(&self) -> Vec<u8> {
        let party = &self.caller.peer.principal;
        self.sequencer
            .seal_cursor(party, CursorKind::Inbox, self.after)
    }
}

#[tonic::async_trait]
impl InboxService for Inbox {
    async fn pull(
        &self,
        request: Request<v1::PullRequest>,
    ) -> Result<Response<v1::PullResponse>, Status> {
        let (caller, message) = opened(request)?;
        let pull = read(message, &caller.peer, inbox::pull)?;
        let most = pull.most;
        let mut reader = self.reader(caller, pull, None)?;
        let mut messages = Vec::new();
        for _ in 0..most {
            match reader.next().await {
                Ok(Some(message)) => messages.push(message),
                Err(status) if messages.is_empty() => return Err(status),
                // What was handed over is told; what stood in the way meets the next pull.
                Ok(None) | Err(_) => break,
            }
        }
        let cursor = reader.cursor().into();
        Ok(Response::new(v1::PullResponse { messages, cursor }))
    }

    type SubscribeStream = std::pin::Pin<
        Box<dyn tokio_stream::Stream<Item = Result<v1::SubscribeResponse, Status>> + Send>,
    >;

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let (caller, message, connection) = connected(request)?;
        let pull = read(message, &caller.peer, inbox::subscribe)?;
        let changes = self.sequencer.inbox_changes(&caller.peer.principal);
        let reader = self.reader(caller, pull, Some(connection))?;
        let feed = Feed::new(reader, changes, self.stopping.clone(), self.waits.heartbeat);
        Ok(Response::new(Box::pin(feed)))
    }

    async fn acknowledge(
        &self,
        request: Request<v1::AcknowledgeRequest>,
    ) -> Result<Response<v1::AcknowledgeResponse>, Status> {
        let (caller, message) = opened(request)?;
        let parsed = read(message, &caller.peer, inbox::acknowledge)?;
        let mut requests = parsed.into_iter().map(|one| called(&caller, one));
        // The first goes alone: it has the caller's own key, and a key used for another request must
        // refuse the whole of this one.
        let first = requests.next().ok_or(Fault::Miscounted)?;
        let mut answers = vec![self.sequencer.submit(first).await];
        let others: Vec<_> = requests.collect();
        let count = others.len().saturating_add(1);
        if answers.iter().all(Result::is_ok) && !others.is_empty() {
            answers.extend(self.sequencer.submit_all(others).await);
            if answers.len() != count {
                return Err(Fault::Miscounted.into());
            }
        }
        let receipts = answers
            .into_iter()
            .map(|answer| Ok(inbox::acknowledged(answer?).map_err(Fault::from)?))
            .collect::<Result<Vec<_>, Status>>()?;
        Ok(Response::new(v1::AcknowledgeResponse { receipts }))
    }
}
