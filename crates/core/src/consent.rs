//! Consents: what AVG 7 asks a controller to be able to demonstrate, and ISO/IEC TS 27560 asks a record to hold.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    code::{Condition, Granularity, Role, codes},
    id::{CaseId, ConsentId, EntryIndex, PartyId, PurposeCode},
    invalid::Invalid,
    time::Timestamp,
};

codes! {
    /// What kind of yes it is (AP 2016, De rol van toestemming in het sociaal domein).
    ConsentKind, "must be one of PROCESSING_BASIS, SECRECY_WAIVER, SERVICE_AGREEMENT" {
        /// The legal basis for processing.
        ProcessingBasis = "PROCESSING_BASIS",
        /// The lifting of professional secrecy, beside a basis.
        SecrecyWaiver = "SECRECY_WAIVER",
        /// Agreement to the help itself. Never authorises a disclosure.
        ServiceAgreement = "SERVICE_AGREEMENT",
    }
}

codes! {
    /// How a consent stands (aligned with the consent statuses of W3C DPV).
    ConsentState, "must be one of REQUESTED, DEFERRED, REFUSED, GIVEN, RENEWED, WITHDRAWN, REVOKED, EXPIRED, INVALIDATED" {
        /// Asked, no answer yet.
        Requested = "REQUESTED",
        /// The person wants to answer later.
        Deferred = "DEFERRED",
        /// The person said no. Kept to stop asking again; never disclosed.
        Refused = "REFUSED",
        /// The person said yes.
        Given = "GIVEN",
        /// The person said yes again.
        Renewed = "RENEWED",
        /// The person took it back.
        Withdrawn = "WITHDRAWN",
        /// Somebody other than the person ended it.
        Revoked = "REVOKED",
        /// Its hard end has passed.
        Expired = "EXPIRED",
        /// It turned out not to be valid.
        Invalidated = "INVALIDATED",
    }
}

impl ConsentState {
    /// Whether this state lets a consent serve as a basis.
    #[must_use]
    pub const fn permits(self) -> bool {
        matches!(self, Self::Given | Self::Renewed)
    }

    /// Whether a consent may be recorded in this state.
    #[must_use]
    pub const fn is_recordable(self) -> bool {
        matches!(
            self,
            Self::Requested | Self::Deferred | Self::Refused | Self::Given | Self::Renewed
        )
    }
}

codes! {
    /// How the consent was collected.
    CollectionMethod, "must be one of WRITTEN, ORAL, DIGITAL" {
        /// Signed on paper.
        Written = "WRITTEN",
        /// Spoken, and written down by the collector.
        Oral = "ORAL",
        /// Given on a screen.
        Digital = "DIGITAL",
    }
}

/// Who spoke for the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GivenBy {
    /// The person.
    Subject,
    /// A representative, whose mandate has this SHA-256.
    Representative {
        /// SHA-256 of the mandate.
        mandate_sha256: [u8; 32],
    },
}

/// The notice the person was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeText {
    /// The version of the text, 1 to 40 characters.
    pub version: String,
    /// The language, a BCP 47 tag of 2 to 35 characters.
    pub language: String,
    /// SHA-256 of the exact text.
    pub sha256: [u8; 32],
}

/// What the collector attests about the freedom of the choice (AP 2024; EDPB 05/2020).
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent attestations, each a yes or a no on the form"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestations {
    /// The exchange is in the person's own interest.
    pub own_interest: bool,
    /// It was asked in answer to a concrete question for help.
    pub help_question: bool,
    /// It was explained that refusing does no harm.
    pub refusal_without_detriment: bool,
    /// Another way, without the exchange, was offered.
    pub alternative_offered: bool,
}

