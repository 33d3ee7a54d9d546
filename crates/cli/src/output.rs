//! The only place that prints: text for people in 80 columns, or JSON for machines.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use schakel_core::text::{can_be_seen, shown_lines};
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

/// A document for machines that a terminal does not act on: what cannot be seen is escaped as JSON escapes it, so that
/// whoever reads the document finds every text as it was.
///
/// # Errors
/// What cannot be written as JSON.
pub(crate) fn document(view: &impl Serialize, pretty: bool) -> serde_json::Result<String> {
    let text = if pretty {
        serde_json::to_string_pretty(view)
    } else {
        serde_json::to_string(view)
    };
    text.map(|text| escaped(&text))
}

/// Outside its strings a document holds nothing but ASCII and line feeds.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' || can_be_seen(character) {
            safe.push(character);
        } else {
            let units = &mut [0; 2];
            for unit in character.encode_utf16(units) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    }
    safe
}

fn json(view: &impl Serialize, pretty: bool) {
    match document(view, pretty) {
        Ok(text) => print(&format!("{text}\n")),
        // Views hold texts, numbers and lists of them: all of it can be written as JSON.
        Err(error) => complain(&format!("the answer cannot be written as JSON: {error}")),
    }
}

/// Prints text that was laid out, and nothing that a terminal would act on.
pub(crate) fn print(text: &str) {
    let text = shown_lines(text);
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
    let _ = writeln!(io::stderr().lock(), "{}", shown_lines(text));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_document_says_the_same_without_what_a_terminal_acts_on(
            texts in prop::collection::btree_map(any::<String>(), any::<String>(), 0..4),
            pretty in any::<bool>(),
        ) {
            let document = document(&texts, pretty).unwrap();
            prop_assert!(document.chars().all(|one| one == '\n' || can_be_seen(one)), "{document:?}");
            prop_assert_eq!(serde_json::from_str::<std::collections::BTreeMap<String, String>>(&document).unwrap(), texts);
        }
    }

    #[test]
    fn a_character_beyond_the_first_plane_is_two_escapes() {
        let text = "a\u{9b}b\u{e0001}";
        assert_eq!(document(&text, false).unwrap(), r#""a\u009bb\udb40\udc01""#);
    }
}
