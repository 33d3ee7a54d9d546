//! The tree against two implementations that others wrote.

use ct_merkle::{
    ConsistencyProof, InclusionProof, RootHash, digest::Output, mem_backed_tree::MemoryBackedTree,
};
use proptest::prelude::*;
use schakel_audit::tree::{
    Hash, consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion,
};
use sha2::Sha256;
use tlog_tiles::{HashReader, tlog};

use super::support::Levels;

/// One tree, three times.
struct Trees {
    ours: Levels,
    ct: MemoryBackedTree<Sha256, Vec<u8>>,
    go: Stored,
}

/// The storage of the tree in the crate `tlog_tiles`.
#[derive(Default)]
struct Stored(Vec<tlog::Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes
            .iter()
            .map(|at| self.0[usize::try_from(*at).unwrap()])
            .collect())
    }
}

impl Trees {
    fn new() -> Self {
        Self {
            ours: Levels::default(),
            ct: MemoryBackedTree::new(),
            go: Stored::default(),
        }
    }

    fn grown(leaves: &[Vec<u8>]) -> Self {
        let mut trees = Self::new();
        for leaf in leaves {
            trees.append(leaf.clone());
        }
        trees
    }

    fn append(&mut self, leaf: Vec<u8>) {
        let hashes = tlog::stored_hashes(self.ours.frontier.size(), &leaf, &self.go).unwrap();
        self.go.0.extend(hashes);
        self.ours.append(leaf_hash(&leaf));
        self.ct.push(leaf);
    }

    fn assert_same_root(&self) {
        let size = self.ours.frontier.size();
        let root = self.ours.frontier.root();
        assert_eq!(
            root.as_bytes().as_slice(),
            self.ct.root().as_bytes().as_slice()
        );
        assert_eq!(root.as_bytes(), &tlog::tree_hash(size, &self.go).unwrap().0);
    }

    fn assert_same_inclusion(&self, index: u64) {
        let size = self.ours.frontier.size();
        let root = self.ours.frontier.root();
        let ours = inclusion_proof(index, size, &self.ours).unwrap();
        let ct = self.ct.prove_inclusion(usize::try_from(index).unwrap());
        let go = tlog::prove_record(size, index, &self.go).unwrap();
        assert_eq!(joined(&ours), ct.as_bytes());
        assert_eq!(theirs(&ours), go);

        let leaf = &self.ct.items()[usize::try_from(index).unwrap()];
        let hash = leaf_hash(leaf);
        assert_eq!(verify_inclusion(hash, index, size, &ours, root), Ok(()));
        tlog::check_record(&theirs(&ours), size, their(root), index, their(hash)).unwrap();
        let ct = InclusionProof::<Sha256>::try_from_bytes(joined(&ours)).unwrap();
        RootHash::new(output(root), size)
            .verify_inclusion(leaf, index, &ct)
            .unwrap();
    }

    fn assert_same_consistency(&self, old: u64, old_root: Hash) {
        let size = self.ours.frontier.size();
        let root = self.ours.frontier.root();
        let ours = consistency_proof(old, size, &self.ours).unwrap();
        let go = tlog::prove_tree(size, old, &self.go).unwrap();
        assert_eq!(theirs(&ours), go);
        assert_eq!(verify_consistency(old, old_root, size, root, &ours), Ok(()));
        tlog::check_tree(&go, size, their(root), old, their(old_root)).unwrap();
        let ct = self
            .ct
            .prove_consistency(usize::try_from(size - old).unwrap());
        assert_eq!(joined(&ours), ct.as_bytes());
        let ct = ConsistencyProof::<Sha256>::try_from_bytes(joined(&ours)).unwrap();
        RootHash::new(output(root), size)
            .verify_consistency(&RootHash::new(output(old_root), old), &ct)
            .unwrap();
    }
}

fn joined(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(Hash::as_bytes).copied().collect()
}

fn their(hash: Hash) -> tlog::Hash {
    tlog::Hash(*hash.as_bytes())
}

fn theirs(proof: &[Hash]) -> Vec<tlog::Hash> {
    proof.iter().copied().map(their).collect()
}

fn output(hash: Hash) -> Output<Sha256> {
    (*hash.as_bytes()).into()
}

#[test]
fn a_growing_tree_has_the_roots_and_proofs_of_others_at_every_size() {
    let mut trees = Trees::new();
    let mut roots = vec![trees.ours.frontier.root()];
    for size in 1..=130u64 {
        trees.append((size * 7919).to_string().into_bytes());
        trees.assert_same_root();
        for index in 0..size {
            trees.assert_same_inclusion(index);
        }
        for (old, root) in (0u64..).zip(&roots).skip(1) {
            trees.assert_same_consistency(old, *root);
        }
        roots.push(trees.ours.frontier.root());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_random_tree_has_the_roots_and_proofs_of_others(
        leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..2000),
        places in prop::collection::vec(any::<prop::sample::Index>(), 16),
    ) {
        let trees = Trees::grown(&leaves);
        trees.assert_same_root();
        for place in places {
            let index = place.index(leaves.len());
            trees.assert_same_inclusion(u64::try_from(index).unwrap());
            if index > 0 {
                let old = Levels::new(&hashed(&leaves[..index])).frontier;
                trees.assert_same_consistency(old.size(), old.root());
            }
        }
    }

    #[test]
    fn others_refuse_what_is_refused_and_accept_what_is_accepted(
        size in 2u64..200,
        index: prop::sample::Index,
        claimed in 0u64..220,
        claimed_size in 1u64..220,
    ) {
        let leaves: Vec<_> = (0..size).map(|it| it.to_be_bytes().to_vec()).collect();
        let trees = Trees::grown(&leaves);
        let index = index.index(leaves.len());
        let leaf = leaf_hash(&leaves[index]);
        let root = trees.ours.frontier.root();
        let proof = inclusion_proof(u64::try_from(index).unwrap(), size, &trees.ours).unwrap();
        let ours = verify_inclusion(leaf, claimed, claimed_size, &proof, root);
        let ct = InclusionProof::<Sha256>::try_from_bytes(joined(&proof)).unwrap();
        let ct = RootHash::new(output(root), claimed_size)
            .verify_inclusion(&leaves[index], claimed, &ct);
        prop_assert_eq!(ours.is_ok(), ct.is_ok());
        let go = tlog::check_record(&theirs(&proof), claimed_size, their(root), claimed, their(leaf));
        prop_assert_eq!(ours.is_ok(), go.is_ok());
    }
}

fn hashed(leaves: &[Vec<u8>]) -> Vec<Hash> {
    leaves.iter().map(|leaf| leaf_hash(leaf)).collect()
}
