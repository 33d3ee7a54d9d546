//! Gathering what is wrong with a request, so that all of it is told at once.

use std::{collections::BTreeSet, ops::RangeInclusive, str::FromStr};

use schakel_core::invalid::Invalid;

use super::{InvalidRequest, Violation};

/// The fields of a request as they are read, with every rule that one of them broke.
///
/// A reader goes on after a broken field and gives `None` for it, so that the next ones are looked at too.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    path: String,
    violations: Vec<Violation>,
    more: usize,
}

/// The most broken fields that are named: an error travels in headers, which clients bound.
const MOST_VIOLATIONS: usize = 12;

impl Fields {
    /// Notes that a field breaks a rule.
    pub(crate) fn refuse(&mut self, field: &str, rule: impl Into<String>) {
        if self.violations.len() == MOST_VIOLATIONS {
            self.more = self.more.saturating_add(1);
            return;
        }
        self.violations.push(Violation {
            field: self.named(field),
            rule: rule.into(),
        });
    }

    /// Reads what lies within a field.
    pub(crate) fn within<T>(&mut self, field: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.path.len();
        self.path = self.named(field);
        let value = read(self);
        self.path.truncate(depth);
        value
    }

    /// Takes a value or notes which rule the field breaks.
    pub(crate) fn check<T>(&mut self, field: &str, value: Result<T, Invalid>) -> Option<T> {
        value
            .map_err(|invalid| self.refuse(field, invalid.rule()))
            .ok()
    }

    /// Reads a text.
    pub(crate) fn text<T: FromStr<Err = Invalid>>(&mut self, field: &str, text: &str) -> Option<T> {
        self.check(field, text.parse())
    }

    /// Reads a text that may be absent.
    #[expect(
        clippy::option_option,
        reason = "the outer is whether it could be read, the inner whether it was there"
    )]
    pub(crate) fn optional_text<T: FromStr<Err = Invalid>>(
        &mut self,
        field: &str,
        text: Option<String>,
    ) -> Option<Option<T>> {
        match text {
            Some(text) => self.text(field, &text).map(Some),
            None => Some(None),
        }
    }

    /// Reads a message that must be there, within its field.
    pub(crate) fn message<M, T>(
        &mut self,
        field: &str,
        message: Option<M>,
        read: impl FnOnce(M, &mut Self) -> Option<T>,
    ) -> Option<T> {
        let Some(message) = message else {
            self.refuse(field, "must be set");
            return None;
        };
        self.within(field, |fields| read(message, fields))
    }

    /// Reads a message that may be absent, within its field.
    #[expect(
        clippy::option_option,
        reason = "the outer is whether it could be read, the inner whether it was there"
    )]
    pub(crate) fn optional_message<M, T>(
        &mut self,
        field: &str,
        message: Option<M>,
        read: impl FnOnce(M, &mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        match message {
            Some(message) => self.within(field, |fields| read(message, fields)).map(Some),
            None => Some(None),
        }
    }

    /// Reads a list of a bounded length. One that is too long is not read at all.
    pub(crate) fn list<M, T>(
        &mut self,
        field: &str,
        bounds: RangeInclusive<usize>,
        list: Vec<M>,
        read: impl Fn(M, &mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        if !bounds.contains(&list.len()) {
            self.refuse(field, length_rule(&bounds));
            return None;
        }
        let values: Vec<Option<T>> = list
            .into_iter()
            .enumerate()
            .map(|(at, one)| self.within(&format!("{field}[{at}]"), |fields| read(one, fields)))
            .collect();
        values.into_iter().collect()
    }

    /// Reads a list of a bounded length in which nothing may stand twice.
    pub(crate) fn set<M, T: Ord>(
        &mut self,
        field: &str,
        bounds: RangeInclusive<usize>,
        list: Vec<M>,
        read: impl Fn(M, &mut Self) -> Option<T>,
    ) -> Option<BTreeSet<T>> {
        let values = self.list(field, bounds, list, read)?;
        let count = values.len();
        let set: BTreeSet<T> = values.into_iter().collect();
        if set.len() < count {
            self.refuse(
                field,
                "must not hold anything twice: leave out the repetition",
            );
            return None;
        }
        Some(set)
    }

    /// The request that was read, unless a rule was broken.
    ///
    /// # Errors
    /// Every broken field. A request that could not be read although no rule was named is refused too.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, InvalidRequest> {
        if self.more > 0 {
            let rule = format!("and {} more fields break a rule", self.more);
            let field = String::new();
            self.violations.push(Violation { field, rule });
        }
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ if self.violations.is_empty() => Err(InvalidRequest::of("", "cannot be read")),
            _ => Err(InvalidRequest {
                violations: self.violations,
            }),
        }
    }

    fn named(&self, field: &str) -> String {
        match (self.path.is_empty(), field.is_empty()) {
            (true, _) => field.to_owned(),
            (false, true) => self.path.clone(),
            (false, false) => format!("{}.{field}", self.path),
        }
    }
}

fn length_rule(bounds: &RangeInclusive<usize>) -> String {
    let (least, most) = (bounds.start(), bounds.end());
    if *least == 0 {
        format!("must hold at most {most}")
    } else {
        format!("must hold {least} to {most}")
    }
}

#[cfg(test)]
mod tests {
    use schakel_core::id::PartyId;

    use super::*;

    fn party(text: &str, fields: &mut Fields) -> Option<PartyId> {
        fields.text("", text)
    }

    #[test]
    fn every_broken_field_is_named_by_its_path() {
        let mut fields = Fields::default();
        let read = fields.within("terms", |fields| {
            let set = fields.set("parties", 1..=3, vec!["ok-1", "X", "ok-2"], party);
            let one: Option<PartyId> = fields.text("collected_by", "");
            let gone = fields.message("notice", None::<&str>, party);
            Some((set?, one?, gone?))
        });
        let named: Vec<_> = fields
            .finish(read)
            .unwrap_err()
            .violations
            .into_iter()
            .map(|violation| violation.field)
            .collect();
        assert_eq!(
            named,
            ["terms.parties[1]", "terms.collected_by", "terms.notice"]
        );
    }

    #[test]
    fn lists_are_bounded_and_hold_nothing_twice() {
        for (list, rule) in [
            (vec![], "must hold 1 to 3"),
            (vec!["abc"; 4], "must hold 1 to 3"),
            (vec!["abc"; 2], "must not hold anything twice"),
        ] {
            let mut fields = Fields::default();
            let read = fields.set("parties", 1..=3, list, party);
            let refused = fields.finish(read).unwrap_err();
            assert_eq!(refused.violations.len(), 1);
            assert!(refused.to_string().contains(rule), "{refused}");
        }
    }

    #[test]
    fn what_is_said_of_a_request_stays_small() {
        let mut fields = Fields::default();
        let read = fields.list("items", 1..=1000, vec!["?"; 1000], party);
        let refused = fields.finish(read).unwrap_err();
        assert_eq!(refused.violations.len(), MOST_VIOLATIONS + 1);
        assert!(
            refused
                .to_string()
                .ends_with("and 988 more fields break a rule")
        );
    }

    #[test]
    fn nothing_read_and_nothing_named_is_still_refused() {
        assert!(Fields::default().finish(None::<()>).is_err());
    }
}
