//! What the log holds, sealed, beside each leaf: everything needed to rebuild every record and to
//! explain every decision. The consequences of an event are written in the event, so that replaying an
//! old log under newer rules still gives what happened.

mod audit;
mod call;
mod denied;
mod from_records;
mod messages;
mod naming;
mod notices;
mod refusal;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::{
    audit::{
        ReplayDiffered, SearchDecided, SearchProposed, StandingExport, TrailVerified, Withheld,
        WithholdingGround,
    },
    call::{Call, Remembered, SlotUse, Write},
    denied::{Asked, Denied},
    from_records::FromRecords,
    naming::{Names, Naming},
    refusal::RefusalReason,
};
use crate::{
    ask::Ask,
    case::ClosingReason,
    certificate::{Seen, StopReason},
    code::{Condition, Granularity, Regime},
    consent::{ConsentState, ConsentTerms},
    decide::Grant,
    enrolment::IssuanceEvent,
    erasure::{Erased, ErasureProposal, Ground},
    id::{
        CaseId, ConsentId, DeliveryId, EntryIndex, NoticeId, Oin, PartyId, ProposalId, PurposeCode,
        RestrictionId, SlotId, SubjectId,
    },
    inbox::{Order, Pending},
    notice::Notice,
    person::{ClientRef, Identifier, SubjectRef},
    registry::{Change, Proposal},
    restriction::RestrictionKind,
    status::Report,
    time::{Period, Timestamp},
};

/// The sealed part of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The call that caused it; absent when the broker acted by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
    /// The person it is about, when that person is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectId>,
    /// The controllers concerned: they may open this entry, and each erases for itself.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub controllers: BTreeSet<PartyId>,
    /// The keys that this entry is the first to use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binds: Vec<(SlotUse, SlotId)>,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Something was disclosed.
    Disclosed(Disclosed),
    /// Something was asked, reported or looked up and denied.
    Denied(Denied),
    /// A consent was recorded.
    ConsentRecorded {
        /// Its id.
        consent: ConsentId,
        /// Its state.
        state: ConsentState,
        /// Its terms.
        terms: ConsentTerms,
        /// How the person was named, to be known by from now on.
        identifier: Option<Identifier>,
    },
    /// A consent was withdrawn, revoked or invalidated.
    ConsentEnded(ConsentEnded),
    /// A case was opened.
    CaseOpened {
        /// Its id.
        case: CaseId,
        /// By what everybody finds the person from now on.
        identifiers: Vec<Identifier>,
        /// The numbers of which the caller says, for itself alone, that they are the person's as well. Not in what
        /// older brokers recorded, to whom every number of a case was everybody's.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        besides: Vec<Identifier>,
        /// The municipality of return, when it is known already.
        municipality: Option<PartyId>,
    },
    /// The municipality of return was named: the one before loses its place at once.
    MunicipalityAssigned {
        /// The case.
        case: CaseId,
        /// The municipality.
        municipality: PartyId,
    },
    /// A party got a place in a case.
    MemberAdded {
        /// The case.
        case: CaseId,
        /// The party.
        party: PartyId,
        /// Its period.
        period: Period,
    },
    /// A party lost its place in a case.
    MemberRemoved {
        /// The case.
        case: CaseId,
        /// The party.
        party: PartyId,
        /// Whether the codes that would introduce it to the case ended too; not in what older brokers recorded.
        #[serde(default)]
        codes_ended: bool,
    },
    /// A case was closed.
    CaseClosed {
        /// The case.
        case: CaseId,
        /// Why.
        reason: ClosingReason,
    },
    /// A status was reported.
    StatusReported {
        /// The case.
        case: CaseId,
        /// The condition.
        condition: Condition,
        /// The report.
        report: Report,
        /// The regime under which the reporter holds it.
        regime: Regime,
        /// The messages that now wait, by receiver.
        messages: Vec<(PartyId, Pending)>,
        /// For a correction: the notices that now wait.
        notices: Vec<Notice>,
    },
    /// A partner was introduced: the person got a code to hand over.
    Introduced {
        /// The case.
        case: CaseId,
        /// The partner.
        partner: PartyId,
        /// The condition.
        condition: Condition,
        /// SHA-256 of the code.
        code_sha256: [u8; 32],
        /// Until when the code works.
        until: Timestamp,
    },
    /// A partner redeemed a code that works: it knows the person by its own mark from now on.
    Redeemed {
        /// SHA-256 of the code.
        code_sha256: [u8; 32],
        /// The partner's own mark.
        client_ref: ClientRef,
    },
    /// A restriction or objection was recorded.
    Restricted {
        /// Its id.
        restriction: RestrictionId,
        /// What it is.
        kind: RestrictionKind,
        /// The controller it is directed at; none means all.
        controller: Option<PartyId>,
        /// The conditions; empty means all.
        conditions: BTreeSet<Condition>,
        /// Whether it stands between others than the caller alone.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        between_others: bool,
        /// The notices that now wait.
        notices: Vec<Notice>,
    },
    /// A restriction or objection was lifted.
    RestrictionLifted {
        /// Its id.
        restriction: RestrictionId,
        /// The controller for which its privacy officer lifted it; absent when it was lifted whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        controller: Option<PartyId>,
    },
    /// A message left an inbox.
    Delivered(Delivered),
    /// A message was acknowledged.
    Acknowledged {
        /// The delivery.
        delivery: DeliveryId,
        /// Its position.
        position: u64,
        /// The notice it carried.
        notice: Option<NoticeId>,
        /// The case and condition it was about, when it carried none: who reported on them keeps that it was
        /// acknowledged. Absent in what older brokers recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<(CaseId, Condition)>,
    },
    /// Somebody looked something up.
    LookedUp(LookedUp),
    /// A controller decided to withhold entries from what the person is told.
    Withheld(Withheld),
    /// An officer proposed a search so wide that it needs a second one.
    SearchProposed(SearchProposed),
    /// A second officer decided about a proposed search.
    SearchDecided(SearchDecided),
    /// Somebody verified the trail and says what came of it.
    TrailVerified(TrailVerified),
    /// A past decision was replayed and came out otherwise.
    ReplayDiffered(ReplayDiffered),
    /// Something happened to a certificate's issue or to an enrolment.
    Issuance(IssuanceEvent),
    /// A change of the registry was proposed.
    Proposed(Proposal),
    /// A change of the registry was approved and made, or founded the registry.
    Changed {
        /// The proposal, unless the change founded the registry.
        proposal: Option<ProposalId>,
        /// The change.
        change: Change,
        /// Who proposed it.
        proposed_by: PartyId,
        /// Who approved it: whoever proposed it, when it was made at once because it only stops something.
        approved_by: PartyId,
        /// Why it was made at once; absent otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<StopReason>,
    },
    /// A proposed change was rejected.
    Rejected {
        /// The proposal.
        proposal: ProposalId,
    },
    /// Certificates were used for the first time, or again after a while.
    CertificatesUsed {
        /// Each, with its last use so far.
        used: Vec<Seen>,
    },
    /// Calls were refused before anything was decided, within one minute.
    Refused {
        /// The party, where one was proven.
        party: Option<PartyId>,
        /// The first instant of the minute.
        minute: Timestamp,
        /// How often, by reason.
        counts: Vec<(RefusalReason, u64)>,
        /// The number that a verified certificate carried, where it is no party's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        oin: Option<Oin>,
    },
    /// The broker started.
    Started {
        /// Its version.
        version: String,
        /// A fresh random number: two starts at one position can never look alike.
        nonce: [u8; 16],
    },
    /// The broker stopped in order.
    Stopped,
    /// The clock jumped.
    ClockJumped {
        /// What the clock said.
        clock: Timestamp,
    },
    /// An administrator said that a clock far ahead of the log is right: keys may be destroyed again.
    ClockAcknowledged {
        /// What the clock said.
        clock: Timestamp,
    },
    /// An administrator let signing begin again, which had been stopped because the log seemed to have been taken
    /// back.
    SigningResumed {
        /// When it was stopped, by the broker's clock.
        halted_at: Timestamp,
        /// Why it was stopped.
        why: String,
        /// On what ground that was lifted.
        ground: String,
    },
    /// Keys were destroyed: what they sealed can no longer be read.
    Erased(Erased),
    /// The erasure of a person for a controller was proposed.
    ErasureProposed(ErasureProposal),
    /// The erasure of a person for a controller was approved. Says nothing of the person.
    ErasureApproved {
        /// The proposal.
        proposal: ProposalId,
        /// Who proposed it.
        proposed_by: PartyId,
        /// On what ground.
        ground: Ground,
    },
    /// A proposed erasure was rejected.
    ErasureRejected {
        /// The proposal.
        proposal: ProposalId,
    },
    /// The keyring was written again under a new key-encryption key, and the old one destroyed.
    KekRotated,
    /// A key that signs checkpoints was taken into use, or retired. Verifiers that are not ours read this
    /// from its CBOR: `crates/audit/key.cddl`, which fixes the names and the order of the fields.
    CheckpointKey {
        /// The statement: a signed note, whose keys and signatures are for `schakel_audit::succession`.
        statement: String,
        /// The key, as a vkey.
        key: String,
        /// Whether it is in use from now on; else it is retired, for good.
        in_use: bool,
    },
}

