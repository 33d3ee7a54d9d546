//! What a search can find an entry by.

use std::collections::BTreeSet;

use schakel_audit::leaf::{EntryType, Leaf};
use schakel_core::{
    code::Condition,
    erasure::Erasures,
    event::{Asked, Delivered, Denied, Details, Disclosed, Event, Naming},
    id::{EntryIndex, PartyId, PurposeCode, Reference, SlotId, SubjectId},
    inbox::Topic,
    time::Timestamp,
};

use crate::{entry::Whole, world::due};

/// Whose entries they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whose {
    /// Those that concern this controller.
    Controller(PartyId),
    /// All there are, found by person, kind and reference alone: for the broker itself, which replays what
    /// was decided from everything about a person, whomever it concerns.
    Anyone,
    /// Those that were sealed with this key and can no longer be read: for the broker itself, which counts them
    /// for the person whose key it is.
    Sealed(SlotId),
}

/// What one entry can be found by, by one controller or by the broker itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The entry.
    pub entry: EntryIndex,
    /// When it was recorded, in log time.
    pub at: Timestamp,
    /// Who may find it.
    pub whose: Whose,
    /// The person it is about, when that person is known.
    pub subject: Option<SubjectId>,
    /// Whom the call named, known or not, where it did no more than that. Kept as a digest only.
    pub named: Option<Naming>,
    /// The party that acted.
    pub party: PartyId,
    /// The purpose it was done for.
    pub purpose: Option<PurposeCode>,
    /// The conditions it is about: what was disclosed, or, when nothing was, what was wanted.
    pub conditions: BTreeSet<Condition>,
    /// What came of it.
    pub outcome: Outcome,
    /// What it records.
    pub kind: EntryType,
    /// Over whose connection, when that was another party's.
    pub transport: Option<PartyId>,
    /// SHA-256 of the certificate of the connection.
    pub certificate: Option<[u8; 32]>,
    /// What whoever was denied something can quote, or under which a search waits.
    pub reference: Option<Reference>,
}

/// What came of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Something about a person was disclosed.
    Disclosed,
    /// Something was denied.
    Denied,
    /// Neither: something was recorded, changed or looked up.
    Other,
}

/// What an entry can be found by: for each controller concerned, in the order of their ids, and last for
/// the broker itself.
///
/// A leaf that names no party as it must, which the log does not take, gives nothing.
#[must_use]
pub fn facts(leaf: &Leaf, details: &Details, entry: EntryIndex) -> Vec<Facts> {
    let (Ok(party), Ok(at)) = (leaf.party.parse(), Timestamp::from_millis(leaf.at_ms)) else {
        return Vec::new();
    };
    let party: PartyId = whose_message(&details.event).cloned().unwrap_or(party);
    let purpose = purpose(leaf).or_else(|| proposed_for(&details.event).cloned());
    let (conditions, outcome) = gist(&details.event);
    let call = details.call.as_ref();
    let of = |whose: Whose| Facts {
        entry,
        at,
        whose,
        subject: details.subject,
        named: details.named(),
        party: party.clone(),
        purpose: purpose.clone(),
        conditions: conditions.clone(),
        outcome,
        kind: leaf.entry_type,
        transport: call
            .map(|call| call.transport.clone())
            .filter(|transport| *transport != party),
        certificate: call.map(|call| call.certificate),
        reference: reference(&details.event),
    };
    let controllers = details.controllers.iter().cloned().map(Whose::Controller);
    controllers.chain([Whose::Anyone]).map(of).collect()
}

/// Whose message was dropped, where the broker did so by itself.
fn whose_message(event: &Event) -> Option<&PartyId> {
    match event {
        Event::Denied(denied) => denied.receiver(),
        _ => None,
    }
}

/// What a proposed search or export is for: by it they are found among all the looks, which they stand between.
fn proposed_for(event: &Event) -> Option<&PurposeCode> {
    match event {
        Event::SearchProposed(proposed) => Some(&proposed.purpose),
        _ => None,
    }
}

/// What an entry can be quoted by.
fn reference(event: &Event) -> Option<Reference> {
    match event {
        Event::Denied(denied) => Some(denied.reference),
        Event::SearchProposed(proposed) => Some(proposed.search),
        Event::SearchDecided(decided) => Some(decided.search),
        _ => None,
    }
}

