//! An entry of the trail as the officer of one controller sees it.

use std::collections::BTreeSet;

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_audit::leaf::{EntryType, Leaf};
use schakel_core::{
    code::Condition,
    decide::{Finding, Reason},
    erasure::Done,
    event::{Asked, Denied, Details, Disclosed, Event},
    id::{CaseId, ConsentId, PartyId},
    inbox::Topic,
    registry::Registry,
    time::Timestamp,
};
use schakel_store::entry::Entry;

use super::{
    code::{Coded as _, to_wire},
    disclosure::basis,
    retention::rule,
    summary::summary,
    terms::texts,
    time::instant,
    veil::Veil,
};

/// For whom entries are shown: the officer of a controller.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    controller: PartyId,
    veil: Veil,
}

impl Viewer {
    /// The officer of this controller.
    pub(crate) fn new(registry: &Registry, controller: PartyId) -> Self {
        let veil = Veil::for_controller(registry, &controller);
        Self { controller, veil }
    }

    /// The controller.
    pub(crate) fn controller(&self) -> &PartyId {
        &self.controller
    }

    /// What the controller is not told.
    pub(crate) fn veil(&self) -> &Veil {
        &self.veil
    }

    /// Whether an entry may be shown: it concerns the controller, and by whom it was made is nothing the
    /// controller may not know.
    pub(crate) fn sees(&self, leaf: &Leaf, details: &Details) -> bool {
        details.controllers.contains(&self.controller) && self.sees_actor(leaf)
    }

    /// Whether an entry is shown without who made it: a restriction or objection, which each controller has to find to
    /// decide about it (AVG 18(3), 21(1)), whoever passed it on.
    pub(crate) fn shows_nameless(&self, read: &Entry) -> bool {
        read.leaf.entry_type == EntryType::Restriction && self.reads(read)
    }

    /// Whether an entry that was found among the controller's may be shown, readable or not.
    pub(crate) fn shows(&self, read: &Entry) -> bool {
        match &read.details {
            Some(details) => {
                let erased = read.erased.contains(&self.controller);
                self.sees(&read.leaf, details) || (erased && self.sees_actor(&read.leaf))
            }
            // Its details are erased; that the index gave it says that it concerned the controller.
            None => self.sees_actor(&read.leaf),
        }
    }

    /// Whether the details of an entry can be read for the controller.
    pub(crate) fn reads(&self, read: &Entry) -> bool {
        let details = read.details.as_ref();
        details.is_some_and(|details| details.controllers.contains(&self.controller))
    }

    /// Whether an entry may be shown with its details.
    pub(crate) fn opens(&self, read: &Entry) -> bool {
        self.reads(read) && self.sees_actor(&read.leaf)
    }

    /// Whether who acted by a leaf, and that they did, may be shown.
    pub(crate) fn sees_actor(&self, leaf: &Leaf) -> bool {
        self.veil.shows_act(leaf)
    }
}

/// The entry, as far as its details can still be opened.
pub(crate) fn entry(index: u64, read: &Entry, viewer: &Viewer) -> v1::Entry {
    let Entry {
        leaf,
        details,
        erased: _,
    } = read;
    let (purpose, purpose_version) = leaf.purpose.clone().unzip();
    let named = viewer.sees_actor(leaf);
    let mut entry = v1::Entry {
        index,
        r#type: leaf.entry_type.name().to_uppercase().replace('-', "_"),
        at: Timestamp::from_millis(leaf.at_ms).ok().map(instant),
        party_id: Some(&leaf.party)
            .filter(|_| named)
            .cloned()
            .unwrap_or_default(),
        transport_party_id: leaf.transport.clone().filter(|_| named),
        purpose,
        purpose_version,
        readable: details.is_some(),
        ..v1::Entry::default()
    };
    match details {
        Some(details) => {
            tell(&mut entry, details, viewer);
            entry.summary = summary(&details.event, &viewer.veil);
        }
        None => "erased: the details can no longer be opened".clone_into(&mut entry.summary),
    }
    entry
}

/// The entry of the end of consents, with those of them that involve the controller.
pub(crate) fn with_ended(entry: v1::Entry, ended: &[ConsentId]) -> v1::Entry {
    let consent_ids = entry.consent_ids.into_iter().chain(texts(ended));
    v1::Entry {
        consent_ids: consent_ids.collect(),
        ..entry
    }
}

