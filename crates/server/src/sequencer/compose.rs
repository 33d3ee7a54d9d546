//! Composing an entry: from a plan to the leaf and the sealed details that go into the log.

use std::collections::{BTreeSet, btree_map::Entry};

use schakel_audit::leaf::{Leaf, LeafError, Month, MonthError, RetentionClass};
use schakel_core::{
    code::Role,
    dossier::Dossier,
    event::{Call, Details, Event, SlotUse, Write},
    id::{PartyId, SlotId, SubjectId},
    random::Random,
    time::Timestamp,
};
use schakel_store::{
    details,
    keyring::Keyring,
    log::{Frame, MAX_PART_LEN},
    seal::{self, Scope, SealError, Term},
};

use super::{
    cut::Part,
    kept::{self, month},
    plan::{Plan, Retention, Subject, Told, named_besides},
    rules::RuleDigests,
    steps::Fresh,
};
use crate::{call::Request, config};

/// What composing needs beside a plan.
pub(super) struct Composer<'a> {
    pub(super) keyring: &'a Keyring,
    pub(super) rules: &'a RuleDigests,
    pub(super) random: &'a mut dyn Random,
    pub(super) origin: &'a str,
    pub(super) broker: &'a PartyId,
    /// What the registry gives the caller now.
    pub(super) standing: &'a [Role],
    pub(super) terms: &'a config::Retention,
    pub(super) fresh: &'a mut Fresh,
    pub(super) now: Timestamp,
}

/// An entry ready to be appended.
pub(super) struct Composed {
    pub(super) frame: Frame,
    pub(super) leaf: Leaf,
    pub(super) details: Details,
}

/// A part that could not be composed, given back, and why.
pub(super) struct NotComposed {
    pub(super) error: ComposeError,
    pub(super) part: Part,
}

/// An entry with what is told once it is recorded.
pub(super) type Attempt = Result<(Composed, Told), Box<NotComposed>>;

/// What an entry consists of beside its event, before it is sealed.
struct Sealing {
    leaf: Leaf,
    call: Option<Call>,
    controllers: BTreeSet<PartyId>,
    binds: Vec<(SlotUse, SlotId)>,
    slots: Vec<SlotId>,
    term: Term,
}

