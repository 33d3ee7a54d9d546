//! Taking a request: planned, composed as a whole, and only then applied to the state.
//!
//! What a request comes to stands or falls together: when one of its entries cannot be composed, none is
//! recorded, and whoever asked is told that nothing was done. Whatever acts beside the log, on the keyring or
//! the clock, does so once it is sure that the call is taken.

use std::collections::BTreeMap;

use schakel_audit::leaf::EntryType;
use schakel_core::{event::Event, id::EntryIndex, time::Timestamp};
use tokio::sync::oneshot;

use super::{
    compose::{ComposeError, NotComposed, changes_registry},
    cut::Part,
    job::{Reply, Waiting, refuse, refuse_all},
    own,
    plan::{Plan, Planned},
    remember,
    room::Fitting,
    steps::Fresh,
    writer::{Batch, Entry, Repeat, Writer, WriterError},
};
use crate::call::{Call, CallError, Request};

impl Writer {
    pub(super) fn take_request(
        &mut self,
        batch: &mut Batch,
        request: &mut Request,
        reply: oneshot::Sender<Reply>,
        now: Timestamp,
    ) -> Result<(), WriterError> {
        let alone = goes_alone(&request.call);
        if alone {
            self.commit(std::mem::take(batch))?;
        }
        match self.planner(now).plan(request) {
            Err(error) => refuse(reply, error),
            Ok(Planned::Nothing) => {
                let _ = reply.send(Reply::Nothing);
            }
            Ok(Planned::Repeat(entry, remembered)) => {
                let outcome = remember::outcome(&remembered);
                batch.repeats.push(Repeat {
                    entry,
                    outcome,
                    reply,
                });
            }
            Ok(Planned::Record(plans)) => {
                self.take_plans(batch, request, plans, reply, now)?;
            }
        }
        if alone {
            self.commit(std::mem::take(batch))?;
        }
        Ok(())
    }

    fn take_plans(
        &mut self,
        batch: &mut Batch,
        request: &Request,
        plans: Vec<Plan>,
        reply: oneshot::Sender<Reply>,
        now: Timestamp,
    ) -> Result<(), WriterError> {
        let entries = match self.compose_all(Some(request), plans, now)? {
            Ok(entries) => entries,
            Err(error) => {
                not_composed(&error);
                refuse(reply, CallError::AuditUnavailable);
                return Ok(());
            }
        };
        let Ok(mut entries) = self.fitting(batch, entries)? else {
            refuse(reply, CallError::AuditUnavailable);
            return Ok(());
        };
        let erases = |entry: &Entry| entry.composed.leaf.entry_type == EntryType::Erasure;
        if entries.iter().any(erases) {
            match self.whom_it_erases(request, now) {
                Ok(erasing) => batch.erasing = erasing,
                Err(error) => {
                    refuse(reply, error);
                    return Ok(());
                }
            }
        }
        if matches!(request.call, Call::RotateKek) && !self.rotated() {
            refuse(reply, CallError::AuditUnavailable);
            return Ok(());
        }
        answer_with_last(&mut entries, reply);
        self.apply_all(batch, entries, now)?;
        if matches!(request.call, Call::AcknowledgeClock) {
            self.commit(std::mem::take(batch))?;
            self.time.acknowledge();
        }
        Ok(())
    }

    /// Takes calls that are answered together. When one of them cannot be taken none is: what is recorded as told
    /// must be told. They are planned against the same state, as none of them changes what another is decided on.
    pub(super) fn take_together(
        &mut self,
        batch: &mut Batch,
        mut requests: Vec<Waiting>,
        now: Timestamp,
    ) -> Result<(), WriterError> {
        let mut fresh = BTreeMap::new();
        let mut all = Vec::with_capacity(requests.len());
        for (request, _) in &mut requests {
            let planned = self.planner(now).plan(request);
            let composed = match planned {
                Ok(Planned::Record(plans)) => {
                    self.compose_with(&mut fresh, Some(request), plans, now)?
                }
                // What is asked is always recorded, and never answered from an earlier answer.
                Ok(Planned::Repeat(..) | Planned::Nothing) => Ok(Vec::new()),
                Err(error) => {
                    refuse_all(requests, &error);
                    return Ok(());
                }
            };
            match composed {
                Ok(entries) => all.push(entries),
                Err(error) => {
                    not_composed(&error);
                    refuse_all(requests, &CallError::AuditUnavailable);
                    return Ok(());
                }
            }
        }
        for ((_, reply), entries) in requests.into_iter().zip(&mut all) {
            answer_with_last(entries, reply);
        }
        match self.fitting(batch, all.into_iter().flatten().collect())? {
            Ok(entries) => self.apply_all(batch, entries, now)?,
            Err(entries) => {
                for reply in entries.into_iter().filter_map(|entry| entry.reply) {
                    refuse(reply, CallError::AuditUnavailable);
                }
            }
        }
        Ok(())
    }

