//! The same log judged by implementations that others wrote: signatures by that of one checksum database, the tree by
//! another's RFC 6962. Every check of a log is theirs as well as ours, after every crash and every kind of damage.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ct_merkle::{InclusionProof, RootHash, digest::Output, mem_backed_tree::MemoryBackedTree};
use schakel_api::v1;
use schakel_audit::note::VerifyingKey;
use sha2::Sha256;
use signed_note::{Note, StandardVerifier, VerifierList};

/// The tree over the leaves of a log.
pub(crate) struct Outsider(MemoryBackedTree<Sha256, Vec<u8>>);

impl Outsider {
    pub(crate) fn new(leaves: &[Vec<u8>]) -> Self {
        let mut tree = MemoryBackedTree::new();
        for leaf in leaves {
            tree.push(leaf.clone());
        }
        Self(tree)
    }

    /// That a signed head was signed with one of these keys, and is that of the first of these leaves.
    pub(crate) fn check_head(&self, note: &str, keys: &[VerifyingKey]) {
        let signed = Note::from_bytes(note.as_bytes()).expect("a note");
        let signs = |key: &VerifyingKey| {
            let verifier = StandardVerifier::new(&key.to_string()).expect("a vkey");
            signed
                .verify(&VerifierList::new(vec![Box::new(verifier)]))
                .is_ok()
        };
        assert!(keys.iter().any(signs), "nobody known signed {note}");
        let (root, now) = (head(note), self.0.root());
        let later = self.0.len().checked_sub(root.num_leaves());
        let later = later.unwrap_or_else(|| panic!("fewer entries than {note}"));
        if later == 0 {
            assert_eq!(root.as_bytes(), now.as_bytes(), "{note}");
        } else if root.num_leaves() > 0 {
            let proof = self
                .0
                .prove_consistency(usize::try_from(later).expect("a size"));
            let grown = now.verify_consistency(&root, &proof);
            grown.unwrap_or_else(|error| panic!("{error:?}: {note}"));
        }
    }
}

/// That the entry of a receipt stands under the head that came with it.
pub(crate) fn check_receipt(receipt: &v1::Receipt) {
    let note = str::from_utf8(&receipt.checkpoint).expect("UTF-8");
    let proof = InclusionProof::<Sha256>::try_from_bytes(receipt.hashes.concat()).expect("hashes");
    head(note)
        .verify_inclusion(&receipt.leaf.to_vec(), receipt.index, &proof)
        .unwrap_or_else(|error| panic!("entry {}: {error:?}", receipt.index));
}

/// The size and root of the second and third line.
fn head(note: &str) -> RootHash<Sha256> {
    let mut lines = note.lines().skip(1);
    let size = lines.next().and_then(|size| size.parse().ok());
    let root = lines.next().and_then(|root| STANDARD.decode(root).ok());
    let root: [u8; 32] = root.and_then(|root| root.try_into().ok()).expect("a root");
    RootHash::new(Output::<Sha256>::from(root), size.expect("a size"))
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use schakel_audit::{
        checkpoint::Checkpoint,
        note::SigningKey,
        tree::{Frontier, leaf_hash},
    };

    use super::*;

    fn leaves(count: u8) -> Vec<Vec<u8>> {
        (0..count).map(|number| vec![number; 40]).collect()
    }

    fn signed(leaves: &[Vec<u8>], key: &SigningKey) -> String {
        let mut tree = Frontier::new();
        for leaf in leaves {
            tree.append(leaf_hash(leaf));
        }
        let checkpoint = Checkpoint {
            origin: "log.example".parse().unwrap(),
            size: tree.size(),
            root: tree.root(),
        };
        checkpoint.sign(key)
    }

    #[test]
    fn a_head_of_other_leaves_or_by_an_unknown_key_does_not_pass() {
        let key = |seed| SigningKey::from_seed("log.example", &[seed; 32]).unwrap();
        let own = leaves(9);
        let outsider = Outsider::new(&own);
        let known = [key(1).verifying_key().clone()];
        let passes = |leaves: &[Vec<u8>], seed| {
            let note = signed(leaves, &key(seed));
            let check = AssertUnwindSafe(|| outsider.check_head(&note, &known));
            catch_unwind(check).is_ok()
        };
        let mut altered = own.clone();
        altered[2][0] ^= 1;
        for size in [3, 5, 9] {
            assert!(passes(&own[..size], 1) && !passes(&altered[..size], 1));
        }
        assert!(passes(&own[..0], 1), "a log that has just begun");
        assert!(!passes(&leaves(10), 1), "more than there are");
        assert!(!passes(&own, 2), "another key");
    }
}
