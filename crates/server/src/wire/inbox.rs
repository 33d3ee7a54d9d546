//! What waits for a party, and that it arrived.

use std::ops::RangeInclusive;

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_core::{
    id::{DeliveryId, IdempotencyKey},
    party::Peer,
};

use super::{
    Fields, InvalidRequest,
    code::{Coded as _, to_wire},
    person::{Who, subject},
    receipt::{Misfit, receipt},
    request::{Parsed, body, sha256},
    time::instant,
};
use crate::call::{Answer, Call, Message, MessageContent, Outcome};

/// Messages that are handed over at once.
const MESSAGES: RangeInclusive<u32> = 1..=100;
/// Deliveries that are acknowledged at once.
const DELIVERIES: RangeInclusive<usize> = 1..=100;
/// The longest cursor that is looked at, in bytes.
const LONGEST_CURSOR: usize = 256;

/// A request for messages as it was read.
#[derive(Debug)]
pub(crate) struct Pull {
    /// Who acts.
    pub(crate) who: Who,
    /// From where, as given: still to be opened.
    pub(crate) cursor: Option<Bytes>,
    /// How many at most.
    pub(crate) most: u32,
}

/// Reads a request for messages.
pub(crate) fn pull(message: v1::PullRequest, _: &Peer, fields: &mut Fields) -> Option<Pull> {
    let v1::PullRequest {
        actor,
        cursor,
        max_messages,
    } = message;
    let who = fields.who(actor);
    let cursor = fields.cursor("cursor", cursor);
    let most = fields.number("max_messages", MESSAGES, max_messages);
    Some(Pull {
        who: who?,
        cursor: cursor?,
        most: most?,
    })
}

/// Reads a request for messages as they come.
pub(crate) fn subscribe(
    message: v1::SubscribeRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Pull> {
    let v1::SubscribeRequest { actor, cursor } = message;
    let who = fields.who(actor);
    let cursor = fields.cursor("cursor", cursor);
    Some(Pull {
        who: who?,
        cursor: cursor?,
        most: u32::MAX,
    })
}

/// Reads acknowledgements: one write a delivery. The first has the caller's own key, so that the key
/// stands for the whole request; the others have keys that follow from it.
pub(crate) fn acknowledge(
    message: v1::AcknowledgeRequest,
    _: &Peer,
    fields: &mut Fields,
) -> Option<Vec<Parsed>> {
    let body = body(&message);
    let v1::AcknowledgeRequest {
        idempotency_key,
        actor,
        delivery_ids,
    } = message;
    let write = fields.write(&idempotency_key, body);
    let who = fields.who(actor);
    let deliveries = fields.list("delivery_ids", DELIVERIES, delivery_ids, |id, fields| {
        fields.text::<DeliveryId>("", &id)
    });
    let ((key, body), who, deliveries) = (write?, who?, deliveries?);
    let parsed = |(at, delivery): (usize, DeliveryId)| Parsed {
        who: Some(who.clone()),
        write: Some((following_key(key, at, delivery), body)),
        call: Call::Acknowledge { delivery },
    };
    let mut distinct = deliveries.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < deliveries.len() {
        let rule = "must not hold anything twice: leave out the repetition";
        fields.refuse("delivery_ids", rule);
        return None;
    }
    Some(deliveries.into_iter().enumerate().map(parsed).collect())
}

/// What is wrong with a cursor that was not given to this caller.
pub(crate) fn foreign(field: &str) -> InvalidRequest {
    let rule = "must be the last one this party got, unchanged; leave it out to begin at the start";
    InvalidRequest::of(field, rule)
}

/// A message as it is sent, with the cursor to resume from after it.
///
/// # Errors
/// When the outcome belongs to another call.
pub(crate) fn message(answer: Answer, cursor: Vec<u8>) -> Result<v1::Message, Misfit> {
    let Outcome::Message(message) = answer.outcome else {
        return Err(Misfit);
    };
    let Message {
        delivery,
        position: _,
        subject: named,
        content,
    } = *message;
    let proof = Some(receipt(answer.receipt));
    let content = match content {
        MessageContent::Disclosed { content, salt } => {
            v1::message::Content::Disclosed(v1::Disclosed {
                disclosure: content.into(),
                salt: salt.to_vec().into(),
                receipt: proof,
            })
        }
        MessageContent::Notice(notice) => v1::message::Content::Notice(v1::Notice {
            notice_id: notice.id.to_string(),
            kind: notice.kind.to_wire(),
            conditions: to_wire(&notice.conditions),
            issued_at: Some(instant(notice.issued_at)),
            deadline: Some(instant(notice.deadline)),
            receipt: proof,
        }),
    };
    Ok(v1::Message {
        delivery_id: delivery.to_string(),
        cursor: cursor.into(),
        subject: Some(subject(&named)),
        content: Some(content),
    })
}

/// The proof of an acknowledgement: the same whether or not the delivery was still to be acknowledged.
///
/// # Errors
/// When the outcome belongs to another call; acknowledging is never denied.
pub(crate) fn acknowledged(answer: Answer) -> Result<v1::Receipt, Misfit> {
    match answer.outcome {
        Outcome::Done => Ok(receipt(answer.receipt)),
        _ => Err(Misfit),
    }
}

impl Fields {
    /// Reads a cursor or page token that may be absent.
    #[expect(
        clippy::option_option,
        reason = "the outer is whether it could be read, the inner whether it was there"
    )]
    pub(crate) fn cursor(&mut self, field: &str, cursor: Option<Bytes>) -> Option<Option<Bytes>> {
        if cursor.as_ref().is_some_and(|c| c.len() > LONGEST_CURSOR) {
            let InvalidRequest { violations } = foreign(field);
            for violation in violations {
                self.refuse(field, violation.rule);
            }
            return None;
        }
        Some(cursor)
    }
}

