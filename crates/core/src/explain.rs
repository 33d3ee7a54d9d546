//! Explanations: why an entry was decided as it was, in the rule, its place in the law, and what was
//! missing. For the privacy officers concerned; never for the caller that was denied.

mod text;

use crate::{
    code::{Condition, codes},
    decide::{Finding, Grant, Reason},
    event::{Asked, Denied, Disclosed, Event},
    id::{ConsentId, EntryIndex, PartyId, PurposeCode},
    inbox::Topic,
    purpose::{LegalBasis, PurposeVersion, Route, Wjsg51cChecklist},
    registry::Registry,
    time::Timestamp,
};

codes! {
    /// What an entry decided.
    Decision, "must be one of DISCLOSED, NOT_DISCLOSED, NO_DECISION" {
        /// Something was disclosed.
        Disclosed = "DISCLOSED",
        /// Something was denied.
        NotDisclosed = "NOT_DISCLOSED",
        /// Nothing had to be decided.
        NoDecision = "NO_DECISION",
    }
}

/// Why an entry was decided as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What was decided.
    pub decision: Decision,
    /// What happened, in a line of plain English that names nobody.
    pub summary: &'static str,
    /// The purpose for which it was asked.
    pub purpose: Option<PurposeCode>,
    /// The version that decided; absent when none was in force.
    pub version: Option<u32>,
    /// What was granted, or stood in the way with the most telling first.
    pub reasons: Vec<Explained>,
    /// The five steps of Wjsg 51c, where one of the reasons is about a route that rests on it.
    pub wjsg_51c: Option<Wjsg51cChecklist>,
}

/// One thing that was granted or stood in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// `None` for a grant, else why it was denied.
    pub reason: Option<Reason>,
    /// The same in plain English, with the missing element.
    pub text: String,
    /// The condition it is about.
    pub condition: Option<Condition>,
    /// The provider it is about.
    pub provider: Option<PartyId>,
    /// The route of the purpose, by its number from 0.
    pub route: Option<u8>,
    /// The basis for providing.
    pub provider_basis: Option<LegalBasis>,
    /// The basis for receiving.
    pub recipient_basis: Option<LegalBasis>,
    /// The consents it rested on, or the one that came closest.
    pub consents: Vec<ConsentId>,
}

/// Explains the event of an entry, by the rules as they stood when it was recorded.
#[must_use]
pub fn explain(
    event: &Event,
    registry: &Registry,
    entry: EntryIndex,
    at: Timestamp,
) -> Explanation {
    let summary = text::summary(event);
    match event {
        Event::Disclosed(disclosed) => explain_disclosed(disclosed, registry, summary),
        Event::Delivered(delivered) => match &delivered.disclosed {
            Some(disclosed) => explain_disclosed(disclosed, registry, summary),
            None => undecided(summary),
        },
        Event::Denied(denied) => explain_denied(denied, registry, (entry, at), summary),
        Event::ConsentRecorded { .. }
        | Event::ConsentEnded(_)
        | Event::CaseOpened { .. }
        | Event::MunicipalityAssigned { .. }
        | Event::MemberAdded { .. }
        | Event::MemberRemoved { .. }
        | Event::CaseClosed { .. }
        | Event::StatusReported { .. }
        | Event::Introduced { .. }
        | Event::Redeemed { .. }
        | Event::Restricted { .. }
        | Event::RestrictionLifted { .. }
        | Event::Acknowledged { .. }
        | Event::LookedUp(_)
        | Event::Withheld(_)
        | Event::SearchProposed(_)
        | Event::SearchDecided(_)
        | Event::TrailVerified(_)
        | Event::ReplayDiffered(_)
        | Event::Issuance(_)
        | Event::Proposed(_)
        | Event::Changed { .. }
        | Event::Rejected { .. }
        | Event::CertificatesUsed { .. }
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
        | Event::CheckpointKey { .. } => undecided(summary),
    }
}

/// What happened, in a line of plain English that names nobody.
#[must_use]
pub const fn summary(event: &Event) -> &'static str {
    text::summary(event)
}

