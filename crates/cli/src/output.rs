//! The only place that prints: text for people in 80 columns, or JSON for machines.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::{exit::Failure, page::Page};

/// How answers are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

/// Something to show.
pub(crate) trait View: Serialize {
    /// Writes it for people.
    fn write(&self, page: &mut Page);
}

impl Output {
    /// JSON or text.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Shows something: as text, or as one JSON document.
    pub(crate) fn show(self, view: &impl View) {
        if self.json {
            json(view, true);
        } else {
            let mut page = Page::default();
            view.write(&mut page);
            print(page.as_str());
        }
    }

    /// Shows one of many: as text with an empty line after it, or as one line of JSON.
    pub(crate) fn show_next(self, view: &impl View) {
        if self.json {
            json(view, false);
        } else {
            self.show(view);
            print("\n");
        }
    }
}

fn json(view: &impl Serialize, pretty: bool) {
    let text = if pretty {
        serde_json::to_string_pretty(view)
    } else {
        serde_json::to_string(view)
    };
    match text {
        Ok(text) => print(&format!("{text}\n")),
        // Views hold texts, numbers and lists of them: all of it can be written as JSON.
        Err(error) => complain(&format!("the answer cannot be written as JSON: {error}")),
    }
}

/// Prints text as it is.
pub(crate) fn print(text: &str) {
    // Whoever closed the pipe wants no more; there is nobody left to tell.
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Says on standard error why a command failed.
pub(crate) fn fail(failure: &Failure) {
    let mut page = Page::default();
    for line in failure.message.lines() {
        page.line(line);
    }
    complain(page.as_str().trim_end());
}

/// Says something on standard error that does not belong to the answer.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
