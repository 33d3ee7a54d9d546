//! The one writer: takes requests in order, decides against the state of the log so far, records, and
//! only then lets answers go.

mod compose;
mod courier;
mod cursor;
mod cut;
mod erase;
mod handover;
mod job;
mod kept;
mod keys;
mod own;
mod pace;
mod plan;
mod remember;
mod resume;
mod room;
mod rules;
mod shared;
mod sign;
mod signing;
mod start;
mod steps;
mod take;
mod time;
mod waiting;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

use std::{fmt, sync::Arc};

use schakel_core::{
    certificate::Seen,
    enrolment::IssuanceEvent,
    event::{Event, RefusalReason, ReplayDiffered},
    id::{Oin, PartyId, SubjectId},
    person::SubjectRef,
    registry::Registry,
    time::Timestamp,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

use self::{cursor::Cursors, job::Reply, plan::Told, shared::Shared};
use crate::{
    call::{Answer, CallError, Outcome, Receipt, Request},
    officer::sampler::Sampled,
    publication::halt::Halt,
    telemetry::Metrics,
    trail::Trail,
};

pub use cursor::{CursorKind, RunCursor};
pub use handover::Handover;
pub(crate) use kept::month;
pub use keys::KeysError;
pub(crate) use keys::read as read_checkpoint_key;
pub use pace::GRID;
pub use start::{Paths, Setup, StartError, Started, start};
pub use writer::WriterError;

/// The handle by which services reach the one writer.
#[derive(Clone)]
pub struct Sequencer {
    jobs: mpsc::Sender<job::Job>,
    shared: Arc<Shared>,
    cursors: Arc<Cursors>,
}

impl Sequencer {
    /// Submits one request and waits for its recorded answer. A denial leaves on the 10 ms grid after
    /// arrival, and so does an answer that is the same whoever is meant.
    ///
    /// # Errors
    /// When the call cannot be taken; see [`CallError`].
    pub async fn submit(&self, request: Request) -> Result<Answer, CallError> {
        let arrival = Instant::now();
        let is_even = pace::is_even(&request.call);
        let reply = self.enqueue(request)?;
        let answer = self.receive(reply).await;
        if pace::waits(&answer, is_even) {
            pace::until_grid(arrival).await;
        }
        answer
    }

    /// Submits several requests that stand next to each other, and waits for all answers. When one
    /// leaves so, all leave on the 10 ms grid after arrival.
    pub async fn submit_all(&self, requests: Vec<Request>) -> Vec<Result<Answer, CallError>> {
        let arrival = Instant::now();
        let mut calls = requests.iter().map(|request| &request.call);
        let is_even = calls.any(pace::is_even);
        let replies: Vec<_> = requests
            .into_iter()
            .map(|request| self.enqueue(request))
            .collect();
        let mut answers = Vec::with_capacity(replies.len());
        for reply in replies {
            answers.push(match reply {
                Ok(reply) => self.receive(reply).await,
                Err(error) => Err(error),
            });
        }
        if answers.iter().any(|answer| pace::waits(answer, is_even)) {
            pace::until_grid(arrival).await;
        }
        answers
    }

    /// Submits questions that are answered together: either every one is decided, recorded and answered, or none is
    /// recorded and the first that could not be taken says why. When one is a denial, all leave on the 10 ms grid
    /// after arrival.
    ///
    /// # Errors
    /// When one of them cannot be taken; see [`CallError`].
    pub async fn submit_together(&self, requests: Vec<Request>) -> Result<Vec<Answer>, CallError> {
        let arrival = Instant::now();
        let (waiting, replies): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .map(|request| {
                let (sender, reply) = oneshot::channel();
                ((request, sender), reply)
            })
            .unzip();
        self.send(job::Job::Together(waiting))?;
        let mut answers = Vec::with_capacity(replies.len());
        for reply in replies {
            answers.push(self.receive(reply).await);
        }
        if answers.iter().any(|answer| pace::waits(answer, false)) {
            pace::until_grid(arrival).await;
        }
        answers.into_iter().collect()
    }

    /// Whom a party means by a reference, as far as their records concern it or the controller it looks for; told on
    /// the 10 ms grid after arrival. Who uses this records the look-up before anything is shown.
    ///
    /// # Errors
    /// [`CallError::Overloaded`], [`CallError::AuditUnavailable`].
    pub async fn resolve(
        &self,
        subject: SubjectRef,
        caller: PartyId,
    ) -> Result<Option<SubjectId>, CallError> {
        let arrival = Instant::now();
        let (sender, reply) = oneshot::channel();
        self.send(job::Job::Resolve(subject, caller, sender))?;
        let found = reply.await.map_err(|_| CallError::AuditUnavailable);
        pace::until_grid(arrival).await;
        found
    }

    /// Records calls that were refused before anything was decided, aggregated over a minute.
    ///
    /// # Errors
    /// [`CallError::Overloaded`], [`CallError::AuditUnavailable`].
    pub fn record_refusals(
        &self,
        party: Option<PartyId>,
        minute: Timestamp,
        counts: Vec<(RefusalReason, u64)>,
        oin: Option<Oin>,
    ) -> Result<(), CallError> {
        let event = Event::Refused {
            party,
            minute,
            counts,
            oin,
        };
        self.send(job::Job::Own(Box::new(event)))
    }

    /// Records that certificates were used.
    ///
    /// # Errors
    /// [`CallError::Overloaded`], [`CallError::AuditUnavailable`].
    pub fn record_uses(&self, used: Vec<Seen>) -> Result<(), CallError> {
        self.send(job::Job::Own(Box::new(Event::CertificatesUsed { used })))
    }

    /// Records that the broker's own authority published a revocation list.
    ///
    /// # Errors
    /// [`CallError::Overloaded`], [`CallError::AuditUnavailable`].
    pub(crate) fn record_list(&self, event: IssuanceEvent) -> Result<(), CallError> {
        self.send(job::Job::Own(Box::new(Event::Issuance(event))))
    }

    /// Changes when the registry has changed, before the change is answered.
    #[must_use]
    pub fn registry_changes(&self) -> watch::Receiver<u64> {
        self.shared.registry_changes.subscribe()
    }

    /// Records that a past decision came out otherwise when it was replayed.
    ///
    /// # Errors
    /// [`CallError::Overloaded`], [`CallError::AuditUnavailable`].
    pub(crate) fn record_difference(&self, differed: ReplayDiffered) -> Result<(), CallError> {
        self.send(job::Job::Own(Box::new(Event::ReplayDiffered(differed))))
    }

    /// What the broker's own replays came to.
    #[must_use]
    pub(crate) fn sampled(&self) -> &Sampled {
        &self.shared.sampled
    }

    /// What is measured.
    #[must_use]
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Has destroyed what is due at the log's time. Whether there is more to do at once.
    ///
    /// # Errors
    /// [`CallError::Overloaded`], [`CallError::AuditUnavailable`].
    pub async fn look_what_is_due(&self) -> Result<bool, CallError> {
        let (sender, reply) = oneshot::channel();
        self.send(job::Job::Look(sender))?;
        reply.await.map_err(|_| CallError::AuditUnavailable)
    }

    /// What the clock said when the broker started more than a day after its last entry, unless it was said since
    /// that it is right.
    ///
    /// # Errors
    /// [`CallError::Overloaded`], [`CallError::AuditUnavailable`].
    pub async fn clock_held(&self) -> Result<Option<Timestamp>, CallError> {
        let (sender, reply) = oneshot::channel();
        self.send(job::Job::Held(sender))?;
        reply.await.map_err(|_| CallError::AuditUnavailable)
    }

    /// The publication tick: has looked whether what waits may still be read, and sends word of what came to inboxes
    /// since the last time.
    pub fn tick(&self) {
        // While nothing can be recorded, or there is too much to do, it waits for another tick.
        if *self.health().borrow() {
            let _ = self.send(job::Job::Drop);
        }
        self.shared.inboxes.tick();
    }

    /// What is registered, as of the last durable entry.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        self.shared.registry.load_full()
    }

    /// The trail, for reading.
    #[must_use]
    pub fn trail(&self) -> &Trail {
        &self.shared.trail
    }

    /// What the broker's clock says.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Whether entries can be recorded.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<bool> {
        self.shared.health()
    }

    /// What stops signing once the log is found to have been taken back.
    #[must_use]
    pub fn halt(&self) -> &Halt {
        &self.shared.halt
    }

    /// How many requests wait for the writer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Changes when something new may wait in the party's inbox, at the next publication tick.
    #[must_use]
    pub fn inbox_changes(&self, party: &PartyId) -> watch::Receiver<u64> {
        self.shared.inboxes.watch(party)
    }

    fn enqueue(&self, request: Request) -> Result<oneshot::Receiver<Reply>, CallError> {
        let (sender, reply) = oneshot::channel();
        self.send(job::Job::Request(Box::new(request), sender))?;
        Ok(reply)
    }

    fn send(&self, job: job::Job) -> Result<(), CallError> {
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => CallError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => CallError::AuditUnavailable,
        })
    }

    async fn receive(&self, reply: oneshot::Receiver<Reply>) -> Result<Answer, CallError> {
        match reply.await {
            Ok(Reply::Recorded(recorded, leaf)) => self.answer(recorded, Some(leaf)),
            Ok(Reply::Repeated(recorded)) => self.answer(recorded, None),
            Ok(Reply::Nothing) => Ok(Answer {
                outcome: Outcome::NoMessage,
                receipt: Receipt::none(),
            }),
            Ok(Reply::Refused(error)) => Err(error),
            // The writer ended: whether it is recorded is not known.
            Err(_) => Err(CallError::Unanswered),
        }
    }

    fn answer(
        &self,
        recorded: schakel_store::record::Recorded<Told>,
        leaf: Option<Vec<u8>>,
    ) -> Result<Answer, CallError> {
        let index = recorded.index();
        let receipt = match leaf {
            Some(leaf) => self.trail().prove(index, leaf).map(Some),
            None => self.trail().receipt(index),
        };
        let receipt = receipt.ok().flatten().ok_or(CallError::Unanswered)?;
        let (told, durable) = recorded.into_parts();
        Ok(Answer {
            outcome: told.release(&durable),
            receipt,
        })
    }
}

impl fmt::Debug for Sequencer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sequencer")
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}
