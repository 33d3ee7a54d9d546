//! The inbox, and the notices that one's own writes caused.

use schakel_api::v1::{
    self, inbox_service_client::InboxServiceClient, notices_service_client::NoticesServiceClient,
};

use crate::{Client, ClientError, answer::Incomplete, retry::Safety};

super::methods! { InboxServiceClient:
    ask
    /// Hands over what waits after a cursor. See [`Client::subscribe`] for its twin that waits.
    pull(PullRequest) -> PullResponse;
}

super::methods! { NoticesServiceClient:
    ask
    /// Shows the notices that one write caused, and who has acknowledged.
    get_notice(GetNoticeRequest) -> GetNoticeResponse;
}

impl Client {
    /// Says that messages arrived. An empty key is filled in.
    ///
    /// # Errors
    /// When the broker refuses or cannot be reached, its answer does not hold, or there are more or fewer
    /// receipts than deliveries.
    pub async fn acknowledge(
        &self,
        request: v1::AcknowledgeRequest,
    ) -> Result<v1::AcknowledgeResponse, ClientError> {
        let deliveries = request.delivery_ids.len();
        let mut request = request;
        let fresh = request.idempotency_key.is_empty();
        if fresh {
            request.idempotency_key = self.idempotency_key()?;
        }
        let response: v1::AcknowledgeResponse = self
            .call(
                Safety::Write,
                fresh,
                request,
                |channel, request| async move {
                    InboxServiceClient::new(channel).acknowledge(request).await
                },
            )
            .await?;
        if response.receipts.len() == deliveries {
            Ok(response)
        } else {
            let what = "receipt for every delivery";
            Err(Incomplete { what }.into())
        }
    }
}
