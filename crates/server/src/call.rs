//! What callers want of the broker, and what they get, in the domain's words.
//!
//! A service parses a message into a [`Call`], hands it to the sequencer and renders the [`Answer`]. What
//! is about a person is decided, recorded and only then answered; the services never see a record.

mod error;
mod issuance;
mod look_up;

use std::collections::BTreeSet;

use schakel_core::{
    ask::Ask,
    case::{Case, ClosingReason},
    certificate::StopReason,
    code::Condition,
    consent::{Consent, ConsentState, ConsentTerms},
    erasure::{Duty, Ground},
    event::{StandingExport, TrailVerified, Withheld},
    id::{
        ActorRef, CaseId, ConsentId, DeliveryId, EnrolmentId, EntryIndex, IdempotencyKey, PartyId,
        ProposalId, PurposeCode, Reference, RestrictionId,
    },
    notice::Notice,
    party::Peer,
    person::{ClientRef, Identifier, SubjectRef},
    registry::Change,
    restriction::RestrictionKind,
    right::Right,
    status::Report,
    time::Timestamp,
};

use crate::sequencer::Handover;

pub use self::{error::CallError, issuance::IssuanceCall, look_up::LookUp};

/// A call with everything that is recorded about it.
#[derive(Debug)]
pub struct Request {
    /// Who calls.
    pub peer: Peer,
    /// SHA-256 of the certificate of the connection.
    pub certificate: [u8; 32],
    /// The network address it came from.
    pub address: String,
    /// The acting employee; required on calls about a person.
    pub actor: Option<ActorRef>,
    /// The employee responsible, when that is another.
    pub responsible: Option<ActorRef>,
    /// The FSC transaction id that came along.
    pub transaction: Option<String>,
    /// The W3C trace id that came along.
    pub trace: Option<[u8; 16]>,
    /// The method, as `Service/Method`.
    pub method: &'static str,
    /// For a write: its key and the SHA-256 of its body.
    pub write: Option<(IdempotencyKey, [u8; 32])>,
    /// What is wanted.
    pub call: Call,
}

/// What is wanted.
#[derive(Debug)]
pub enum Call {
    /// Open a case.
    OpenCase {
        /// By what the person is known; at least one.
        identifiers: Vec<Identifier>,
        /// The municipality of return.
        municipality: Option<PartyId>,
    },
    /// Name the municipality of return.
    AssignMunicipality {
        /// The case.
        case: CaseId,
        /// The municipality.
        municipality: PartyId,
    },
    /// Give a party a place in a case.
    AddMember {
        /// The case.
        case: CaseId,
        /// The party.
        party: PartyId,
        /// When its place ends.
        until: Option<Timestamp>,
    },
    /// Take a party's place in a case away.
    RemoveMember {
        /// The case.
        case: CaseId,
        /// The party.
        party: PartyId,
    },
    /// Close a case.
    CloseCase {
        /// The case.
        case: CaseId,
        /// Why.
        reason: ClosingReason,
    },
    /// Look at a case.
    GetCase {
        /// Whom or which.
        subject: SubjectRef,
    },
    /// Record a consent.
    RecordConsent {
        /// The person.
        subject: SubjectRef,
        /// Its state.
        state: ConsentState,
        /// Its terms; `collected_by` is the principal, `case` is set from the subject by the parser.
        terms: Box<ConsentTerms>,
    },
    /// Withdraw consents.
    WithdrawConsent {
        /// The person.
        subject: SubjectRef,
        /// Limited to these conditions; empty means all.
        conditions: BTreeSet<Condition>,
        /// Limited to this recipient.
        recipient: Option<PartyId>,
    },
    /// Look at consents.
    Consents {
        /// The person.
        subject: SubjectRef,
        /// Only this one.
        consent: Option<ConsentId>,
    },
    /// Record a restriction or objection.
    RecordRestriction {
        /// The person.
        subject: SubjectRef,
        /// Which.
        kind: RestrictionKind,
        /// The controller it is directed at.
        controller: Option<PartyId>,
        /// The conditions; empty means all.
        conditions: BTreeSet<Condition>,
    },
    /// Lift a restriction or objection.
    LiftRestriction {
        /// The person.
        subject: SubjectRef,
        /// Which.
        restriction: RestrictionId,
    },
    /// Report a status.
    ReportStatus {
        /// The person or the case.
        subject: SubjectRef,
        /// The condition.
        condition: Condition,
        /// What is reported.
        report: Report,
        /// Whether the last report was wrong.
        correction: bool,
    },
    /// Introduce a partner.
    Introduce {
        /// The case.
        case: CaseId,
        /// The partner.
        partner: PartyId,
        /// The condition.
        condition: Condition,
    },
    /// Redeem a code.
    Redeem {
        /// SHA-256 of the code's 16 bytes.
        code_sha256: [u8; 32],
        /// The caller's own mark.
        client_ref: ClientRef,
    },
    /// Ask.
    Ask(Ask),
    /// Look at what may be asked.
    MyRights {
        /// Whom or which.
        subject: SubjectRef,
    },
    /// Take the next message out of the principal's inbox.
    NextMessage {
        /// After this position.
        after: u64,
        /// The way it takes, where that may take long; absent when it goes with an answer.
        over: Option<Handover>,
    },
    /// Acknowledge one delivery.
    Acknowledge {
        /// The delivery.
        delivery: DeliveryId,
    },
    /// Look at the notices of one entry.
    Notices {
        /// The person.
        subject: SubjectRef,
        /// The entry that caused them.
        entry: EntryIndex,
    },
    /// Propose a change of the registry.
    ProposeChange(Box<Change>),
    /// Approve a proposed change.
    ApproveChange(ProposalId),
    /// Reject a proposed change.
    RejectChange(ProposalId),
    /// Make a change at once that only stops something.
    Stop(Box<Change>, StopReason),
    /// Propose to erase a person for the controller of the caller, a privacy officer.
    ProposeErasure {
        /// The person.
        subject: SubjectRef,
        /// Why.
        ground: Ground,
    },
    /// Erase what was proposed.
    ApproveErasure {
        /// The proposal.
        proposal: ProposalId,
        /// The person, named a second time.
        subject: Option<SubjectRef>,
    },
    /// Drop a proposed erasure.
    RejectErasure(ProposalId),
    /// Write the keyring again under a new key-encryption key.
    RotateKek,
    /// Say that a clock that jumped ahead is right.
    AcknowledgeClock,
    /// Do something about the issue of a certificate, or about an enrolment.
    Issuance(Box<IssuanceCall>),
    /// Record that the trail was looked into, before what was found is shown.
    LookUp(LookUp),
    /// Record a decision to withhold entries from what the person is told.
    Withhold {
        /// The person.
        subject: SubjectRef,
        /// The decision.
        withheld: Withheld,
    },
    /// Record that somebody verified the trail.
    RecordVerification(TrailVerified),
    /// Propose a search that needs a second officer.
    ProposeSearch {
        /// The method it is to be made with.
        method: &'static str,
        /// What for.
        purpose: PurposeCode,
        /// The question in words.
        question: String,
        /// For an export: what may be handed over, and for how long.
        export: Option<StandingExport>,
    },
    /// Decide about a proposed search; the service has made sure that the caller may.
    DecideSearch {
        /// Which.
        search: Reference,
        /// For how long it may be made; `None` rejects it.
        approved_for: Option<std::time::Duration>,
    },
}

