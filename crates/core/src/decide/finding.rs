//! What stands in the way, and what was granted: the words in which a decision is recorded.

use serde::{Deserialize, Serialize};

use crate::{
    code::{Art9Ground, Condition, CriminalDataGround, Granularity, codes},
    id::{CaseId, ConsentId, EntryIndex, PartyId},
    purpose::LegalBasis,
};

codes! {
    /// Why something is not disclosed. Seen by the privacy officers concerned; never by the caller.
    Reason, "must be a denial reason" {
        /// The version of the purpose is not registered, not yet or no longer in force, or withdrawn.
        PurposeNotInForce = "PURPOSE_NOT_IN_FORCE",
        /// No route of the purpose leads to a role of the caller.
        PurposeNotAllowedForRole = "PURPOSE_NOT_ALLOWED_FOR_ROLE",
        /// The purpose is not about this condition.
        ConditionNotInScope = "CONDITION_NOT_IN_SCOPE",
        /// Nobody is known by this reference.
        SubjectUnknown = "SUBJECT_UNKNOWN",
        /// The caller has no place in a case of the person.
        NotCaseParty = "NOT_CASE_PARTY",
        /// The case is closed.
        CaseClosed = "CASE_CLOSED",
        /// Nothing was reported that could be told.
        NothingToDisclose = "NOTHING_TO_DISCLOSE",
        /// A restriction or objection stands in the way.
        Restricted = "RESTRICTED",
        /// No route admits this provider, or no basis is present.
        NoBasis = "NO_BASIS",
        /// The purpose does not admit data of this origin.
        OriginNotAdmitted = "ORIGIN_NOT_ADMITTED",
        /// The data reveal detention and the route names no ground for that.
        CriminalDataGroundMissing = "CRIMINAL_DATA_GROUND_MISSING",
        /// The data are about care and the route names no ground for that.
        Art9GroundMissing = "ART9_GROUND_MISSING",
        /// No consent covers this exchange.
        ConsentMissing = "CONSENT_MISSING",
        /// A consent covers it and was only asked for or deferred.
        ConsentNotGiven = "CONSENT_NOT_GIVEN",
        /// A consent covers it and was refused.
        ConsentRefused = "CONSENT_REFUSED",
        /// A consent covers it and does not hold yet.
        ConsentNotYetValid = "CONSENT_NOT_YET_VALID",
        /// A consent covered it until its hard end.
        ConsentExpired = "CONSENT_EXPIRED",
        /// A consent covered it until the person withdrew it.
        ConsentWithdrawn = "CONSENT_WITHDRAWN",
        /// A consent covered it until somebody else ended it, or it turned out not to be valid.
        ConsentInvalidated = "CONSENT_INVALIDATED",
        /// A consent covers it and is not the explicit one that is needed.
        ConsentNotExplicit = "CONSENT_NOT_EXPLICIT",
        /// Consent cannot carry care to a PI (Raad van State W16.20.0450/II).
        ConsentUnfitForRelation = "CONSENT_UNFIT_FOR_RELATION",
        /// The provider is bound by secrecy and the person has not waived it.
        SecrecyWaiverMissing = "SECRECY_WAIVER_MISSING",
        /// Declined help is told only to the party that offered it.
        HelpDeclinedToAnother = "HELP_DECLINED_TO_ANOTHER",
        /// There is no municipality of return to stand in as the counterpart.
        NoCounterpart = "NO_COUNTERPART",
        /// The role may not do this with this case.
        NotForRole = "NOT_FOR_ROLE",
        /// The record meant does not exist or is not the caller's.
        RecordUnknown = "RECORD_UNKNOWN",
        /// The numbers given belong to different people.
        IdentifiersDisagree = "IDENTIFIERS_DISAGREE",
        /// The record holds as much as it may.
        LimitReached = "LIMIT_REACHED",
    }
}

impl Reason {
    /// How far the decision had come: the further, the more telling the reason.
    pub(super) const fn stage(self) -> u8 {
        match self {
            Self::PurposeNotInForce => 0,
            Self::ConditionNotInScope => 1,
            Self::PurposeNotAllowedForRole | Self::NotForRole => 2,
            Self::SubjectUnknown
            | Self::RecordUnknown
            | Self::IdentifiersDisagree
            | Self::LimitReached => 3,
            Self::NotCaseParty => 4,
            Self::CaseClosed => 5,
            Self::NothingToDisclose => 6,
            Self::HelpDeclinedToAnother => 7,
            Self::Restricted => 8,
            Self::NoBasis => 9,
            Self::OriginNotAdmitted => 10,
            Self::CriminalDataGroundMissing => 11,
            Self::Art9GroundMissing => 12,
            Self::ConsentUnfitForRelation => 13,
            Self::ConsentMissing => 14,
            Self::ConsentNotGiven
            | Self::ConsentRefused
            | Self::ConsentNotYetValid
            | Self::ConsentExpired
            | Self::ConsentWithdrawn
            | Self::ConsentInvalidated
            | Self::ConsentNotExplicit => 15,
            Self::SecrecyWaiverMissing => 16,
            Self::NoCounterpart => 17,
        }
    }
}

/// One thing that was looked at and stood in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What stood in the way.
    pub reason: Reason,
    /// The condition, when it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// The provider, when it was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<PartyId>,
    /// The consent that came closest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentId>,
    /// The route of the purpose, by its number from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<u8>,
}

impl Finding {
    /// A finding about nothing in particular.
    #[must_use]
    pub const fn of(reason: Reason) -> Self {
        Self {
            reason,
            condition: None,
            provider: None,
            consent: None,
            route: None,
        }
    }

    /// A finding about a condition.
    #[must_use]
    pub fn about(reason: Reason, condition: Condition) -> Self {
        let mut finding = Self::of(reason);
        finding.condition = Some(condition);
        finding
    }

    /// Of two findings the one that came further; the first when neither did.
    pub(super) fn or_further(self, other: Self) -> Self {
        if other.reason.stage() > self.reason.stage() {
            other
        } else {
            self
        }
    }
}

/// One thing that was granted, and on what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The case.
    pub case: CaseId,
    /// The condition.
    pub condition: Condition,
    /// The party whose report it is.
    pub provider: PartyId,
    /// The entry that holds the report.
    pub status: EntryIndex,
    /// The route of the purpose, by its number from 0.
    pub route: u8,
    /// The basis for providing.
    pub provider_basis: LegalBasis,
    /// The basis for receiving.
    pub recipient_basis: LegalBasis,
    /// The consents it rests on, with a secrecy waiver where one was needed.
    pub consents: Vec<ConsentId>,
    /// The most that may be told: what was asked, lowered to what the purpose and the consents allow.
    pub granularity: Granularity,
    /// The ground for data that reveal detention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criminal_data_ground: Option<CriminalDataGround>,
    /// The ground for data on care.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub art9_ground: Option<Art9Ground>,
}
