//! The exchange itself.

use schakel_api::v1::{self, exchange_service_client::ExchangeServiceClient};

use crate::{Client, ClientError, answer::Incomplete, retry::Safety};

super::methods! { ExchangeServiceClient:
    write
    /// Reports how a condition stands.
    report_status(ReportStatusRequest) -> ReportStatusResponse;
    write
    /// Introduces a partner: gives the code that the person hands over.
    introduce(IntroduceRequest) -> IntroduceResponse;
    write
    /// Redeems a code: binds the caller's own mark to the person.
    redeem(RedeemRequest) -> RedeemResponse;
    ask
    /// Asks what may be told. What is disclosed has been held against what the log is committed to.
    ask(AskRequest) -> AskResponse;
    ask
    /// Shows what may be asked now, and until when.
    get_my_rights(GetMyRightsRequest) -> GetMyRightsResponse;
}

impl Client {
    /// Asks about several persons at once, each decided by itself.
    ///
    /// # Errors
    /// As [`Client::ask`], and when there are more or fewer answers than items.
    pub async fn ask_batch(
        &self,
        request: v1::AskBatchRequest,
    ) -> Result<v1::AskBatchResponse, ClientError> {
        let items = request.items.len();
        let response: v1::AskBatchResponse = self
            .call(Safety::Ask, true, request, |channel, request| async move {
                ExchangeServiceClient::new(channel).ask_batch(request).await
            })
            .await?;
        if response.answers.len() == items {
            Ok(response)
        } else {
            let what = "answer for every item";
            Err(Incomplete { what }.into())
        }
    }
}