/// What an entry can be found by as it is read back: by the controllers concerned, and by those for which it was
/// erased, though by nothing but what its leaf says and, where nobody can read it any more, by the keys it was
/// sealed with.
#[must_use]
pub fn remaining_facts(whole: &Whole, entry: EntryIndex, erasures: &Erasures) -> Vec<Facts> {
    let found = &whole.entry;
    let leaf = &found.leaf;
    let mut remaining = match &found.details {
        Some(details) => facts(leaf, details, entry),
        None => Vec::new(),
    };
    if found.details.is_some() && found.erased.is_empty() {
        return remaining;
    }
    let (Ok(party), Ok(at)) = (leaf.party.parse(), Timestamp::from_millis(leaf.at_ms)) else {
        return remaining;
    };
    let party: PartyId = party;
    let due = due(leaf);
    let covering = erasures
        .done()
        .filter(|done| done.erased.covers.holds(entry, due));
    let erased: BTreeSet<&PartyId> = covering
        .map(|done| done.erased.controller.as_ref().unwrap_or(&party))
        .collect();
    let keys = whole.slots.iter().filter(|_| found.details.is_none());
    let keys = keys.map(|slot| Whose::Sealed(*slot));
    let controllers = erased.into_iter().cloned().map(Whose::Controller);
    for whose in controllers.chain(keys) {
        if remaining.iter().any(|facts| facts.whose == whose) {
            continue;
        }
        remaining.push(Facts {
            entry,
            at,
            whose,
            subject: None,
            named: None,
            party: party.clone(),
            purpose: purpose(leaf),
            conditions: BTreeSet::new(),
            outcome: Outcome::of_leaf(leaf.entry_type),
            kind: leaf.entry_type,
            transport: leaf.transport.as_ref().and_then(|id| id.parse().ok()),
            certificate: None,
            reference: None,
        });
    }
    remaining
}

impl Outcome {
    /// What came of an entry, as far as its leaf says.
    #[must_use]
    pub const fn of_leaf(kind: EntryType) -> Self {
        match kind {
            EntryType::Disclosure | EntryType::Delivery => Self::Disclosed,
            EntryType::Denial => Self::Denied,
            _ => Self::Other,
        }
    }
}

fn purpose(leaf: &Leaf) -> Option<PurposeCode> {
    let named = leaf.purpose.as_ref();
    named.and_then(|(code, _)| code.parse().ok())
}

/// The conditions an event is about, and what came of it.
fn gist(event: &Event) -> (BTreeSet<Condition>, Outcome) {
    match event {
        Event::Disclosed(disclosed)
        | Event::Delivered(Delivered {
            disclosed: Some(disclosed),
            ..
        }) => (granted(disclosed), Outcome::Disclosed),
        Event::Denied(denied) => (wanted(denied), Outcome::Denied),
        event => (conditions_of(event), Outcome::Other),
    }
}

fn granted(disclosed: &Disclosed) -> BTreeSet<Condition> {
    disclosed
        .grants
        .iter()
        .map(|grant| grant.condition)
        .collect()
}

fn wanted(denied: &Denied) -> BTreeSet<Condition> {
    match &denied.asked {
        Asked::Disclosure(ask) => ask.conditions.clone(),
        Asked::Message { message, .. } => match &message.topic {
            Topic::Status { condition, .. } => [*condition].into(),
            Topic::Notice(_) => BTreeSet::new(),
        },
        Asked::Call { .. } => BTreeSet::new(),
    }
}

/// The conditions of an event that neither disclosed nor denied.
fn conditions_of(event: &Event) -> BTreeSet<Condition> {
    match event {
        Event::ConsentRecorded { terms, .. } => terms.conditions.clone(),
        Event::ConsentEnded(ended) => all_when_empty(&ended.conditions),
        Event::Restricted { conditions, .. } => all_when_empty(conditions),
        Event::StatusReported { condition, .. } | Event::Introduced { condition, .. } => {
            [*condition].into()
        }
        Event::Disclosed(_)
        | Event::Denied(_)
        | Event::Delivered(_)
        | Event::CaseOpened { .. }
        | Event::MunicipalityAssigned { .. }
        | Event::MemberAdded { .. }
        | Event::MemberRemoved { .. }
        | Event::CaseClosed { .. }
        | Event::Redeemed { .. }
        | Event::RestrictionLifted { .. }
        | Event::Acknowledged { .. }
        | Event::LookedUp(_)
        | Event::Withheld(_)
        | Event::SearchProposed(_)
        | Event::SearchDecided(_)
        | Event::TrailVerified(_)
        | Event::ReplayDiffered(_)
        | Event::Issuance(_)
        | Event::Proposed(_)
        | Event::CertificatesUsed { .. }
        | Event::Changed { .. }
        | Event::Rejected { .. }
        | Event::Refused { .. }
        | Event::Started { .. }
        | Event::Stopped
        | Event::ClockJumped { .. }
        | Event::ClockAcknowledged { .. }
        | Event::SigningResumed { .. }
        | Event::Erased(_)
        | Event::ErasureProposed(_)
        | Event::ErasureApproved { .. }
        | Event::ErasureRejected { .. }
        | Event::KekRotated
        | Event::CheckpointKey { .. } => BTreeSet::new(),
    }
}

fn all_when_empty(conditions: &BTreeSet<Condition>) -> BTreeSet<Condition> {
    if conditions.is_empty() {
        Condition::ALL.iter().copied().collect()
    } else {
        conditions.clone()
    }
}
