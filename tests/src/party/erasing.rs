//! Erasing, as privacy officers and those who approve do it.

use schakel_api::v1;
use tonic::Status;

use super::Party;
use crate::requests::{actor, key};

impl Party {
    /// Proposes to erase a person for the officer's controller.
    pub async fn propose_erasure(
        &self,
        subject: v1::SubjectRef,
        ground: v1::ErasureGround,
    ) -> v1::propose_erasure_response::Outcome {
        let request = v1::ProposeErasureRequest {
            idempotency_key: key(),
            actor: actor(),
            subject: Some(subject),
            ground: ground.into(),
        };
        let answer = self.retention().propose_erasure(request).await;
        let outcome = answer.expect("an answer").into_inner().outcome;
        let outcome = outcome.expect("an outcome");
        self.keep(match &outcome {
            v1::propose_erasure_response::Outcome::Proposed(told) => told.receipt.clone(),
            v1::propose_erasure_response::Outcome::Retained(told) => told.receipt.clone(),
        });
        outcome
    }

    /// Approves the erasure of a person.
    ///
    /// # Errors
    /// What the broker refuses.
    pub async fn approve_erasure(
        &self,
        proposal_id: &str,
        subject: Option<v1::SubjectRef>,
    ) -> Result<v1::approve_erasure_response::Outcome, Status> {
        let request = v1::ApproveErasureRequest {
            idempotency_key: key(),
            actor: actor(),
            proposal_id: proposal_id.to_owned(),
            subject,
        };
        let answer = self.retention().approve_erasure(request).await?;
        let outcome = answer.into_inner().outcome.expect("an outcome");
        if let v1::approve_erasure_response::Outcome::Erased(told) = &outcome {
            self.keep(told.receipt.clone());
        }
        Ok(outcome)
    }

    /// For how long what is kept, and what is due.
    pub async fn retention_state(&self) -> v1::GetRetentionResponse {
        let request = v1::GetRetentionRequest {};
        let answer = self.retention().get_retention(request).await;
        answer.expect("an answer").into_inner()
    }

    /// What waits and what was erased.
    pub async fn erasures(&self) -> v1::ListErasuresResponse {
        let request = v1::ListErasuresRequest { before: None };
        let answer = self.retention().list_erasures(request).await;
        answer.expect("an answer").into_inner()
    }
}
