//! Planning: what a request comes to, decided against the state of the log so far.
//!
//! Nothing here writes. A plan is an event with what must be recorded about it; the writer records it,
//! and only then is the caller told.

mod audit;
mod case;
mod concerned;
mod consent;
mod denied;
mod enrolment;
mod erasure;
mod exchange;
mod inbox;
mod look_up;
mod passed_on;
mod registry;
mod right;
mod standing;
mod told;

use std::{collections::BTreeSet, sync::Arc};

use schakel_audit::leaf::EntryType;
use schakel_core::{
    case::Case,
    code::Role,
    decide::{Denial, Finding, Reason},
    dossier::Dossier,
    event::{Event, Remembered, SlotUse},
    id::{EntryIndex, PartyId, PurposeCode, SubjectId},
    party::Party,
    person::SubjectRef,
    random::Random,
    registry::Registry,
    time::Timestamp,
};
use schakel_store::world::World;

use super::handover::Handovers;
use crate::{
    call::{Call, CallError, Request},
    config,
    trail::Trail,
};

pub(super) use self::{
    concerned::named_besides,
    erasure::{erasing, parts},
    told::{Envelope, Told},
};

/// Everything a plan is made from.
pub(super) struct Planner<'a> {
    pub(super) world: &'a mut World,
    pub(super) trail: &'a Trail,
    pub(super) handovers: &'a Handovers,
    pub(super) random: &'a mut dyn Random,
    pub(super) terms: &'a config::Retention,
    pub(super) now: Timestamp,
}

/// What a request comes to.
pub(super) struct Plan {
    pub(super) kind: EntryType,
    pub(super) subject: Subject,
    pub(super) retention: Retention,
    /// The controllers concerned, beside the principal.
    pub(super) controllers: BTreeSet<PartyId>,
    pub(super) purpose: Option<(PurposeCode, u32)>,
    pub(super) event: Event,
    pub(super) told: Told,
}

/// Whom an entry is about, which decides what seals it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// Nobody: there is nothing to seal.
    Nobody,
    /// Nobody known, or nobody in particular: sealed under the month's key for that.
    Unknown,
    /// A person the broker knows, or knows from now on.
    Known(SubjectId),
}

/// How long the sealed part of an entry is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Retention {
    /// For ever: it holds no personal data.
    Permanent,
    /// For the months that the configuration says (`retention.standard_months`).
    Standard,
    /// For the months that the configuration says for the log of care, which care providers must keep five years.
    Care,
    /// As long after the longest consent could end as consents and entries are kept: the end of a consent must outlive
    /// the consent.
    Consent,
    /// As long as anything that lets a notice or another message wait is kept: that it was told and acknowledged must
    /// outlive that it was to be.
    Notice,
    /// As long as the record it began or changed.
    Record(SlotUse),
}

/// What planning one request gives.
pub(super) enum Planned {
    /// Entries to record; the answer goes with the last.
    Record(Vec<Plan>),
    /// The same write was made before: its answer again, with a receipt for its entry.
    Repeat(EntryIndex, Remembered),
    /// Nothing to record and nothing to tell.
    Nothing,
}

/// What stood in the way of a plan: a denial to record, or a call that cannot be taken.
pub(super) enum Obstacle {
    Denied(Vec<Finding>),
    Refused(CallError),
}

pub(super) type Result<T> = std::result::Result<T, Obstacle>;

impl From<CallError> for Obstacle {
    fn from(error: CallError) -> Self {
        Self::Refused(error)
    }
}

impl From<Reason> for Obstacle {
    fn from(reason: Reason) -> Self {
        Self::Denied(Denial::of(reason).into_findings())
    }
}

