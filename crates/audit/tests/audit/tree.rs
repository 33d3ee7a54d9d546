//! The tree against its definition: every leaf has a proof, and no other leaf does.

use std::{fmt, io};

use proptest::prelude::*;
use schakel_audit::tree::{
    ConsistencyError, Frontier, Hash, InclusionError, Nodes, ProveError, consistency_proof,
    consistency_proof_len, inclusion_proof, inclusion_proof_len, leaf_hash, node_hash, root,
    verify_consistency, verify_inclusion,
};

use super::support::{Levels, Uniform, mth, numbered, path, subproof};

const ALL_UP_TO: u64 = 70;

fn at(index: u64) -> usize {
    usize::try_from(index).unwrap()
}

#[test]
fn every_leaf_of_every_small_tree_has_the_proof_of_the_definition() {
    let leaves = numbered(ALL_UP_TO);
    let levels = Levels::new(&leaves);
    for size in 1..=ALL_UP_TO {
        let tree = &leaves[..at(size)];
        let root = mth(tree);
        for index in 0..size {
            let proof = inclusion_proof(index, size, &levels).unwrap();
            assert_eq!(proof, path(at(index), tree), "{index} of {size}");
            assert_eq!(proof.len(), inclusion_proof_len(index, size));
            assert_eq!(
                verify_inclusion(tree[at(index)], index, size, &proof, root),
                Ok(())
            );
        }
    }
}

#[test]
fn every_small_tree_extends_every_smaller_one_by_the_proof_of_the_definition() {
    let leaves = numbered(ALL_UP_TO);
    let levels = Levels::new(&leaves);
    for new in 1..=ALL_UP_TO {
        let tree = &leaves[..at(new)];
        for old in 1..=new {
            let proof = consistency_proof(old, new, &levels).unwrap();
            assert_eq!(proof, subproof(at(old), tree, true), "{old} to {new}");
            assert_eq!(proof.len(), consistency_proof_len(old, new));
            let (old_root, new_root) = (mth(&tree[..at(old)]), mth(tree));
            assert_eq!(
                verify_consistency(old, old_root, new, new_root, &proof),
                Ok(())
            );
        }
    }
}

#[test]
fn no_leaf_of_a_small_tree_has_a_proof_at_the_place_of_another() {
    let leaves = numbered(20);
    let levels = Levels::new(&leaves);
    for size in 1..=20 {
        let root = mth(&leaves[..at(size)]);
        for index in 0..size {
            let proof = inclusion_proof(index, size, &levels).unwrap();
            for other in (0..size).filter(|other| *other != index) {
                let moved = verify_inclusion(leaves[at(index)], other, size, &proof, root);
                assert!(moved.is_err(), "leaf {index} of {size} proved at {other}");
                let swapped = verify_inclusion(leaves[at(other)], index, size, &proof, root);
                assert!(matches!(swapped, Err(InclusionError::Root { .. })));
            }
        }
    }
}

#[test]
fn a_frontier_grows_as_the_tree_and_loads_from_its_nodes() {
    let leaves = numbered(ALL_UP_TO);
    let levels = Levels::new(&leaves);
    let mut frontier = Frontier::new();
    for size in 0..=ALL_UP_TO {
        assert_eq!(frontier.size(), size);
        assert_eq!(frontier.root(), mth(&leaves[..at(size)]));
        assert_eq!(root(size, &levels), Ok(frontier.root()));
        assert_eq!(Frontier::load(size, &levels), Ok(frontier.clone()));
        assert_eq!(frontier.peaks().len(), at(size.count_ones().into()));
        if let Some(leaf) = leaves.get(at(size)) {
            frontier.append(*leaf);
        }
    }
}

