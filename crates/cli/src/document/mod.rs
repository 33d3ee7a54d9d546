//! Files that say more than a command line can hold, in TOML.

mod batch;
mod consent;
mod registry;

pub(crate) use batch::items;
pub(crate) use consent::{Attestations, Consent, Notice};
pub(crate) use registry::{party, purpose};

use std::{fs, io::Read as _, path::Path};

use serde::de::DeserializeOwned;

use crate::exit::{Failure, file_failure};

/// Reads a file; `-` is standard input.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    let text = text.map_err(|error| file_failure("read", path, &error))?;
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map(|span| {
            let before = text.get(..span.start).unwrap_or_default();
            1 + before.matches('\n').count()
        });
        let line = line
            .map(|line| format!(", line {line}"))
            .unwrap_or_default();
        // The text itself may name a person: only what is wrong is repeated.
        let said = error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        Failure::usage(format!("`{}`{line}: {said}.", path.display()))
    })
}
