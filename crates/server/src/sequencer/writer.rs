//! The writer: one thread that decides, records and answers, in log order.
//!
//! Steps of a batch, in the order that survives a crash at any point:
//!
//! 1. take what waits, without a timer;
//! 2. plan each request against the state, and apply its event to the state in memory at once, so that the
//!    next request of the batch is decided against it;
//! 3. append the batch: one write, one fdatasync; the checkpoint is signed meanwhile;
//! 4. write the changed rows to the view, and beside that the anchor when it covers every answer; then show the
//!    new end of the log to readers;
//! 5. let the answers go.
//!
//! A crash before 3 ends loses requests that nobody was told about; after it, everything told is in the log.
//! A failed append ends the process: the state in memory is ahead of the log then, and must not be used.

use std::{path::PathBuf, sync::Arc, time::Instant};

use schakel_core::{
    event::Event,
    id::{EntryIndex, PartyId},
    random::Random,
    time::Timestamp,
};
use schakel_store::{
    anchor::AnchorError,
    index,
    keyring::KeyringError,
    log::{AppendError, Log},
    publication::ShownError,
    world::{World, WorldError},
};
use tokio::sync::{mpsc, oneshot};

use super::{
    compose::Composed,
    courier::Courier,
    erase::{Erasing, Upkeep},
    job::{Job, Reply},
    plan::Told,
    room::Kept,
    rules::RuleDigests,
    shared::Shared,
    sign::Signer,
    time::{LogTime, Reading},
    waiting::Touched,
};
use crate::{
    call::{CallError, Outcome},
    config,
    publication::outside::SharedAnchor,
};

/// The most requests taken into one batch.
const MOST_JOBS: usize = 512;
/// The most of the broker's own events kept while nothing can be recorded: more than come in days.
const MOST_KEPT: usize = 16_384;

/// The state of the writing thread.
pub(super) struct Writer {
    pub(super) log: Log,
    pub(super) world: World,
    pub(super) rules: RuleDigests,
    pub(super) time: LogTime,
    pub(super) signer: Signer,
    pub(super) random: Box<dyn Random + Send>,
    pub(super) broker: PartyId,
    pub(super) shared: Arc<Shared>,
    /// The anchor, when it covers every answer.
    pub(super) anchor: Option<SharedAnchor>,
    pub(super) courier: Courier,
    pub(super) terms: config::Retention,
    /// The file of the key-encryption key.
    pub(super) kek: PathBuf,
    pub(super) upkeep: Upkeep,
    pub(super) kept: Kept,
}

/// One entry of the batch, and who waits for it.
pub(super) struct Entry {
    pub(super) composed: Composed,
    pub(super) told: Told,
    pub(super) reply: Option<oneshot::Sender<Reply>>,
}

/// Answers that add no entry of their own.
pub(super) struct Repeat {
    pub(super) entry: EntryIndex,
    pub(super) outcome: Outcome,
    pub(super) reply: oneshot::Sender<Reply>,
}

/// A batch as it is gathered.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    pub(super) repeats: Vec<Repeat>,
    pub(super) bytes: usize,
    pub(super) registry_changed: bool,
    /// Whose records are made again when the batch is durable, where it holds their erasure. It lives and goes
    /// with the batch: made again from anything older, records would say what was changed since.
    pub(super) erasing: Option<Erasing>,
}

/// The clock cannot be right.
#[derive(Debug, thiserror::Error)]
enum ClockWrong {
    #[error("the clock is more than a minute behind the log: set it right")]
    Behind,
    #[error(
        "the clock jumped ahead by more than a day: set it right, or, when it is right now, restart the broker"
    )]
    Ahead,
}

/// Signing was stopped.
#[derive(Debug, thiserror::Error)]
#[error("signing was stopped: {0}")]
struct Halted(String);

