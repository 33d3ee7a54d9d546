//! Holds `deploy/VERIFYING.md` to what the command knows.

use clap::Parser as _;

use crate::command::Arguments;

const GUIDE: &str = include_str!("../../../../../deploy/VERIFYING.md");
const VERIFIERS: &str = include_str!("../../../../../tests/verifiers/run");

/// The lines of the guide between its fences.
fn commands() -> impl Iterator<Item = &'static str> {
    let mut is_code = false;
    GUIDE.lines().filter(move |line| {
        is_code ^= line.starts_with("```");
        is_code
    })
}

#[test]
fn the_guide_for_auditors_gives_commands_that_there_are() {
    let ours: Vec<&str> = commands()
        .filter(|line| line.starts_with("schakel "))
        .collect();
    assert!(ours.len() >= 6, "{ours:?}");
    for line in ours {
        let words = line.split_whitespace();
        let parsed = Arguments::try_parse_from(words);
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
    }
}

#[test]
fn the_guide_for_auditors_names_the_versions_that_were_tried() {
    let pinned = |text: &str| {
        let word = |word: &str| word.trim_matches(['\'', '`', '(', ')', ':']).to_owned();
        let words = text.split_whitespace().map(word);
        let mut pinned: Vec<String> = words
            .filter(|it| it.contains("@v") && it.contains("/cmd/") || it.contains("=="))
            .collect();
        pinned.sort();
        pinned
    };
    let guide = pinned(GUIDE);
    assert_eq!(guide.len(), 3, "{guide:?}");
    assert_eq!(guide, pinned(VERIFIERS));
}
