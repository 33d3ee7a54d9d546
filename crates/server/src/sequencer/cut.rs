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
        let mut rest_keepers = keepers.into_iter().collect();
        let (first, keepers) = front_of(&mut self.plan.event, &mut rest_keepers)?;
        let first = Plan {
            kind: self.plan.kind,
            subject: self.plan.subject,
            retention: self.plan.retention.clone(),
            controllers: recipients(&first),
            purpose: self.plan.purpose.clone(),
            event: first,
            told: Told::Nobody,
        };
        self.plan.controllers = recipients(&self.plan.event);
        // The end of a consent is sealed for the keepers of that consent, which its event names.
        let named = matches!(first.event, Event::ConsentEnded(_));
        let kept = |keepers: Vec<PartyId>| (!named).then(|| keepers.into_iter().collect());
        Some([
            Self {
                plan: first,
                keepers: kept(keepers),
            },
            Self {
                plan: self.plan,
                keepers: kept(rest_keepers),
            },
        ])
    }
}

/// Takes the first half out of an event and of those it is sealed for. Applying both in order is the same as
/// applying the whole.
fn front_of(rest: &mut Event, keepers: &mut Vec<PartyId>) -> Option<(Event, Vec<PartyId>)> {
    let mut first = rest.clone();
    let mut kept = Vec::new();
    match (&mut first, rest) {
        (Event::ConsentEnded(first), Event::ConsentEnded(rest)) => {
            let total = rest.consents.len() + rest.narrowed.len() + rest.notices.len();
            let mut half = half_of(total)?;
            first.consents = front(&mut rest.consents, &mut half);
            first.narrowed = front(&mut rest.narrowed, &mut half);
            first.notices = front(&mut rest.notices, &mut half);
        }
        (Event::Restricted { notices: first, .. }, Event::Restricted { notices: rest, .. }) => {
            let mut half = half_of(keepers.len() + rest.len())?;
            kept = front(keepers, &mut half);
            *first = front(rest, &mut half);
        }
        (Event::RestrictionLifted { .. }, Event::RestrictionLifted { .. }) => {
            kept = front(keepers, &mut half_of(keepers.len())?);
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

/// Whom an event concerns beside whoever caused it: those it tells.
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
mod tests {
    use proptest::prelude::*;
    use schakel_audit::leaf::EntryType;
    use schakel_core::{
        consent::ConsentState,
        event::ConsentEnded,
        id::{ConsentId, EntryIndex, NoticeId, SubjectId},
        notice::NoticeKind,
        person::SubjectRef,
        time::Timestamp,
    };

    use super::*;
    use crate::{
        call::Outcome,
        sequencer::plan::{Retention, Subject},
    };

    fn numbered(n: usize) -> [u8; 16] {
        u128::try_from(n).unwrap().to_be_bytes()
    }

    fn notice(n: usize) -> Notice {
        Notice {
            id: NoticeId::from_bytes(numbered(n)),
            kind: NoticeKind::Withdrawal,
            recipient: format!("party-{n}").parse().unwrap(),
            reference: SubjectRef::Bsn("999999990".parse().unwrap()),
            conditions: BTreeSet::new(),
            issued_by: "fg-oost".parse().unwrap(),
            issued_at: Timestamp::EPOCH,
            deadline: Timestamp::EPOCH,
            delivered_at: None,
            acknowledged_at: None,
            entry: EntryIndex(0),
        }
    }

    fn consents(count: usize, from: usize) -> Vec<ConsentId> {
        let ids = from..from + count;
        ids.map(|n| ConsentId::from_bytes(numbered(n))).collect()
    }

    fn withdrawal(whole: usize, narrowed: usize, notices: usize) -> Plan {
        let ended = ConsentEnded {
            state: ConsentState::Withdrawn,
            subject: SubjectRef::Bsn("999999990".parse().unwrap()),
            conditions: BTreeSet::new(),
            recipient: None,
            consents: consents(whole, 0),
            narrowed: consents(narrowed, whole),
            notices: (0..notices).map(notice).collect(),
        };
        let event = Event::ConsentEnded(ended);
        Plan {
            kind: EntryType::Consent,
            subject: Subject::Known(SubjectId::from_bytes([1; 16])),
            retention: Retention::Consent,
            controllers: recipients(&event),
            purpose: None,
            event,
            told: Told::Plain(Outcome::Done),
        }
    }

    fn ended(part: &Part) -> &ConsentEnded {
        match &part.plan.event {
            Event::ConsentEnded(ended) => ended,
            other => panic!("{other:?}"),
        }
    }

    fn held(part: &Part) -> usize {
        let ended = ended(part);
        ended.consents.len() + ended.narrowed.len() + ended.notices.len()
    }

    /// Cuts until every part holds at most so much.
    fn cut_down(part: Part, most: usize, into: &mut Vec<Part>) {
        if held(&part) <= most {
            into.push(part);
            return;
        }
        for half in part.cut(BTreeSet::new()).unwrap() {
            cut_down(half, most, into);
        }
    }

    proptest! {
        /// The parts say in order what the whole said, each tells only those it names, and the last answers.
        #[test]
        fn parts_say_together_what_the_whole_said(
            whole in 0_usize..300, narrowed in 0_usize..300, notices in 0_usize..300, most in 1_usize..50,
        ) {
            let before = Part::whole(withdrawal(whole, narrowed, notices));
            let all = ended(&before).clone();
            let mut parts = Vec::new();
            cut_down(before, most, &mut parts);
            let joined = |list: &dyn Fn(&ConsentEnded) -> Vec<ConsentId>| -> Vec<ConsentId> {
                parts.iter().flat_map(|part| list(ended(part))).collect()
            };
            prop_assert_eq!(joined(&|part| part.consents.clone()), all.consents);
            prop_assert_eq!(joined(&|part| part.narrowed.clone()), all.narrowed);
            let told: Vec<_> = parts.iter().flat_map(|part| ended(part).notices.clone()).collect();
            prop_assert_eq!(told, all.notices);
            for part in &parts {
                prop_assert_eq!(&part.plan.controllers, &recipients(&part.plan.event));
            }
            let answers = |part: &Part| matches!(part.plan.told, Told::Plain(_));
            prop_assert_eq!(parts.iter().filter(|part| answers(part)).count(), 1);
            prop_assert!(parts.last().is_some_and(answers));
        }
    }

    #[test]
    fn what_is_one_cannot_be_cut() {
        assert!(
            Part::whole(withdrawal(1, 0, 0))
                .cut(BTreeSet::new())
                .is_none()
        );
        assert!(
            Part::whole(withdrawal(0, 0, 0))
                .cut(BTreeSet::new())
                .is_none()
        );
    }
}