/// Why an entry could not be composed: a fault of the broker or its keyring.
#[derive(Debug, thiserror::Error)]
pub(super) enum ComposeError {
    #[error("the keyring has no key for this entry")]
    Keyring(#[from] schakel_store::keyring::KeyringError),
    #[error("the details cannot be encoded")]
    Details(#[from] details::DetailsError),
    #[error("the details cannot be sealed")]
    Seal(#[from] SealError),
    #[error("the log has no such month")]
    Month(#[from] MonthError),
    #[error("the leaf breaks its own rules")]
    Leaf(#[from] LeafError),
    #[error("the {part} has {len} bytes, more than the log takes")]
    TooLarge { part: &'static str, len: usize },
}

impl ComposeError {
    /// Whether less of the same could be composed.
    pub(super) const fn is_too_much(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. } | Self::Seal(SealError::Slots | SealError::TooLong { .. })
        )
    }
}

impl Composer<'_> {
    /// Composes the entry of a plan, or of a part of one. Where that cannot be done, the part is given back.
    pub(super) fn compose(
        &mut self,
        request: Option<&Request>,
        part: Part,
        dossier: Option<&Dossier>,
    ) -> Attempt {
        let sealing = match self.sealing(request, &part, dossier) {
            Ok(sealing) => sealing,
            Err(error) => return Err(Box::new(NotComposed { error, part })),
        };
        let Part { plan, keepers } = part;
        let Sealing {
            mut leaf,
            call,
            controllers,
            binds,
            slots,
            term,
        } = sealing;
        // The event goes into the details as it is: a copy would cost as much as deciding.
        let details = Details {
            call,
            subject: known(plan.subject),
            controllers,
            binds,
            event: plan.event,
        };
        let scope = match plan.subject {
            Subject::Nobody => Scope::Open,
            Subject::Unknown => Scope::Unknown,
            Subject::Known(_) => Scope::Slots {
                slots: &slots,
                term,
            },
        };
        match self.seal(&mut leaf, &details, &scope) {
            Ok(frame) => {
                let composed = Composed {
                    frame,
                    leaf,
                    details,
                };
                Ok((composed, plan.told))
            }
            Err(error) => {
                let event = details.event;
                let plan = Plan { event, ..plan };
                let part = Part { plan, keepers };
                Err(Box::new(NotComposed { error, part }))
            }
        }
    }

    /// Everything of an entry but its event, and the keys it is sealed with.
    fn sealing(
        &mut self,
        request: Option<&Request>,
        part: &Part,
        dossier: Option<&Dossier>,
    ) -> Result<Sealing, ComposeError> {
        let plan = &part.plan;
        let slot_of = |usage: &SlotUse| dossier.and_then(|found| found.slots.get(usage).copied());
        let principal = request
            .map_or(self.broker, |request| &request.peer.principal)
            .clone();
        let mut controllers: BTreeSet<PartyId> = plan.controllers.clone();
        // What the broker does by itself about somebody concerns whom the plan says, and is not the broker's to keep.
        if plan.subject != Subject::Nobody && request.is_some() {
            controllers.insert(principal.clone());
        }
        let mut binds = Vec::new();
        let (class, destroy) = kept::until(&plan.retention, self.terms, self.now)?;
        let (mut slots, term) = match plan.subject {
            Subject::Known(id) => {
                let uses = controllers.iter().cloned().map(SlotUse::Controller);
                let slots = uses
                    .map(|usage| self.slot(id, usage, &slot_of, &mut binds))
                    .collect::<Result<Vec<_>, _>>()?;
                let term = match &plan.retention {
                    Retention::Record(usage) => {
                        Term::Record(self.slot(id, usage.clone(), &slot_of, &mut binds)?)
                    }
                    _ => Term::ClassMonth,
                };
                (slots, term)
            }
            Subject::Unknown | Subject::Nobody => (Vec::new(), Term::ClassMonth),
        };
        let keepers = part.keepers(dossier);
        let keepers: Vec<_> = keepers
            .difference(&controllers)
            .filter_map(|party| {
                let usage = SlotUse::Controller(party.clone());
                slot_of(&usage).map(|slot| (usage, slot))
            })
            .collect();
        let own_slot = match plan.subject {
            Subject::Known(_) => controllers
                .iter()
                .position(|party| *party == principal)
                .and_then(|at| slots.get(at).copied()),
            Subject::Unknown | Subject::Nobody => None,
        };
        let leaf = self.leaf(request, plan, &principal, own_slot, (class, destroy))?;
        slots.extend(keepers.iter().map(|(_, slot)| *slot));
        binds.extend(keepers);
        Ok(Sealing {
            leaf,
            call: request.map(|request| recorded_call(request, plan, self.standing)),
            controllers,
            binds,
            slots,
            term,
        })
    }

    fn leaf(
        &mut self,
        request: Option<&Request>,
        plan: &Plan,
        principal: &PartyId,
        own_slot: Option<SlotId>,
        (class, destroy): (RetentionClass, Option<Month>),
    ) -> Result<Leaf, ComposeError> {
        let transport = request
            .map(|request| &request.peer.transport)
            .filter(|transport| *transport != principal)
            .map(|transport| transport.as_str().to_owned());
        let mut id = [0; 16];
        self.random.fill(&mut id);
        let subject_tag = match (plan.subject, own_slot) {
            (Subject::Nobody, _) => None,
            (Subject::Known(_), Some(slot)) if tells_of_somebody(&plan.event) => {
                Some(self.keyring.tag(slot, principal, month(self.now)?)?)
            }
            _ => {
                let mut tag = [0; 16];
                self.random.fill(&mut tag);
                Some(tag)
            }
        };
        let rules = plan
            .purpose
            .as_ref()
            .and_then(|(code, version)| self.rules.of(code, *version));
        Ok(Leaf {
            entry_type: plan.kind,
            at_ms: self.now.as_millis(),
            party: principal.as_str().to_owned(),
            transport,
            purpose: plan
                .purpose
                .as_ref()
                .map(|(code, version)| (code.as_str().to_owned(), *version)),
            id,
            commitment: [0; 32],
            released: plan.told.committed(),
            subject_tag,
            class,
            destroy,
            rules,
        })
    }

    fn seal(
        &mut self,
        leaf: &mut Leaf,
        details: &Details,
        scope: &Scope<'_>,
    ) -> Result<Frame, ComposeError> {
        let (origin, keyring) = (self.origin, self.keyring);
        let sealed = if matches!(scope, Scope::Open) {
            let encoded = details::encode(details)?;
            seal::seal(leaf, &encoded, scope, origin, keyring, self.random)?
        } else {
            let mut salt = [0; 32];
            self.random.fill(&mut salt);
            let encoded = details::encode_apart(details, salt)?;
            seal::seal_apart(leaf, &encoded, scope, origin, keyring, self.random)?
        };
        leaf.check()?;
        let frame = Frame {
            leaf: leaf.encode(),
            sealed,
        };
        // What the log would refuse must not be applied to the state first.
        for (part, bytes) in [("leaf", &frame.leaf), ("sealed part", &frame.sealed)] {
            let len = bytes.len();
            if len > MAX_PART_LEN {
                return Err(ComposeError::TooLarge { part, len });
            }
        }
        Ok(frame)
    }

    fn slot(
        &mut self,
        subject: SubjectId,
        usage: SlotUse,
        slot_of: &impl Fn(&SlotUse) -> Option<SlotId>,
        binds: &mut Vec<(SlotUse, SlotId)>,
    ) -> Result<SlotId, ComposeError> {
        if let Some(slot) = slot_of(&usage) {
            return Ok(slot);
        }
        // Every entry of one request that uses a new key binds it: each can be read without the others.
        let slot = match self.fresh.entry((subject, usage.clone())) {
            Entry::Occupied(taken) => *taken.get(),
            Entry::Vacant(place) => *place.insert(self.keyring.take_slot()?),
        };
        binds.push((usage, slot));
        Ok(slot)
    }
}

/// Whether the answer to this already says that the broker knows the person. Only then may two receipts show that
/// they are about one: on everything that is answered the same for nobody, look-ups and denials included, the tag
/// is random for everybody, because a caller that asks twice would see by it who is known.
const fn tells_of_somebody(event: &Event) -> bool {
    matches!(
        event,
        Event::Disclosed(_)
            | Event::Delivered(_)
            | Event::ConsentRecorded { .. }
            | Event::CaseOpened { .. }
            | Event::MunicipalityAssigned { .. }
            | Event::MemberAdded { .. }
            | Event::MemberRemoved { .. }
            | Event::CaseClosed { .. }
            | Event::StatusReported { .. }
            | Event::Introduced { .. }
    )
}

fn known(subject: Subject) -> Option<SubjectId> {
    match subject {
        Subject::Known(id) => Some(id),
        Subject::Unknown | Subject::Nobody => None,
    }
}

fn recorded_call(request: &Request, plan: &Plan, standing: &[Role]) -> Call {
    let came_with = &request.peer.roles;
    let more = standing.iter().any(|role| !came_with.contains(role));
    Call {
        principal: request.peer.principal.clone(),
        transport: request.peer.transport.clone(),
        certificate: request.certificate,
        address: request.address.clone(),
        actor: request.actor.clone(),
        responsible: request.responsible.clone(),
        transaction: request.transaction.clone(),
        trace: request.trace,
        // A retry is answered once everything of the write is there: with the entry that answers it.
        write: request
            .write
            .filter(|_| !matches!(plan.told, Told::Nobody))
            .map(|(key, digest)| Write {
                method: request.method.to_owned(),
                key,
                digest,
                answer: plan.told.remembered(),
            }),
        roles: more.then(|| came_with.clone()),
        named: named_besides(&request.call, &plan.event),
        unit: request.peer.unit.clone(),
    }
}

/// Whether an entry of this event changes the registry.
pub(super) fn changes_registry(event: &Event) -> bool {
    matches!(
        event,
        Event::CertificatesUsed { .. }
            | Event::Issuance(_)
            | Event::Changed { .. }
            | Event::Proposed(_)
            | Event::Rejected { .. }
            | Event::CheckpointKey { .. }
    )
}
