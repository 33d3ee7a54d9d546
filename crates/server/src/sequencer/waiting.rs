//! Dropping what may no longer be read: in a round over all inboxes every hour, so that neither the moment nor the
//! number tells a party anything about its own inbox.

use schakel_core::{id::PartyId, inbox::InboxKey, time::Timestamp};

use super::writer::{Batch, Writer, WriterError};

/// From one round to the next, in log time.
const EVERY_MS: u64 = 3_600_000;

/// Messages looked at in one go: as many as keep others waiting for some thousandths of a second.
const AT_ONCE: usize = 256;

/// How far the rounds are.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// When the last one began; `None` before the first of this process.
    begun: Option<Timestamp>,
    under_way: bool,
    /// The last message that was looked at in the one that is under way.
    last: Option<(PartyId, InboxKey)>,
}

impl Writer {
    /// Goes on with the round, or begins one that is due: looks at the next messages, and drops those that their
    /// receivers may not read.
    pub(super) fn drop_unreadable(
        &mut self,
        batch: &mut Batch,
        now: Timestamp,
    ) -> Result<(), WriterError> {
        if !self.upkeep.rounds.goes_on(now) {
            return Ok(());
        }
        let found = self
            .world
            .messages_after(self.upkeep.rounds.last.as_ref(), AT_ONCE);
        self.upkeep.rounds.under_way = found.len() == AT_ONCE;
        let last = found
            .last()
            .map(|(party, place, _)| (party.clone(), *place));
        self.upkeep.rounds.last = last.filter(|_| self.upkeep.rounds.under_way);
        for (receiver, place, message) in found {
            if let Some(plan) = self.planner(now).dropped(&receiver, place, message) {
                self.take_own(batch, plan, now)?;
            }
        }
        Ok(())
    }
}

impl Rounds {
    fn goes_on(&mut self, now: Timestamp) -> bool {
        let lately = |begun: Timestamp| now < begun.plus_millis(EVERY_MS);
        if !self.under_way && !self.begun.is_some_and(lately) {
            self.begun = Some(now);
            self.under_way = true;
        }
        self.under_way
    }
}