/// The entry as it is shown when the controller can no longer read it: what its leaf says, and by which rule.
pub(crate) fn redacted(index: u64, leaf: &Leaf, by: Option<&Done>, viewer: &Viewer) -> v1::Entry {
    let erased = Entry {
        leaf: leaf.clone(),
        details: None,
        erased: BTreeSet::new(),
    };
    let mut shown = entry(index, &erased, viewer);
    if let Some(rule) = by.map(rule) {
        shown.summary = format!("redacted: erased by {} ({})", rule.code, rule.law_ref);
        shown.redacted = Some(rule);
    }
    shown
}

/// Whether a reason may depend on what is held of the person.
const fn is_of_the_person(reason: Reason) -> bool {
    match reason {
        Reason::PurposeNotInForce
        | Reason::PurposeNotAllowedForRole
        | Reason::ConditionNotInScope => false,
        Reason::SubjectUnknown
        | Reason::NotCaseParty
        | Reason::CaseClosed
        | Reason::NothingToDisclose
        | Reason::Restricted
        | Reason::NoBasis
        | Reason::OriginNotAdmitted
        | Reason::CriminalDataGroundMissing
        | Reason::Art9GroundMissing
        | Reason::ConsentMissing
        | Reason::ConsentNotGiven
        | Reason::ConsentRefused
        | Reason::ConsentNotYetValid
        | Reason::ConsentExpired
        | Reason::ConsentWithdrawn
        | Reason::ConsentInvalidated
        | Reason::ConsentNotExplicit
        | Reason::ConsentUnfitForRelation
        | Reason::SecrecyWaiverMissing
        | Reason::HelpDeclinedToAnother
        | Reason::NoCounterpart
        | Reason::NotForRole
        | Reason::RecordUnknown
        | Reason::IdentifiersDisagree
        | Reason::LimitReached => true,
    }
}

/// What of a denial this officer may see. Outsiders are told what follows from the question and the registry alone,
/// and for all that follows from what is held of the person one reason that names nothing: who is known, what case
/// there is and what stands in the way of it tell of detention.
pub(crate) fn findings(denied: &Denied, veil: &Veil) -> Vec<Finding> {
    let held = |finding: &Finding| is_of_the_person(finding.reason);
    if veil.is_drawn() && denied.findings.iter().any(held) {
        return vec![Finding::of(Reason::NoBasis)];
    }
    denied.findings.clone()
}

fn tell(entry: &mut v1::Entry, details: &Details, viewer: &Viewer) {
    tell_caller(entry, details, viewer);
    match &details.event {
        Event::Disclosed(disclosed) => tell_disclosed(entry, disclosed, viewer),
        Event::Delivered(delivered) => {
            if let Some(disclosed) = &delivered.disclosed {
                tell_disclosed(entry, disclosed, viewer);
            }
        }
        Event::Denied(denied) => tell_denied(entry, denied, viewer),
        Event::ConsentRecorded { .. } | Event::ConsentEnded(_) => {
            tell_consent(entry, &details.event, viewer);
        }
        Event::StatusReported {
            case, condition, ..
        }
        | Event::Introduced {
            case, condition, ..
        } => tell_condition(entry, *case, *condition, viewer),
        Event::Restricted { conditions, .. } => entry.conditions = to_wire(conditions),
        Event::CaseOpened { case, .. }
        | Event::MunicipalityAssigned { case, .. }
        | Event::MemberAdded { case, .. }
        | Event::MemberRemoved { case, .. }
        | Event::CaseClosed { case, .. } => tell_case(entry, Some(*case), viewer),
        Event::LookedUp(looked) => {
            entry.purpose = looked.purpose.as_ref().map(ToString::to_string);
        }
        Event::SearchProposed(_) | Event::SearchDecided(_) => tell_search(entry, &details.event),
        Event::Redeemed { .. }
        | Event::Withheld(_)
        | Event::TrailVerified(_)
        | Event::ReplayDiffered(_)
        | Event::RestrictionLifted { .. }
        | Event::Acknowledged { .. }
        | Event::Issuance(_)
        | Event::Proposed(_)
        | Event::CertificatesUsed { .. }
        | Event::Changed { .. }
        | Event::Rejected { .. }
        | Event::Refused { .. }
        | Event::Started { .. }
        | Event::Stopped
        | Event::ClockJumped { .. }
        | Event::ClockAcknowledged { .. }
        | Event::SigningResumed { .. }
        | Event::Erased(_)
        | Event::ErasureProposed(_)
        | Event::ErasureApproved { .. }
        | Event::ErasureRejected { .. }
        | Event::KekRotated
        | Event::CheckpointKey { .. } => {}
    }
}

