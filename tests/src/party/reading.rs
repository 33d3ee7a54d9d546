//! Taking messages out of the inbox, looking into the trail, changing the registry.

use schakel_api::v1::{self, subscribe_response::Event};
use tonic::{Status, Streaming};

use super::Party;
use crate::requests::{actor, key};

impl Party {
    /// Pulls what waits after a cursor.
    pub async fn pull(&self, cursor: Option<Vec<u8>>, max_messages: u32) -> v1::PullResponse {
        let request = v1::PullRequest {
            actor: actor(),
            cursor: cursor.map(Into::into),
            max_messages,
        };
        let answer = self
            .inbox()
            .pull(request)
            .await
            .expect("an inbox")
            .into_inner();
        answer
            .messages
            .iter()
            .for_each(|message| self.keep_message(message));
        answer
    }

    /// Subscribes after a cursor.
    pub async fn subscribe(&self, cursor: Option<Vec<u8>>) -> Streaming<v1::SubscribeResponse> {
        let request = v1::SubscribeRequest {
            actor: actor(),
            cursor: cursor.map(Into::into),
        };
        self.inbox()
            .subscribe(request)
            .await
            .expect("a stream")
            .into_inner()
    }

    /// The next message of a subscription, heartbeats passed over.
    pub async fn next(&self, stream: &mut Streaming<v1::SubscribeResponse>) -> v1::Message {
        loop {
            let event = stream
                .message()
                .await
                .expect("a stream that lives")
                .expect("an event");
            if let Some(Event::Message(message)) = event.event {
                self.keep_message(&message);
                return message;
            }
        }
    }

    /// Acknowledges deliveries.
    pub async fn acknowledge(&self, delivery_ids: Vec<String>) -> Vec<v1::Receipt> {
        let request = v1::AcknowledgeRequest {
            idempotency_key: key(),
            actor: actor(),
            delivery_ids,
        };
        let answer = self
            .inbox()
            .acknowledge(request)
            .await
            .expect("receipts")
            .into_inner();
        answer
            .receipts
            .iter()
            .for_each(|receipt| self.keep(Some(receipt.clone())));
        answer.receipts
    }

    /// Searches the trail for the entries about a person.
    pub async fn search(&self, subject: v1::SubjectRef) -> Vec<v1::Entry> {
        let request = v1::SearchEntriesRequest {
            actor: actor(),
            purpose: "P-ACCOUNTABILITY".into(),
            subject: Some(subject),
            page_size: 100,
            ..v1::SearchEntriesRequest::default()
        };
        let answer = self
            .audit()
            .search_entries(request)
            .await
            .expect("entries")
            .into_inner();
        self.keep(answer.receipt);
        answer.entries
    }

    /// The newest signed tree head.
    pub async fn checkpoint(&self) -> String {
        let request = v1::GetCheckpointRequest {};
        let answer = self
            .audit()
            .get_checkpoint(request)
            .await
            .expect("a checkpoint")
            .into_inner();
        String::from_utf8(answer.checkpoint.to_vec()).expect("UTF-8")
    }

    /// Proposes a change of the registry, and gives the proposal's id.
    pub async fn propose(&self, change: v1::change::Change) -> String {
        let change = Some(v1::Change {
            change: Some(change),
        });
        let request = v1::ProposeChangeRequest {
            idempotency_key: key(),
            change,
        };
        let answer = self
            .registry()
            .propose_change(request)
            .await
            .expect("a proposal")
            .into_inner();
        self.keep(answer.receipt);
        answer.proposal_id
    }

    /// Approves a proposed change.
    ///
    /// # Errors
    /// What the broker refuses.
    pub async fn approve(&self, proposal_id: &str) -> Result<(), Status> {
        let proposal_id = proposal_id.to_owned();
        let request = v1::ApproveChangeRequest {
            idempotency_key: key(),
            proposal_id,
        };
        let answer = self.registry().approve_change(request).await?.into_inner();
        self.keep(answer.receipt);
        Ok(())
    }
}
