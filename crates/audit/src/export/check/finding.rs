//! What is wrong with an export, as it is found.

use crate::{
    erasure::ErasureError,
    leaf::LeafError,
    policy::EndorseError,
    tree::{ConsistencyError, InclusionError},
};

/// Something about an export that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ExportFinding {
    /// A line stands where it cannot.
    #[error("an entry or an end stands outside a section")]
    Outside,
    /// A section has no end: what came after was cut off.
    #[error("the section from {from} has no end: it was cut off")]
    Cut {
        /// The first index of the section.
        from: u64,
    },
    /// The checkpoint of a section is none of a known log's.
    #[error("the checkpoint of the section from {from} does not hold")]
    Checkpoint {
        /// The first index of the section.
        from: u64,
        /// The rule that it breaks.
        #[source]
        error: EndorseError,
    },
    /// A section names another log or another controller than the first, or than its checkpoint.
    #[error("the section from {from} is not of the same log and controller as what came before")]
    Other {
        /// The first index of the section.
        from: u64,
    },
    /// A section does not begin where the one before ended.
    #[error("the section begins at {got} where the one before ended at {want}")]
    From {
        /// Where the one before ended.
        want: u64,
        /// Where it begins.
        got: u64,
    },
    /// The tree of a section is not shown to go on from that of the one before.
    #[error("the tree of {new} leaves does not go on from that of {old}")]
    Consistency {
        /// The size before.
        old: u64,
        /// The size of this section.
        new: u64,
        /// The rule that it breaks.
        #[source]
        error: ConsistencyError,
    },
    /// An index does not ascend, or lies outside the section or the tree.
    #[error("index {index} is not one that can come here")]
    Index {
        /// The index.
        index: u64,
    },
    /// What stands there as a leaf is none.
    #[error("entry {index} is no leaf")]
    Leaf {
        /// The index.
        index: u64,
        /// The rule that it breaks.
        #[source]
        error: LeafError,
    },
    /// Time goes back.
    #[error("at entry {index} time goes back")]
    Order {
        /// The index of the later entry.
        index: u64,
    },
    /// The leaf does not stand in the tree.
    #[error("entry {index} is not in the tree")]
    Inclusion {
        /// The index.
        index: u64,
        /// The rule that it breaks.
        #[source]
        error: InclusionError,
    },
    /// The details are not those that the leaf is committed to.
    #[error("the details of entry {index} are not those that its leaf is committed to")]
    Opened {
        /// The index.
        index: u64,
    },
    /// An erasure entry does not say what it covers.
    #[error("the erasure entry {index} does not say what it covers")]
    Erasure {
        /// The index of the erasure entry.
        index: u64,
        /// The rule that it breaks.
        #[source]
        error: ErasureError,
    },
    /// An entry is said to be redacted by an erasure that does not cover it, or by another rule.
    #[error("entry {index} is not redacted by erasure {erasure} under the rule named")]
    Redacted {
        /// The index.
        index: u64,
        /// The erasure named.
        erasure: u64,
    },
    /// The erasure that redacts is not in the export, or not opened.
    #[error("erasure {erasure}, by which {entries} entries are redacted, is not in the export")]
    NoErasure {
        /// The erasure named.
        erasure: u64,
        /// How many entries name it.
        entries: u64,
    },
    /// Entries are not there that must be.
    #[error("the section has {got} entries where it must have {want}")]
    Count {
        /// How many it must have.
        want: u64,
        /// How many it has.
        got: u64,
    },
    /// A section ends before it began, or beyond its tree.
    #[error("the section cannot end at {end}")]
    End {
        /// Where it ends.
        end: u64,
    },
}

impl ExportFinding {
    /// Whether something is not there to be checked, rather than there and wrong.
    #[must_use]
    pub const fn is_absence(&self) -> bool {
        matches!(self, Self::Cut { .. } | Self::NoErasure { .. })
    }
}
