//! Lines for a Logboek Dataverwerkingen (reference: Logius, Logboek Dataverwerkingen, newer field names).
//!
//! What is answered the same whatever came of it gives the same line whatever came of it: else whoever reads
//! the logbook would learn what its own system was not told. So a denial names nobody, and neither does the
//! redemption of a code, an acknowledgement, a withdrawal or a restriction. A message that was dropped before
//! it left is no processing of who it waited for, and gives no line.

use std::collections::BTreeSet;

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_audit::leaf::{EntryType, Leaf};
use schakel_core::{
    code::Condition,
    event::{Asked, Delivered, Denied, Details, Disclosed, Event},
    id::PartyId,
    registry::Registry,
    time::Timestamp,
};
use schakel_store::entry::Whole;

use super::{code::to_wire, request::sha256, time::instant};

/// A line of a controller, without the person.
pub(crate) struct Line {
    /// As it is sent.
    pub(crate) line: v1::ProcessingLine,
    /// Whether it may name the person.
    pub(crate) names_the_person: bool,
}

/// The line that an entry gives to a controller whom it concerns; `None` when it gives none.
pub(crate) fn line(
    index: u64,
    whole: &Whole,
    controller: &PartyId,
    registry: &Registry,
) -> Option<Line> {
    let leaf = &whole.entry.leaf;
    let details = whole.entry.details.as_ref()?;
    let own = leaf.party == controller.as_str();
    let act = if own {
        own_act(leaf, details)?
    } else {
        provided(&details.event)?
    };
    let at = Timestamp::from_millis(leaf.at_ms).ok()?;
    let named = leaf.purpose.as_ref();
    let named = named.map(|(code, version)| (code.clone(), Some(*version)));
    let (activity, activity_version) = named
        .or(act.purpose)
        .unwrap_or_else(|| (leaf.entry_type.name().to_owned(), None));
    let line = v1::ProcessingLine {
        index,
        trace_id: Bytes::copy_from_slice(&trace(leaf, details)),
        span_id: Bytes::copy_from_slice(&span(leaf, controller)),
        status: act.status.into(),
        name: act.name,
        start_at: Some(instant(at)),
        end_at: Some(instant(at)),
        activity,
        activity_version,
        data_subject_id: None,
        foreign_oin: foreign(leaf, controller, registry, at),
        conditions: act.conditions,
    };
    Some(Line {
        line,
        names_the_person: act.names_the_person,
    })
}

/// What an entry records that a controller did.
struct Act {
    name: String,
    status: v1::ProcessingStatus,
    purpose: Option<(String, Option<u32>)>,
    conditions: Vec<i32>,
    names_the_person: bool,
}

impl Act {
    fn done(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            status: v1::ProcessingStatus::Ok,
            purpose: None,
            conditions: Vec::new(),
            names_the_person: true,
        }
    }

    fn about<'a>(mut self, conditions: impl IntoIterator<Item = &'a Condition>) -> Self {
        self.conditions = to_wire(conditions);
        self
    }

    /// Of what is answered the same whatever came of it.
    fn nameless(mut self) -> Self {
        self.names_the_person = false;
        self
    }
}

