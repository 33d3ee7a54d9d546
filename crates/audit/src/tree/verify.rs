//! Checking proofs, by the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2, whose variables are
//! named in the comments so that one can be read beside the other.

use thiserror::Error;

use super::{Hash, consistency_proof_len, inclusion_proof_len, node_hash};

/// Why an inclusion proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InclusionError {
    /// The leaf lies outside the tree.
    #[error("leaf {index} is not in a tree of {size} leaves: the index must be below the size")]
    Index {
        /// The leaf claimed.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The proof is of another length than this place in the tree has.
    #[error("the inclusion proof has {got} hashes where this leaf and tree size need {want}")]
    Length {
        /// How many hashes the proof must have.
        want: usize,
        /// How many it has.
        got: usize,
    },
    /// The leaf and the proof lead to another root.
    #[error("the inclusion proof leads to root {got} where the tree has {want}")]
    Root {
        /// The root of the tree.
        want: Hash,
        /// The root that the leaf and the proof lead to.
        got: Hash,
    },
}

/// Why a consistency proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConsistencyError {
    /// The old tree is empty: every tree extends it, and no proof can say so.
    #[error("nothing can be proved from an empty tree: start from a checkpoint of at least 1 leaf")]
    Empty,
    /// The new tree is smaller than the old one.
    #[error("the log went back from {old} to {new} leaves")]
    Shrunk {
        /// The size of the old tree.
        old: u64,
        /// The size of the new tree.
        new: u64,
    },
    /// The proof is of another length than these sizes have.
    #[error("the consistency proof has {got} hashes where these tree sizes need {want}")]
    Length {
        /// How many hashes the proof must have.
        want: usize,
        /// How many it has.
        got: usize,
    },
    /// The proof leads to another root for the old tree.
    #[error("the consistency proof leads to old root {got} where the old tree has {want}")]
    OldRoot {
        /// The root of the old tree.
        want: Hash,
        /// The root that the proof leads to.
        got: Hash,
    },
    /// The proof leads to another root for the new tree: the old tree is no part of it.
    #[error("the consistency proof leads to new root {got} where the new tree has {want}")]
    NewRoot {
        /// The root of the new tree.
        want: Hash,
        /// The root that the proof leads to.
        got: Hash,
    },
}

/// Checks that the leaf with hash `leaf_hash` stands at `index` in the tree of `size` leaves with
/// this `root` (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// When it does not, with what was wanted and what was found. A proof too long is refused without
/// hashing what is too much.
pub fn verify_inclusion(
    leaf_hash: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), InclusionError> {
    if index >= size {
        return Err(InclusionError::Index { index, size });
    }
    let length = || InclusionError::Length {
        want: inclusion_proof_len(index, size),
        got: proof.len(),
    };
    // fn, sn, r
    let mut path = Path::new(index, size - 1);
    let mut hash = leaf_hash;
    for sibling in proof {
        hash = match path.climb().ok_or_else(length)? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    if !path.at_root() {
        return Err(length());
    }
    if hash != root {
        return Err(InclusionError::Root {
            want: root,
            got: hash,
        });
    }
    Ok(())
}

/// Checks that the tree of `new` leaves with root `new_root` begins with the tree of `old` leaves
/// with root `old_root` (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// When it does not, with what was wanted and what was found. An `old` of 0 is refused unless `new`
/// is 0 too: what extends the empty tree is the caller's to say.
pub fn verify_consistency(
    old: u64,
    old_root: Hash,
    new: u64,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), ConsistencyError> {
    if old > new {
        return Err(ConsistencyError::Shrunk { old, new });
    }
    if old == new {
        return verify_same(old_root, new_root, proof);
    }
    if old == 0 {
        return Err(ConsistencyError::Empty);
    }
    let length = || ConsistencyError::Length {
        want: consistency_proof_len(old, new),
        got: proof.len(),
    };
    // A complete old tree is itself the first hash; otherwise the proof begins with it.
    let (first, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        proof
            .split_first()
            .map(|(first, rest)| (*first, rest))
            .ok_or_else(length)?
    };
    // fn, sn, fr, sr
    let mut path = Path::new(old - 1, new - 1);
    path.skip_right_children();
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        match path.climb().ok_or_else(length)? {
            Side::Left => {
                old_hash = node_hash(sibling, &old_hash);
                new_hash = node_hash(sibling, &new_hash);
            }
            Side::Right => new_hash = node_hash(&new_hash, sibling),
        }
    }
    if !path.at_root() {
        return Err(length());
    }
    same_root(old_root, old_hash, |want, got| ConsistencyError::OldRoot {
        want,
        got,
    })?;
    same_root(new_root, new_hash, |want, got| ConsistencyError::NewRoot {
        want,
        got,
    })
}

fn verify_same(old_root: Hash, new_root: Hash, proof: &[Hash]) -> Result<(), ConsistencyError> {
    if !proof.is_empty() {
        return Err(ConsistencyError::Length {
            want: 0,
            got: proof.len(),
        });
    }
    same_root(new_root, old_root, |want, got| ConsistencyError::NewRoot {
        want,
        got,
    })
}

fn same_root<E>(want: Hash, got: Hash, error: impl FnOnce(Hash, Hash) -> E) -> Result<(), E> {
    if want == got {
        Ok(())
    } else {
        Err(error(want, got))
    }
}

/// The way from a node up to the root: the node's index in its level (`fn` in the RFC) and that of
/// the last node there (`sn`).
struct Path {
    node: u64,
    last: u64,
}

/// On which side of the path a hash of the proof stands.
enum Side {
    Left,
    Right,
}

impl Path {
    const fn new(node: u64, last: u64) -> Self {
        Self { node, last }
    }

    const fn at_root(&self) -> bool {
        self.last == 0
    }

    const fn up(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }

    /// Goes up past every level in which the node is a right child.
    const fn skip_right_children(&mut self) {
        while self.node & 1 == 1 {
            self.up();
        }
    }

    /// Goes up past the next hash of the proof and says on which side that stands; `None` at the
    /// root, where a proof must end.
    const fn climb(&mut self) -> Option<Side> {
        if self.at_root() {
            return None;
        }
        if self.node & 1 == 1 || self.node == self.last {
            // The last node of a level has no right sibling: it rises until it is a right child.
            // INVARIANT: some bit of it is set, for a last node with index 0 is the root.
            while self.node & 1 == 0 {
                self.up();
            }
            self.up();
            Some(Side::Left)
        } else {
            self.up();
            Some(Side::Right)
        }
    }
}