fn following_key(key: IdempotencyKey, at: usize, delivery: DeliveryId) -> IdempotencyKey {
    if at == 0 {
        return key;
    }
    let hash = sha256(&[key.as_bytes().as_slice(), delivery.as_bytes()].concat());
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash) {
        *to = from;
    }
    IdempotencyKey::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use schakel_core::code::Role;

    use super::*;
    use crate::wire::{
        request::read,
        testing::{actor, id, peer},
    };

    fn request(deliveries: &[u8]) -> v1::AcknowledgeRequest {
        v1::AcknowledgeRequest {
            idempotency_key: id(99),
            actor: Some(actor()),
            delivery_ids: deliveries.iter().map(|n| id(*n)).collect(),
        }
    }

    fn keys(deliveries: &[u8]) -> Vec<IdempotencyKey> {
        let parsed = read(request(deliveries), &peer(Role::Uwv), acknowledge).unwrap();
        parsed.iter().map(|one| one.write.unwrap().0).collect()
    }

    #[test]
    fn every_acknowledgement_is_a_write_of_its_own_under_one_key() {
        let three = keys(&[1, 2, 3]);
        assert_eq!(three[0].to_string(), id(99));
        assert_eq!(three, keys(&[1, 2, 3]));
        assert_ne!(three[1], three[2]);
        assert_ne!(three[1], three[0]);
    }

    #[test]
    fn deliveries_are_bounded_and_named_once() {
        for (deliveries, field) in [
            (vec![], "delivery_ids"),
            (vec![1; 101], "delivery_ids"),
            (vec![1, 2, 1], "delivery_ids"),
        ] {
            let refused = read(request(&deliveries), &peer(Role::Uwv), acknowledge).unwrap_err();
            assert_eq!(refused.violations.len(), 1, "{refused}");
            assert_eq!(refused.violations[0].field, field);
        }
    }

    #[test]
    fn a_pull_is_bounded() {
        let request = |max_messages, cursor: usize| v1::PullRequest {
            actor: Some(actor()),
            cursor: Some(vec![0; cursor].into()),
            max_messages,
        };
        assert!(read(request(100, 64), &peer(Role::Uwv), pull).is_ok());
        for (max, cursor, field) in [
            (0, 64, "max_messages"),
            (101, 64, "max_messages"),
            (1, 257, "cursor"),
        ] {
            let refused = read(request(max, cursor), &peer(Role::Uwv), pull).unwrap_err();
            assert_eq!(refused.violations[0].field, field);
        }
    }
}
