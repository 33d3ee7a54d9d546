//! The right edge of a growing tree: all that is needed to append to it and to know its root.

use super::{Hash, Nodes, empty_root, node_hash};

/// The complete subtrees that together cover a tree, largest and leftmost first: one for each bit
/// set in the size, at most 64 hashes whatever the size.
///
/// Appending costs one node hash on average, a root at most one for each subtree.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    // INVARIANT: one hash for each bit set in `size`, the highest bit first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The frontier of the tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            peaks: Vec::new(),
        }
    }

    /// The frontier of the tree with `size` leaves, read from its nodes: at most 64 of them.
    ///
    /// # Errors
    /// When a node cannot be read.
    pub fn load<N: Nodes + ?Sized>(size: u64, nodes: &N) -> Result<Self, N::Error> {
        let levels = (0..64u8).rev().filter(|level| size >> level & 1 == 1);
        let peaks = levels
            // The subtree of 2^level leaves ends where the lower bits of the size begin.
            .map(|level| nodes.node(level, (size >> level) - 1))
            .collect::<Result<_, _>>()?;
        Ok(Self { size, peaks })
    }

    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of the complete subtrees, largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or(empty_root())
    }

    /// Appends the leaf with this hash.
    pub fn append(&mut self, leaf_hash: Hash) {
        self.append_with(leaf_hash, |_, _, _| {});
    }

    /// Appends the leaf with this hash, and tells of each node that becomes complete by it, the leaf
    /// itself first: its level, its index in that level, its hash. Who stores the tree stores these.
    pub fn append_with(&mut self, leaf_hash: Hash, complete: impl FnMut(u8, u64, Hash)) {
        self.join(0, leaf_hash, complete);
    }

    /// Appends the complete subtree of 2^`level` leaves with this hash, and tells of each node that becomes
    /// complete by it, as [`append_with`](Self::append_with) does. Answers whether the tree could take it:
    /// its size must be a multiple of 2^`level`, for a subtree stands nowhere else.
    pub fn append_subtree(
        &mut self,
        level: u8,
        hash: Hash,
        complete: impl FnMut(u8, u64, Hash),
    ) -> bool {
        let fits = level < 64 && self.size.trailing_zeros() >= u32::from(level);
        let fits = fits && self.size.checked_add(1 << level).is_some();
        if fits {
            self.join(level, hash, complete);
        }
        fits
    }

    fn join(&mut self, level: u8, hash: Hash, mut complete: impl FnMut(u8, u64, Hash)) {
        let len = 1 << level;
        let (mut level, mut index, mut hash) = (level, self.size >> level, hash);
        complete(level, index, hash);
        // A node with an odd index is a right child, and its left sibling is the last peak.
        while index & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            hash = node_hash(&left, &hash);
            level += 1;
            index >>= 1;
            complete(level, index, hash);
        }
        self.peaks.push(hash);
        self.size += len;
    }
}
