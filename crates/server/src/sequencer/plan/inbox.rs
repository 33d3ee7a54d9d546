//! Plans for inboxes and notices. A message is decided when it leaves, not when it came to wait.

use std::collections::BTreeSet;

use schakel_audit::leaf::EntryType;
use schakel_core::{
    ask::Ask,
    code::Condition,
    decide::{Denial, Reason},
    deliver,
    dossier::Dossier,
    event::{Asked, Delivered, Denied, Event, LookedUp},
    id::{DeliveryId, EntryIndex, PartyId, Reference},
    inbox::{InboxKey, Order, Pending, Topic},
    notice::Notice,
    party::Peer,
    person::SubjectRef,
};

use super::{
    Envelope, Obstacle, Plan, Planned, Planner, Result, Retention, Subject, Told,
    exchange::{retention, sealed_for},
};
use crate::{
    call::{Call, Message, MessageContent, Outcome, Request},
    wire::veil::Veil,
};

/// How many messages are looked at in one go for the next that may be read: most often it is the first. Beyond all of
/// these a call finds nothing, and lets others in.
const LOOKED_AT: [usize; 4] = [1, 63, 448, 3584];

/// A message on its way out.
struct Leaving {
    message: Pending,
    delivery: DeliveryId,
    position: u64,
    /// Where it waits; absent when it was handed over before.
    order: Option<Order>,
}

impl Planner<'_> {
    /// The next message that may be read after a position. Those before it that may not are passed over: nothing in
    /// the log tells the caller that something waited, or when it looked. They are dropped in their turn, whether or
    /// not anybody looks ([`Self::dropped`]).
    pub(super) fn next_message(&mut self, request: &Request, after: u64) -> Result<Planned> {
        let mut passed = 0;
        for most in LOOKED_AT {
            for leaving in self.leaving(request, after, passed, most) {
                match self.deliver(request, &leaving) {
                    Err(Obstacle::Denied(_)) => passed += 1,
                    Err(refused) => return Err(refused),
                    Ok(plan) => {
                        self.begin(request, leaving.message);
                        return Ok(Planned::Record(vec![plan]));
                    }
                }
            }
        }
        Ok(Planned::Nothing)
    }

    fn leaving(
        &mut self,
        request: &Request,
        after: u64,
        passed: usize,
        most: usize,
    ) -> Vec<Leaving> {
        let Some(inbox) = self.world.inbox(&request.peer.principal) else {
            return Vec::new();
        };
        let again = inbox.handed_after(after).map(|(position, handed)| {
            let delivery = Some(handed.delivery);
            (&handed.message, delivery, position, None)
        });
        let next = inbox.last_position().saturating_add(1);
        let new = inbox
            .waiting()
            .map(|(order, message)| (message, None, next, Some(order)));
        again
            .chain(new)
            .skip(passed)
            .take(most)
            .map(|(message, delivery, position, order)| Leaving {
                message: message.clone(),
                delivery: delivery.unwrap_or_else(|| DeliveryId::draw(self.random)),
                position,
                order,
            })
            .collect()
    }

    /// Notes that a message is on its way from now on, where that may take long.
    fn begin(&self, request: &Request, message: Pending) {
        if let Call::NextMessage {
            over: Some(over), ..
        } = &request.call
        {
            self.handovers.begin(over, request.peer.clone(), message);
        }
    }

    /// Whether a party may read a message still, as whoever it is now.
    pub(in crate::sequencer) fn may_read(&mut self, peer: &Peer, message: &Pending) -> bool {
        let registry = self.registry();
        let standing = registry.standing(
            &peer.transport,
            &peer.principal,
            peer.unit.as_ref(),
            false,
            self.now,
        );
        standing.is_ok_and(|peer| self.read(&peer, message).is_ok())
    }

    /// The plan that drops a message because its receiver may not read it; `None` when it may, or when nothing can
    /// be said of it now: a party that is suspended may come back to its messages.
    pub(in crate::sequencer) fn dropped(
        &mut self,
        receiver: &PartyId,
        place: InboxKey,
        message: Pending,
    ) -> Option<Plan> {
        let registry = self.registry();
        let peer = registry
            .standing(receiver, receiver, None, false, self.now)
            .ok()?;
        let Err(Obstacle::Denied(findings)) = self.read(&peer, &message) else {
            return None;
        };
        let (order, position) = match place {
            InboxKey::Pending(order) => (Some(order), None),
            InboxKey::Handed(position) => (None, Some(position)),
            InboxKey::Position => return None,
        };
        Some(Plan {
            kind: EntryType::Denial,
            subject: Subject::Known(message.subject),
            retention: match &message.topic {
                Topic::Status { condition, .. } => retention(*condition == Condition::Care),
                Topic::Notice(_) => Retention::Notice,
            },
            controllers: [receiver.clone()].into(),
            purpose: None,
            event: Event::Denied(Denied {
                asked: Asked::Message {
                    order,
                    position,
                    message,
                    receiver: Some(receiver.clone()),
                },
                findings,
                reference: Reference::draw(self.random),
            }),
            told: Told::Nobody,
        })
    }

    /// Whether a party may read a message now.
    fn read(&mut self, peer: &Peer, message: &Pending) -> Result<()> {
        let dossier = self.dossier(message.subject)?;
        if let Topic::Notice(id) = &message.topic {
            let noted = dossier.notices.contains_key(id);
            return if noted {
                Ok(())
            } else {
                Err(Reason::RecordUnknown.into())
            };
        }
        let ask = deliver::ask(&dossier, peer, &message.topic).ok_or(Reason::SubjectUnknown)?;
        self.decide(peer, &ask, Some(&dossier)).map(drop)
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
            controllers: sealed_for(&decided.disclosed, &dossier, &request.peer, self.now),
            purpose: Some((ask.purpose.clone(), decided.disclosed.version)),
            event: Event::Delivered(delivered(leaving, Some(decided.disclosed))),
            told: Told::Message {
                envelope,
                content: decided.content,
                salt,
            },
        })
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
        let (notice, about) = match message.topic {
            Topic::Notice(id) => (Some(id), None),
            Topic::Status {
                case, condition, ..
            } => (None, Some((case, condition))),
        };
        Plan {
            kind: EntryType::Acknowledgement,
            subject: Subject::Known(message.subject),
            // The same for whatever is acknowledged: the leaf goes to the caller with its receipt.
            retention: Retention::Notice,
            controllers: BTreeSet::new(),
            purpose: None,
            event: Event::Acknowledged {
                delivery,
                position,
                notice,
                about,
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
        let registry = self.registry();
        // Were they left out only when they are shown, having none to show would say that there are some.
        let veiled = parties.iter();
        let veiled: Vec<_> = veiled
            .map(|party| (party, Veil::for_controller(&registry, party)))
            .collect();
        let notices: Vec<Notice> = issued_with(&dossier, entry)
            .filter_map(|notice| {
                let issued_it = notice.issued_by == *caller;
                let shown = veiled
                    .iter()
                    .filter(|(_, veil)| !veil.hides(&notice.recipient));
                let shown = shown.map(|(party, _)| (*party).clone()).collect();
                notice.seen_by(&shown, issued_it, &dossier)
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
    all().filter(move |notice| one.is_some_and(|one| notice.is_issued_with(one)))
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
        retention: Retention::Notice,
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