/// What the person agreed to. Never changed once recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentTerms {
    /// What kind of yes.
    pub kind: ConsentKind,
    /// Whether it was explicit (AVG 9(2)(a), UAVG 32(a)).
    pub explicit: bool,
    /// The case it belongs to, when it was given within one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// The conditions, one or more.
    pub conditions: BTreeSet<Condition>,
    /// The purposes, one or more.
    pub purposes: BTreeSet<PurposeCode>,
    /// Who may provide, one or more.
    pub providers: BTreeSet<PartyId>,
    /// Who may receive, one or more.
    pub recipients: BTreeSet<PartyId>,
    /// The most that may be told.
    pub granularity: Granularity,
    /// The first instant at which it holds; may lie in the future.
    pub valid_from: Timestamp,
    /// Its hard end.
    pub valid_until: Timestamp,
    /// The notice shown.
    pub notice: NoticeText,
    /// Who collected it.
    pub collected_by: PartyId,
    /// How the person said so.
    pub method: CollectionMethod,
    /// When the person spoke.
    pub collected_at: Timestamp,
    /// Who spoke.
    pub given_by: GivenBy,
    /// Whether an interpreter helped.
    pub interpreter: bool,
    /// What the collector attests about freedom.
    pub attestations: Attestations,
}

/// One step in a consent's life. Steps are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    /// The state it came to.
    pub state: ConsentState,
    /// From when, in log time.
    pub at: Timestamp,
    /// Which party recorded it.
    pub by: PartyId,
    /// The entry that did it.
    pub entry: EntryIndex,
}

/// A part of a consent that ended while the rest still stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narrowing {
    /// How the part ended.
    pub state: ConsentState,
    /// The conditions it is about; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub conditions: BTreeSet<Condition>,
    /// The recipient it is about; none means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<PartyId>,
    /// From when, in log time.
    pub at: Timestamp,
    /// Which party recorded it.
    pub by: PartyId,
    /// The entry that did it.
    pub entry: EntryIndex,
}

/// A consent with its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Drawn at random; nobody needs it to withdraw.
    pub id: ConsentId,
    /// What was agreed.
    pub terms: ConsentTerms,
    /// Its history, oldest first, never empty.
    pub history: Vec<StateChange>,
    /// The parts that ended while the rest still stands, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrowed: Vec<Narrowing>,
}

/// The longest a consent may run: this broker's own bound, not a law's.
pub const LONGEST_VALIDITY_DAYS: u32 = 731;
/// The longest a consent may be post-dated: this broker's own bound. What ends a consent is kept for as long as one so
/// dated can last, so that none comes into force after its end was forgotten.
pub const LONGEST_POSTDATING_DAYS: u32 = 366;
/// The most times a consent is narrowed; the next narrowing ends it whole. Bounds its size on disk.
pub const MOST_NARROWINGS: usize = 6;

/// The most consents that one party records about one person, those that ended and are still kept among them: this
/// broker's own bound. One consent holds up to 6 conditions, 8 purposes and 16 recipients.
pub const MOST_COLLECTED: usize = 256;

impl ConsentTerms {
    /// Checks what holds for the terms by themselves and for who collects them.
    ///
    /// # Errors
    /// The first rule that is broken, with the field it is about.
    pub fn check(&self, collector_roles: &[Role]) -> Result<(), (&'static str, Invalid)> {
        self.check_sizes()?;
        self.check_time()?;
        if !collector_roles.iter().any(|role| role.collects_consent()) {
            let rule = "must be a party that may collect consents";
            return Err(("collected_by", Invalid::new(rule)));
        }
        let provides = self.providers.contains(&self.collected_by);
        let receives = self.recipients.contains(&self.collected_by);
        if provides && receives {
            let rule = "must not hold the collecting party when providers holds it too: \
                        nobody records a consent in its own favour on both sides";
            return Err(("recipients", Invalid::new(rule)));
        }
        if receives && collector_roles.contains(&Role::Pi) {
            let rule = "must not hold a PI that collects the consent itself: \
                        a PI never records one in its own favour";
            return Err(("recipients", Invalid::new(rule)));
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), (&'static str, Invalid)> {
        let parties = "must hold 1 to 16 parties";
        let counts = [
            ("conditions", self.conditions.len(), 6, "must hold 1 to 6"),
            ("purposes", self.purposes.len(), 8, "must hold 1 to 8"),
            ("providers", self.providers.len(), 16, parties),
            ("recipients", self.recipients.len(), 16, parties),
        ];
        for (field, count, most, rule) in counts {
            if count == 0 || count > most {
                return Err((field, Invalid::new(rule)));
            }
        }
        if !(1..=40).contains(&self.notice.version.chars().count()) {
            return Err((
                "notice.version",
                Invalid::new("must have 1 to 40 characters"),
            ));
        }
        let tag = &self.notice.language;
        let fits = (2..=35).contains(&tag.len())
            && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !fits {
            let rule = "must be a BCP 47 language tag of 2 to 35 characters, such as nl";
            return Err(("notice.language", Invalid::new(rule)));
        }
        Ok(())
    }

    fn check_time(&self) -> Result<(), (&'static str, Invalid)> {
        if self.valid_until <= self.valid_from {
            return Err(("valid_until", Invalid::new("must lie after valid_from")));
        }
        if self.valid_until > self.valid_from.plus_days(LONGEST_VALIDITY_DAYS) {
            let rule =
                "must lie at most 731 days after valid_from: ask again rather than once for ever";
            return Err(("valid_until", Invalid::new(rule)));
        }
        if self.valid_from > self.collected_at.plus_days(LONGEST_POSTDATING_DAYS) {
            let rule = "must lie at most 366 days after collected_at: ask the person again when it comes nearer";
            return Err(("valid_from", Invalid::new(rule)));
        }
        if self.valid_from < self.collected_at {
            let rule = "must not lie before collected_at: a consent never works backwards";
            return Err(("valid_from", Invalid::new(rule)));
        }
        Ok(())
    }
}

impl Consent {
    /// How the consent stands at an instant: its last step by then, or expired past its hard end.
    /// `None` before its first step.
    #[must_use]
    pub fn state(&self, at: Timestamp) -> Option<ConsentState> {
        let last = self.history.iter().rev().find(|step| step.at <= at)?.state;
        let over = last.permits() && at >= self.terms.valid_until;
        Some(if over { ConsentState::Expired } else { last })
    }

