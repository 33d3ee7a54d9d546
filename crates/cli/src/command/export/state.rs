//! How far an export came: a small file that is replaced as a whole, once what it speaks of is safe.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use prost::bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    exit::{Failure, file_failure},
    file::{private, sync_parent},
};

/// How far an export came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// Of which export: that of another must not be gone on with.
    pub(super) export: String,
    /// The log.
    pub(super) origin: String,
    /// Where it goes, so that one state is not used for two.
    pub(super) to: String,
    /// The cursor to go on from, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    /// The approval of a second officer, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) approved: Option<String>,
    /// The first index that was not looked at: where it goes on when the cursor is no longer known.
    pub(super) next: u64,
    /// How many entries or lines are safe.
    pub(super) done: u64,
    /// For a file: how long it is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) length: u64,
    /// For a file: the checkpoint of its last section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) checkpoint: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl State {
    /// Reads a state, or begins one.
    pub(super) fn load(path: &Path, new: Self) -> Result<Self, Failure> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(new),
            Err(error) => return Err(file_failure("read", path, &error)),
        };
        let state: Self = serde_json::from_str(&text).map_err(|error| {
            let path = path.display();
            Failure::usage(format!("`{path}` is no state of an export: {error}."))
        })?;
        if (&state.export, &state.origin, &state.to) != (&new.export, &new.origin, &new.to) {
            let (
                path,
                Self {
                    export, origin, to, ..
                },
            ) = (path.display(), state);
            let said = format!(
                "`{path}` is the state of another export: `{export}` of the log `{origin}` to `{to}`. \
                 Name another file."
            );
            return Err(Failure::usage(said));
        }
        Ok(state)
    }

    /// Replaces the state: the old one or the new one is there, whatever happens.
    pub(super) fn save(&self, path: &Path) -> Result<(), Failure> {
        let failed = |error| file_failure("written", path, &error);
        let text = serde_json::to_string(self).map_err(|error| failed(error.into()))?;
        let unfinished = unfinished(path);
        let options = private().create(true).truncate(true).to_owned();
        let mut file = options.open(&unfinished).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&unfinished, path).map_err(failed)?;
        sync_parent(path).map_err(failed)
    }

    /// The cursor as it is sent.
    pub(super) fn cursor(&self) -> Option<Bytes> {
        let cursor = self.cursor.as_deref()?;
        hex::decode(cursor).ok().map(Bytes::from)
    }

    /// The approval as it is sent.
    pub(super) fn approval(&self) -> Option<Bytes> {
        let approved = self.approved.as_deref()?;
        hex::decode(approved).ok().map(Bytes::from)
    }

    /// Takes an approval, where one is given; whether it is another than before, and so to be saved whatever comes.
    pub(super) fn is_newly(&mut self, approved: Option<String>) -> bool {
        let is_new = approved.is_some() && approved != self.approved;
        self.approved = approved.or(self.approved.take());
        is_new
    }

    /// Where to begin without a cursor.
    pub(super) fn from(&self) -> u64 {
        if self.cursor().is_some() {
            0
        } else {
            self.next
        }
    }

    /// Goes on after what an answer covered.
    pub(super) fn went_on(&mut self, cursor: &[u8], next: u64, done: usize) {
        self.cursor = Some(hex::encode(cursor));
        self.next = next;
        self.done = self.done.saturating_add(done as u64);
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(to: &str) -> State {
        State {
            export: "ldv".into(),
            origin: "log.example".into(),
            to: to.into(),
            ..State::default()
        }
    }

    #[test]
    fn a_state_reads_back_and_is_not_used_for_another_export() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let mut state = State::load(&path, new("a")).unwrap();
        assert_eq!((state.from(), state.cursor()), (0, None));
        state.went_on(&[1, 2], 7, 3);
        state.save(&path).unwrap();
        let read = State::load(&path, new("a")).unwrap();
        assert_eq!(read, state);
        assert_eq!(
            (read.from(), read.cursor().unwrap().to_vec()),
            (0, vec![1, 2])
        );
        let refused = State::load(&path, new("b")).unwrap_err();
        assert!(
            refused.message.contains("another export"),
            "{}",
            refused.message
        );
        fs::write(&path, "{}").unwrap();
        assert!(State::load(&path, new("a")).is_err());
    }
}
