//! The words of explanations. They name conditions, parties and consents by their codes and ids; they
//! never name a person, a status or an employee.

use crate::{
    code::Granularity,
    decide::{Grant, Reason},
    enrolment::{EnrolmentState, IssuanceEvent, Origin},
    event::{Asked, Event},
};

/// What was granted, and on what. Routes are numbered from 1 wherever people read of them.
pub(super) fn granted(grant: &Grant) -> String {
    let told = match grant.granularity {
        Granularity::Signal => "whether help is needed",
        Granularity::Status => "the status code",
        Granularity::StatusWithDates => "the status code, with its days",
    };
    let mut text = format!(
        "Granted: of {} as reported by `{}`, {told}; by route {} of the purpose, provided on {} ({}) and \
         received on {} ({})",
        grant.condition,
        grant.provider,
        u16::from(grant.route) + 1,
        grant.provider_basis.basis,
        grant.provider_basis.law_ref,
        grant.recipient_basis.basis,
        grant.recipient_basis.law_ref,
    );
    if let Some(ground) = grant.criminal_data_ground {
        text.push_str("; data that reveal detention on ");
        text.push_str(ground.as_str());
    }
    if let Some(ground) = grant.art9_ground {
        text.push_str("; data on health on ");
        text.push_str(ground.as_str());
    }
    text.push('.');
    text
}

/// What stood in the way, and what was missing.
pub(super) fn missing(reason: Reason) -> &'static str {
    let mut texts = MISSING.iter();
    let found = texts.find(|(about, _)| *about == reason);
    found.map_or("", |(_, text)| text)
}

/// What happened, in a line that names nobody.
pub(super) const fn summary(event: &Event) -> &'static str {
    match event {
        Event::Disclosed(_) => "something was disclosed",
        Event::Denied(denied) => match &denied.asked {
            Asked::Disclosure(_) => "a question was denied",
            Asked::Message { .. } => "a waiting message was no longer to be read and was dropped",
            Asked::Call { .. } => "a call about a person was denied",
        },
        Event::ConsentRecorded { .. } => "a consent was recorded",
        Event::ConsentEnded(_) => "consents were withdrawn or ended",
        Event::CaseOpened { .. } => "a case was opened",
        Event::MunicipalityAssigned { .. } => "the municipality of return was named",
        Event::MemberAdded { .. } => "a party got a place in a case",
        Event::MemberRemoved { .. } => "a party lost its place in a case",
        Event::CaseClosed { .. } => "a case was closed",
        Event::StatusReported { .. } => "a status was reported",
        Event::Introduced { .. } => "a partner was introduced",
        Event::Redeemed { .. } => "a partner redeemed an introduction",
        Event::Restricted { .. } => "a restriction or objection was recorded",
        Event::RestrictionLifted { .. } => "a restriction or objection was lifted",
        Event::Delivered(delivered) => match &delivered.disclosed {
            Some(_) => "a waiting message was handed over",
            None => "a notice was handed over",
        },
        Event::Acknowledged { .. } => "a message was acknowledged",
        Event::LookedUp(_) => "something was looked up",
        Event::Withheld(_) => "entries are withheld from what the person is told",
        Event::SearchProposed(_) => "a wide search was proposed",
        Event::SearchDecided(_) => "a wide search was decided about",
        Event::TrailVerified(_) => "somebody verified the trail",
        Event::ReplayDiffered(_) => "a past decision came out otherwise when it was replayed",
        Event::Issuance(event) => certificate(event),
        Event::Proposed(_) => "a change of the registry was proposed",
        Event::Changed { .. } => "a change of the registry was made",
        Event::Rejected { .. } => "a change of the registry was rejected",
        Event::CertificatesUsed { .. } => "certificates were used",
        Event::Refused { .. } => "calls were refused before anything was decided",
        Event::Started { .. } => "the broker started",
        Event::Stopped => "the broker stopped in order",
        Event::ClockJumped { .. } => "the clock jumped",
        Event::ClockAcknowledged { .. } => "a clock far ahead was said to be right",
        Event::SigningResumed { .. } => "signing began again after it had been stopped",
        Event::Erased(_) => "keys were destroyed: what they sealed is erased",
        Event::ErasureProposed(_) => "the erasure of a person was proposed",
        Event::ErasureApproved { .. } => "the erasure of a person was approved",
        Event::ErasureRejected { .. } => "a proposed erasure was rejected",
        Event::KekRotated => "the keyring was written again under a new key",
        Event::CheckpointKey { in_use: true, .. } => "a checkpoint key was taken into use",
        Event::CheckpointKey { in_use: false, .. } => "a checkpoint key was retired",
    }
}

