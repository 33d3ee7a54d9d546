//! Going on from a checkpoint that was verified before.

use std::cell::RefCell;

use super::{Files, Finding, LogCheck, stored::hashes};
use crate::{
    checkpoint::Checkpoint,
    tile::{Tile, TileNodes},
    tree::{Frontier, Hash, consistency_proof, verify_consistency},
};

impl LogCheck {
    /// Leaves out what was verified under an earlier checkpoint of this log: reading begins with the bundle
    /// of the last entry before it, and the tree is taken from the stored tiles, which must lead to that
    /// checkpoint. To be asked after every [`hold`](Self::hold), and before the first step.
    pub fn resume<F: Files + ?Sized>(
        &mut self,
        since: Checkpoint,
        files: &F,
        findings: &mut Vec<Finding>,
    ) {
        let (size, whole) = (since.size, self.signed.size);
        if size > whole || size == 0 {
            self.hold(since, findings);
            return;
        }
        self.next = (size - 1) / Tile::WIDTH;
        let first = self.next * Tile::WIDTH;
        self.summary.from = first;
        let nodes = Nodes::new(files);
        let read = |tile| nodes.read(tile);
        let tiles = TileNodes::new(whole, read);
        // What is held of the part left out follows from the checkpoint, or does not.
        while let Some(held) = self.held.pop_if(|held| held.size <= first) {
            let proof = consistency_proof(held.size, size, &tiles).unwrap_or_default();
            if verify_consistency(held.size, held.root, size, since.root, &proof).is_ok() {
                self.summary.extended.push(held);
            } else if nodes.found.borrow().is_empty() {
                let computed = None;
                findings.push(Finding::Rewritten { held, computed });
            }
        }
        self.tree = Frontier::load(first, &tiles).ok();
        findings.append(&mut nodes.found.borrow_mut());
        self.hold(since, findings);
    }
}

/// Tiles as they are read, and what was found wrong with them.
pub(super) struct Nodes<'a, F: ?Sized> {
    files: &'a F,
    found: RefCell<Vec<Finding>>,
}

/// The tile cannot be had; why was found.
#[derive(Debug, thiserror::Error)]
#[error("the tile cannot be had")]
pub(super) struct Unhad;

impl<'a, F: Files + ?Sized> Nodes<'a, F> {
    pub(super) const fn new(files: &'a F) -> Self {
        let found = RefCell::new(Vec::new());
        Self { files, found }
    }

    /// What was found wrong so far.
    pub(super) fn take(&self) -> Vec<Finding> {
        self.found.take()
    }

    pub(super) fn read(&self, tile: Tile) -> Result<Vec<u8>, Unhad> {
        match hashes(tile, self.files) {
            Ok((_, hashes)) => Ok(hashes.iter().flat_map(Hash::as_bytes).copied().collect()),
            Err(finding) => {
                self.found.borrow_mut().push(finding);
                Err(Unhad)
            }
        }
    }
}
