//! What was denied.

use serde::{Deserialize, Serialize};

use crate::{
    ask::Ask,
    decide::Finding,
    id::{PartyId, Reference},
    inbox::{Order, Pending},
    person::SubjectRef,
};

/// A denial. The caller saw nothing of it but the reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// What was asked.
    pub asked: Asked,
    /// Why it was denied, the most telling reason first; never empty.
    pub findings: Vec<Finding>,
    /// What the caller got.
    pub reference: Reference,
}

/// What a denied call wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// To be disclosed something.
    Disclosure(Ask),
    /// To be handed a message that waits; it is dropped.
    Message {
        /// Where it waited; absent when it had been handed over before.
        order: Option<Order>,
        /// Its position, when it had been handed over before.
        position: Option<u64>,
        /// What it was about.
        message: Pending,
        /// In whose inbox, when the broker found it by itself; absent where a call of its receiver came upon it, as
        /// older brokers recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        receiver: Option<PartyId>,
    },
    /// To change or look up something about a person, by this method.
    Call {
        /// The method called, as `Service/Method`.
        method: String,
        /// Whom it meant, where it said so.
        subject: Option<SubjectRef>,
    },
}

impl Denied {
    /// The receiver of a message that the broker dropped by itself.
    #[must_use]
    pub const fn receiver(&self) -> Option<&PartyId> {
        match &self.asked {
            Asked::Message { receiver, .. } => receiver.as_ref(),
            Asked::Disclosure(_) | Asked::Call { .. } => None,
        }
    }
}
