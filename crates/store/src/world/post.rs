//! What an event does to the inboxes.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use schakel_audit::leaf::{EntryType, Leaf};
use schakel_core::{
    event::{Asked, ConsentEnded, Delivered, Denied, Details, Event},
    id::{EntryIndex, PartyId, SubjectId},
    inbox::{Inbox, InboxKey, Order, Pending, Topic},
    notice::Notice,
};

/// The inboxes, by their parties.
pub(super) type Inboxes = BTreeMap<PartyId, Inbox>;

/// Applies an event to the inboxes, and names the rows it touched. Some of those concerned may have erased the
/// person since: nobody is told any more of what they reported, nor they of a notice that its issuer has erased as
/// well, because then nobody can say any more whether it was acknowledged.
pub(super) fn apply(
    inboxes: &mut Inboxes,
    details: &Details,
    entry: EntryIndex,
    erased: &BTreeSet<PartyId>,
) -> Vec<(PartyId, InboxKey)> {
    let about = |notices| about(notices, details.subject, erased);
    match &details.event {
        Event::StatusReported {
            messages, notices, ..
        } => {
            let actor = details.call.as_ref().map(|call| &call.principal);
            let told = !actor.is_some_and(|actor| erased.contains(actor));
            let messages = messages.iter().filter(|_| told).cloned();
            let messages = messages.chain(about(notices));
            lay_in(inboxes, messages, entry)
        }
        Event::ConsentEnded(ConsentEnded { notices, .. }) | Event::Restricted { notices, .. } => {
            lay_in(inboxes, about(notices), entry)
        }
        Event::Delivered(_) | Event::Acknowledged { .. } | Event::Denied(_) => {
            take_out(inboxes, details)
        }
        _ => Vec::new(),
    }
}

/// Counts what was handed over, by leaves alone: whoever cannot open them any more counts the same.
pub(super) fn count(inboxes: &mut Inboxes, leaf: &Leaf) -> Option<(PartyId, InboxKey)> {
    if !matches!(leaf.entry_type, EntryType::Delivery | EntryType::Notice) {
        return None;
    }
    let party: PartyId = leaf.party.parse().ok()?;
    let counted = inboxes.entry(party.clone()).or_default().count();
    Some((party, counted))
}

/// So many messages after one, party by party.
pub(super) fn after(
    inboxes: &Inboxes,
    last: Option<&(PartyId, InboxKey)>,
    most: usize,
) -> Vec<(PartyId, InboxKey, Pending)> {
    let from = last.map_or(Bound::Unbounded, |(party, _)| Bound::Included(party));
    let within = |party: &PartyId| last.filter(|(of, _)| of == party).map(|(_, key)| *key);
    inboxes
        .range((from, Bound::Unbounded))
        .flat_map(|(party, inbox)| {
            let messages = inbox.messages_after(within(party));
            messages.map(|(key, message)| (party.clone(), key, message.clone()))
        })
        .take(most)
        .collect()
}

/// The messages that tell of notices.
fn about<'a>(
    notices: &'a [Notice],
    subject: Option<SubjectId>,
    erased: &'a BTreeSet<PartyId>,
) -> impl Iterator<Item = (PartyId, Pending)> + 'a {
    let lost =
        |notice: &&Notice| erased.contains(&notice.recipient) && erased.contains(&notice.issued_by);
    let left = notices.iter().filter(move |notice| !lost(notice));
    left.filter_map(move |notice| {
        let message = Pending {
            subject: subject?,
            topic: Topic::Notice(notice.id),
        };
        Some((notice.recipient.clone(), message))
    })
}

/// Lets messages wait, in the order in which the entry names them.
fn lay_in(
    inboxes: &mut Inboxes,
    messages: impl Iterator<Item = (PartyId, Pending)>,
    entry: EntryIndex,
) -> Vec<(PartyId, InboxKey)> {
    let mut rows = Vec::new();
    for (number, (party, message)) in (0..).zip(messages) {
        let inbox = inboxes.entry(party.clone()).or_default();
        let row = inbox.add(Order(entry, number), message);
        rows.extend(row.map(|row| (party, row)));
    }
    rows
}

/// What the principal of a call took out of its own inbox, or the broker by itself.
fn take_out(inboxes: &mut Inboxes, details: &Details) -> Vec<(PartyId, InboxKey)> {
    let receiver = match &details.event {
        Event::Denied(denied) => denied.receiver(),
        _ => None,
    };
    let caller = details.call.as_ref().map(|call| &call.principal);
    let Some(party) = receiver.or(caller) else {
        return Vec::new();
    };
    let Some(inbox) = inboxes.get_mut(party) else {
        return Vec::new();
    };
    let rows = match &details.event {
        Event::Delivered(Delivered {
            order: Some(_),
            delivery,
            position,
            message,
            ..
        }) => inbox.order_of(message).map_or_else(Vec::new, |order| {
            inbox.hand_over(order, *delivery, *position)
        }),
        Event::Acknowledged { position, .. } => vec![inbox.drop_handed(*position)],
        Event::Denied(Denied {
            asked:
                Asked::Message {
                    order,
                    position,
                    message,
                    ..
                },
            ..
        }) => {
            let waiting = order.and_then(|_| inbox.order_of(message));
            let waiting = waiting.map(|order| inbox.suppress(order));
            let handed = position.map(|position| inbox.drop_handed(position));
            waiting.into_iter().chain(handed).collect()
        }
        _ => Vec::new(),
    };
    rows.into_iter().map(|row| (party.clone(), row)).collect()
}
