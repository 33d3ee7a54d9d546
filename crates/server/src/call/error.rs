//! Why a call could not be taken.

use schakel_core::{
    id::{PartyId, PurposeCode},
    registry::{NoStanding, Registry},
    time::Timestamp,
};

/// Why a call could not be taken. None of these depends on what is held about a person, but for the bound on what the
/// caller itself recorded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// A field does not fit what is registered, or breaks a rule that only the log's time can judge.
    #[error("`{field}` {rule}")]
    Invalid {
        /// The field.
        field: String,
        /// The rule.
        rule: String,
    },
    /// The certificate was blocked while the call was on its way.
    #[error("the certificate is blocked")]
    Blocked,
    /// The party lost its place while the call was on its way.
    #[error("the party may no longer act")]
    NoStanding(NoStanding),
    /// The party lost the role that the method, by its name, is for while the call was on its way.
    #[error("no role of the caller may call `{0}`")]
    NotForRole(&'static str),
    /// The purpose, or this version of it, is not in force.
    #[error("purpose `{purpose}` is not in force")]
    PurposeUnknown {
        /// The field that names it.
        field: String,
        /// The purpose.
        purpose: PurposeCode,
    },
    /// No route of the purpose leads to a role of the caller.
    #[error("purpose `{0}` is not for a role of the caller")]
    PurposeNotForRole(PurposeCode),
    /// The key was used for another request within 24 hours.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The same actor, or the same certificate, proposed it.
    #[error("a second actor with another certificate must approve it")]
    SecondActor,
    /// The question is so wide that a second officer must approve it first.
    #[error("a second officer must approve a question this wide")]
    WideSearch,
    /// The export opens details, or gives lines, and no second officer let it, or no longer.
    #[error("a second officer must approve an export, for a term that has not ended")]
    ExportUnapproved,
    /// No published tree head that witnesses have seen is over the entry yet.
    #[error("the receipt is not witnessed yet")]
    NotWitnessed,
    /// Nothing that is not about a person is known by this name.
    #[error("no {0} is known by this name")]
    NotFound(&'static str),
    /// The change does not fit what is registered.
    #[error("`{field}` {rule}")]
    Conflict {
        /// The field.
        field: String,
        /// The rule.
        rule: String,
    },
    /// Too much waits already.
    #[error("too much waits already")]
    Overloaded,
    /// The log cannot be written, and nothing was done.
    #[error("the log cannot be written")]
    AuditUnavailable,
    /// The call may stand in the log, and its answer cannot be given.
    #[error("the call may be recorded, and its answer cannot be given")]
    Unanswered,
}

impl CallError {
    /// Refuses the name of a party that was never registered: about it there is nothing, and an answer that says so
    /// would pass a typing error off as a finding. A party that is suspended or has ended stays good.
    ///
    /// # Errors
    /// When the registry does not know the party.
    pub(crate) fn check_party(
        registry: &Registry,
        field: &str,
        party: &PartyId,
    ) -> Result<(), Self> {
        if registry.party(party).is_some() {
            return Ok(());
        }
        Err(Self::Invalid {
            field: field.to_owned(),
            rule: "must be a party that is or was registered: ListParties shows them".to_owned(),
        })
    }

    /// Refuses an instant that is still to come, of what is said to have been.
    ///
    /// # Errors
    /// When the instant is later than now.
    pub(crate) fn check_past(field: &str, at: Timestamp, now: Timestamp) -> Result<(), Self> {
        if at <= now {
            return Ok(());
        }
        Err(Self::Invalid {
            field: field.to_owned(),
            rule: "must not lie in the future".to_owned(),
        })
    }
}