const fn certificate(event: &IssuanceEvent) -> &'static str {
    match event {
        IssuanceEvent::Registered(certificate) => match certificate.origin {
            Origin::Announced => "a party announced its next certificate",
            Origin::Enrolled | Origin::Registered => "a certificate was registered",
        },
        IssuanceEvent::Revoked { .. } => "a certificate was revoked",
        IssuanceEvent::Opened(enrolment) => match enrolment.state {
            EnrolmentState::Open => "leave was given to ask for a certificate",
            EnrolmentState::Waiting { .. }
            | EnrolmentState::Issued { .. }
            | EnrolmentState::Closed { .. } => "a certificate in use asked for its renewal",
        },
        IssuanceEvent::Confirmed { .. } => "the leave to ask for a certificate was confirmed",
        IssuanceEvent::Requested { .. } => "a certificate was asked for",
        IssuanceEvent::Answered { .. } => "a certificate was issued",
        IssuanceEvent::Closed { .. } => "an enrolment was closed before a certificate was issued",
        IssuanceEvent::Listed { .. } => "the broker's authority published a revocation list",
    }
}

/// What stood in the way, and what was missing, for every reason.
const MISSING: &[(Reason, &str)] = &[
    (
        Reason::PurposeNotInForce,
        "No version of the purpose, or not the version asked for, was in force. Missing: a \
         registered version, within its validity and not withdrawn.",
    ),
    (
        Reason::PurposeNotAllowedForRole,
        "No route of the purpose leads to a role of the caller. Missing: the role, or another \
         purpose.",
    ),
    (
        Reason::ConditionNotInScope,
        "The purpose is not about this condition. Missing: a purpose that is.",
    ),
    (
        Reason::SubjectUnknown,
        "Nobody is known by the reference that was given.",
    ),
    (
        Reason::NotCaseParty,
        "The caller had no place in a case of the person for this condition. Missing: \
         membership, being the municipality of return, or an introduction for it.",
    ),
    (
        Reason::CaseClosed,
        "Every case in which the caller had a place was closed.",
    ),
    (
        Reason::NothingToDisclose,
        "Nothing stood in the way and there was nothing to tell: no other party had reported \
         a status that says something.",
    ),
    (
        Reason::Restricted,
        "A restriction (AVG 18) or an objection (AVG 21) of the person stood in the way. \
         Missing: its lifting.",
    ),
    (
        Reason::NoBasis,
        "No route of the purpose goes from this provider to the caller for this condition. \
         Missing: a legal basis for this exchange.",
    ),
    (
        Reason::OriginNotAdmitted,
        "The purpose does not admit onward release of data of this origin. Missing: a route \
         that admits it.",
    ),
    (
        Reason::CriminalDataGroundMissing,
        "The data would reveal detention to the caller, and the route names no ground for \
         that. Missing: a ground of UAVG 31 to 33.",
    ),
    (
        Reason::Art9GroundMissing,
        "The data are about care, and the route names no ground for that. Missing: a ground \
         of AVG 9(2) or UAVG 30.",
    ),
    (
        Reason::ConsentMissing,
        "No consent covers this condition, purpose, provider and recipient. Missing: a \
         consent that does.",
    ),
    (
        Reason::ConsentNotGiven,
        "A consent that covers it was asked for or deferred. Missing: the person's yes.",
    ),
    (
        Reason::ConsentRefused,
        "The person refused a consent that would have covered it.",
    ),
    (
        Reason::ConsentNotYetValid,
        "A consent covers it and did not hold yet. Missing: its first instant.",
    ),
    (
        Reason::ConsentExpired,
        "A consent covered it until its hard end, which had passed. Missing: a new consent.",
    ),
    (
        Reason::ConsentWithdrawn,
        "A consent covered it until the person withdrew it, whole or in this part.",
    ),
    (
        Reason::ConsentInvalidated,
        "A consent covered it until it was revoked or turned out not to be valid. Missing: a \
         new consent.",
    ),
    (
        Reason::ConsentNotExplicit,
        "A consent covers it and was not explicit. Missing: an explicit consent (AVG 9(2)(a), \
         UAVG 32(a)).",
    ),
    (
        Reason::ConsentUnfitForRelation,
        "Consent cannot carry care to a PI, given the relation between the two (Raad van \
         State W16.20.0450/II). Missing: another basis.",
    ),
    (
        Reason::SecrecyWaiverMissing,
        "The provider is bound by professional secrecy. Missing: the person's waiver of it, \
         beside the basis.",
    ),
    (
        Reason::HelpDeclinedToAnother,
        "The person declined help that another party offered; that is told to that party \
         alone.",
    ),
    (
        Reason::NoCounterpart,
        "The caller may not know of detention, and there was no municipality of return to \
         stand in as the counterpart. Missing: a municipality of return.",
    ),
    (
        Reason::NotForRole,
        "The role of the caller may not do this with this case.",
    ),
    (
        Reason::RecordUnknown,
        "The record that was meant does not exist or is not the caller's.",
    ),
    (
        Reason::IdentifiersDisagree,
        "The numbers that were given belong to different people.",
    ),
    (Reason::LimitReached, "The record holds as much as it may."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_words() {
        let words: std::collections::BTreeSet<_> =
            Reason::ALL.iter().map(|reason| missing(*reason)).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        assert!(!words.contains(""));
    }
}
