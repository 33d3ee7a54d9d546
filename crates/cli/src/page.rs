//! Text for people, in 80 columns. Whatever a page is given may come from outside, so what a terminal would act on, or
//! what cannot be seen, stands in it escaped.

use schakel_core::text::{shown, shown_lines};

/// How wide a page is, in characters.
const WIDTH: usize = 80;
/// How wide the names of pairs are, with what parts them from their values.
const NAME: usize = 16;

/// Lines of text as they come.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
    indent: usize,
}

impl Page {
    /// The text so far.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// A paragraph, broken at spaces.
    pub(crate) fn line(&mut self, text: &str) {
        self.broken("", text, 0);
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A name and its value, which is broken within its own column.
    pub(crate) fn pair(&mut self, name: &str, value: &str) {
        let mut name = format!("{name:<NAME$}");
        if !name.ends_with(' ') {
            name.push(' ');
        }
        self.broken(&name, value, NAME);
    }

    /// A name and its value, when there is one.
    pub(crate) fn pair_if(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.pair(name, value);
        }
    }

    /// A name and its values, when there are any.
    pub(crate) fn pairs(&mut self, name: &str, values: &[String]) {
        self.pair_if(name, Some(&values.join(", ")));
    }

    /// Names and their values, in columns as wide as the longest name.
    pub(crate) fn table(&mut self, rows: &[(String, String)]) {
        let longest = rows.iter().map(|(name, _)| name.chars().count()).max();
        let width = longest.unwrap_or(0).max(NAME - 2) + 2;
        for (name, value) in rows {
            self.broken(&format!("{name:<width$}"), value, width);
        }
    }

    /// What is written within stands two columns further in.
    pub(crate) fn indented(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += 2;
        write(self);
        self.indent -= 2;
    }

    /// Text as it stands, not broken: signed notes and the like.
    pub(crate) fn verbatim(&mut self, text: &str) {
        self.text.push_str(&shown_lines(text));
        if !text.ends_with('\n') {
            self.blank();
        }
    }

    /// A first column and a text; further lines begin below the text.
    fn broken(&mut self, first: &str, text: &str, hang: usize) {
        let (first, text) = (&*shown(first), &*shown_words(text));
        let margin = " ".repeat(self.indent);
        let hang = " ".repeat(hang);
        let taken = self.indent + hang.len().max(first.len());
        let room = WIDTH.saturating_sub(taken).max(1);
        for (at, line) in wrap(text, room).iter().enumerate() {
            let before = if at == 0 { first } else { &hang };
            let line = format!("{margin}{before}{line}");
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }
}

/// The text, escaped but for the white space at which it is broken.
fn shown_words(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().map(shown).collect();
    words.join(" ")
}

/// The words of a text in lines of at most this many characters; a longer word has a line of its own.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let taken = lines.last().map_or(0, |line| line.chars().count());
        let fits = taken == 0 || taken + 1 + word.chars().count() <= room;
        if !fits {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schakel_core::text::can_be_seen;

    use super::*;

    /// Everything that a page can be made of, from this text.
    fn all_of(text: &str) -> Page {
        let mut page = Page::default();
        page.line(text);
        page.pair(text, text);
        page.pair_if(text, Some(text));
        page.pairs(text, &[text.to_owned(), text.to_owned()]);
        page.indented(|page| page.table(&[(text.to_owned(), text.to_owned())]));
        page.verbatim(text);
        page
    }

    proptest! {
        #[test]
        fn no_page_holds_what_a_terminal_acts_on(
            text in prop_oneof![any::<String>(), "[\\x00-\\x20\\x7f-\\xa0a\u{200b}\u{202e}\u{2028}]{0,40}"],
        ) {
            let page = all_of(&text);
            let safe = |one| matches!(one, '\n' | '\t') || can_be_seen(one);
            prop_assert!(page.as_str().chars().all(safe), "{:?}", page.as_str());
        }
    }

    #[test]
    fn a_value_makes_no_line_of_its_own() {
        let mut page = Page::default();
        page.pair("issuer", "CN=Evil\r\nowner           you\u{1b}[2J\u{2028}x");
        let one = "issuer          CN=Evil owner you\\u{1b}[2J x\n";
        assert_eq!(page.as_str(), one);
    }

    #[test]
    fn nothing_is_wider_than_the_page_but_a_word_that_is() {
        let mut page = Page::default();
        page.line(&"woord ".repeat(40));
        page.indented(|page| page.pair("naam", &"waarde ".repeat(40)));
        assert!(page.as_str().lines().count() > 6);
        for line in page.as_str().lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
            assert_eq!(line, line.trim_end());
        }
        let long = "x".repeat(100);
        let mut page = Page::default();
        page.pair("naam", &long);
        assert_eq!(page.as_str(), format!("{:<16}{long}\n", "naam"));
    }

    #[test]
    fn a_value_is_broken_within_its_column() {
        let mut page = Page::default();
        page.indented(|page| page.pair("basis", &"woord ".repeat(20)));
        let lines: Vec<_> = page.as_str().lines().collect();
        assert!(
            lines[0].starts_with("  basis           woord"),
            "{}",
            lines[0]
        );
        assert!(
            lines[1].starts_with(&format!("{}woord", " ".repeat(18))),
            "{}",
            lines[1]
        );
    }
}
