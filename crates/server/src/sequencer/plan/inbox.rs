//! Plans for inboxes and notices. A message is decided when it leaves, not when it came to wait.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::{
    ask::Ask,
    code::Condition,
    decide::{Denial, Finding, Reason},
    deliver,
    dossier::Dossier,
    event::{Asked, Delivered, Denied, Event, LookedUp},
    id::{DeliveryId, EntryIndex, Reference},
    inbox::{Order, Pending, Topic},
    notice::Notice,
    person::SubjectRef,
};

use super::{
    Envelope, Obstacle, Plan, Planned, Planner, Result, Retention, Subject, Told,
    exchange::{concerned, retention},
};
use crate::call::{Message, MessageContent, Outcome, Request};

/// How many messages that may no longer be read one call passes over before it lets others in.
const MOST_SUPPRESSED: usize = 64;

/// A message on its way out.
struct Leaving {
    message: Pending,
    delivery: DeliveryId,
    position: u64,
    /// Where it waits; absent when it was handed over before.
    order: Option<Order>,
}

impl Planner<'_> {
    /// The next message that may be read after a position. Those before it that may not are recorded as
    /// denied and dropped; the caller sees nothing of them.
    pub(super) fn next_message(&mut self, request: &Request, after: u64) -> Result<Planned> {
        let mut plans = Vec::new();
        let mut passed: BTreeSet<(Option<Order>, u64)> = BTreeSet::new();
        while plans.len() < MOST_SUPPRESSED {
            let Some(leaving) = self.leaving(request, after, &passed) else {
                break;
            };
            passed.insert((leaving.order, leaving.position));
            match self.deliver(request, &leaving) {
                Ok(plan) => {
                    plans.push(plan);
                    return Ok(Planned::Record(plans));
                }
                Err(Obstacle::Denied(findings)) => plans.push(self.suppressed(leaving, findings)),
                Err(refused) => return Err(refused),
            }
        }
        Ok(if plans.is_empty() {
            Planned::Nothing
        } else {
            Planned::Record(plans)
        })
    }

    fn leaving(
        &mut self,
        request: &Request,
        after: u64,
        passed: &BTreeSet<(Option<Order>, u64)>,
    ) -> Option<Leaving> {
        let inbox = self.world.inbox(&request.peer.principal)?;
        let again = inbox
            .handed_after(after)
            .find(|(position, _)| !passed.contains(&(None, *position)))
            .map(|(position, handed)| Leaving {
                message: handed.message.clone(),
                delivery: handed.delivery,
                position,
                order: None,
            });
        if again.is_some() {
            return again;
        }
        let next = inbox.last_position().saturating_add(1);
        let (order, message) = inbox
            .waiting()
            .find(|(order, _)| !passed.contains(&(Some(*order), next)))
            .map(|(order, message)| (order, message.clone()))?;
        let delivery = DeliveryId::draw(self.random);
        Some(Leaving {
            message,
            delivery,
            position: next,
            order: Some(order),
        })
    }

    fn deliver(&mut self, request: &Request, leaving: &Leaving) -> Result<Plan> {
        match &leaving.message.topic {
            topic @ Topic::Status { condition, .. } => {
                let dossier = self.dossier(leaving.message.subject)?;
                let ask =
                    deliver::ask(&dossier, &request.peer, topic).ok_or(Reason::SubjectUnknown)?;
                self.deliver_status(request, leaving, &ask, *condition)
            }
            Topic::Notice(id) => {
                let dossier = self.dossier(leaving.message.subject)?;
                let notice = dossier
                    .notices
                    .get(id)
                    .cloned()
                    .ok_or(Reason::RecordUnknown)?;
                Ok(deliver_notice(leaving, notice))
            }
        }
    }

    fn deliver_status(
        &mut self,
        request: &Request,
        leaving: &Leaving,
        ask: &Ask,
        condition: Condition,
    ) -> Result<Plan> {
        let dossier = self.dossier(leaving.message.subject)?;
        let decided = self.decide(&request.peer, ask, Some(&dossier))?;
        let envelope = Envelope {
            delivery: leaving.delivery,
            position: leaving.position,
            subject: ask.subject.clone(),
        };
        let salt = decided.disclosed.salt;
        Ok(Plan {
            kind: EntryType::Delivery,
            subject: Subject::Known(dossier.subject),
            retention: retention(condition == Condition::Care),
            controllers: concerned(&decided.disclosed, &dossier, &request.peer, self.now),
            purpose: Some((ask.purpose.clone(), decided.disclosed.version)),
            event: Event::Delivered(delivered(leaving, Some(decided.disclosed))),
            told: Told::Message {
                envelope,
                content: decided.content,
                salt,
            },
        })
    }

    fn suppressed(&mut self, leaving: Leaving, findings: Vec<Finding>) -> Plan {
        let subject = Subject::Known(leaving.message.subject);
        let asked = Asked::Message {
            order: leaving.order,
            position: leaving.order.is_none().then_some(leaving.position),
            message: leaving.message,
        };
        let reference = Reference::draw(self.random);
        Plan {
            kind: EntryType::Denial,
            subject,
            retention: Retention::Standard,
            controllers: BTreeSet::new(),
            purpose: None,
            event: Event::Denied(Denied {
                asked,
                findings,
                reference,
            }),
            told: Told::Nobody,
        }
    }

    /// Acknowledging what is not, or no longer, in the inbox changes nothing and is answered the same.
    pub(super) fn acknowledge(&mut self, request: &Request, delivery: DeliveryId) -> Plan {
        let found = self
            .world
            .inbox(&request.peer.principal)
            .and_then(|inbox| inbox.position_of(delivery))
            .map(|(position, handed)| (position, handed.message.clone()));
        let Some((position, message)) = found else {
            return self.denied(request, Denial::of(Reason::RecordUnknown).into_findings());
        };
        let notice = match message.topic {
            Topic::Notice(id) => Some(id),
            Topic::Status { .. } => None,
        };
        Plan {
            kind: EntryType::Acknowledgement,
            subject: Subject::Known(message.subject),
            retention: Retention::Standard,
            controllers: BTreeSet::new(),
            purpose: None,
            event: Event::Acknowledged {
                delivery,
                position,
                notice,
            },
            told: Told::Plain(Outcome::Done),
        }
    }

    pub(super) fn notices(
        &mut self,
        request: &Request,
        subject: &SubjectRef,
        entry: EntryIndex,
    ) -> Result<Plan> {
        let caller = &request.peer.principal;
        let dossier = self.find(subject, caller)?;
        let mut parties = self.officer_for(caller);
        parties.insert(caller.clone());
        let notices: Vec<Notice> = issued_with(&dossier, entry)
            .filter_map(|notice| {
                let issued_it = notice.issued_by == *caller;
                let mut seen = parties
                    .iter()
                    .filter_map(|party| notice.seen_by(party, issued_it, &dossier));
                seen.next()
            })
            .collect();
        if notices.is_empty() {
            return Err(Reason::RecordUnknown.into());
        }
        let event = Event::LookedUp(LookedUp {
            method: request.method.to_owned(),
            purpose: None,
            subject: Some(subject.clone()),
            entry: Some(entry),
            question: String::new(),
            results: u32::try_from(notices.len()).unwrap_or(u32::MAX),
        });
        Ok(Plan {
            kind: EntryType::LookUp,
            subject: Subject::Known(dossier.subject),
            retention: Retention::Standard,
            controllers: BTreeSet::new(),
            purpose: None,
            event,
            told: Told::Plain(Outcome::Notices(notices)),
        })
    }
}

