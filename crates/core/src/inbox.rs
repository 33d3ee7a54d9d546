//! Inboxes: what waits for a party. Waiting is not a right to read: whether a message may be read is
//! decided when it leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use serde::{Deserialize, Serialize};

use crate::{
    code::Condition,
    id::{CaseId, DeliveryId, EntryIndex, NoticeId, PurposeCode, SubjectId},
};

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Topic {
    /// A condition of a case may have changed.
    Status {
        /// The case.
        case: CaseId,
        /// The condition.
        condition: Condition,
        /// The purpose under which the receiver may be told.
        purpose: PurposeCode,
    },
    /// A notice waits to be acknowledged.
    Notice(NoticeId),
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The person it is about.
    pub subject: SubjectId,
    /// What it is about.
    pub topic: Topic,
}

/// A message that was handed over and is not yet acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// Its id, the same whenever it is handed over again.
    pub delivery: DeliveryId,
    /// What was handed over.
    pub message: Pending,
}

/// The order of a waiting message: the entry that caused it, and its number within that entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Order(pub EntryIndex, pub u32);

/// The inbox of one party.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inbox {
    /// How often something was handed over, again or for the first time: the last position given, or one
    /// after it. Whoever can read leaves alone counts the same.
    last_position: u64,
    pending: BTreeMap<Order, Pending>,
    handed: BTreeMap<u64, Handed>,
    /// What is about whom, so that nothing about one person takes longer for what waits about others.
    about: BTreeMap<SubjectId, About>,
    /// Where each delivery stands.
    deliveries: BTreeMap<DeliveryId, u64>,
}

/// The messages about one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct About {
    pending: BTreeSet<Order>,
    handed: BTreeSet<u64>,
}

/// A row of an inbox that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InboxKey {
    /// The last position given.
    Position,
    /// A waiting message.
    Pending(Order),
    /// A message handed over, by position.
    Handed(u64),
}

/// A row of an inbox as it is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InboxRow {
    /// The last position given.
    Position(u64),
    /// A waiting message.
    Pending(Order, Pending),
    /// A message handed over.
    Handed(u64, Handed),
}

impl Inbox {
    /// Puts a row back that was read from disk.
    pub fn restore(&mut self, row: InboxRow) {
        match row {
            InboxRow::Position(position) => self.last_position = position,
            InboxRow::Pending(order, pending) => self.put(order, pending),
            InboxRow::Handed(position, handed) => self.put_handed(position, handed),
        }
    }

    /// The row to keep on disk for a key; `None` when it is gone.
    #[must_use]
    pub fn row(&self, key: InboxKey) -> Option<InboxRow> {
        match key {
            InboxKey::Position => Some(InboxRow::Position(self.last_position)),
            InboxKey::Pending(order) => self
                .pending
                .get(&order)
                .map(|found| InboxRow::Pending(order, found.clone())),
            InboxKey::Handed(position) => self
                .handed
                .get(&position)
                .map(|found| InboxRow::Handed(position, found.clone())),
        }
    }

    /// Lets a message wait, unless one about the same waits already.
    pub fn add(&mut self, order: Order, message: Pending) -> Option<InboxKey> {
        if self.order_of(&message).is_some() {
            return None;
        }
        self.put(order, message);
        Some(InboxKey::Pending(order))
    }

    /// Where a message about the same waits. It waits once, so that whatever takes it out of the inbox takes it out
    /// under whichever entry it still waits: what caused it first may have been erased since.
    #[must_use]
    pub fn order_of(&self, message: &Pending) -> Option<Order> {
        let about = self.about.get(&message.subject);
        let mut waiting = about.into_iter().flat_map(|about| &about.pending);
        waiting
            .find(|order| self.pending.get(order) == Some(message))
            .copied()
    }

    /// Turns a waiting message into one that was handed over, at this position.
    pub fn hand_over(
        &mut self,
        order: Order,
        delivery: DeliveryId,
        position: u64,
    ) -> Vec<InboxKey> {
        let Some(message) = self.take(order) else {
            return Vec::new();
        };
        self.put_handed(position, Handed { delivery, message });
        vec![InboxKey::Pending(order), InboxKey::Handed(position)]
    }

    /// Counts that something was handed over, whatever it was.
    pub fn count(&mut self) -> InboxKey {
        self.last_position = self.last_position.saturating_add(1);
        InboxKey::Position
    }