/// What a controller did by calling.
fn own_act(leaf: &Leaf, details: &Details) -> Option<Act> {
    Some(match &details.event {
        Event::Disclosed(disclosed) => Act::done("status received").about(&told(disclosed)),
        Event::Delivered(Delivered {
            disclosed: Some(disclosed),
            ..
        }) => Act::done("status received from the inbox").about(&told(disclosed)),
        Event::Delivered(_) => Act::done("notice received"),
        Event::Denied(denied) => denied_act(leaf, denied)?,
        Event::ConsentRecorded { terms, .. } => {
            Act::done("consent recorded").about(&terms.conditions)
        }
        Event::ConsentEnded(ended) => Act::done("consent withdrawn")
            .about(&ended.conditions)
            .nameless(),
        Event::CaseOpened { .. } => Act::done("case opened"),
        Event::MunicipalityAssigned { .. }
        | Event::MemberAdded { .. }
        | Event::MemberRemoved { .. } => Act::done("case changed"),
        Event::CaseClosed { .. } => Act::done("case closed"),
        Event::StatusReported { condition, .. } => Act::done("status reported").about([condition]),
        Event::Introduced { condition, .. } => Act::done("partner introduced").about([condition]),
        Event::Redeemed { .. } => Act::done(REDEEMED).nameless(),
        Event::Restricted { conditions, .. } => Act::done("restriction recorded")
            .about(conditions)
            .nameless(),
        Event::RestrictionLifted { .. } => Act::done("restriction lifted").nameless(),
        Event::Acknowledged { .. } => Act::done(ACKNOWLEDGED).nameless(),
        Event::LookedUp(looked) => {
            // Looking into the trail is no processing of its own (Logboek Dataverwerkingen).
            details.subject?;
            Act::done(&format!("looked up by {}", looked.method))
        }
        _ => return None,
    })
}

/// What is denied in secret is told like what was done.
fn denied_act(leaf: &Leaf, denied: &Denied) -> Option<Act> {
    let mut act = match (leaf.entry_type, &denied.asked) {
        (EntryType::Introduction, _) => return Some(Act::done(REDEEMED).nameless()),
        (EntryType::Acknowledgement, _) => return Some(Act::done(ACKNOWLEDGED).nameless()),
        (_, Asked::Message { .. }) => return None,
        (_, Asked::Disclosure(ask)) => {
            let mut act = Act::done("status asked").about(&ask.conditions);
            act.purpose = Some((ask.purpose.to_string(), ask.version));
            act
        }
        (_, Asked::Call { method, .. }) => Act::done(method),
    };
    act.name.push_str(", not disclosed");
    act.status = v1::ProcessingStatus::Unset;
    Some(act.nameless())
}

/// What was done with a controller's data when another called.
fn provided(event: &Event) -> Option<Act> {
    match event {
        Event::Disclosed(disclosed)
        | Event::Delivered(Delivered {
            disclosed: Some(disclosed),
            ..
        }) => Some(Act::done("status provided").about(&told(disclosed))),
        _ => None,
    }
}

fn told(disclosed: &Disclosed) -> BTreeSet<Condition> {
    let grants = disclosed.grants.iter();
    grants.map(|grant| grant.condition).collect()
}

/// The trace of the call, or one of the entry's own.
fn trace(leaf: &Leaf, details: &Details) -> [u8; 16] {
    let carried = details.call.as_ref().and_then(|call| call.trace);
    carried.unwrap_or_else(|| first_of(sha256(&[TRACE, leaf.id.as_slice()].concat())))
}

/// The same for the same entry and controller, so that a line that comes twice is recognised.
fn span(leaf: &Leaf, controller: &PartyId) -> [u8; 8] {
    let whole = [SPAN, leaf.id.as_slice(), controller.as_str().as_bytes()].concat();
    first_of(sha256(&whole))
}

fn first_of<const N: usize>(hash: [u8; 32]) -> [u8; N] {
    let mut first = [0; N];
    for (to, from) in first.iter_mut().zip(hash) {
        *to = from;
    }
    first
}

/// The number of the party that called, when it was another.
fn foreign(
    leaf: &Leaf,
    controller: &PartyId,
    registry: &Registry,
    at: Timestamp,
) -> Option<String> {
    if leaf.party == controller.as_str() {
        return None;
    }
    oin(registry, &leaf.party, at)
}

/// The number of a party at an instant.
pub(crate) fn oin(registry: &Registry, party: &str, at: Timestamp) -> Option<String> {
    let party = registry.party(&party.parse().ok()?)?;
    let held = party.oins.iter().find(|dated| dated.period.contains(at));
    held.map(|dated| dated.oin.to_string())
}

const REDEEMED: &str = "introduction redeemed";
const ACKNOWLEDGED: &str = "message acknowledged";
const TRACE: &[u8] = b"schakel/trace/v1\0";
const SPAN: &[u8] = b"schakel/span/v1\0";
