//! Deciding again: whether a past decision comes out as it did, from the records as they stood then.

use crate::{
    code::codes,
    decide::{Denial, Permit, Reason, decide},
    deliver,
    dossier::Dossier,
    event::{Asked, Call, Delivered, Denied, Details, Disclosed, Event},
    id::PartyId,
    inbox::Topic,
    minimise::{Minimised, Released, minimise},
    party::Peer,
    registry::Registry,
    time::Timestamp,
};

codes! {
    /// In what a decision came out otherwise.
    Difference, "must be one of OUTCOME, PURPOSE_VERSION, GRANTS, GRANULARITY, REASONS, CONTENT" {
        /// Something was disclosed that is denied now, or the other way round.
        Outcome = "OUTCOME",
        /// Another version of the purpose decided.
        PurposeVersion = "PURPOSE_VERSION",
        /// Something else was granted, or on something else.
        Grants = "GRANTS",
        /// It was told in another detail.
        Granularity = "GRANULARITY",
        /// It was denied for other reasons, or in another order.
        Reasons = "REASONS",
        /// The content is not the one that the leaf is committed to.
        Content = "CONTENT",
    }
}

/// What came of deciding again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The entry is no decision about a disclosure.
    NoDecision,
    /// It came out the same: the same result, for the same reasons.
    Same,
    /// It came out otherwise, in these ways; never empty.
    Differs(Vec<Difference>),
}

/// What a decision was made from, as it stood just before its entry.
#[derive(Clone, Copy, Debug)]
pub struct Then<'a> {
    /// The person's records; absent when nobody was known.
    pub dossier: Option<&'a Dossier>,
    /// What was registered.
    pub registry: &'a Registry,
    /// The instant.
    pub at: Timestamp,
}

/// How content is written and committed to, and what the leaf is committed to.
#[derive(Clone, Copy, Debug)]
pub struct Content {
    /// The exact bytes that are released.
    pub encode: fn(&Released) -> Vec<u8>,
    /// Their digest under a salt.
    pub digest: fn(&[u8; 32], &[u8]) -> [u8; 32],
    /// What the leaf holds.
    pub released: Option<[u8; 32]>,
}

/// Decides again what an entry decided. Looks at nothing but its arguments.
#[must_use]
pub fn replay(details: &Details, then: &Then<'_>, content: &Content) -> Replay {
    let caller = || details.call.as_ref().map(|call| peer(call, then));
    match &details.event {
        Event::Disclosed(disclosed)
        | Event::Delivered(Delivered {
            disclosed: Some(disclosed),
            ..
        }) => caller().map_or(Replay::NoDecision, |peer| {
            differs(disclosed_again(disclosed, &peer, then, content))
        }),
        Event::Denied(denied) => {
            let receiver = denied.receiver().map(|party| receiver(party, then));
            let peer = receiver.or_else(caller);
            peer.map_or(Replay::NoDecision, |peer| denied_again(denied, &peer, then))
        }
        _ => Replay::NoDecision,
    }
}

fn disclosed_again(
    disclosed: &Disclosed,
    peer: &Peer,
    then: &Then<'_>,
    content: &Content,
) -> Vec<Difference> {
    let permit = decide(&disclosed.ask, peer, then.dossier, then.registry, then.at);
    let (Ok(permit), Some(dossier)) = (permit, then.dossier) else {
        return vec![Difference::Outcome];
    };
    compare(disclosed, permit, dossier, then, content)
}

fn compare(
    disclosed: &Disclosed,
    permit: Permit,
    dossier: &Dossier,
    then: &Then<'_>,
    content: &Content,
) -> Vec<Difference> {
    let minimised: Minimised = minimise(permit, dossier, then.registry, then.at);
    let mut differences = Vec::new();
    let mut unless = |same: bool, difference| {
        if !same {
            differences.push(difference);
        }
    };
    unless(
        minimised.version() == disclosed.version,
        Difference::PurposeVersion,
    );
    unless(minimised.grants() == disclosed.grants, Difference::Grants);
    unless(
        minimised.granularity() == disclosed.granularity,
        Difference::Granularity,
    );
    let committed = minimised.commit(content.encode, &disclosed.salt, content.digest);
    unless(
        content.released == Some(committed.digest()),
        Difference::Content,
    );
    differences
}

fn denied_again(denied: &Denied, peer: &Peer, then: &Then<'_>) -> Replay {
    let decided = match &denied.asked {
        Asked::Disclosure(ask) => decide(ask, peer, then.dossier, then.registry, then.at),
        Asked::Message { message, .. } => {
            let Topic::Status { .. } = &message.topic else {
                return Replay::NoDecision;
            };
            match then
                .dossier
                .map(|of| deliver::ask(of, peer, &message.topic))
            {
                Some(Some(ask)) => decide(&ask, peer, then.dossier, then.registry, then.at),
                _ => Err(Denial::of(Reason::SubjectUnknown)),
            }
        }
        // What such a call wanted is judged by other rules, from its request, which is not kept.
        Asked::Call { .. } => return Replay::NoDecision,
    };
    differs(match decided {
        Ok(_) => vec![Difference::Outcome],
        Err(denial) if denial.findings().eq(&denied.findings) => Vec::new(),
        Err(_) => vec![Difference::Reasons],
    })
}

/// Who called, with the roles that counted then.
fn peer(call: &Call, then: &Then<'_>) -> Peer {
    let standing = || then.registry.roles(&call.principal, then.at).to_vec();
    Peer {
        principal: call.principal.clone(),
        transport: call.transport.clone(),
        roles: call.roles.clone().unwrap_or_else(standing),
        unit: call.unit.clone(),
    }
}

/// Whose message waited, as who it was then.
fn receiver(party: &PartyId, then: &Then<'_>) -> Peer {
    Peer {
        principal: party.clone(),
        transport: party.clone(),
        roles: then.registry.roles(party, then.at).to_vec(),
        unit: None,
    }
}

fn differs(differences: Vec<Difference>) -> Replay {
    if differences.is_empty() {
        Replay::Same
    } else {
        Replay::Differs(differences)
    }
}
