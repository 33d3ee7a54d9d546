//! Cutting what fits no entry into several that say the same together.
//!
//! A withdrawal is never refused, however many consents end by it and however many must be told. What an entry
//! holds is bounded, and so is the number of controllers it is sealed for; so it is cut in halves until each
//! part fits. All parts go into the log one after the other, and the answer goes with the last.

use std::collections::BTreeSet;

use schakel_core::{dossier::Dossier, event::Event, id::PartyId, notice::Notice};

use super::plan::{Plan, Told};

/// A plan, or a part of one.
pub(super) struct Part {
    pub(super) plan: Plan,
    /// For whom it is sealed beside those it concerns, when another part is for the others.
    pub(super) keepers: Option<BTreeSet<PartyId>>,
}

impl Part {
    /// A plan in one piece.
    pub(super) const fn whole(plan: Plan) -> Self {
        Self {
            plan,
            keepers: None,
        }
    }

    /// For whom it is sealed beside those it concerns.
    pub(super) fn keepers(&self, dossier: Option<&Dossier>) -> BTreeSet<PartyId> {
        let named = || dossier.map(|found| found.keepers(&self.plan.event));
        self.keepers.clone().or_else(named).unwrap_or_default()
    }

    /// Two halves, in order, of a part that is sealed for these; `None` when there is nothing to cut.
    pub(super) fn cut(mut self, keepers: BTreeSet<PartyId>) -> Option<[Self; 2]> {
        let told = recipients(&self.plan.event);
        let mut rest = SealedFor {
            keepers: keepers.into_iter().collect(),
            others: self.plan.controllers.difference(&told).cloned().collect(),
        };
        let (event, first) = front_of(&mut self.plan.event, &mut rest)?;
        let concerned = |event: &Event, others: Vec<PartyId>| {
            let told = recipients(event).into_iter();
            told.chain(others).collect()
        };
        let front = Plan {
            kind: self.plan.kind,
            subject: self.plan.subject,
            retention: self.plan.retention.clone(),
            controllers: concerned(&event, first.others),
            purpose: self.plan.purpose.clone(),
            event,
            told: Told::Nobody,
        };
        self.plan.controllers = concerned(&self.plan.event, rest.others);
        // The end of a consent is sealed for the keepers of that consent, which its event names.
        let named = matches!(front.event, Event::ConsentEnded(_));
        let kept = |keepers: Vec<PartyId>| (!named).then(|| keepers.into_iter().collect());
        Some([
            Self {
                plan: front,
                keepers: kept(first.keepers),
            },
            Self {
                plan: self.plan,
                keepers: kept(rest.keepers),
            },
        ])
    }
}

/// For whom a part is sealed, beside those it tells.
#[derive(Default)]
struct SealedFor {
    /// Those it does not concern.
    keepers: Vec<PartyId>,
    /// Those it concerns: who must decide about a restriction, or lifted one.
    others: Vec<PartyId>,
}

impl SealedFor {
    fn len(&self) -> usize {
        self.keepers.len() + self.others.len()
    }

    /// Takes what is first out of it, at most as many as are left to take.
    fn front(&mut self, left: &mut usize) -> Self {
        Self {
            keepers: front(&mut self.keepers, left),
            others: front(&mut self.others, left),
        }
    }
}

/// Takes the first half out of an event and of those it is sealed for. Applying both in order is the same as
/// applying the whole.
fn front_of(rest: &mut Event, sealed_for: &mut SealedFor) -> Option<(Event, SealedFor)> {
    let mut first = rest.clone();
    let mut kept = SealedFor::default();
    match (&mut first, rest) {
        (Event::ConsentEnded(first), Event::ConsentEnded(rest)) => {
            let total = rest.consents.len() + rest.narrowed.len() + rest.notices.len();
            let mut half = half_of(total)?;
            first.consents = front(&mut rest.consents, &mut half);
            first.narrowed = front(&mut rest.narrowed, &mut half);
            first.notices = front(&mut rest.notices, &mut half);
        }
        (Event::Restricted { notices: first, .. }, Event::Restricted { notices: rest, .. }) => {
            let mut half = half_of(sealed_for.len() + rest.len())?;
            kept = sealed_for.front(&mut half);
            *first = front(rest, &mut half);
        }
        (Event::RestrictionLifted { .. }, Event::RestrictionLifted { .. }) => {
            kept = sealed_for.front(&mut half_of(sealed_for.len())?);
        }
        (
            Event::StatusReported {
                messages: first_messages,
                notices: first_notices,
                ..
            },
            Event::StatusReported {
                messages, notices, ..
            },
        ) => {
            let mut half = half_of(messages.len() + notices.len())?;
            *first_messages = front(messages, &mut half);
            *first_notices = front(notices, &mut half);
        }
        (Event::CertificatesUsed { used: first }, Event::CertificatesUsed { used: rest }) => {
            *first = front(rest, &mut half_of(rest.len())?);
        }
        // What else there is holds nothing that grows with a person's records.
        _ => return None,
    }
    Some((first, kept))
}

/// Half of so many; `None` of fewer than two.
fn half_of(total: usize) -> Option<usize> {
    (total > 1).then_some(total / 2)
}

/// Takes what is first out of a list, at most as many as are left to take.
fn front<T>(list: &mut Vec<T>, left: &mut usize) -> Vec<T> {
    let count = list.len().min(*left);
    *left -= count;
    list.drain(..count).collect()
}

/// Whom an event tells, by a notice.
fn recipients(event: &Event) -> BTreeSet<PartyId> {
    let notices: &[Notice] = match event {
        Event::ConsentEnded(ended) => &ended.notices,
        Event::Restricted { notices, .. } | Event::StatusReported { notices, .. } => notices,
        _ => &[],
    };
    notices
        .iter()
        .map(|notice| notice.recipient.clone())
        .collect()
}

#[cfg(test)]
mod tests;
