//! What waits for the writer, and what it sends back.

use schakel_core::{
    event::Event,
    id::{PartyId, SubjectId},
    person::SubjectRef,
    time::Timestamp,
};
use schakel_store::record::Recorded;
use tokio::sync::oneshot;

use super::plan::Told;
use crate::call::{CallError, Request};

/// One piece of work for the writer.
pub(super) enum Job {
    /// A call.
    Request(Box<Request>, oneshot::Sender<Reply>),
    /// Calls that are answered together: all of them or none.
    Together(Vec<Waiting>),
    /// An event of the broker's own.
    Own(Box<Event>),
    /// Drop messages that may no longer be read.
    Drop,
    /// Destroy what is due; told whether there is more to do at once.
    Look(oneshot::Sender<bool>),
    /// What the clock said when it jumped ahead.
    Held(oneshot::Sender<Option<Timestamp>>),
    /// Whom a party means; recorded by the look-up that follows.
    Resolve(SubjectRef, PartyId, oneshot::Sender<Option<SubjectId>>),
}

/// A call, and who waits for its answer.
pub(super) type Waiting = (Request, oneshot::Sender<Reply>);

/// What the writer sends back.
pub(super) enum Reply {
    /// It is recorded, with this leaf; what it says opens with the proof inside.
    Recorded(Recorded<Told>, Vec<u8>),
    /// It was recorded before.
    Repeated(Recorded<Told>),
    /// There is nothing to say, and nothing was recorded.
    Nothing,
    /// The call could not be taken.
    Refused(CallError),
}

impl Job {
    /// Sends the work back undone; an event of the broker's own to whoever refuses it.
    pub(super) fn refuse(self, error: CallError) -> Option<Event> {
        match self {
            Self::Request(_, reply) => refuse(reply, error),
            Self::Together(requests) => refuse_all(requests, &error),
            Self::Own(event) => return Some(*event),
            // Who waits for these learns from the closed channel that there is no answer.
            Self::Drop | Self::Look(_) | Self::Held(_) | Self::Resolve(..) => {}
        }
        None
    }
}

/// Refuses a call. Whoever asked may have gone; then nobody needs to know.
pub(super) fn refuse(reply: oneshot::Sender<Reply>, error: CallError) {
    let _ = reply.send(Reply::Refused(error));
}

/// Refuses every call of those that are answered together.
pub(super) fn refuse_all(requests: Vec<Waiting>, error: &CallError) {
    for (_, reply) in requests {
        refuse(reply, error.clone());
    }
}
