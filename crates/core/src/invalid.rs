//! What is wrong with a value that came from outside.

/// A value that breaks a rule.
///
/// Says the rule and how to mend it, never the value: the value may be a citizen service number.
/// The surface that parsed it adds the name of the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct Invalid {
    rule: &'static str,
}

impl Invalid {
    /// Names the rule that was broken, in words that follow "the field".
    #[must_use]
    pub const fn new(rule: &'static str) -> Self {
        Self { rule }
    }

    /// The rule that was broken.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}
