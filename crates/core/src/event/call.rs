//! The call that caused an entry, and what it is recognised by when it is made again.

use serde::{Deserialize, Serialize};

use crate::{
    code::Role,
    erasure::Duty,
    id::{
        ActorRef, CaseId, ConsentId, EnrolmentId, IdempotencyKey, PartyId, ProposalId, Reference,
        RestrictionId, UnitId,
    },
    person::SubjectRef,
    time::Timestamp,
};

/// Who called, from where, and on whose responsibility (BIO2 8.15.01; NEN 7513).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The party for which was called.
    pub principal: PartyId,
    /// The party whose connection it was.
    pub transport: PartyId,
    /// SHA-256 of the certificate of the connection.
    pub certificate: [u8; 32],
    /// The network address it came from.
    pub address: String,
    /// The acting employee, by the partner's own opaque mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorRef>,
    /// The employee responsible, by the partner's own opaque mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<ActorRef>,
    /// The FSC transaction id that came along, up to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// The W3C trace id that came along; carried, not trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<[u8; 16]>,
    /// For a write: the key by which a retry is recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<Write>,
    /// The roles by which the call was decided, of those the caller came with, where the registry gave it more by
    /// then: a replay must not count what came in between. Brokers before this wrote all that it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<Role>>,
    /// Whom the call named, where the event does not say it: where that is all it did, by this it is found, known or
    /// not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<SubjectRef>,
    /// The unit of the principal that acted, where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
}

/// The idempotency of a write: valid for 24 hours of log time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// The method called, as `Service/Method`.
    pub method: String,
    /// The key.
    pub key: IdempotencyKey,
    /// SHA-256 of the request body.
    pub digest: [u8; 32],
    /// The answer, without its receipt, for a retry.
    pub answer: Remembered,
}

/// What is remembered of the answer to a write, so that a retry gets the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remembered {
    /// It was done.
    Done,
    /// It was denied.
    NotDisclosed(Reference),
    /// A case was opened.
    CaseOpened(CaseId),
    /// A consent was recorded.
    ConsentRecorded(ConsentId),
    /// A restriction was recorded.
    Restricted(RestrictionId),
    /// A partner was introduced: the code, and until when it works.
    Introduced([u8; 16], Timestamp),
    /// A change was proposed.
    Proposed(ProposalId),
    /// A person was erased: how many entries that covers, and when the last backup lapses.
    Erased(u64, Timestamp),
    /// The controller keeps it, by a duty in law or for a term of the broker's own.
    Retained(Duty),
    /// An enrolment was opened, or went on.
    Enrolment(EnrolmentId),
}

/// What a key in the keyring is used for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SlotUse {
    /// The person with this controller.
    Controller(PartyId),
    /// The open-ended record of a case.
    Case(CaseId),
    /// The open-ended record of a consent.
    Consent(ConsentId),
}
