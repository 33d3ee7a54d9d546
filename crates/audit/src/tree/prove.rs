//! Making proofs, from the complete subtrees of a tree.

use std::error::Error;

use thiserror::Error;

use super::{Hash, empty_root, node_hash};

/// Where the hashes of complete subtrees come from.
pub trait Nodes {
    /// Why a hash could not be read.
    type Error;

    /// The hash of the complete subtree with 2^`level` leaves that starts at leaf
    /// `index` · 2^`level`. It is asked only for subtrees that lie wholly within the size in hand.
    ///
    /// # Errors
    /// When the hash cannot be read.
    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// Why a proof could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProveError<E: Error + 'static> {
    /// The leaf is not in the tree.
    #[error("leaf {index} is not in a tree of {size} leaves: the index must be below the size")]
    Index {
        /// The leaf asked for.
        index: u64,
        /// The size of the tree asked for.
        size: u64,
    },
    /// The sizes do not lie as a proof needs them.
    #[error(
        "no consistency proof leads from {old} to {new} leaves: \
         the old size must be at least 1 and at most the new size"
    )]
    Sizes {
        /// The size of the old tree.
        old: u64,
        /// The size of the new tree.
        new: u64,
    },
    /// A hash of the tree could not be read.
    #[error("a hash of the tree cannot be read")]
    Nodes(#[source] E),
}

/// The root of the tree that the first `size` leaves form.
///
/// # Errors
/// When a node cannot be read.
pub fn root<N: Nodes + ?Sized>(size: u64, nodes: &N) -> Result<Hash, N::Error> {
    range_hash(
        Range {
            start: 0,
            len: size,
        },
        nodes,
    )
}

/// The inclusion proof of leaf `index` in the tree of the first `size` leaves (RFC 6962 section
/// 2.1.1): the hashes from the leaf's sibling up to the child of the root.
///
/// # Errors
/// When the leaf is not in the tree, or a node cannot be read.
pub fn inclusion_proof<N>(
    index: u64,
    size: u64,
    nodes: &N,
) -> Result<Vec<Hash>, ProveError<N::Error>>
where
    N: Nodes<Error: Error + 'static> + ?Sized,
{
    if index >= size {
        return Err(ProveError::Index { index, size });
    }
    hashes(&inclusion_ranges(index, size), nodes)
}

/// The consistency proof from the tree of the first `old` leaves to that of the first `new` leaves
/// (RFC 6962 section 2.1.2); empty when they are the same tree.
///
/// # Errors
/// When `old` is 0 (every tree extends the empty one, so there is nothing to prove) or more than
/// `new`, or a node cannot be read.
pub fn consistency_proof<N>(
    old: u64,
    new: u64,
    nodes: &N,
) -> Result<Vec<Hash>, ProveError<N::Error>>
where
    N: Nodes<Error: Error + 'static> + ?Sized,
{
    if old == 0 || old > new {
        return Err(ProveError::Sizes { old, new });
    }
    hashes(&consistency_ranges(old, new), nodes)
}

/// How many hashes the inclusion proof of leaf `index` in a tree of `size` leaves has: at most 64;
/// 0 when there is no such proof.
#[must_use]
pub fn inclusion_proof_len(index: u64, size: u64) -> usize {
    if index < size {
        inclusion_ranges(index, size).len()
    } else {
        0
    }
}

/// How many hashes the consistency proof from `old` to `new` leaves has: at most 65; 0 when there is
/// no such proof.
#[must_use]
pub fn consistency_proof_len(old: u64, new: u64) -> usize {
    if old == 0 || old > new {
        0
    } else {
        consistency_ranges(old, new).len()
    }
}

/// Consecutive leaves that form a subtree of some tree: `start` is a multiple of the least power of
/// two that is not below `len`.
#[derive(Clone, Copy)]
struct Range {
    start: u64,
    len: u64,
}

impl Range {
    /// Its two children. The left one is as large as a complete subtree can be while leaving the
    /// right one something.
    fn split(self) -> (Self, Self) {
        // INVARIANT: called for two leaves or more, so that the logarithm exists.
        let left = 1 << (self.len - 1).ilog2();
        (
            Self {
                start: self.start,
                len: left,
            },
            Self {
                start: self.start + left,
                len: self.len - left,
            },
        )
    }
}

/// The subtrees whose hashes make an inclusion proof, in its order. `index` is below `size`.
fn inclusion_ranges(index: u64, size: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut on_path = Range {
        start: 0,
        len: size,
    };
    while on_path.len > 1 {
        let (left, right) = on_path.split();
        let sibling;
        (on_path, sibling) = if index < right.start {
            (left, right)
        } else {
            (right, left)
        };
        ranges.push(sibling);
    }
    ranges.reverse();
    ranges
}

/// The subtrees whose hashes make a consistency proof, in its order. `old` is from 1 to `new`.
fn consistency_ranges(old: u64, new: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut edge = Range { start: 0, len: new };
    // Down the new tree along the old one's right edge, to the subtree that both have.
    while edge.start + edge.len != old {
        let (left, right) = edge.split();
        let sibling;
        (edge, sibling) = if old <= right.start {
            (left, right)
        } else {
            (right, left)
        };
        ranges.push(sibling);
    }
    // When that is the whole old tree, the verifier has its hash already.
    if edge.start != 0 {
        ranges.push(edge);
    }
    ranges.reverse();
    ranges
}

fn hashes<N>(ranges: &[Range], nodes: &N) -> Result<Vec<Hash>, ProveError<N::Error>>
where
    N: Nodes<Error: Error + 'static> + ?Sized,
{
    ranges
        .iter()
        .map(|range| range_hash(*range, nodes).map_err(ProveError::Nodes))
        .collect()
}

/// The hash of a subtree, from the complete subtrees it is made of: one for each bit of its length.
fn range_hash<N: Nodes + ?Sized>(range: Range, nodes: &N) -> Result<Hash, N::Error> {
    let mut end = range.start + range.len;
    let mut hash = None;
    for level in (0..64u8).filter(|level| range.len >> level & 1 == 1) {
        end -= 1 << level;
        let left = nodes.node(level, end >> level)?;
        hash = Some(hash.map_or(left, |right| node_hash(&left, &right)));
    }
    Ok(hash.unwrap_or(empty_root()))
}
