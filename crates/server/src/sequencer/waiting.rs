//! What may no longer be read. What waits is dropped, in a round over all inboxes every hour, so that neither the moment
//! nor the number tells a party anything about its own inbox. Of what is on its way the receiver is cut off.

use std::collections::BTreeSet;

use schakel_core::{
    event::Event,
    id::{PartyId, SubjectId},
    inbox::InboxKey,
    time::Timestamp,
};

use super::writer::{Batch, Entry, Writer, WriterError};

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
            let Some(plan) = self.planner(now).dropped(&receiver, place, message) else {
                continue;
            };
            if self.take_act(batch, plan, now)?.is_err() {
                // Gone again from the beginning once there is room.
                self.upkeep.rounds = Rounds::default();
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Whose messages may have become others'.
pub(super) enum Touched {
    Everybodys,
    Of(BTreeSet<SubjectId>),
}

impl Writer {
    /// As [`Self::cut_off`], for what entries ended that are durable, before they are answered.
    pub(super) fn cut_off_after(&mut self, entries: &[Entry], registry_changed: bool) {
        let touched = Touched::by(entries, registry_changed);
        let now = entries.last().map(|entry| entry.composed.leaf.at_ms);
        if let Some(Ok(now)) = now.map(Timestamp::from_millis)
            && !touched.is_nobody()
        {
            self.cut_off(&touched, now);
        }
    }

    /// Cuts off those to whom something is on its way that they may not read any more. What they made no room for
    /// goes with the connection.
    pub(super) fn cut_off(&mut self, touched: &Touched, now: Timestamp) {
        let under_way = self
            .shared
            .handovers
            .under_way(|message| touched.holds(message.subject));
        for (over, peer, message) in under_way {
            if !self.planner(now).may_read(&peer, &message) {
                over.cut();
            }
        }
    }
}

impl Touched {
    /// Whose messages these entries may have touched.
    pub(super) fn by(entries: &[Entry], registry_changed: bool) -> Self {
        let events = || entries.iter().map(|entry| &entry.composed.details.event);
        if registry_changed || events().any(|event| matches!(event, Event::Erased(_))) {
            return Self::Everybodys;
        }
        let details = entries.iter().map(|entry| &entry.composed.details);
        let touching = details.filter(|details| !only_tells(&details.event));
        Self::Of(touching.filter_map(|details| details.subject).collect())
    }

    fn holds(&self, subject: SubjectId) -> bool {
        match self {
            Self::Everybodys => true,
            Self::Of(people) => people.contains(&subject),
        }
    }

    /// Whether there is nobody.
    pub(super) fn is_nobody(&self) -> bool {
        matches!(self, Self::Of(people) if people.is_empty())
    }
}

/// Whether an event is of the kind that nobody's right to read ends by.
const fn only_tells(event: &Event) -> bool {
    matches!(
        event,
        Event::Disclosed(_)
            | Event::Denied(_)
            | Event::Delivered(_)
            | Event::Acknowledged { .. }
            | Event::LookedUp(_)
    )
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
