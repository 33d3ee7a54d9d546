//! What a keyring is opened with.

use crate::disk::Disk;

/// What a keyring is opened with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The disk it is on.
    pub disk: Disk,
    /// How many slots are made at once, in one file; at least 2. Fewer than 4096 are for tests.
    pub shard: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            disk: Disk::real(),
            shard: 4096,
        }
    }
}

impl Settings {
    /// The pool is refilled in the background below this many slots.
    pub(super) const fn low_water(&self) -> usize {
        self.shard / 2
    }
}