    /// Drops every message about a person.
    pub fn drop_about(&mut self, subject: SubjectId) -> Vec<InboxKey> {
        let About { pending, handed } = self.about.remove(&subject).unwrap_or_default();
        for order in &pending {
            self.pending.remove(order);
        }
        for handed in handed.iter().filter_map(|at| self.handed.remove(at)) {
            self.deliveries.remove(&handed.delivery);
        }
        let waiting = pending.into_iter().map(InboxKey::Pending);
        waiting
            .chain(handed.into_iter().map(InboxKey::Handed))
            .collect()
    }

    /// The rows of every message, waiting or handed over.
    pub fn messages(&self) -> impl Iterator<Item = (InboxKey, InboxRow)> {
        let waiting = self.pending.iter().map(|(order, message)| {
            let row = InboxRow::Pending(*order, message.clone());
            (InboxKey::Pending(*order), row)
        });
        let handed = self.handed.iter().map(|(position, handed)| {
            let row = InboxRow::Handed(*position, handed.clone());
            (InboxKey::Handed(*position), row)
        });
        waiting.chain(handed)
    }

    /// Drops a waiting message that may not be read.
    pub fn suppress(&mut self, order: Order) -> InboxKey {
        self.take(order);
        InboxKey::Pending(order)
    }

    /// Drops a message that was handed over: acknowledged, or no longer to be read.
    pub fn drop_handed(&mut self, position: u64) -> InboxKey {
        if let Some(handed) = self.handed.remove(&position) {
            self.deliveries.remove(&handed.delivery);
            self.forget(handed.message.subject, |about| {
                about.handed.remove(&position);
            });
        }
        InboxKey::Handed(position)
    }

    /// The messages to hand over again after a position: not acknowledged yet.
    pub fn handed_after(&self, after: u64) -> impl Iterator<Item = (u64, &Handed)> {
        self.handed
            .range(after.saturating_add(1)..)
            .map(|(at, handed)| (*at, handed))
    }

    /// The messages that wait, in order.
    pub fn waiting(&self) -> impl Iterator<Item = (Order, &Pending)> {
        self.pending
            .iter()
            .map(|(order, pending)| (*order, pending))
    }

    /// The messages after one, by their rows: those that wait first, then those that were handed over and not
    /// acknowledged.
    pub fn messages_after(
        &self,
        after: Option<InboxKey>,
    ) -> impl Iterator<Item = (InboxKey, &Pending)> {
        let (order, position) = match after {
            None | Some(InboxKey::Position) => (Some(Bound::Unbounded), 0),
            Some(InboxKey::Pending(order)) => (Some(Bound::Excluded(order)), 0),
            Some(InboxKey::Handed(position)) => (None, position),
        };
        let waiting = order
            .into_iter()
            .flat_map(|from| self.pending.range((from, Bound::Unbounded)))
            .map(|(order, message)| (InboxKey::Pending(*order), message));
        let handed = self.handed_after(position);
        waiting.chain(handed.map(|(at, handed)| (InboxKey::Handed(at), &handed.message)))
    }

    /// Where a delivery stands that is not acknowledged yet.
    #[must_use]
    pub fn position_of(&self, delivery: DeliveryId) -> Option<(u64, &Handed)> {
        let position = self.deliveries.get(&delivery)?;
        let handed = self.handed.get(position)?;
        Some((*position, handed))
    }

    /// The last position given.
    #[must_use]
    pub fn last_position(&self) -> u64 {
        self.last_position
    }

    fn put(&mut self, order: Order, message: Pending) {
        let about = self.about.entry(message.subject).or_default();
        about.pending.insert(order);
        self.pending.insert(order, message);
    }

    fn put_handed(&mut self, position: u64, handed: Handed) {
        let about = self.about.entry(handed.message.subject).or_default();
        about.handed.insert(position);
        self.deliveries.insert(handed.delivery, position);
        self.handed.insert(position, handed);
    }

    fn take(&mut self, order: Order) -> Option<Pending> {
        let message = self.pending.remove(&order)?;
        self.forget(message.subject, |about| {
            about.pending.remove(&order);
        });
        Some(message)
    }

    fn forget(&mut self, subject: SubjectId, what: impl FnOnce(&mut About)) {
        if let Some(about) = self.about.get_mut(&subject) {
            what(about);
            if about.pending.is_empty() && about.handed.is_empty() {
                self.about.remove(&subject);
            }
        }
    }
}