/// What came of a call, recorded and ready to be told.
#[derive(Debug)]
pub struct Answer {
    /// What came of it.
    pub outcome: Outcome,
    /// Proof that it stands in the log. Never sent along with a denial.
    pub receipt: Receipt,
}

/// What came of a call.
#[derive(Debug)]
pub enum Outcome {
    /// Denied, uniformly.
    NotDisclosed(Reference),
    /// A case was opened.
    CaseOpened(CaseId),
    /// It was done, and there is nothing more to tell.
    Done,
    /// A case to look at.
    Case(Box<Case>),
    /// A consent was recorded.
    ConsentRecorded(ConsentId),
    /// Consents to look at, newest first, as of this instant.
    Consents(Vec<Consent>, Timestamp),
    /// A restriction was recorded.
    Restricted(RestrictionId),
    /// A partner was introduced.
    Introduced {
        /// The code's sixteen bytes.
        code: [u8; 16],
        /// Until when it works.
        until: Timestamp,
    },
    /// Something is disclosed: the exact bytes of an encoded `Disclosure`, and the salt of their commitment.
    Disclosed {
        /// The encoded `Disclosure`.
        content: Vec<u8>,
        /// The salt.
        salt: [u8; 32],
    },
    /// What may be asked.
    Rights(Vec<Right>),
    /// The next message of the inbox.
    Message(Box<Message>),
    /// There is no message that may be read; nothing was recorded, and there is no receipt to show.
    NoMessage,
    /// Notices to look at.
    Notices(Vec<Notice>),
    /// A change was proposed.
    Proposed(ProposalId),
    /// A search was proposed.
    SearchProposed(Reference),
    /// A search was decided about: until when it may be made.
    SearchDecided(Option<Timestamp>),
    /// A person was erased: how many entries that covers, and when the last backup of the keys lapses.
    Erased(u64, Timestamp),
    /// The controller keeps what it asks to be erased, by a duty in law or for a term of the broker's own.
    Retained(Duty),
    /// An enrolment was opened, or went on.
    Enrolment(EnrolmentId),
}

/// A message that left the inbox.
#[derive(Debug)]
pub struct Message {
    /// Its id.
    pub delivery: DeliveryId,
    /// Its position, for the cursor.
    pub position: u64,
    /// The person, as the receiver can name the person.
    pub subject: SubjectRef,
    /// What it says.
    pub content: MessageContent,
}

/// What a message says.
#[derive(Debug)]
pub enum MessageContent {
    /// A changed status.
    Disclosed {
        /// The encoded `Disclosure`.
        content: Vec<u8>,
        /// The salt.
        salt: [u8; 32],
    },
    /// A notice.
    Notice(Notice),
}

/// Proof that an entry stands in the log: the parts of a C2SP tlog-proof.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The position of the entry.
    pub index: u64,
    /// The leaf.
    pub leaf: Vec<u8>,
    /// The inclusion proof, leaf sibling first.
    pub hashes: Vec<[u8; 32]>,
    /// The signed checkpoint.
    pub checkpoint: std::sync::Arc<str>,
}

impl Receipt {
    /// What stands where nothing was recorded, or where nothing of it may be told.
    pub(crate) fn none() -> Self {
        Self {
            index: 0,
            leaf: Vec::new(),
            hashes: Vec::new(),
            checkpoint: "".into(),
        }
    }
}
