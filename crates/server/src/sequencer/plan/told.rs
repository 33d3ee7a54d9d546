//! What a caller is told once its entry is durable, and what is kept closed until then.

use schakel_core::{
    event::Remembered,
    id::DeliveryId,
    minimise::{Committed, Durable},
    person::SubjectRef,
};

use crate::{
    call::{Message, MessageContent, Outcome},
    sequencer::remember,
};

/// What the caller is told once the entry is durable.
pub(in crate::sequencer) enum Told {
    /// An outcome that shows nothing of a status.
    Plain(Outcome),
    /// A disclosure, still closed.
    Disclosure { content: Committed, salt: [u8; 32] },
    /// A message that carries a disclosure, still closed.
    Message {
        envelope: Envelope,
        content: Committed,
        salt: [u8; 32],
    },
    /// Nobody waits for this one.
    Nobody,
}

/// A message without what it says.
pub(in crate::sequencer) struct Envelope {
    pub(in crate::sequencer) delivery: DeliveryId,
    pub(in crate::sequencer) position: u64,
    pub(in crate::sequencer) subject: SubjectRef,
}

impl Told {
    /// What the caller gets. Takes the proof that the entry is durable: nothing leaves without it.
    pub(in crate::sequencer) fn release(self, durable: &Durable) -> Outcome {
        match self {
            Self::Plain(outcome) => outcome,
            Self::Disclosure { content, salt } => Outcome::Disclosed {
                content: content.release(durable),
                salt,
            },
            Self::Message {
                envelope,
                content,
                salt,
            } => {
                let content = MessageContent::Disclosed {
                    content: content.release(durable),
                    salt,
                };
                let Envelope {
                    delivery,
                    position,
                    subject,
                } = envelope;
                Outcome::Message(Box::new(Message {
                    delivery,
                    position,
                    subject,
                    content,
                }))
            }
            Self::Nobody => Outcome::NoMessage,
        }
    }

    /// The commitment to what it closes, for the leaf.
    pub(in crate::sequencer) fn committed(&self) -> Option<[u8; 32]> {
        match self {
            Self::Disclosure { content, .. } | Self::Message { content, .. } => {
                Some(content.digest())
            }
            Self::Plain(_) | Self::Nobody => None,
        }
    }

    /// What is remembered of it, so that a retry of the write gets the same answer.
    pub(in crate::sequencer) fn remembered(&self) -> Remembered {
        match self {
            Self::Plain(outcome) => remember::remembered(outcome),
            Self::Disclosure { .. } | Self::Message { .. } | Self::Nobody => Remembered::Done,
        }
    }
}