#[test]
fn a_tree_of_any_size_is_proved_and_extended() {
    let tree = Uniform::new();
    let sizes = [
        1,
        2,
        3,
        1 << 32,
        (1 << 32) + 1,
        (1 << 63) - 1,
        1 << 63,
        (1 << 63) + 1,
        u64::MAX,
    ];
    for size in sizes {
        let whole = root(size, &tree).unwrap();
        assert_eq!(Frontier::load(size, &tree).unwrap().root(), whole);
        for index in [0, size / 2, size / 3, size - 1] {
            let proof = inclusion_proof(index, size, &tree).unwrap();
            assert!(proof.len() <= 64);
            assert_eq!(
                verify_inclusion(tree.leaf(), index, size, &proof, whole),
                Ok(())
            );
        }
        for old in [1, size / 2, size / 3, size - 1, size].map(|old| old.max(1)) {
            let proof = consistency_proof(old, size, &tree).unwrap();
            assert!(proof.len() <= 65);
            let old_root = root(old, &tree).unwrap();
            assert_eq!(
                verify_consistency(old, old_root, size, whole, &proof),
                Ok(())
            );
        }
    }
}

#[test]
fn proofs_that_cannot_be_are_refused() {
    let levels = Levels::new(&numbered(8));
    assert_eq!(
        inclusion_proof(8, 8, &levels),
        Err(ProveError::Index { index: 8, size: 8 })
    );
    assert_eq!(
        inclusion_proof(0, 0, &levels),
        Err(ProveError::Index { index: 0, size: 0 })
    );
    assert_eq!(
        consistency_proof(0, 8, &levels),
        Err(ProveError::Sizes { old: 0, new: 8 })
    );
    assert_eq!(
        consistency_proof(8, 7, &levels),
        Err(ProveError::Sizes { old: 8, new: 7 })
    );
    assert_eq!(inclusion_proof_len(8, 8), 0);
    assert_eq!(consistency_proof_len(8, 7), 0);
    assert_eq!(consistency_proof_len(0, 7), 0);
}

#[test]
fn a_node_that_cannot_be_read_ends_the_proof() {
    #[derive(Debug)]
    struct Unreadable;

    impl Nodes for Unreadable {
        type Error = io::Error;

        fn node(&self, _: u8, _: u64) -> Result<Hash, io::Error> {
            Err(io::Error::other("gone"))
        }
    }

    fn source(error: &impl std::error::Error) -> &dyn fmt::Display {
        error.source().unwrap()
    }

    let error = inclusion_proof(3, 8, &Unreadable).unwrap_err();
    assert_eq!(source(&error).to_string(), "gone");
    let error = consistency_proof(3, 8, &Unreadable).unwrap_err();
    assert_eq!(source(&error).to_string(), "gone");
    assert!(root(8, &Unreadable).is_err());
    assert!(Frontier::load(8, &Unreadable).is_err());
    assert!(root(0, &Unreadable).is_ok());
}

#[test]
fn a_refused_inclusion_says_which_check_failed() {
    let leaves = numbered(8);
    let levels = Levels::new(&leaves);
    let (proof, root) = (inclusion_proof(5, 8, &levels).unwrap(), mth(&leaves));
    let check = |index, size, proof: &[Hash], root| {
        verify_inclusion(leaves[5], index, size, proof, root).unwrap_err()
    };
    assert_eq!(
        check(8, 8, &proof, root),
        InclusionError::Index { index: 8, size: 8 }
    );
    assert_eq!(
        check(5, 8, &proof[..2], root),
        InclusionError::Length { want: 3, got: 2 }
    );
    let longer = [&proof[..], &[root]].concat();
    assert_eq!(
        check(5, 8, &longer, root),
        InclusionError::Length { want: 3, got: 4 }
    );
    let other = leaf_hash(b"other");
    assert_eq!(
        check(5, 8, &proof, other),
        InclusionError::Root {
            want: other,
            got: root
        }
    );
}