/// A disclosure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosed {
    /// What was asked.
    pub ask: Ask,
    /// The purpose version that decided.
    pub version: u32,
    /// What was granted, and on what.
    pub grants: Vec<Grant>,
    /// The detail that was told.
    pub granularity: Granularity,
    /// The salt that opens the leaf's commitment to the content released.
    pub salt: [u8; 32],
}

/// The end of consents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentEnded {
    /// How they ended.
    pub state: ConsentState,
    /// Whom the caller meant.
    pub subject: SubjectRef,
    /// The conditions meant; empty means all.
    pub conditions: BTreeSet<Condition>,
    /// The recipient meant; none means all.
    pub recipient: Option<PartyId>,
    /// The consents that ended by it; may be none.
    pub consents: Vec<ConsentId>,
    /// The consents of which the part meant ended by it, while the rest stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrowed: Vec<ConsentId>,
    /// The notices that now wait.
    pub notices: Vec<Notice>,
}

/// A message that left an inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// Its id.
    pub delivery: DeliveryId,
    /// Its position.
    pub position: u64,
    /// Where it waited; absent when it is handed over again.
    pub order: Option<Order>,
    /// What it was about.
    pub message: Pending,
    /// For a status: the disclosure it was.
    pub disclosed: Option<Disclosed>,
}

/// A look-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookedUp {
    /// The method called, as `Service/Method`.
    pub method: String,
    /// What for.
    pub purpose: Option<PurposeCode>,
    /// Whom it was about, where it said so.
    pub subject: Option<SubjectRef>,
    /// The entry that was looked at, where it was one.
    pub entry: Option<EntryIndex>,
    /// The rest of the question, in words of the method: filters and their values.
    pub question: String,
    /// How many results were handed over.
    pub results: u32,
}
