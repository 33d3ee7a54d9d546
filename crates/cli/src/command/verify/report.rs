//! What was checked, a line each.

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::Value;

use super::Exit;
use crate::{output::View, page::Page};

/// Every check that was made.
#[derive(Debug, Default)]
pub(super) struct Report {
    checks: Vec<Check>,
}

/// One check.
#[derive(Debug)]
pub(super) struct Check {
    verdict: Verdict,
    code: &'static str,
    fields: Vec<(&'static str, Value)>,
    notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    Fail,
    Warn,
    Stale,
}

impl Report {
    pub(super) fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// How the command ends: the worst of the checks.
    pub(super) fn exit(&self) -> Exit {
        let has = |verdict| self.checks.iter().any(|check| check.verdict == verdict);
        if has(Verdict::Fail) {
            Exit::Failed
        } else if has(Verdict::Stale) {
            Exit::Stale
        } else {
            Exit::Verified
        }
    }
}

impl Check {
    /// It holds.
    pub(super) const fn ok(code: &'static str) -> Self {
        Self::new(Verdict::Ok, code)
    }

    /// It does not hold.
    pub(super) const fn fail(code: &'static str) -> Self {
        Self::new(Verdict::Fail, code)
    }

    /// It is worth a word.
    pub(super) const fn warn(code: &'static str) -> Self {
        Self::new(Verdict::Warn, code)
    }

    /// It holds, and is older than was asked for.
    pub(super) const fn stale() -> Self {
        Self::new(Verdict::Stale, "stale")
    }

    const fn new(verdict: Verdict, code: &'static str) -> Self {
        Self {
            verdict,
            code,
            fields: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// What it is about: a text or a number.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// A signed note that is evidence.
    pub(super) fn with_note(mut self, note: &str) -> Self {
        self.notes.push(note.to_owned());
        self
    }

    fn line(&self) -> String {
        let verdict = self.verdict.word();
        let mut words = vec![format!("{verdict:<4}"), self.code.to_owned()];
        words.extend(self.fields.iter().map(|(name, value)| match value {
            Value::String(text) if is_plain(text) => format!("{name}={text}"),
            other => format!("{name}={other}"),
        }));
        words.join(" ")
    }
}

/// Whether a text can stand in a line as it is; any other stands there as in JSON.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', '"', '=', '\\']) && !text.contains(char::is_control)
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Fail => "FAIL",
            Self::Warn | Self::Stale => "WARN",
        }
    }
}

impl View for Report {
    fn write(&self, page: &mut Page) {
        for check in &self.checks {
            page.verbatim(&check.line());
            for note in &check.notes {
                page.blank();
                page.verbatim(note);
            }
        }
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        let verified = matches!(self.exit(), Exit::Verified | Exit::Stale);
        map.serialize_entry("verified", &verified)?;
        map.serialize_entry("checks", &self.checks)?;
        map.end()
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("verdict", self.verdict.word())?;
        map.serialize_entry("code", self.code)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        if !self.notes.is_empty() {
            map.serialize_entry("notes", &self.notes)?;
        }
        map.end()
    }
}
