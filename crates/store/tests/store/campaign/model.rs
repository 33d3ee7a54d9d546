//! What was promised, and the checks that it is kept.

use std::collections::{BTreeMap, BTreeSet};

use schakel_audit::{
    leaf::{Month, RetentionClass},
    tree::{Frontier, Hash, leaf_hash, verify_consistency, verify_inclusion},
};
use schakel_core::id::SlotId;
use schakel_store::{
    keyring::{Key, Keyring, KeyringError},
    log::{Frame, LogReader},
};

/// What somebody was told of, and what was on its way when everything stopped.
#[derive(Default)]
pub(super) struct Model {
    /// Entries that were acknowledged.
    pub(super) entries: Vec<Frame>,
    /// The batch on its way: it may be there whole, or not at all.
    pub(super) in_flight: Vec<Frame>,
    /// The tree that was last signed.
    pub(super) tree: Frontier,
    /// A tree that was signed before.
    pub(super) signed: Option<(u64, Hash)>,
    /// The key of each slot that was handed out, unless it was to be destroyed.
    pub(super) slots: BTreeMap<SlotId, Kept>,
    /// The keys of months.
    pub(super) months: BTreeMap<(RetentionClass, Month), Kept>,
    /// The keys for entries about nobody known.
    pub(super) unknown: BTreeMap<Month, (SlotId, Key)>,
    /// The size of the checkpoint that is shown: a larger one may be, a smaller one not.
    pub(super) shown: u64,
    /// The key of the view; `None` when another one was on its way.
    pub(super) view: Option<Key>,
}

/// What was promised of a key.
#[derive(Clone)]
pub(super) enum Kept {
    /// It is there.
    There(Key),
    /// It was to be destroyed, and nobody was told that it is: it is there, or it is not.
    Doubtful,
    /// It is gone for good.
    Gone,
}

/// An entry that names the keys it was sealed with.
pub(super) fn entry(index: usize, slot: SlotId, key: &Key, filler: [Vec<u8>; 2]) -> Frame {
    let [more, sealed] = filler;
    let mut leaf = (index as u64).to_le_bytes().to_vec();
    leaf.extend_from_slice(slot.as_bytes());
    leaf.extend_from_slice(&key[..8]);
    leaf.extend(more);
    Frame { leaf, sealed }
}

/// The slot that an entry was sealed with.
pub(super) fn slot_of(entry: &Frame) -> SlotId {
    SlotId::from_bytes(entry.leaf[8..24].try_into().unwrap())
}

impl Model {
    /// The entries that are found after a stop, before anything was opened.
    pub(super) fn check_found(&self, found: &[Frame]) -> Result<(), String> {
        let acknowledged = self.entries.len();
        if found.get(..acknowledged) != Some(&self.entries) {
            let same = found.iter().zip(&self.entries).take_while(|(a, b)| a == b);
            return Err(format!(
                "of {acknowledged} acknowledged entries the first {} are there",
                same.count()
            ));
        }
        match &found[acknowledged..] {
            [] => Ok(()),
            more if more == self.in_flight => Ok(()),
            more => Err(format!("{} entries that nobody wrote so", more.len())),
        }
    }

    /// The log as it was opened. Whether a batch that was on its way is there; from now on it counts.
    pub(super) fn check_opened(&mut self, log: &LogReader) -> Result<bool, String> {
        let (size, root) = log.head();
        let acknowledged = self.entries.len() as u64;
        let kept = size == acknowledged + self.in_flight.len() as u64 && size > acknowledged;
        if let Some((signed, _)) = self.signed
            && size < signed
        {
            return Err(format!("size {size}, and {signed} was signed"));
        }
        let in_flight = std::mem::take(&mut self.in_flight);
        if kept {
            self.acknowledge(in_flight);
        }
        if (size, root) != (self.entries.len() as u64, self.tree.root()) {
            return Err(format!("head {size} {root}, not {}", self.entries.len()));
        }
        for (index, found) in log.iter(0) {
            let found = found.map_err(|error| error.to_string())?;
            if Some(&found) != self.entries.get(usize::try_from(index).unwrap()) {
                return Err(format!("entry {index} is another"));
            }
        }
        Ok(kept)
    }

    /// Entries that somebody is told of from now on, with a signed tree.
    pub(super) fn acknowledge(&mut self, batch: Vec<Frame>) {
        for frame in &batch {
            self.tree.append(leaf_hash(&frame.leaf));
        }
        self.entries.extend(batch);
    }

    /// Proofs in the log lead to the trees that were signed.
    pub(super) fn check_proofs(&mut self, log: &LogReader, index: u64) -> Result<(), String> {
        let (size, root) = (self.tree.size(), self.tree.root());
        if size == 0 {
            return Ok(());
        }
        let proof = log.inclusion_proof(index, size).map_err(text)?;
        let leaf = leaf_hash(&self.entries[usize::try_from(index).unwrap()].leaf);
        verify_inclusion(leaf, index, size, &proof, root).map_err(text)?;
        if let Some((old, old_root)) = self.signed {
            let proof = log.consistency_proof(old, size).map_err(text)?;
            verify_consistency(old, old_root, size, root, &proof).map_err(text)?;
        }
        self.signed = Some((size, root));
        Ok(())
    }

    /// Every key that was promised is there, every one that was destroyed is gone.
    pub(super) fn check_keyring(&self, keyring: &Keyring) -> Result<(), String> {
        for (slot, kept) in &self.slots {
            kept.check(keyring.key(*slot))
                .map_err(|what| format!("slot {slot}: {what}"))?;
        }
        for ((class, month), kept) in &self.months {
            kept.check(keyring.existing_month(*class, *month))
                .map_err(|what| format!("{class:?} {}: {what}", month.number()))?;
        }
        for (month, (slot, key)) in &self.unknown {
            let found = keyring.unknown(*month).map_err(text)?;
            if found != (*slot, key.clone()) || keyring.key(*slot).ok().as_ref() != Some(key) {
                return Err(format!("unknown {}: another", month.number()));
            }
        }
        match &self.view {
            Some(key) if keyring.view_key().map_err(text)? != *key => {
                Err("the view's key is another".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The slots that entries in the log were sealed with.
    pub(super) fn bound(&self) -> BTreeSet<SlotId> {
        self.entries.iter().map(slot_of).collect()
    }
}

impl Kept {
    fn check(&self, found: Result<Key, KeyringError>) -> Result<(), &'static str> {
        match (self, found) {
            (Self::There(key), Ok(found)) if *key == found => Ok(()),
            (Self::There(_), Ok(_)) => Err("another key"),
            (Self::There(_), Err(_)) => Err("a key that was promised is gone"),
            (Self::Gone, Ok(_)) => Err("a key that was destroyed is back"),
            (Self::Gone, Err(_)) | (Self::Doubtful, _) => Ok(()),
        }
    }
}

/// An error with what caused it.
pub(super) fn text<E: std::error::Error>(error: E) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        text = format!("{text}: {next}");
        source = next.source();
    }
    text
}
