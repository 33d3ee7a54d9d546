//! Receipts: that what the broker says it wrote stands in the log, is about this call, and binds what was
//! handed over.

use std::{cell::RefCell, sync::Arc};

use prost::Message as _;
use schakel_api::v1;
use schakel_audit::{
    commitment::verify_released,
    leaf::{EntryType, Leaf, LeafError},
    proof::TlogProof,
    tree::{Hash, InclusionError, leaf_hash, verify_inclusion},
};

use crate::trail::{Fork, Head, HeadError, Trail};

/// Why a receipt does not prove what it should. The answer it came with is not to be relied on; the entry
/// may be in the log all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The checkpoint does not hold.
    #[error("the checkpoint of the receipt is not accepted")]
    Head(#[source] HeadError),
    /// The checkpoint is no text.
    #[error("the checkpoint of the receipt is not UTF-8 text")]
    CheckpointText,
    /// What was handed over is not what the log is committed to.
    #[error("what was disclosed is not what entry {index} of the log is committed to")]
    Commitment {
        /// The entry.
        index: u64,
    },
    /// What was handed over cannot be read.
    #[error("what was disclosed with entry {index} cannot be read")]
    Disclosure {
        /// The entry.
        index: u64,
    },
    /// A hash of the proof has another length.
    #[error("hash {at} of the proof has {got} bytes, not 32")]
    HashLength {
        /// Which, from 0.
        at: usize,
        /// Its length.
        got: usize,
    },
    /// The leaf does not stand where the receipt says.
    #[error("the entry is not in the log as the receipt says")]
    Inclusion(#[source] InclusionError),
    /// The leaf is not one.
    #[error("the leaf of the receipt cannot be read")]
    Leaf(#[source] LeafError),
    /// The entry is about something else.
    #[error("entry {index} records a {got}, not a {want}")]
    OtherAct {
        /// The entry.
        index: u64,
        /// What was done.
        want: EntryType,
        /// What the entry records.
        got: EntryType,
    },
    /// The receipt is of another entry than was asked for.
    #[error("the proof is of entry {got}, not of {want}")]
    OtherEntry {
        /// The entry asked for.
        want: u64,
        /// The entry it is of.
        got: u64,
    },
    /// Somebody else acted.
    #[error("entry {index} says that `{got}` acted, not `{want}`")]
    OtherParty {
        /// The entry.
        index: u64,
        /// Who called, with the party over whose connection when that is another.
        want: String,
        /// Who acted by the entry, likewise.
        got: String,
    },
    /// The entry is for another purpose than what was disclosed.
    #[error("entry {index} is for another purpose than what was disclosed with it")]
    OtherPurpose {
        /// The entry.
        index: u64,
    },
    /// The entry was there before the call was made.
    #[error("entry {index} was in the log before the call was made: the log had {size} entries")]
    Replayed {
        /// The entry.
        index: u64,
        /// How large the log was known to be.
        size: u64,
    },
}

impl ReceiptError {
    /// The two notes that contradict each other, when that is what is wrong.
    #[must_use]
    pub const fn fork(&self) -> Option<&Fork> {
        match self {
            Self::Head(HeadError::Fork(fork)) => Some(fork),
            _ => None,
        }
    }
}

/// Puts a receipt into the C2SP text form. It looks at nothing but the form: the client has verified every
/// receipt it answers with.
///
/// # Errors
/// When a hash has not 32 bytes or the checkpoint is no text.
pub fn proof(receipt: &v1::Receipt) -> Result<TlogProof, ReceiptError> {
    let checkpoint = str::from_utf8(&receipt.checkpoint)
        .map_err(|_| ReceiptError::CheckpointText)?
        .to_owned();
    Ok(TlogProof::new(
        receipt.index,
        hashes(&receipt.hashes)?,
        checkpoint,
    ))
}

/// Reads the hashes of a proof.
pub(crate) fn hashes<B: AsRef<[u8]>>(hashes: &[B]) -> Result<Vec<Hash>, ReceiptError> {
    let read = |(at, bytes): (usize, &B)| {
        let bytes = bytes.as_ref();
        let got = bytes.len();
        let hash = <[u8; 32]>::try_from(bytes);
        hash.map(Hash::new)
            .map_err(|_| ReceiptError::HashLength { at, got })
    };
    hashes.iter().enumerate().map(read).collect()
}

/// What every receipt of one call is held to.
pub(crate) struct Expected<'a> {
    /// The log.
    pub(crate) trail: &'a Trail,
    /// The party that acts.
    pub(crate) party: &'a str,
    /// The party whose connection carries the call, when that is another.
    pub(crate) transport: Option<&'a str>,
    /// The newest head known before the call was made.
    pub(crate) floor: Option<Arc<Head>>,
    /// Whether the entry must have been written because of this very call.
    pub(crate) fresh: bool,
    /// The receipts that were accepted, to be kept; absent when none are.
    pub(crate) accepted: Option<RefCell<Vec<v1::Receipt>>>,
}

impl Expected<'_> {
    /// Checks that the receipt proves an entry of this type, by this call.
    pub(crate) fn check(
        &self,
        kind: EntryType,
        receipt: &v1::Receipt,
    ) -> Result<Leaf, ReceiptError> {
        let leaf = self.check_place(receipt)?;
        let index = receipt.index;
        if leaf.entry_type != kind {
            let (want, got) = (kind, leaf.entry_type);
            return Err(ReceiptError::OtherAct { index, want, got });
        }
        self.check_party(index, &leaf)?;
        match &self.floor {
            Some(floor) if self.fresh && index < floor.checkpoint.size => {
                let size = floor.checkpoint.size;
                Err(ReceiptError::Replayed { index, size })
            }
            _ => {
                self.accept(receipt);
                Ok(leaf)
            }
        }
    }

    fn accept(&self, receipt: &v1::Receipt) {
        if let Some(accepted) = &self.accepted {
            accepted.borrow_mut().push(receipt.clone());
        }
    }

    /// Checks a receipt and opens its commitment to what was disclosed.
    pub(crate) fn check_disclosed(
        &self,
        kind: EntryType,
        receipt: &v1::Receipt,
        disclosed: &v1::Disclosed,
    ) -> Result<(), ReceiptError> {
        let leaf = self.check(kind, receipt)?;
        let index = receipt.index;
        let opened = leaf
            .released
            .zip(<[u8; 32]>::try_from(&*disclosed.salt).ok())
            .is_some_and(|(released, salt)| {
                verify_released(&salt, &disclosed.disclosure, &released)
            });
        if !opened {
            return Err(ReceiptError::Commitment { index });
        }
        let disclosure = v1::Disclosure::decode(&*disclosed.disclosure)
            .map_err(|_| ReceiptError::Disclosure { index })?;
        let purpose = (disclosure.purpose, disclosure.purpose_version);
        if leaf.purpose == Some(purpose) {
            Ok(())
        } else {
            Err(ReceiptError::OtherPurpose { index })
        }
    }

    /// Checks that the leaf stands in the log where the receipt says, whoever's it is.
    pub(crate) fn check_place(&self, receipt: &v1::Receipt) -> Result<Leaf, ReceiptError> {
        self.check_place_since(receipt, self.floor.as_ref())
    }

    /// As [`Self::check_place`], under any head of the log: what is published is older than what was seen.
    pub(crate) fn check_place_ever(&self, receipt: &v1::Receipt) -> Result<Leaf, ReceiptError> {
        self.check_place_since(receipt, None)
    }

    fn check_place_since(
        &self,
        receipt: &v1::Receipt,
        floor: Option<&Arc<Head>>,
    ) -> Result<Leaf, ReceiptError> {
        let TlogProof {
            index,
            hashes,
            checkpoint,
            ..
        } = proof(receipt)?;
        let leaf = Leaf::decode(&receipt.leaf).map_err(ReceiptError::Leaf)?;
        let head = self
            .trail
            .admit_since(&checkpoint, floor)
            .map_err(ReceiptError::Head)?;
        let (size, root) = (head.checkpoint.size, head.checkpoint.root);
        verify_inclusion(leaf_hash(&receipt.leaf), index, size, &hashes, root)
            .map_err(ReceiptError::Inclusion)?;
        Ok(leaf)
    }

    /// Checks that something was handed over to this party with the entry, whenever that was.
    pub(crate) fn check_handed_over(&self, receipt: &v1::Receipt) -> Result<Leaf, ReceiptError> {
        let leaf = self.check_place(receipt)?;
        if leaf.party == self.party {
            return Ok(leaf);
        }
        Err(ReceiptError::OtherParty {
            index: receipt.index,
            want: self.party.to_owned(),
            got: leaf.party,
        })
    }

    fn check_party(&self, index: u64, leaf: &Leaf) -> Result<(), ReceiptError> {
        if leaf.party == self.party && leaf.transport.as_deref() == self.transport {
            return Ok(());
        }
        Err(ReceiptError::OtherParty {
            index,
            want: by(self.party, self.transport),
            got: by(&leaf.party, leaf.transport.as_deref()),
        })
    }
}

fn by(party: &str, transport: Option<&str>) -> String {
    match transport {
        Some(transport) => format!("{party} by {transport}"),
        None => party.to_owned(),
    }
}

#[cfg(test)]
mod tests;