impl Planner<'_> {
    /// Plans one request, of which the roles are left that count.
    pub(super) fn plan(
        &mut self,
        request: &mut Request,
    ) -> std::result::Result<Planned, CallError> {
        self.stand(request)?;
        if let Some(repeat) = self.repeated(request)? {
            return Ok(repeat);
        }
        let planned = match &request.call {
            Call::NextMessage { after, .. } => self.next_message(request, *after),
            Call::ApproveErasure { proposal, subject } => self
                .approve_erasure(request, *proposal, subject.as_ref())
                .map(Planned::Record),
            Call::WithdrawConsent { subject, .. }
            | Call::RecordRestriction { subject, .. }
            | Call::LiftRestriction { subject, .. } => {
                self.pass_on(request, subject).map(Planned::Record)
            }
            call => self
                .plan_one(request, call)
                .map(|plan| Planned::Record(vec![plan])),
        };
        match planned {
            Ok(planned) => Ok(planned),
            Err(Obstacle::Refused(error)) => Err(error),
            Err(Obstacle::Denied(findings)) => {
                Ok(Planned::Record(vec![self.denied(request, findings)]))
            }
        }
    }

    fn plan_one(&mut self, request: &Request, call: &Call) -> Result<Plan> {
        match call {
            Call::OpenCase { .. }
            | Call::AssignMunicipality { .. }
            | Call::AddMember { .. }
            | Call::RemoveMember { .. }
            | Call::CloseCase { .. }
            | Call::GetCase { .. } => self.plan_case(request, call),
            Call::RecordConsent { .. } | Call::Consents { .. } => self.plan_consent(request, call),
            Call::ReportStatus { .. }
            | Call::Introduce { .. }
            | Call::Redeem { .. }
            | Call::Ask(_) => self.plan_exchange(request, call),
            Call::Acknowledge { delivery } => Ok(self.acknowledge(request, *delivery)),
            Call::Notices { subject, entry } => self.notices(request, subject, *entry),
            Call::ProposeChange(_)
            | Call::ApproveChange(_)
            | Call::RejectChange(_)
            | Call::Stop(..) => self.plan_registry(request, call),
            Call::ProposeErasure { subject, ground } => {
                self.propose_erasure(request, subject, *ground)
            }
            Call::RejectErasure(id) => self.reject_erasure(request, *id),
            Call::RotateKek => Ok(erasure::upkeep(EntryType::Key, Event::KekRotated)),
            Call::AcknowledgeClock => {
                let event = Event::ClockAcknowledged { clock: self.now };
                Ok(erasure::upkeep(EntryType::System, event))
            }
            Call::Issuance(call) => self.plan_issuance(request, call),
            Call::LookUp(look_up) => Ok(self.look_up(request, look_up)),
            Call::MyRights { subject } => self.rights(request, subject),
            Call::Withhold { .. }
            | Call::RecordVerification(_)
            | Call::ProposeSearch { .. }
            | Call::DecideSearch { .. } => self.plan_audit(request, call),
            Call::NextMessage { .. }
            | Call::ApproveErasure { .. }
            | Call::WithdrawConsent { .. }
            | Call::RecordRestriction { .. }
            | Call::LiftRestriction { .. } => Err(Reason::RecordUnknown.into()),
        }
    }

    /// Whether the same write was made before, within 24 hours of log time.
    fn repeated(&self, request: &Request) -> std::result::Result<Option<Planned>, CallError> {
        let Some((key, digest)) = request.write else {
            return Ok(None);
        };
        let written = self
            .world
            .written(&request.peer.principal, request.method, key, self.now);
        match written {
            None => Ok(None),
            Some(written) if written.digest == digest => {
                let remembered = written.answer.clone();
                Ok(Some(Planned::Repeat(written.entry, remembered)))
            }
            Some(_) => Err(CallError::KeyReused),
        }
    }

    fn registry(&self) -> Arc<Registry> {
        self.world.registry()
    }

    /// The dossier of the person a caller means.
    fn find(&mut self, subject: &SubjectRef, caller: &PartyId) -> Result<Arc<Dossier>> {
        let id = self
            .world
            .subject_of(subject, caller)
            .ok_or(Reason::SubjectUnknown)?;
        self.dossier(id)
    }

    fn dossier(&mut self, id: SubjectId) -> Result<Arc<Dossier>> {
        self.world.dossier(id).map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a record cannot be read"
            );
            Obstacle::Refused(CallError::AuditUnavailable)
        })
    }

    /// A registered, active party; precise, because it depends on the registry alone.
    fn registered(&self, id: &PartyId, field: &str) -> Result<Party> {
        let registry = self.registry();
        let found = registry.party(id).filter(|party| party.is_active(self.now));
        found
            .cloned()
            .ok_or_else(|| invalid(field, "must be a registered party that is not suspended"))
    }

    fn registered_as(&self, id: &PartyId, role: Role, field: &str) -> Result<()> {
        let party = self.registered(id, field)?;
        if party.has_role(role) {
            Ok(())
        } else {
            Err(invalid(
                field,
                &format!("must be a party with the role {role}"),
            ))
        }
    }
}

/// A field that breaks a rule only the registry or the log's time can judge.
fn invalid(field: &str, rule: &str) -> Obstacle {
    CallError::Invalid {
        field: field.to_owned(),
        rule: rule.to_owned(),
    }
    .into()
}

/// The open case a caller means, in which it has a place as the check says; the newest when it named the
/// person.
fn open_case<'d>(
    dossier: &'d Dossier,
    subject: &SubjectRef,
    now: Timestamp,
    has_place: impl Fn(&Case) -> bool,
) -> Result<&'d Case> {
    let named = |case: &&Case| match subject {
        SubjectRef::Case(id) => case.id == *id,
        _ => true,
    };
    let mut placed: Vec<&Case> = dossier
        .cases
        .values()
        .filter(named)
        .filter(|case| has_place(case))
        .collect();
    if placed.is_empty() {
        return Err(Reason::NotCaseParty.into());
    }
    placed.retain(|case| case.is_open(now));
    placed
        .into_iter()
        .max_by_key(|case| case.entry)
        .ok_or_else(|| Reason::CaseClosed.into())
}

/// Whom a call names, where it names somebody.
fn subject_ref(call: &Call) -> Option<SubjectRef> {
    match call {
        Call::AssignMunicipality { case, .. }
        | Call::AddMember { case, .. }
        | Call::RemoveMember { case, .. }
        | Call::CloseCase { case, .. }
        | Call::Introduce { case, .. } => Some(SubjectRef::Case(*case)),
        Call::GetCase { subject }
        | Call::MyRights { subject }
        | Call::RecordConsent { subject, .. }
        | Call::WithdrawConsent { subject, .. }
        | Call::Consents { subject, .. }
        | Call::RecordRestriction { subject, .. }
        | Call::LiftRestriction { subject, .. }
        | Call::ReportStatus { subject, .. }
        | Call::Notices { subject, .. }
        | Call::ProposeErasure { subject, .. }
        | Call::Withhold { subject, .. } => Some(subject.clone()),
        Call::ApproveErasure { subject, .. } => subject.clone(),
        Call::Ask(ask) => Some(ask.subject.clone()),
        Call::LookUp(look_up) => look_up.subject.clone(),
        Call::OpenCase { .. }
        | Call::Redeem { .. }
        | Call::NextMessage { .. }
        | Call::Acknowledge { .. }
        | Call::ProposeChange(_)
        | Call::ApproveChange(_)
        | Call::RejectChange(_)
        | Call::Issuance(_)
        | Call::Stop(..)
        | Call::RecordVerification(_)
        | Call::ProposeSearch { .. }
        | Call::DecideSearch { .. }
        | Call::RejectErasure(_)
        | Call::RotateKek
        | Call::AcknowledgeClock => None,
    }
}
