//! Feeding a subscriber: one message at a time, and none before the transport has asked for it.
//!
//! The transport takes one frame ahead of the receiver, whether or not the receiver has room for it. So a heartbeat
//! goes before every message, and only when that has left is the message decided. Until the heartbeat after it has
//! left too, the message may still be with the broker: it is on its way, and its receiver is cut off when it may not
//! read it any more. Room that the receiver announced is not room in its socket: while that takes nothing in, nothing
//! has left.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use schakel_api::v1::{self, subscribe_response::Event};
use tokio::{sync::watch, time::sleep};
use tokio_stream::Stream;
use tonic::Status;

use crate::edge::refusals::Refusal;

/// Where the messages come from.
pub(super) trait Next: Send {
    /// Has the next message decided, recorded and handed over; `None` when none may be read now.
    fn next(&mut self) -> impl Future<Output = Result<Option<v1::Message>, Status>> + Send;

    /// Ends once the receiver takes in what is sent: the transport takes things for one that reads nothing too.
    fn flows(&mut self) -> impl Future<Output = ()> + Send;

    /// The last message has left: the transport took what came after it, and the receiver takes in what is sent.
    fn has_left(&mut self);

    /// The cursor to resume from after the last message.
    fn cursor(&self) -> Vec<u8>;
}

/// What a subscriber is told, until an error ends it or the broker stops. Nothing happens in it but when it is
/// polled.
pub(super) struct Feed<M> {
    /// `None` once it has ended.
    coming: Option<Pin<Box<dyn Future<Output = Step<M>> + Send>>>,
    /// Whether what was told last has yet to leave.
    leaving: bool,
}

/// What is told, and what there is after it.
struct Step<M> {
    told: Result<v1::SubscribeResponse, Status>,
    after: Option<Source<M>>,
}

struct Source<M> {
    messages: M,
    changes: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    heartbeat: Duration,
    /// Whether a heartbeat has left since the last message.
    has_room: bool,
}

impl<M: Next + 'static> Feed<M> {
    /// Feeds from these messages, and looks for more whenever `changes` changes; a heartbeat comes whenever nothing
    /// else does for so long.
    pub(super) fn new(
        messages: M,
        changes: watch::Receiver<u64>,
        stopping: watch::Receiver<bool>,
        heartbeat: Duration,
    ) -> Self {
        let source = Source {
            messages,
            changes,
            stopping,
            heartbeat,
            has_room: false,
        };
        Self {
            coming: Some(Box::pin(source.step())),
            leaving: false,
        }
    }
}

impl<M: Next + 'static> Stream for Feed<M> {
    type Item = Result<v1::SubscribeResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // Who encodes would gather what is ready into one frame: nothing is, right after anything.
        if std::mem::take(&mut self.leaving) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(coming) = &mut self.coming else {
            return Poll::Ready(None);
        };
        let Step { told, after } = ready!(coming.as_mut().poll(cx));
        self.coming = after.map(|source| Box::pin(source.step()) as _);
        self.leaving = true;
        Poll::Ready(Some(told))
    }
}

impl<M: Next> Source<M> {
    async fn step(mut self) -> Step<M> {
        if !std::mem::replace(&mut self.has_room, true) {
            return self.beat();
        }
        loop {
            tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stops| *stops) => return Step::end(stopped()),
                () = self.messages.flows() => self.messages.has_left(),
            }
            self.changes.mark_unchanged();
            match self.messages.next().await {
                Ok(Some(message)) => {
                    self.has_room = false;
                    return self.tells(Event::Message(message));
                }
                Ok(None) => {}
                Err(status) => return Step::end(status),
            }
            let is_silent = tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stops| *stops) => return Step::end(stopped()),
                still = self.changes.changed() => match still {
                    Ok(()) => false,
                    Err(_) => return Step::end(stopped()),
                },
                () = sleep(self.heartbeat) => true,
            };
            if is_silent {
                return self.beat();
            }
        }
    }

    fn beat(self) -> Step<M> {
        let cursor = self.messages.cursor().into();
        self.tells(Event::Heartbeat(v1::Heartbeat { cursor }))
    }

    fn tells(self, event: Event) -> Step<M> {
        Step {
            told: Ok(v1::SubscribeResponse { event: Some(event) }),
            after: Some(self),
        }
    }
}

impl<M> Step<M> {
    fn end(status: Status) -> Self {
        Self {
            told: Err(status),
            after: None,
        }
    }
}

fn stopped() -> Status {
    Status::from(&Refusal::Stopping)
}

#[cfg(test)]
mod tests;
