//! A log in memory.

use std::convert::Infallible;

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_audit::{
    checkpoint::Checkpoint,
    leaf::{EntryType, Leaf, Month, RetentionClass},
    note::SigningKey,
    tree::{Hash, Nodes, consistency_proof, inclusion_proof, leaf_hash, node_hash, root},
};

pub(crate) const ORIGIN: &str = "broker.example/log";

/// Leaves and the key that signs their tree.
pub(crate) struct Log {
    leaves: Vec<Vec<u8>>,
    key: SigningKey,
}

impl Nodes for Log {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(match level {
            0 => leaf_hash(&self.leaves[usize::try_from(index).unwrap()]),
            _ => node_hash(
                &self.node(level - 1, 2 * index)?,
                &self.node(level - 1, 2 * index + 1)?,
            ),
        })
    }
}

impl Log {
    pub(crate) fn new() -> Self {
        let key = SigningKey::from_seed(ORIGIN, &[7; 32]).unwrap();
        Self {
            leaves: Vec::new(),
            key,
        }
    }

    pub(crate) fn vkey() -> String {
        Self::new().key.verifying_key().to_string()
    }

    pub(crate) fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    pub(crate) fn append(&mut self, leaf: &Leaf) -> u64 {
        self.leaves.push(leaf.encode());
        self.size() - 1
    }

    pub(crate) fn receipt(&self, index: u64) -> v1::Receipt {
        let hashes = inclusion_proof(index, self.size(), self).unwrap();
        v1::Receipt {
            index,
            leaf: self.leaves[usize::try_from(index).unwrap()].clone().into(),
            hashes: hashes.iter().map(bytes).collect(),
            checkpoint: self.checkpoint().into(),
        }
    }

    pub(crate) fn checkpoint(&self) -> String {
        self.checkpoint_of(self.size(), root(self.size(), self).unwrap())
    }

    pub(crate) fn checkpoint_of(&self, size: u64, root: Hash) -> String {
        let origin = ORIGIN.parse().unwrap();
        Checkpoint { origin, size, root }.sign(&self.key)
    }

    pub(crate) fn consistency(&self, old: u64, new: u64) -> Vec<Bytes> {
        let hashes = consistency_proof(old, new, self).unwrap();
        hashes.iter().map(bytes).collect()
    }
}

/// A leaf of this type by this party; `id` tells it from others.
pub(crate) fn leaf(entry_type: EntryType, party: &str, id: u8) -> Leaf {
    Leaf {
        entry_type,
        at_ms: 1_795_442_400_000 + u64::from(id),
        party: party.into(),
        transport: None,
        purpose: None,
        id: [id; 16],
        commitment: [id; 32],
        released: None,
        subject_tag: Some([id; 16]),
        class: RetentionClass::Standard,
        destroy: Some(Month::from_number(203_111).unwrap()),
        rules: None,
    }
}

fn bytes(hash: &Hash) -> Bytes {
    Bytes::copy_from_slice(hash.as_bytes())
}
