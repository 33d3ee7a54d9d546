//! The trail.

use std::sync::Arc;

use schakel_api::v1::{self, audit_service_client::AuditServiceClient};
use schakel_audit::tree::Hash;

use crate::{
    Client, ClientError, ReceiptError,
    receipt::hashes,
    retry::Safety,
    trail::{Head, HeadError},
};

super::methods! { AuditServiceClient:
    ask
    /// Finds the entries that concern the officer's own controller.
    search_entries(SearchEntriesRequest) -> SearchEntriesResponse;
    ask
    /// Says why an entry was decided as it was.
    explain_entry(ExplainEntryRequest) -> ExplainEntryResponse;
    ask
    /// Decides again what an entry decided, from what stood then.
    replay_entry(ReplayEntryRequest) -> ReplayEntryResponse;
    ask
    /// Tells what had been disclosed about a person by an instant, and how consents stood.
    get_as_of(GetAsOfRequest) -> GetAsOfResponse;
    ask
    /// Makes the statement for the person.
    get_statement(GetStatementRequest) -> GetStatementResponse;
    write
    /// Records the decision of a controller to withhold entries from the statement.
    record_withholding(RecordWithholdingRequest) -> RecordWithholdingResponse;
    ask
    /// Tells whom a compromised certificate, number or party touched.
    get_breach(GetBreachRequest) -> GetBreachResponse;
    ask
    /// Answers a standing question of a privacy officer, page by page.
    get_report(GetReportRequest) -> GetReportResponse;
    ask
    /// Tells what a party may receive beside what it received.
    get_usage(GetUsageRequest) -> GetUsageResponse;
    ask
    /// Tells how the trail stands.
    get_integrity(GetIntegrityRequest) -> GetIntegrityResponse;
    write
    /// Records that the caller verified the trail.
    record_verification(RecordVerificationRequest) -> RecordVerificationResponse;
    ask
    /// Proposes a question that needs a second officer.
    propose_search(ProposeSearchRequest) -> ProposeSearchResponse;
    ask
    /// Approves or rejects what another officer proposed.
    decide_search(DecideSearchRequest) -> DecideSearchResponse;
    ask
    /// Shows the searches that wait or may be made.
    list_searches(ListSearchesRequest) -> ListSearchesResponse;
    ask
    /// Proves that a larger tree only adds to a smaller one. What it gives is for the caller to verify; see
    /// [`Client::check_consistency`] for that.
    get_consistency(GetConsistencyRequest) -> GetConsistencyResponse;
}

/// How far the log was proved to have only grown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// From here: the first head seen, or the last one proved.
    pub from: Arc<Head>,
    /// To here.
    pub to: Arc<Head>,
    /// The RFC 6962 proof of it; empty when there is nothing between the two.
    pub proof: Vec<Hash>,
}

impl Client {
    /// Shows one entry with its proof. The proof has been verified.
    ///
    /// # Errors
    /// When the broker refuses or cannot be reached, its answer does not hold, or it is of another entry.
    pub async fn get_entry(
        &self,
        request: v1::GetEntryRequest,
    ) -> Result<v1::GetEntryResponse, ClientError> {
        let want = request.index;
        let response: v1::GetEntryResponse = self
            .call(Safety::Ask, true, request, |channel, request| async move {
                AuditServiceClient::new(channel).get_entry(request).await
            })
            .await?;
        match response.proof.as_ref().map(|proof| proof.index) {
            Some(got) if got != want => Err(ReceiptError::OtherEntry { want, got }.into()),
            _ => Ok(response),
        }
    }

    /// Gives the receipt of an entry again, as strong as it has become. That it is of this entry and that the log
    /// signed the head it leads to has been verified; the cosignatures on it are for a policy of the caller's own.
    ///
    /// # Errors
    /// When the broker refuses or cannot be reached, its answer does not hold, or it is of another entry.
    pub async fn get_receipt(
        &self,
        request: v1::GetReceiptRequest,
    ) -> Result<v1::GetReceiptResponse, ClientError> {
        let want = request.index;
        let response: v1::GetReceiptResponse = self
            .call(Safety::Ask, true, request, |channel, request| async move {
                AuditServiceClient::new(channel).get_receipt(request).await
            })
            .await?;
        match response.proof.as_ref().map(|proof| proof.index) {
            Some(got) if got != want => Err(ReceiptError::OtherEntry { want, got }.into()),
            _ => Ok(response),
        }
    }

    /// Gives the newest signed tree head. It has been verified with the pinned key; the key that comes with
    /// it says nothing.
    ///
    /// # Errors
    /// When the broker refuses or cannot be reached, or the checkpoint is not accepted.
    pub async fn get_checkpoint(
        &self,
        request: v1::GetCheckpointRequest,
    ) -> Result<v1::GetCheckpointResponse, ClientError> {
        let floor = self.trail().newest();
        let response: v1::GetCheckpointResponse = self
            .call(Safety::Ask, true, request, |channel, request| async move {
                AuditServiceClient::new(channel)
                    .get_checkpoint(request)
                    .await
            })
            .await?;
        let note =
            str::from_utf8(&response.checkpoint).map_err(|_| ReceiptError::CheckpointText)?;
        self.trail().admit_since(note, floor.as_ref())?;
        Ok(response)
    }

    /// Proves that the log as it is now only adds to the log as it was when this program first saw it, or
    /// last proved it so.
    ///
    /// # Errors
    /// As [`Client::get_checkpoint`], and [`ClientError::Inconsistent`] when the proof fails.
    pub async fn check_consistency(&self) -> Result<Extension, ClientError> {
        let from = self.trail().anchor();
        let newest = self.get_checkpoint(v1::GetCheckpointRequest {}).await?;
        let note = str::from_utf8(&newest.checkpoint).map_err(|_| ReceiptError::CheckpointText)?;
        let to = self.trail().admit(note)?;
        let from = from.unwrap_or_else(|| Arc::clone(&to));
        self.prove(from, to).await
    }

    /// Proves that the log as it is now only adds to the log as a signed checkpoint, kept from another
    /// time, says it was.
    ///
    /// # Errors
    /// As [`Client::check_consistency`], and when the checkpoint itself is not accepted.
    pub async fn check_consistency_from(&self, note: &str) -> Result<Extension, ClientError> {
        let from = self.trail().admit(note)?;
        let newest = self.get_checkpoint(v1::GetCheckpointRequest {}).await?;
        let note = str::from_utf8(&newest.checkpoint).map_err(|_| ReceiptError::CheckpointText)?;
        let to = self.trail().admit(note)?;
        self.prove(from, to).await
    }

    async fn prove(&self, from: Arc<Head>, to: Arc<Head>) -> Result<Extension, ClientError> {
        if to.checkpoint.size < from.checkpoint.size {
            return Err(HeadError::Rollback {
                seen: from,
                got: to,
            }
            .into());
        }
        // Equal sizes have equal roots, or the trail would have found a fork; an empty log proves nothing.
        if from.checkpoint.size == to.checkpoint.size || from.checkpoint.size == 0 {
            let proof = Vec::new();
            return Ok(Extension { from, to, proof });
        }
        let request = v1::GetConsistencyRequest {
            old_size: from.checkpoint.size,
            new_size: Some(to.checkpoint.size),
        };
        let proof = self.get_consistency(request).await?;
        let proof = hashes(&proof.hashes)?;
        match self.trail().extend(&from, &to, &proof) {
            Ok(()) => Ok(Extension { from, to, proof }),
            Err(source) => Err(ClientError::Inconsistent { from, to, source }),
        }
    }
}
