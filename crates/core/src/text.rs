//! Text that came from outside, as people may be shown it.
//!
//! A name in a certificate, what a partner's system wrote, what a file holds: on its way to a terminal it could colour,
//! move or hide what stands around it (ECMA-48), or turn the direction of writing (Unicode TR 36, 3.1).

use std::{borrow::Cow, error::Error, iter::successors};

use icu_properties::{
    CodePointMapData,
    props::{GeneralCategory, GeneralCategoryGroup},
};

/// Whether a character can be seen for what it is: no control, format, private or unassigned one (Unicode,
/// general category C), and none that ends a line or a paragraph. What cannot be seen can make one name look
/// like another, and what turns the direction of writing can make a text look like its opposite.
#[must_use]
pub fn can_be_seen(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    let hidden = GeneralCategoryGroup::Other
        .union(GeneralCategoryGroup::LineSeparator)
        .union(GeneralCategoryGroup::ParagraphSeparator);
    !hidden.contains(category)
}

/// The text with whatever cannot be seen as `\u{…}`, in hexadecimal; every other character stays.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, can_be_seen)
}

/// The same, for text that was laid out: its line feeds and tabs stay too.
#[must_use]
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |character| {
        matches!(character, '\n' | '\t') || can_be_seen(character)
    })
}

/// An error and what caused it, in one line. What merely hands on its cause says the same, and is said once.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut told: Vec<String> = Vec::new();
    for text in successors(Some(error), |&error| error.source()).map(ToString::to_string) {
        if told.last() != Some(&text) {
            told.push(text);
        }
    }
    told.join(": ")
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().all(&stays) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if stays(character) {
            safe.push(character);
        } else {
            safe.extend(character.escape_unicode());
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_shown_and_not_done() {
        assert_eq!(shown("\u{1b}[31mred"), "\\u{1b}[31mred");
        assert_eq!(shown("a\nb\tc"), "a\\u{a}b\\u{9}c");
        assert_eq!(shown_lines("a\nb\tc\r"), "a\nb\tc\\u{d}");
        // An eight-bit control sequence, a turned direction, a character without width, the end of a line.
        for hidden in ['\u{9b}', '\u{202e}', '\u{200b}', '\u{2028}'] {
            let text = format!("Stadsdorp{hidden}");
            let escape = format!("Stadsdorp\\u{{{:x}}}", u32::from(hidden));
            assert_eq!(shown(&text), escape);
            assert_eq!(shown_lines(&text), escape);
        }
    }

    #[test]
    fn what_can_be_read_stays() {
        for text in [
            "Gemeente 's-Hertogenbosch",
            "Súdwest-Fryslân",
            "e\u{301}",
            "C:\\x \"y\"",
        ] {
            assert!(matches!(shown(text), Cow::Borrowed(same) if same == text));
        }
    }

    proptest! {
        #[test]
        fn nothing_shown_is_hidden(text in any::<String>()) {
            prop_assert!(shown(&text).chars().all(can_be_seen));
            let lines = shown_lines(&text);
            prop_assert!(lines.chars().all(|one| one == '\n' || one == '\t' || can_be_seen(one)));
            let once = shown(&text);
            prop_assert_eq!(&shown(&once), &once);
        }
    }
}
