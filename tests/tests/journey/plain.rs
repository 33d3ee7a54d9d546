//! What was told in two worlds, without what is drawn at random, so that they can be compared.

use std::collections::BTreeMap;

use schakel_audit::leaf::EntryType;
use schakel_tests::Log;

/// Lines without what has nothing to do with what is told.
pub(super) fn plain(log: &Log, lines: &[String]) -> Vec<String> {
    let own = log.leaves.iter().map(|leaf| {
        // Refused calls are counted for a while, and then recorded.
        leaf.party == "broker" || leaf.entry_type == EntryType::Refusals
    });
    let mut plain = Plain {
        ids: BTreeMap::new(),
        own: &own.collect::<Vec<_>>(),
        in_list: false,
    };
    lines
        .iter()
        .map(|line| plain.line(&without_bytes(line)))
        .collect()
}

/// A line without the bytes in it: proofs, digests, and references drawn at random. Texts stay.
fn without_bytes(line: &str) -> String {
    let mut without = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('"') {
        let end = end_of_text(after);
        match before.strip_suffix('b') {
            Some(before) => without = without + before + "BYTES",
            None => without = without + before + "\"" + &after[..end] + "\"",
        }
        rest = after.get(end + 1..).unwrap_or_default();
    }
    without + rest
}

/// Where a text that begins here ends.
fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    let end = text.find(|c| {
        let is_end = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        is_end
    });
    end.unwrap_or(text.len())
}

/// Ids drawn at random, each as the number of its first appearance, and where the broker's own entries happened to
/// come in between.
struct Plain<'a> {
    ids: BTreeMap<String, usize>,
    own: &'a [bool],
    in_list: bool,
}

impl Plain<'_> {
    fn line(&mut self, line: &str) -> String {
        let is_of_a_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let mut plain = String::new();
        for piece in line.split_inclusive(|c| !is_of_a_word(c)) {
            let word = piece.trim_end_matches(|c| !is_of_a_word(c));
            let after = &piece[word.len()..];
            self.in_list &= !after.contains(']');
            self.in_list |= plain.ends_with("entry_indexes:") && after.contains('[');
            let is_index = self.in_list || ["index: ", ": ("].iter().any(|b| plain.ends_with(b));
            plain += &self.word(word, is_index);
            plain += after;
        }
        plain
    }

    fn word(&mut self, word: &str, is_index: bool) -> String {
        if word.parse::<uuid::Uuid>().is_ok() {
            let next = self.ids.len();
            return format!("#{}", self.ids.entry(word.to_owned()).or_insert(next));
        }
        let index = word.parse::<usize>().ok().filter(|_| is_index);
        let before = index.and_then(|index| self.own.get(..index));
        before.map_or(word.to_owned(), |before| {
            let others = before.iter().filter(|own| !**own);
            others.count().to_string()
        })
    }
}
