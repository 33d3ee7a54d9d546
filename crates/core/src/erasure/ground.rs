//! Why something is erased.

use serde::{Deserialize, Serialize};

use crate::code::codes;

codes! {
    /// The ground on which a controller erases a person (AVG 17(1)).
    Ground, "must be one of NOT_NEEDED, CONSENT_WITHDRAWN, OBJECTION, UNLAWFUL, LOGGED_WRONGLY" {
        /// It is no longer needed for what it was kept for.
        NotNeeded = "NOT_NEEDED",
        /// The consent it rested on was withdrawn, and there is no other basis.
        ConsentWithdrawn = "CONSENT_WITHDRAWN",
        /// The person objected, and nothing weighs more.
        Objection = "OBJECTION",
        /// It was processed unlawfully.
        Unlawful = "UNLAWFUL",
        /// It was logged about the wrong person, or should never have been logged.
        LoggedWrongly = "LOGGED_WRONGLY",
    }
}

impl Ground {
    /// Where it stands in the law.
    #[must_use]
    pub const fn law(self) -> &'static str {
        match self {
            Self::NotNeeded => "AVG 17(1)(a)",
            Self::ConsentWithdrawn => "AVG 17(1)(b)",
            Self::Objection => "AVG 17(1)(c)",
            Self::Unlawful => "AVG 17(1)(d)",
            Self::LoggedWrongly => "AVG 5(1)(d)",
        }
    }

    /// Whether it goes before a legal duty to keep: what should never have been kept is not kept longer for
    /// having been kept. The others wait for the duty to end (AVG 17(3)(b)).
    #[must_use]
    pub const fn overrides_retention(self) -> bool {
        matches!(self, Self::Unlawful | Self::LoggedWrongly)
    }
}

/// The rule by which something was erased: a code and its place in the law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The code: a [`Ground`], or `RETENTION_OVER` or `RECORD_OVER`.
    pub code: String,
    /// Where it stands in the law.
    pub law: String,
}

impl Rule {
    /// A controller erased a person, on this ground.
    #[must_use]
    pub fn of(ground: Ground) -> Self {
        Self::new(ground.as_str(), ground.law())
    }

    /// The time for which entries of a class are kept is over.
    #[must_use]
    pub fn retention_over() -> Self {
        Self::new("RETENTION_OVER", "AVG 5(1)(e)")
    }

    /// A consent or case ended, and the time for which its record is kept is over.
    #[must_use]
    pub fn record_over() -> Self {
        Self::new("RECORD_OVER", "AVG 5(1)(e)")
    }

    fn new(code: &str, law: &str) -> Self {
        Self {
            code: code.to_owned(),
            law: law.to_owned(),
        }
    }
}
