//! Between the wire and the rules: every message of `proto/` becomes a value of the domain or a list of
//! what is wrong with it, and every answer becomes a message.
//!
//! Messages are taken apart field by field, so that a field added to a proto file does not compile until
//! somebody has decided what it means. Nothing from a request is ever repeated in what is said about it:
//! it may be a citizen service number.

pub(crate) mod audit;
pub(crate) mod case;
pub(crate) mod certificate;
pub(crate) mod check;
pub(crate) mod code;
pub(crate) mod consent;
pub mod disclosure;
pub(crate) mod enrolment;
pub(crate) mod entry;
pub(crate) mod exchange;
pub(crate) mod explanation;
pub(crate) mod export;
mod fields;
pub(crate) mod inbox;
mod introduction;
pub(crate) mod notice;
pub(crate) mod oversight;
pub(crate) mod party;
pub(crate) mod person;
pub(crate) mod processing;
pub(crate) mod purpose;
pub(crate) mod receipt;
pub(crate) mod reconciliation;
pub(crate) mod registry;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod restriction;
pub(crate) mod retention;
pub(crate) mod right;
pub(crate) mod statement;
mod summary;
pub(crate) mod terms;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod time;
pub(crate) mod transaction;
pub(crate) mod usage;
pub(crate) mod veil;

use std::fmt;

pub(crate) use fields::Fields;
pub(crate) use receipt::Misfit;

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, as a path in the request such as `item.subject.bsn` or `items[3].conditions`.
    pub field: String,
    /// The rule and how to keep it, in words that follow the field's name.
    pub rule: String,
}

/// A request that cannot be taken as it stands: every field that breaks a rule, and the rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct InvalidRequest {
    /// What is wrong, in the order of the fields; never empty.
    pub violations: Vec<Violation>,
}

impl InvalidRequest {
    /// A request with one thing wrong.
    #[must_use]
    pub fn of(field: impl Into<String>, rule: impl Into<String>) -> Self {
        let violation = Violation {
            field: field.into(),
            rule: rule.into(),
        };
        Self {
            violations: vec![violation],
        }
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, violation) in self.violations.iter().enumerate() {
            let between = if at == 0 { "" } else { "; " };
            write!(f, "{between}`{}` {}", violation.field, violation.rule)?;
        }
        Ok(())
    }
}
