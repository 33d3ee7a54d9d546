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
    /// An event of the broker's own.
    Own(Box<Event>),
    /// Destroy what is due; told whether there is more to do at once.
    Look(oneshot::Sender<bool>),
    /// What the clock said when it jumped ahead.
    Held(oneshot::Sender<Option<Timestamp>>),
    /// Whom a party means; recorded by the look-up that follows.
    Resolve(SubjectRef, PartyId, oneshot::Sender<Option<SubjectId>>),
}

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
    /// Sends the work back undone.
    pub(super) fn refuse(self, error: CallError) {
        if let Self::Request(_, reply) = self {
            // Whoever asked may have gone; then nobody needs to know.
            let _ = reply.send(Reply::Refused(error));
        }
    }
}
