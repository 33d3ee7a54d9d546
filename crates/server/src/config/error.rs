//! What is wrong with a configuration, in one sentence.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a configuration is refused. One sentence: the file, the key, the rule and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value breaks its rule.
    #[error("`{}`: `{key}` {rule}", file.display())]
    Broken {
        /// The configuration file.
        file: PathBuf,
        /// The key, as `section.key`.
        key: &'static str,
        /// The rule, in words that follow the key.
        rule: String,
    },
    /// The text is no TOML, or has a key too many or too few.
    #[error("`{}`, line {line}{place}: {problem}", file.display())]
    Malformed {
        /// The configuration file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What stands there: a comma and the key or the section; empty where there is neither.
        place: String,
        /// What is wrong with it and how to mend it.
        problem: String,
    },
    /// The file cannot be read.
    #[error("`{}` cannot be read: give the path of a configuration file that can", file.display())]
    Unreadable {
        /// The configuration file.
        file: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// A value that breaks its rule, before it is known in which file.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) key: &'static str,
    pub(super) rule: String,
}

impl Broken {
    pub(super) fn in_file(self, file: &Path) -> ConfigError {
        ConfigError::Broken {
            file: file.to_owned(),
            key: self.key,
            rule: self.rule,
        }
    }
}

impl ConfigError {
    pub(super) fn unreadable(file: &Path, source: io::Error) -> Self {
        Self::Unreadable {
            file: file.to_owned(),
            source,
        }
    }

    pub(super) fn malformed(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count();
        Self::Malformed {
            file: file.to_owned(),
            line: line.saturating_add(1),
            place: place_of(text, line).map_or_else(String::new, |place| format!(", `{place}`")),
            problem: in_one_sentence(error.message()),
        }
    }
}

/// What stands in a line, from 0: `section.key` where it sets a key, else `[section]`.
fn place_of(text: &str, line: usize) -> Option<String> {
    let through: Vec<&str> = text
        .lines()
        .take(line.saturating_add(1))
        .map(str::trim)
        .collect();
    let header = through.iter().rev().find(|line| line.starts_with('['))?;
    let section = header.trim_start_matches('[').strip_suffix(']')?;
    let section = section.trim_end_matches(']');
    match through.last()?.split_once('=') {
        Some((key, _)) => Some(format!("{section}.{}", key.trim())),
        None => Some(format!("[{section}]")),
    }
}

fn in_one_sentence(message: &str) -> String {
    let message = message.lines().collect::<Vec<_>>().join(", ");
    let message = ["usize", "u32"].iter().fold(message, |text, kind| {
        text.replace(&format!("expected {kind}"), "expected a number from 0")
    });
    let remedy = if message.starts_with("unknown field") {
        "correct or remove the key"
    } else if message.starts_with("missing field") {
        "add it"
    } else {
        "correct it"
    };
    format!("{message}: {remedy}")
}
