//! Receipts again, as strong as they have become.

use schakel_api::v1::{self, ReceiptLevel};
use schakel_audit::leaf::{EntryType, Leaf};
use schakel_core::{code::Role, id::EntryIndex, party::Peer};
use tonic::{Request, Status};

use super::{Audit, entry::look_at};
use crate::{
    call::{Answer, CallError, Receipt},
    edge::identify::Caller,
    service::opened,
    trail::{Trail, TrailError},
    wire::{
        InvalidRequest,
        audit::{self, WantedReceipt},
        person::Who,
        receipt::receipt,
        request::read,
    },
};

impl Audit {
    pub(super) async fn get_receipt(
        &self,
        request: Request<v1::GetReceiptRequest>,
    ) -> Result<v1::GetReceiptResponse, Status> {
        let (caller, message) = opened(request)?;
        let WantedReceipt { who, entry, level } = read(message, &caller.peer, audit::receipt)?;
        let trail = self.sequencer.trail();
        let found = trail.beside(move |trail| trail.receipt(entry.0)).await?;
        let own = found.filter(|found| is_own(found, &caller.peer));
        if own.is_none() && !caller.peer.has_role(Role::Auditor) {
            // One answer for the entry of another, a denial, and no entry at all.
            return Err(CallError::NotFound("entry of the caller").into());
        }
        let (proof, reached) = trail
            .beside(move |trail| strongest(trail, entry))
            .await?
            .ok_or(CallError::NotFound("entry of the caller"))?;
        if reached < level {
            return Err(CallError::NotWitnessed.into());
        }
        // Its own receipt tells a party nothing that it was not handed before; the look of an auditor does.
        let look = match own {
            Some(_) => None,
            None => Some(self.record_look(&caller, who, entry).await?),
        };
        Ok(v1::GetReceiptResponse {
            proof: Some(receipt(proof)),
            level: reached.into(),
            receipt: look.map(|look| receipt(look.receipt)),
        })
    }

    async fn record_look(
        &self,
        caller: &Caller,
        who: Option<Who>,
        entry: EntryIndex,
    ) -> Result<Answer, Status> {
        let missing = || InvalidRequest::of("actor", "must say who looks at an entry of others");
        let who = who.ok_or_else(missing)?;
        self.record(caller, who, look_at(entry, None, false)).await
    }
}

/// The receipt against the published checkpoint when witnesses have seen that, else against the newest.
fn strongest(
    trail: &Trail,
    entry: EntryIndex,
) -> Result<Option<(Receipt, ReceiptLevel)>, TrailError> {
    if let Some((published, true)) = trail.published_receipt(entry.0)? {
        return Ok(Some((published, ReceiptLevel::Witnessed)));
    }
    let signed = trail.receipt(entry.0)?;
    Ok(signed.map(|signed| (signed, ReceiptLevel::LogSigned)))
}

/// Whether the caller acted in an entry, and was told so with its answer.
fn is_own(found: &Receipt, caller: &Peer) -> bool {
    let leaf = Leaf::decode(&found.leaf);
    leaf.is_ok_and(|leaf| {
        leaf.party == caller.principal.as_str() && leaf.entry_type != EntryType::Denial
    })
}