fn tell_caller(entry: &mut v1::Entry, details: &Details, viewer: &Viewer) {
    let Some(call) = &details.call else { return };
    let own = call.principal == viewer.controller;
    entry.actor_ref = call.actor.as_ref().filter(|_| own).map(ToString::to_string);
    let told = is_told_to_somebody(&details.event);
    if told {
        entry.recipient_party_id = Some(call.principal.to_string());
    }
    let unit = call.unit.as_ref().filter(|_| own || told);
    entry.unit_id = unit.map(ToString::to_string);
}

fn tell_condition(entry: &mut v1::Entry, case: CaseId, condition: Condition, viewer: &Viewer) {
    entry.conditions = to_wire(&[condition]);
    tell_case(entry, Some(case), viewer);
}

fn tell_consent(entry: &mut v1::Entry, event: &Event, viewer: &Viewer) {
    match event {
        Event::ConsentRecorded { consent, terms, .. } => {
            entry.conditions = to_wire(viewer.veil.conditions(terms));
            entry.consent_ids = vec![consent.to_string()];
            tell_case(entry, terms.case, viewer);
        }
        Event::ConsentEnded(ended) => {
            entry.conditions = to_wire(&ended.conditions);
            let recipient = ended.recipient.as_ref();
            let named = recipient.filter(|party| !viewer.veil.hides(party));
            entry.recipient_party_id = named.map(ToString::to_string);
            // Which consents ended says that there were some, also of others: whoever looks them up adds those that
            // involve the controller.
        }
        _ => {}
    }
}

fn tell_search(entry: &mut v1::Entry, event: &Event) {
    let search = match event {
        Event::SearchProposed(proposed) => {
            entry.purpose = Some(proposed.purpose.to_string());
            proposed.search
        }
        Event::SearchDecided(decided) => decided.search,
        _ => return,
    };
    entry.reference = Some(Bytes::copy_from_slice(search.as_bytes()));
}

/// Whether somebody was told something by it, or was not.
const fn is_told_to_somebody(event: &Event) -> bool {
    matches!(
        event,
        Event::Disclosed(_) | Event::Delivered(_) | Event::Denied(_)
    )
}

fn tell_disclosed(entry: &mut v1::Entry, disclosed: &Disclosed, viewer: &Viewer) {
    let conditions: BTreeSet<_> = disclosed
        .grants
        .iter()
        .map(|grant| grant.condition)
        .collect();
    let consents: BTreeSet<_> = disclosed
        .grants
        .iter()
        .flat_map(|grant| &grant.consents)
        .collect();
    let cases: BTreeSet<_> = disclosed.grants.iter().map(|grant| grant.case).collect();
    entry.conditions = to_wire(&conditions);
    entry.consent_ids = texts(consents);
    if cases.len() == 1 {
        tell_case(entry, cases.into_iter().next(), viewer);
    }
    for grant in &disclosed.grants {
        // To outsiders the municipality stands in for whoever reported it: see the disclosure itself.
        let own = grant.provider == viewer.controller;
        if own || !viewer.veil.is_drawn() {
            entry.provider_party_ids.push(grant.provider.to_string());
            entry.bases.push(basis(&grant.provider_basis));
        }
        entry.bases.push(basis(&grant.recipient_basis));
    }
    entry.provider_party_ids.sort_unstable();
    entry.provider_party_ids.dedup();
    entry
        .bases
        .sort_by(|a, b| (&a.basis, &a.law_ref).cmp(&(&b.basis, &b.law_ref)));
    entry.bases.dedup();
}

fn tell_denied(entry: &mut v1::Entry, denied: &Denied, viewer: &Viewer) {
    let Denied {
        asked,
        findings: _,
        reference,
    } = denied;
    let findings = findings(denied, &viewer.veil);
    let consents: BTreeSet<_> = findings
        .iter()
        .filter_map(|finding| finding.consent)
        .collect();
    entry.consent_ids = texts(consents);
    entry.reference = Some(Bytes::copy_from_slice(reference.as_bytes()));
    entry.reason = findings.first().map(|finding| finding.reason.to_string());
    match asked {
        Asked::Disclosure(ask) => {
            entry.conditions = to_wire(&ask.conditions);
            entry.purpose = Some(ask.purpose.to_string());
        }
        Asked::Message { message, .. } => {
            if let Topic::Status {
                case,
                condition,
                purpose,
            } = &message.topic
            {
                entry.conditions = vec![condition.to_wire()];
                entry.purpose = Some(purpose.to_string());
                tell_case(entry, Some(*case), viewer);
            }
        }
        Asked::Call { .. } => {}
    }
}

/// The case is named to insiders: to others it says that there is a trajectory.
fn tell_case(entry: &mut v1::Entry, case: Option<CaseId>, viewer: &Viewer) {
    if !viewer.veil.is_drawn() {
        entry.case_id = case.map(|case| case.to_string());
    }
}