/// Why the writer ended.
#[derive(Debug, thiserror::Error)]
pub enum WriterError {
    /// The log could not be written.
    #[error("the log could not be written")]
    Append(#[from] AppendError),
    /// The anchor could not be replaced, or is not what this broker wrote there.
    #[error("the anchor could not be replaced, and no answer may leave before it is")]
    Anchor(#[from] AnchorError),
    /// The anchor could not be replaced for what was signed.
    #[error("what was signed is no checkpoint")]
    Signed(#[from] ShownError),
    /// The checkpoint could not be signed.
    #[error("the checkpoint could not be signed")]
    Signer,
    /// The state could not be kept.
    #[error("the view could not be written")]
    World(#[from] WorldError),
    /// Keys could not be destroyed.
    #[error("what was erased could not be destroyed: the next start goes on with it")]
    Keyring(#[from] KeyringError),
    /// An entry about a person who was erased could not be read.
    #[error("entry {} could not be read to make records again: the next start does", .0.0)]
    Unreadable(EntryIndex),
}

impl Writer {
    /// Works until every handle is gone, or the log cannot be written.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) -> Result<(), WriterError> {
        let mut taken = Vec::with_capacity(MOST_JOBS);
        while jobs.blocking_recv_many(&mut taken, MOST_JOBS) > 0 {
            self.batch(taken.drain(..))?;
            self.shared.metrics.index_lag(self.shared.trail.index_lag());
            self.shared.metrics.queue(jobs.len() as u64);
        }
        self.own_entries(std::iter::once(Event::Stopped))?;
        if !self.kept.is_empty() {
            tracing::error!(
                lost = self.kept.events.len(),
                "events of the broker's own are lost: nothing could be recorded until it stopped"
            );
        }
        Ok(())
    }

    /// Records events of the broker's own, in one batch.
    pub(super) fn own_entries(
        &mut self,
        events: impl Iterator<Item = Event>,
    ) -> Result<(), WriterError> {
        self.batch(events.map(|event| Job::Own(Box::new(event))))
    }

    fn batch(&mut self, mut jobs: impl Iterator<Item = Job>) -> Result<(), WriterError> {
        if let Some(why) = self.shared.halt.why() {
            self.pause(&Halted(why.to_owned()), jobs);
            return Ok(());
        }
        // Before the clock is read: that it jumped is noted once, and must be recorded then.
        match self.log.ready() {
            Ok(()) => {}
            Err(full @ AppendError::NoSegment(_)) => {
                self.pause(&full, jobs);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        let clock = &self.shared.clock;
        let mut batch = Batch::default();
        let now = match self.time.read(clock.now(), clock.passed()) {
            Reading::At(now) => now,
            Reading::Jumped { at, clock } => {
                self.take_own(&mut batch, Event::ClockJumped { clock }, at)?;
                at
            }
            Reading::Behind => {
                self.pause(&ClockWrong::Behind, jobs);
                return Ok(());
            }
            Reading::Ahead => {
                self.pause(&ClockWrong::Ahead, jobs);
                return Ok(());
            }
        };
        self.take_kept(&mut batch, now)?;
        while self.kept.full.is_none()
            && let Some(job) = jobs.next()
        {
            self.take(&mut batch, job, now)?;
        }
        self.commit(batch)?;
        if let Some(full) = self.kept.full.take() {
            self.pause(&full, jobs);
        }
        Ok(())
    }

    /// Takes what was kept while nothing could be recorded.
    fn take_kept(&mut self, batch: &mut Batch, now: Timestamp) -> Result<(), WriterError> {
        let mut kept = std::mem::take(&mut self.kept.events);
        while self.kept.full.is_none()
            && let Some(event) = kept.pop_front()
        {
            self.take_own(batch, event, now)?;
        }
        self.kept.events.append(&mut kept);
        Ok(())
    }

    /// Sends everything back undone, until what is wrong is mended. What the broker itself has to say is kept: nobody
    /// else would say it again.
    fn pause(&mut self, why: &(dyn std::error::Error + 'static), jobs: impl Iterator<Item = Job>) {
        tracing::error!(error = why, "nothing is recorded, and nothing leaves");
        self.shared.healthy(false);
        for job in jobs {
            if let Some(event) = job.refuse(CallError::AuditUnavailable) {
                self.keep(event);
            }
        }
    }

    /// Keeps an event of the broker's own until it can be recorded.
    pub(super) fn keep(&mut self, event: Event) {
        if self.kept.events.len() < MOST_KEPT {
            self.kept.events.push_back(event);
        } else {
            tracing::error!("an event of the broker's own is lost: too many wait");
        }
    }

    fn take(&mut self, batch: &mut Batch, job: Job, now: Timestamp) -> Result<(), WriterError> {
        match job {
            Job::Request(mut request, reply) => self.take_request(batch, &mut request, reply, now),
            Job::Together(requests) => self.take_together(batch, requests, now),
            Job::Own(event) => self.take_own(batch, *event, now),
            Job::Drop => {
                // Time ends rights too.
                self.cut_off(&Touched::Everybodys, now);
                self.drop_unreadable(batch, now)
            }
            Job::Look(reply) => {
                self.commit(std::mem::take(batch))?;
                let more = self.look_what_is_due(now)?;
                if self.kept.full.is_none() {
                    let _ = reply.send(more);
                }
                Ok(())
            }
            Job::Held(reply) => {
                let _ = reply.send(self.time.held());
                Ok(())
            }
            Job::Resolve(subject, caller, reply) => {
                if let Ok(found) = self.planner(now).concerning(&subject, &caller) {
                    // Whoever asked may have gone; then nobody needs to know.
                    let _ = reply.send(found.map(|dossier| dossier.subject));
                }
                Ok(())
            }
        }
    }

    /// Makes a batch durable, shows it, and lets its answers go.
    pub(super) fn commit(&mut self, batch: Batch) -> Result<(), WriterError> {
        let Batch {
            entries,
            repeats,
            registry_changed,
            erasing,
            bytes: _,
        } = batch;
        let first = self.log.size();
        if !entries.is_empty() {
            let frames: Vec<_> = entries.iter().map(|entry| &entry.composed.frame).collect();
            let prepared = self.log.prepare(first, &frames)?;
            self.signer
                .begin(prepared.size_after(), prepared.root_after());
            let written = Instant::now();
            let seen = (prepared.size_after(), prepared.root_after());
            self.log.commit(prepared)?;
            self.shared.keyring.saw(seen.0, seen.1);
            self.shared
                .metrics
                .batch(entries.len() as u64, written.elapsed());
            let checkpoint = self.signer.finish().ok_or(WriterError::Signer)?;
            let erases = |entry: &Entry| matches!(entry.composed.details.event, Event::Erased(_));
            if entries.iter().any(erases) {
                self.carry_out(erasing)?;
            }
            let size = self.log.size();
            self.anchored(&checkpoint, |world| world.flush(size))?;
            self.shared.advance(size, checkpoint);
            self.shared.trail.show_erasures(self.world.erasures());
        }
        if registry_changed {
            self.rules.learn(&self.world.registry());
            self.shared.register(self.world.registry());
        }
        self.cut_off_after(&entries, registry_changed);
        self.shared.healthy(self.kept.full.is_none());
        self.answer(entries, repeats, first);
        Ok(())
    }

    fn answer(&mut self, entries: Vec<Entry>, repeats: Vec<Repeat>, first: u64) {
        let mut facts = Vec::with_capacity(entries.len());
        for (entry, at) in entries.into_iter().zip(first..) {
            let Entry {
                composed,
                told,
                reply,
            } = entry;
            let Composed {
                frame,
                leaf,
                details,
            } = composed;
            let recorded = self.log.recorded(at, told);
            if let (Some(reply), Some(recorded)) = (reply, recorded) {
                self.courier
                    .take(reply, Reply::Recorded(recorded, frame.leaf));
            }
            self.shared.announce(&details.event);
            facts.push(index::facts(&leaf, &details, EntryIndex(at)));
        }
        for Repeat {
            entry,
            outcome,
            reply,
        } in repeats
        {
            if let Some(recorded) = self.log.recorded(entry.0, Told::Plain(outcome)) {
                self.courier.take(reply, Reply::Repeated(recorded));
            }
        }
        self.courier.go();
        self.shared.index.add(EntryIndex(first), facts);
    }
}