fn undecided(summary: &'static str) -> Explanation {
    Explanation {
        decision: Decision::NoDecision,
        summary,
        purpose: None,
        version: None,
        reasons: Vec::new(),
        wjsg_51c: None,
    }
}

fn explain_disclosed(
    disclosed: &Disclosed,
    registry: &Registry,
    summary: &'static str,
) -> Explanation {
    let code = &disclosed.ask.purpose;
    let mut versions = registry.versions(code).map(|found| &found.version);
    let version = versions.find(|version| version.version == disclosed.version);
    let reasons: Vec<Explained> = disclosed.grants.iter().map(granted).collect();
    Explanation {
        decision: Decision::Disclosed,
        summary,
        purpose: Some(code.clone()),
        version: Some(disclosed.version),
        wjsg_51c: checklist(version.map(AsRef::as_ref), &reasons),
        reasons,
    }
}

fn explain_denied(
    denied: &Denied,
    registry: &Registry,
    (entry, at): (EntryIndex, Timestamp),
    summary: &'static str,
) -> Explanation {
    let (code, asked) = match &denied.asked {
        Asked::Disclosure(ask) => (Some(&ask.purpose), ask.version),
        Asked::Message { message, .. } => match &message.topic {
            Topic::Status { purpose, .. } => (Some(purpose), None),
            Topic::Notice(_) => (None, None),
        },
        Asked::Call { .. } => (None, None),
    };
    let version = code.and_then(|code| version_as_of(registry, code, asked, (entry, at)));
    let reasons: Vec<Explained> = denied
        .findings
        .iter()
        .map(|finding| stood_in_the_way(finding, version))
        .collect();
    Explanation {
        decision: Decision::NotDisclosed,
        summary,
        purpose: code.cloned(),
        version: version.map(|version| version.version),
        wjsg_51c: checklist(version, &reasons),
        reasons,
    }
}

/// The version that was in force when the entry was recorded. A version registered later may claim to
/// have been in force then; it decided nothing.
fn version_as_of<'r>(
    registry: &'r Registry,
    code: &PurposeCode,
    asked: Option<u32>,
    (entry, at): (EntryIndex, Timestamp),
) -> Option<&'r PurposeVersion> {
    registry
        .versions(code)
        .filter(|found| found.entry < entry && found.is_in_force(at))
        .filter(|found| asked.is_none_or(|asked| asked == found.version.version))
        .map(|found| found.version.as_ref())
        .max_by_key(|version| version.version)
}

fn granted(grant: &Grant) -> Explained {
    Explained {
        reason: None,
        text: text::granted(grant),
        condition: Some(grant.condition),
        provider: Some(grant.provider.clone()),
        route: Some(grant.route),
        provider_basis: Some(grant.provider_basis.clone()),
        recipient_basis: Some(grant.recipient_basis.clone()),
        consents: grant.consents.clone(),
    }
}

fn stood_in_the_way(finding: &Finding, version: Option<&PurposeVersion>) -> Explained {
    let route = route(version, finding.route);
    Explained {
        reason: Some(finding.reason),
        text: text::missing(finding.reason).to_owned(),
        condition: finding.condition,
        provider: finding.provider.clone(),
        route: finding.route,
        provider_basis: route.map(|route| route.provider_basis.clone()),
        recipient_basis: route.map(|route| route.recipient_basis.clone()),
        consents: finding.consent.into_iter().collect(),
    }
}

fn route(version: Option<&PurposeVersion>, number: Option<u8>) -> Option<&Route> {
    version?.routes.get(usize::from(number?))
}

fn checklist(version: Option<&PurposeVersion>, reasons: &[Explained]) -> Option<Wjsg51cChecklist> {
    let mut bases = reasons
        .iter()
        .filter_map(|reason| reason.provider_basis.as_ref());
    bases
        .any(|basis| basis.basis.is_wjsg_51c())
        .then(|| version?.wjsg_51c.clone())?
}
