//! Exports. What they prove is verified before it is handed over.

use std::sync::Arc;

use schakel_api::v1::{self, export_service_client::ExportServiceClient, exported_entry::Details};
use schakel_audit::{
    commitment::verify_commit,
    leaf::{Leaf, LeafError},
    tree::{
        ConsistencyError, Hash, InclusionError, leaf_hash, verify_consistency, verify_inclusion,
    },
};

use crate::{Client, ClientError, ReceiptError, receipt::hashes, retry::Safety, trail::Head};

super::methods! { ExportServiceClient:
    ask
    /// Hands over lines for the controller's own Logboek Dataverwerkingen.
    export_processings(ExportProcessingsRequest) -> ExportProcessingsResponse;
    ask
    /// Hands over the caller's own transactions, as FSC has them.
    export_transactions(ExportTransactionsRequest) -> ExportTransactionsResponse;
}

/// A section of an export of entries, verified.
#[derive(Clone, Debug)]
pub struct Section {
    /// The head that all proofs lead to.
    pub head: Arc<Head>,
    /// The RFC 6962 proof that it only adds to the head before; empty without one, and between equal sizes.
    pub consistency: Vec<Hash>,
    /// What was handed over.
    pub response: v1::ExportEntriesResponse,
}

/// Why a section of an export does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SectionError {
    /// It does not only add to the section before.
    #[error("the log of this section does not begin with that of the section before")]
    Consistency(#[source] ConsistencyError),
    /// An entry does not stand where the section says.
    #[error("entry {index} is not in the log as the export says")]
    Inclusion {
        /// The entry.
        index: u64,
        /// What does not hold.
        #[source]
        source: InclusionError,
    },
    /// A leaf is not one.
    #[error("the leaf of entry {index} cannot be read")]
    Leaf {
        /// The entry.
        index: u64,
        /// What does not hold.
        #[source]
        source: LeafError,
    },
    /// The details are not those the leaf is committed to.
    #[error("the details of entry {index} are not those its leaf is committed to")]
    Commitment {
        /// The entry.
        index: u64,
    },
    /// Entries are out of order, or outside what was looked at.
    #[error("entry {index} is out of order, or outside of what the section covers")]
    Order {
        /// The entry.
        index: u64,
    },
}

impl Client {
    /// Exports entries with their proofs. Every proof, and every commitment that was opened, has been
    /// verified, and so has that the log only added to what it was at the head before, when one is given.
    ///
    /// # Errors
    /// When the broker refuses or cannot be reached, or what it hands over does not hold.
    pub async fn export_entries(
        &self,
        mut request: v1::ExportEntriesRequest,
        before: Option<&Head>,
    ) -> Result<Section, ClientError> {
        request.old_size = before.map_or(0, |before| before.checkpoint.size);
        let response: v1::ExportEntriesResponse = self
            .call(Safety::Ask, true, request, |channel, request| async move {
                ExportServiceClient::new(channel)
                    .max_decoding_message_size(LARGEST)
                    .export_entries(request)
                    .await
            })
            .await?;
        let note =
            str::from_utf8(&response.checkpoint).map_err(|_| ReceiptError::CheckpointText)?;
        let head = self.trail().admit(note)?;
        let mut consistency = Vec::new();
        if let Some(before) = before.filter(|before| before.checkpoint.size > 0) {
            consistency = hashes(&response.consistency)?;
            let (old, new) = (&before.checkpoint, &head.checkpoint);
            verify_consistency(old.size, old.root, new.size, new.root, &consistency)
                .map_err(SectionError::Consistency)?;
        }
        let mut next = response.from;
        for entry in &response.entries {
            if entry.index < next || entry.index >= response.end {
                return Err(SectionError::Order { index: entry.index }.into());
            }
            check(entry, &head)?;
            next = entry.index.saturating_add(1);
        }
        Ok(Section {
            head,
            consistency,
            response,
        })
    }
}

fn check(entry: &v1::ExportedEntry, head: &Head) -> Result<(), ClientError> {
    let index = entry.index;
    let proof = hashes(&entry.hashes)?;
    let (size, root) = (head.checkpoint.size, head.checkpoint.root);
    verify_inclusion(leaf_hash(&entry.leaf), index, size, &proof, root)
        .map_err(|source| SectionError::Inclusion { index, source })?;
    let leaf = Leaf::decode(&entry.leaf).map_err(|source| SectionError::Leaf { index, source })?;
    let Some(Details::Opened(opened)) = &entry.details else {
        return Ok(());
    };
    let holds = <[u8; 32]>::try_from(&*opened.blind)
        .is_ok_and(|blind| verify_commit(&blind, &opened.details, &leaf.commitment));
    if holds {
        Ok(())
    } else {
        Err(SectionError::Commitment { index }.into())
    }
}

/// The most bytes of an answer that is taken in: twice what a broker sends at most, which may come to send more.
const LARGEST: usize = 8 * 1024 * 1024;