/// The notices that were issued in one go, by the entry that it was answered with. Those of a great withdrawal
/// stand in several entries.
fn issued_with(dossier: &Dossier, entry: EntryIndex) -> impl Iterator<Item = &Notice> {
    let all = || dossier.notices.values();
    let one = all().find(|notice| notice.entry == entry);
    let act = |notice: &Notice| (notice.kind, notice.issued_by.clone(), notice.issued_at);
    let issued = one.map(act);
    all().filter(move |notice| issued.as_ref().is_some_and(|issued| *issued == act(notice)))
}

fn deliver_notice(leaving: &Leaving, notice: Notice) -> Plan {
    let message = Message {
        delivery: leaving.delivery,
        position: leaving.position,
        subject: notice.reference.clone(),
        content: MessageContent::Notice(notice),
    };
    Plan {
        kind: EntryType::Notice,
        subject: Subject::Known(leaving.message.subject),
        retention: Retention::Standard,
        controllers: BTreeSet::new(),
        purpose: None,
        event: Event::Delivered(delivered(leaving, None)),
        told: Told::Plain(Outcome::Message(Box::new(message))),
    }
}

fn delivered(leaving: &Leaving, disclosed: Option<schakel_core::event::Disclosed>) -> Delivered {
    Delivered {
        delivery: leaving.delivery,
        position: leaving.position,
        order: leaving.order,
        message: leaving.message.clone(),
        disclosed,
    }
}