    /// When it ended, seen from an instant: at its last step, or at its hard end. `None` while it may still serve.
    #[must_use]
    pub fn ended_at(&self, at: Timestamp) -> Option<Timestamp> {
        let last = self.history.iter().rev().find(|step| step.at <= at)?;
        let until = self.terms.valid_until;
        if last.state.permits() {
            (until <= at).then_some(until)
        } else {
            Some(last.at.min(until))
        }
    }

    /// How the consent stands at an instant for one condition and one recipient: the state of the part
    /// that ended, when they lie in one, else that of the whole.
    #[must_use]
    pub fn state_for(
        &self,
        condition: Condition,
        recipient: &PartyId,
        at: Timestamp,
    ) -> Option<ConsentState> {
        let part = self
            .narrowed
            .iter()
            .find(|part| part.at <= at && part.holds(condition, recipient));
        part.map(|part| part.state).or_else(|| self.state(at))
    }

    /// The entry of its last step; `None` when it has no history.
    #[must_use]
    pub fn last_entry(&self) -> Option<EntryIndex> {
        let steps = self.history.iter().map(|step| step.entry);
        steps
            .chain(self.narrowed.iter().map(|part| part.entry))
            .max()
    }

    /// Whether it may serve at an instant, for what did not end before: a permitting state, within
    /// `[valid_from, valid_until)`.
    #[must_use]
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.state(at).is_some_and(ConsentState::permits) && at >= self.terms.valid_from
    }

    /// Whether the party collected it, or may provide or receive under it.
    #[must_use]
    pub fn involves(&self, party: &PartyId) -> bool {
        self.terms.collected_by == *party
            || self.terms.providers.contains(party)
            || self.terms.recipients.contains(party)
    }

    /// Whether its terms cover this exchange, whatever its state: see [`Self::state_for`].
    #[must_use]
    pub fn covers(
        &self,
        condition: Condition,
        purpose: &PurposeCode,
        provider: &PartyId,
        recipient: &PartyId,
    ) -> bool {
        let terms = &self.terms;
        terms.conditions.contains(&condition)
            && terms.purposes.contains(purpose)
            && terms.providers.contains(provider)
            && terms.recipients.contains(recipient)
    }
}

impl Narrowing {
    /// Whether the condition and the recipient lie in the part that ended.
    #[must_use]
    pub fn holds(&self, condition: Condition, recipient: &PartyId) -> bool {
        (self.conditions.is_empty() || self.conditions.contains(&condition))
            && self
                .recipient
                .as_ref()
                .is_none_or(|party| party == recipient)
    }
}