    /// Takes an event of the broker's own, which is kept when there is no room for it.
    pub(super) fn take_own(
        &mut self,
        batch: &mut Batch,
        event: Event,
        now: Timestamp,
    ) -> Result<(), WriterError> {
        if let Err(entries) = self.take_act(batch, own::plan(event), now)? {
            for entry in entries {
                self.keep(entry.composed.details.event);
            }
        }
        Ok(())
    }

    /// Takes an act of the broker's own; gives its entries back when there is no room for them.
    pub(super) fn take_act(
        &mut self,
        batch: &mut Batch,
        plan: Plan,
        now: Timestamp,
    ) -> Result<Result<(), Vec<Entry>>, WriterError> {
        match self.compose_all(None, vec![plan], now)? {
            Ok(entries) => match self.fitting(batch, entries)? {
                Ok(entries) => self.apply_all(batch, entries, now)?,
                Err(entries) => return Ok(Err(entries)),
            },
            Err(error) => not_composed(&error),
        }
        Ok(Ok(()))
    }

    /// Composes the entries of plans that stand or fall together. Nothing is changed by it. A plan that fits no
    /// entry becomes several.
    pub(super) fn compose_all(
        &mut self,
        request: Option<&Request>,
        plans: Vec<Plan>,
        now: Timestamp,
    ) -> Result<Result<Vec<Entry>, ComposeError>, WriterError> {
        self.compose_with(&mut BTreeMap::new(), request, plans, now)
    }

    fn compose_with(
        &mut self,
        fresh: &mut Fresh,
        request: Option<&Request>,
        plans: Vec<Plan>,
        now: Timestamp,
    ) -> Result<Result<Vec<Entry>, ComposeError>, WriterError> {
        let mut entries = Vec::with_capacity(plans.len());
        for plan in plans {
            // An erasure is the broker's own act: its entry is open, and says nothing of who asked.
            let by = request.filter(|_| plan.kind != EntryType::Erasure);
            let part = Part::whole(plan);
            if let Err(error) = self.compose_part(by, part, fresh, now, &mut entries)? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(entries))
    }

    fn compose_part(
        &mut self,
        request: Option<&Request>,
        part: Part,
        fresh: &mut Fresh,
        now: Timestamp,
        entries: &mut Vec<Entry>,
    ) -> Result<Result<(), ComposeError>, WriterError> {
        let NotComposed { error, part } = match self.compose(request, part, fresh, now)? {
            Ok((composed, told)) => {
                entries.push(Entry {
                    composed,
                    told,
                    reply: None,
                });
                return Ok(Ok(()));
            }
            Err(failed) => *failed,
        };
        if !error.is_too_much() {
            return Ok(Err(error));
        }
        let Some(halves) = self.halves(part)? else {
            return Ok(Err(error));
        };
        for half in halves {
            if let Err(error) = self.compose_part(request, half, fresh, now, entries)? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// Applies entries to the state in memory, as the next ones of the batch.
    pub(super) fn apply_all(
        &mut self,
        batch: &mut Batch,
        entries: Fitting,
        now: Timestamp,
    ) -> Result<(), WriterError> {
        for entry in entries.all() {
            let composed = &entry.composed;
            let len = composed.frame.stored_len();
            if !batch.has_room_for(len) {
                // Records are made again once everything that erases them is durable: between two parts, entries
                // would be read whose keys are gone and of which no erasure says so yet.
                let erasing = batch.erasing.take();
                self.commit(std::mem::take(batch))?;
                batch.erasing = erasing;
            }
            let index = EntryIndex(self.log.size() + batch.entries.len() as u64);
            self.world
                .apply(&composed.details, &composed.leaf, index, now)?;
            batch.bytes += len;
            batch.registry_changed |= changes_registry(&composed.details.event);
            batch.entries.push(entry);
        }
        Ok(())
    }
}

/// Has the call answered with the last of its entries.
fn answer_with_last(entries: &mut [Entry], reply: oneshot::Sender<Reply>) {
    if let Some(last) = entries.last_mut() {
        last.reply = Some(reply);
    }
}

/// Whether a call has a batch to itself, because it acts beside the log: it destroys keys, so that nothing may be
/// sealed with them meanwhile and everything before must be durable and indexed, or lets them be destroyed.
const fn goes_alone(call: &Call) -> bool {
    matches!(
        call,
        Call::ApproveErasure { .. } | Call::RotateKek | Call::AcknowledgeClock
    )
}

/// Tells the operator that nothing was recorded of something, and why.
pub(super) fn not_composed(error: &ComposeError) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "an entry cannot be composed: nothing was done"
    );
}
