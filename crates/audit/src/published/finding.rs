//! What is wrong with a published log, as it is found.

use std::ops::Range;

use crate::{
    checkpoint::Checkpoint,
    erasure::ErasureError,
    leaf::{EntryType, LeafError},
    succession::StatementError,
    tile::{Tile, TileLength},
    tree::{Hash, InclusionError},
};

/// Something that is not as the signed checkpoint says, or that is not there to be held against it.
#[derive(Debug)]
pub enum Finding {
    /// A file is not there.
    Missing {
        /// Its path below the published log.
        file: String,
        /// The entries that it covers.
        entries: Range<u64>,
    },
    /// A file is there and cannot be read.
    Unreadable {
        /// Its path below the published log.
        file: String,
        /// The entries that it covers.
        entries: Range<u64>,
        /// Why not.
        reason: String,
    },
    /// A file is longer than any such file can be.
    TooLong {
        /// Its path below the published log.
        file: String,
        /// The entries that it covers.
        entries: Range<u64>,
    },
    /// A tile of hashes has another length than it must have.
    TileLength {
        /// The tile, by level and number.
        tile: Tile,
        /// What is wrong with it.
        fault: TileLength,
    },
    /// An entry bundle has fewer entries than it must have, or ends within one.
    BundleCut {
        /// The tile, by level and number.
        tile: Tile,
        /// The first entry that is not there.
        index: u64,
    },
    /// An entry bundle goes on after its last entry.
    BundleExtra {
        /// The tile, by level and number.
        tile: Tile,
    },
    /// An entry is not the one that was hashed.
    EntryHash {
        /// Its index.
        index: u64,
        /// The bundle that it stands in.
        tile: Tile,
        /// The hash in the tree.
        want: Hash,
        /// The hash of what stands there.
        got: Hash,
    },
    /// A hash in a tile is not that of what lies below it.
    TileHash {
        /// Which tile.
        tile: Tile,
        /// Which of its hashes, from 0.
        at: u64,
        /// The hash of what lies below.
        want: Hash,
        /// The hash that stands there.
        got: Hash,
    },
    /// An entry stands in the tree and is not a leaf of the trail.
    Leaf {
        /// Its index.
        index: u64,
        /// The bundle that it stands in.
        tile: Tile,
        /// What is wrong with it.
        error: LeafError,
    },
    /// Time goes back from an entry to the next.
    Order {
        /// The index of the later entry.
        index: u64,
        /// The time of the earlier, in milliseconds since 1970.
        before: u64,
        /// The time of the later.
        at: u64,
    },
    /// The entries lead to another root than was signed.
    Root {
        /// The checkpoint.
        signed: Checkpoint,
        /// The root that the entries lead to.
        computed: Hash,
    },
    /// A checkpoint that is held from elsewhere is larger than that of the log: something was taken away.
    Rollback {
        /// The checkpoint held.
        held: Checkpoint,
    },
    /// A checkpoint that is held from elsewhere has the same size and another root: the log shows different
    /// things to different people, and the two signed notes prove it.
    Fork {
        /// The checkpoint held.
        held: Checkpoint,
    },
    /// A checkpoint that is held from elsewhere is not of a beginning of this log: something was rewritten.
    Rewritten {
        /// The checkpoint held.
        held: Checkpoint,
        /// The root that the log has now at the size held; `None` when the tiles that would say so are
        /// themselves not those of the checkpoint verified before.
        computed: Option<Hash>,
    },
    /// What an erasure entry says of itself does not hold.
    Erasure {
        /// The index of the entry.
        index: u64,
        /// The file with its opened details.
        file: String,
        /// What is wrong.
        fault: ErasureFault,
    },
    /// What the log is said to say of a checkpoint key does not hold.
    Key {
        /// The index of the entry.
        index: u64,
        /// The file with its opened details.
        file: String,
        /// What is wrong.
        fault: KeyFault,
    },
}

/// What is wrong with what an entry is said to say of a checkpoint key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The entry is not proved to stand in the log.
    #[error("the entry is not proved to stand in the log")]
    Unproved(#[source] InclusionError),
    /// The entry is no leaf.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// The entry is of another type.
    #[error("the entry is of type `{0}`, not of a key")]
    Other(EntryType),
    /// The file is too short to open anything.
    #[error("it is too short")]
    Short,
    /// It does not open the leaf.
    #[error("the leaf is not committed to it")]
    Commitment,
    /// There is no statement in it.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

/// What is wrong with what an erasure entry says.
#[derive(Debug, thiserror::Error)]
pub enum ErasureFault {
    /// The file is too short to open anything.
    #[error("it is too short")]
    Short,
    /// It does not open the leaf, or is not of an erasure.
    #[error(transparent)]
    Details(#[from] ErasureError),
    /// It covers itself or what comes later.
    #[error("it covers entry {0}, which is not earlier than itself")]
    Later(u64),
}

impl Finding {
    /// The file that could not be read, when that is what was found.
    pub(super) fn unread_file(&self) -> Option<&str> {
        match self {
            Self::Missing { file, .. } | Self::Unreadable { file, .. } => Some(file),
            _ => None,
        }
    }

    /// Whether something is not there to be checked, rather than there and wrong.
    #[must_use]
    pub const fn is_absence(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Unreadable { .. })
    }
}
