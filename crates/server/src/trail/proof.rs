//! What shows that an entry is in the log, and that the log only grew.

use std::sync::Arc;

use super::{Head, Trail, TrailError, unreadable};
use crate::call::Receipt;

/// A consistency proof.
#[derive(Debug)]
pub struct Consistency {
    /// The proof.
    pub hashes: Vec<[u8; 32]>,
    /// The root of the smaller tree.
    pub old_root: [u8; 32],
    /// The root of the larger tree.
    pub new_root: [u8; 32],
    /// The checkpoint of the larger tree, when it is the newest.
    pub checkpoint: Option<Arc<str>>,
}

impl Trail {
    /// The proof of an entry against the newest checkpoint; `None` past the end.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn receipt(&self, index: u64) -> Result<Option<Receipt>, TrailError> {
        if index >= self.size() {
            return Ok(None);
        }
        let stored = self.reader.read(index).map_err(unreadable)?;
        self.prove(index, stored.leaf).map(Some)
    }

    /// The proof of an entry whose leaf is at hand, against the newest checkpoint.
    pub(crate) fn prove(&self, index: u64, leaf: Vec<u8>) -> Result<Receipt, TrailError> {
        let head = self.head.load();
        self.prove_in(index, leaf, (head.size, &head.checkpoint))
    }

    /// The proof of an entry against a checkpoint of this size.
    fn prove_in(
        &self,
        index: u64,
        leaf: Vec<u8>,
        (size, checkpoint): (u64, &Arc<str>),
    ) -> Result<Receipt, TrailError> {
        let hashes = self
            .reader
            .inclusion_proof(index, size)
            .map_err(unreadable)?;
        let hashes = hashes.iter().map(|hash| *hash.as_bytes()).collect();
        Ok(Receipt {
            index,
            leaf,
            hashes,
            checkpoint: Arc::clone(checkpoint),
        })
    }

    /// The proof of an entry against the published checkpoint, and whether the witnesses have seen that; `None`
    /// when the entry is not published yet.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn published_receipt(&self, index: u64) -> Result<Option<(Receipt, bool)>, TrailError> {
        let published = self.published.load();
        let Some(published) = published.as_ref().filter(|shown| index < shown.size) else {
            return Ok(None);
        };
        let leaf = self.reader.read(index).map_err(unreadable)?.leaf;
        let checkpoint = (published.size, &published.checkpoint);
        let receipt = self.prove_in(index, leaf, checkpoint)?;
        Ok(Some((receipt, published.witnessed)))
    }

    /// The proof that the tree of `new` entries only adds to that of `old`; `None` unless
    /// `1 <= old <= new <= size`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Option<Consistency>, TrailError> {
        let head = self.head.load();
        if old == 0 || old > new || new > head.size {
            return Ok(None);
        }
        let hashes = self
            .reader
            .consistency_proof(old, new)
            .map_err(unreadable)?;
        let root = |size| {
            self.reader
                .root_at(size)
                .map(|root| *root.as_bytes())
                .map_err(unreadable)
        };
        Ok(Some(Consistency {
            hashes: hashes.iter().map(|hash| *hash.as_bytes()).collect(),
            old_root: root(old)?,
            new_root: root(new)?,
            checkpoint: (new == head.size).then(|| Arc::clone(&head.checkpoint)),
        }))
    }

    /// The end of the log, as it was last signed.
    pub(crate) fn head(&self) -> Arc<Head> {
        self.head.load_full()
    }

    /// The proof of an entry in the tree of so many.
    pub(crate) fn hashes(&self, index: u64, size: u64) -> Result<Vec<[u8; 32]>, TrailError> {
        let hashes = self.reader.inclusion_proof(index, size);
        let hashes = hashes.map_err(unreadable)?;
        Ok(hashes.iter().map(|hash| *hash.as_bytes()).collect())
    }

    /// The root of the tree over the first entries; `None` when there are fewer.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) fn root_at(&self, size: u64) -> Result<Option<[u8; 32]>, TrailError> {
        if size > self.size() {
            return Ok(None);
        }
        let root = self.reader.root_at(size).map_err(unreadable)?;
        Ok(Some(*root.as_bytes()))
    }
}
