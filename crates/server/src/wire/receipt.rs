//! What every answer carries: the proof of its entry, or the reference of a denial.

use prost::bytes::Bytes;
use schakel_api::v1;
use schakel_core::id::Reference;

use crate::call::Receipt;

/// The sequencer answered a call with the outcome of another: a fault of the broker.
#[derive(Debug, thiserror::Error)]
#[error("the outcome does not belong to the call")]
pub(crate) struct Misfit;

/// A receipt as it is sent.
pub(crate) fn receipt(receipt: Receipt) -> v1::Receipt {
    let Receipt {
        index,
        leaf,
        hashes,
        checkpoint,
    } = receipt;
    v1::Receipt {
        index,
        leaf: leaf.into(),
        hashes: self::hashes(&hashes),
        checkpoint: Bytes::copy_from_slice(checkpoint.as_bytes()),
    }
}

/// Hashes as they are sent: pieces of one copy, as there are two dozen in every receipt.
pub(crate) fn hashes(hashes: &[[u8; 32]]) -> Vec<Bytes> {
    let all = Bytes::copy_from_slice(hashes.as_flattened());
    all.chunks(32).map(|hash| all.slice_ref(hash)).collect()
}

/// The uniform denial: the reference and nothing else.
pub(crate) fn not_disclosed(reference: Reference) -> v1::NotDisclosed {
    v1::NotDisclosed {
        reference: Bytes::copy_from_slice(reference.as_bytes()),
    }
}
