//! What was checked, a line each.

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::Value;

use super::Exit;
use crate::output::{complain, document, print};

/// The checks that were made. They are printed together when all are made, or, where they may be many, each as
/// it is made.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    is_live: bool,
    /// Nothing is printed: the lines are for whoever asked.
    is_kept: bool,
    /// What is still to be printed.
    checks: Vec<Check>,
    printed: usize,
    worst: Exit,
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
    /// It cannot be checked, because something is not there.
    Missing,
    Warn,
    /// It holds as far as it goes, and that is less far than was asked for.
    Short,
}

impl Report {
    pub(super) const fn new(json: bool) -> Self {
        Self {
            json,
            is_live: false,
            is_kept: false,
            checks: Vec::new(),
            printed: 0,
            worst: Exit::Verified,
        }
    }

    /// One that prints nothing, and gives its lines in the end.
    pub(super) const fn kept() -> Self {
        let mut report = Self::new(false);
        report.is_kept = true;
        report
    }

    /// The lines of one that prints nothing.
    pub(super) fn lines(&self) -> Vec<String> {
        self.checks.iter().map(Check::text).collect()
    }

    /// From here on prints each check as it is made.
    pub(super) fn go_live(&mut self) {
        if !self.is_kept {
            self.is_live = true;
            self.flush();
        }
    }

    pub(super) fn add(&mut self, check: Check) {
        self.worst = self.worst.or_worse(check.verdict.exit());
        self.checks.push(check);
        if self.is_live {
            self.flush();
        }
    }

    pub(super) fn extend(&mut self, checks: impl IntoIterator<Item = Check>) {
        checks.into_iter().for_each(|check| self.add(check));
    }

    /// How the command ends by the checks so far: as the worst of them.
    pub(super) const fn exit(&self) -> Exit {
        self.worst
    }

    /// Prints what is left, and how it ended.
    pub(super) fn close(mut self, exit: Exit) {
        self.flush();
        if self.json {
            if self.printed == 0 {
                print("{\n  \"checks\": [");
            }
            let (verified, exit) = (exit == Exit::Verified, exit as u8);
            let end = format!("\n  ],\n  \"verified\": {verified},\n  \"exit\": {exit}\n}}\n");
            print(&end);
        }
    }

    /// Says nothing of checks that were not printed yet: what stopped the command makes them worthless. What was
    /// printed before stands, and so does the worst of it. How the command ends.
    pub(super) fn abandon(mut self, exit: Exit) -> Exit {
        self.checks.clear();
        if self.printed == 0 {
            return exit;
        }
        let exit = exit.or_worse(self.worst);
        self.close(exit);
        exit
    }

    fn flush(&mut self) {
        let mut text = String::new();
        for check in self.checks.drain(..) {
            if self.json {
                text.push_str(if self.printed == 0 {
                    "{\n  \"checks\": [\n"
                } else {
                    ",\n"
                });
                text.push_str(&check.document());
            } else {
                text.push_str(&check.text());
            }
            self.printed += 1;
        }
        if !text.is_empty() {
            print(&text);
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

    /// It cannot be checked: something is not there or cannot be read.
    pub(super) const fn missing(code: &'static str) -> Self {
        Self::new(Verdict::Missing, code)
    }

    /// It is worth a word.
    pub(super) const fn warn(code: &'static str) -> Self {
        Self::new(Verdict::Warn, code)
    }

    /// It holds as far as it goes, and that is less far than was asked for.
    pub(super) const fn short(code: &'static str) -> Self {
        Self::new(Verdict::Short, code)
    }

    /// It holds if so, and does not otherwise.
    pub(super) const fn of(code: &'static str, holds: bool) -> Self {
        Self::new(if holds { Verdict::Ok } else { Verdict::Fail }, code)
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

    /// The line, and the notes below it.
    fn text(&self) -> String {
        let verdict = self.verdict.word();
        let mut text = format!("{verdict:<4} {}", self.code);
        for (name, value) in &self.fields {
            let value = match value {
                Value::String(text) if is_plain(text) => text.clone(),
                other => other.to_string(),
            };
            text.extend([" ", name, "=", &value]);
        }
        text.push('\n');
        for note in &self.notes {
            text.push('\n');
            text.push_str(note);
            if !note.ends_with('\n') {
                text.push('\n');
            }
        }
        text
    }

    /// As JSON, within the list of checks.
    fn document(&self) -> String {
        let text = document(self, true).unwrap_or_else(|error| {
            // Texts and numbers: all of it can be written as JSON.
            complain(&format!("a check cannot be written as JSON: {error}"));
            "null".to_owned()
        });
        let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
        lines.join("\n")
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
            Self::Fail | Self::Missing => "FAIL",
            Self::Warn | Self::Short => "WARN",
        }
    }

    const fn exit(self) -> Exit {
        match self {
            Self::Ok | Self::Warn => Exit::Verified,
            Self::Fail => Exit::Failed,
            Self::Missing => Exit::Missing,
            Self::Short => Exit::Short,
        }
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