#[test]
fn a_refused_consistency_says_which_check_failed() {
    let leaves = numbered(8);
    let levels = Levels::new(&leaves);
    let proof = consistency_proof(6, 8, &levels).unwrap();
    let (old, new, other) = (mth(&leaves[..6]), mth(&leaves), leaf_hash(b"other"));
    let check = |(old, old_root), (new, new_root), proof: &[Hash]| {
        verify_consistency(old, old_root, new, new_root, proof).unwrap_err()
    };
    let shrunk = ConsistencyError::Shrunk { old: 8, new: 6 };
    assert_eq!(check((8, new), (6, old), &proof), shrunk);
    assert_eq!(check((0, old), (8, new), &proof), ConsistencyError::Empty);
    let short = ConsistencyError::Length { want: 3, got: 2 };
    assert_eq!(check((6, old), (8, new), &proof[1..]), short);
    let short = ConsistencyError::Length { want: 3, got: 0 };
    assert_eq!(check((6, old), (8, new), &[]), short);
    let long = ConsistencyError::Length { want: 3, got: 4 };
    assert_eq!(
        check((6, old), (8, new), &[&proof[..], &[new]].concat()),
        long
    );
    let forked = ConsistencyError::OldRoot {
        want: other,
        got: old,
    };
    assert_eq!(check((6, other), (8, new), &proof), forked);
    let forked = ConsistencyError::NewRoot {
        want: other,
        got: new,
    };
    assert_eq!(check((6, old), (8, other), &proof), forked);
    let forked = ConsistencyError::NewRoot {
        want: other,
        got: new,
    };
    assert_eq!(check((8, new), (8, other), &[]), forked);
    let long = ConsistencyError::Length { want: 0, got: 3 };
    assert_eq!(check((8, new), (8, new), &proof), long);
}

#[test]
fn a_leaf_is_never_taken_for_a_node() {
    let leaves = numbered(2);
    let both = [leaves[0].as_bytes().as_slice(), leaves[1].as_bytes()].concat();
    assert_ne!(leaf_hash(&both), node_hash(&leaves[0], &leaves[1]));
}

proptest! {
    #[test]
    fn a_bent_inclusion_proof_proves_nothing(
        size in 2u64..400,
        index: prop::sample::Index,
        place: prop::sample::Index,
        bit in 0..256usize,
    ) {
        let leaves = numbered(size);
        let levels = Levels::new(&leaves);
        let index = u64::try_from(index.index(leaves.len())).unwrap();
        let (leaf, root) = (leaves[at(index)], levels.frontier.root());
        let proof = inclusion_proof(index, size, &levels).unwrap();
        prop_assert_eq!(verify_inclusion(leaf, index, size, &proof, root), Ok(()));

        let mut bent = proof.clone();
        let place = place.index(proof.len());
        bent[place] = flipped(proof[place], bit);
        prop_assert!(verify_inclusion(leaf, index, size, &bent, root).is_err());
        prop_assert!(verify_inclusion(flipped(leaf, bit), index, size, &proof, root).is_err());
        prop_assert!(verify_inclusion(leaf, index, size, &proof, flipped(root, bit)).is_err());
    }

    #[test]
    fn a_rewritten_leaf_breaks_consistency(
        size in 2u64..400,
        old: prop::sample::Index,
        rewritten: prop::sample::Index,
    ) {
        let mut leaves = numbered(size);
        let old = 1 + old.index(leaves.len() - 1);
        let old_root = mth(&leaves[..old]);
        leaves[rewritten.index(old)] = leaf_hash(b"rewritten");
        let levels = Levels::new(&leaves);
        let old = u64::try_from(old).unwrap();
        let proof = consistency_proof(old, size, &levels).unwrap();
        let got = verify_consistency(old, old_root, size, levels.frontier.root(), &proof);
        let refused = matches!(
            got,
            Err(ConsistencyError::OldRoot { .. } | ConsistencyError::NewRoot { .. })
        );
        prop_assert!(refused, "{got:?}");
    }

    #[test]
    fn any_numbers_and_hashes_are_checked_without_fault(
        one: u64,
        other: u64,
        root: [u8; 32],
        proof in prop::collection::vec(any::<[u8; 32]>(), 0..130),
    ) {
        let proof: Vec<Hash> = proof.into_iter().map(Hash::new).collect();
        let root = Hash::new(root);
        prop_assert!(verify_inclusion(leaf_hash(b""), one, other, &proof, root).is_err());
        let got = verify_consistency(one, leaf_hash(b""), other, root, &proof);
        prop_assert!(got.is_err());
    }
}

fn flipped(hash: Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Hash::new(bytes)
}
