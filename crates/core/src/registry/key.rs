//! The keys that sign the log's checkpoints, as the log's own entries say.

use serde::{Deserialize, Serialize};

use super::{Registry, RegistryKey};
use crate::id::EntryIndex;

/// A key that signs, or signed, the log's checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointKey {
    /// The key, as a vkey.
    pub key: String,
    /// The entry that took it into use.
    pub since: EntryIndex,
    /// The entry that retired it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<EntryIndex>,
}

impl Registry {
    /// Takes a checkpoint key into use, or retires it. What is said again changes nothing.
    pub fn turn_key(&mut self, key: &str, in_use: bool, entry: EntryIndex) -> RegistryKey {
        let fresh = || CheckpointKey {
            key: key.to_owned(),
            since: entry,
            retired: None,
        };
        let row = self
            .checkpoint_keys
            .entry(key.to_owned())
            .or_insert_with(fresh);
        if !in_use {
            row.retired.get_or_insert(entry);
        }
        RegistryKey::CheckpointKey(key.to_owned())
    }

    /// The checkpoint keys the log has had, in the order in which they were taken into use.
    #[must_use]
    pub fn checkpoint_keys(&self) -> Vec<&CheckpointKey> {
        let mut keys: Vec<_> = self.checkpoint_keys.values().collect();
        keys.sort_by_key(|row| row.since);
        keys
    }
}
