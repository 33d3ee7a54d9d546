//! The exchange: reporting, introducing, asking.

use schakel_api::v1::{self, exchange_service_server::ExchangeService};
use schakel_core::{ask::Ask, party::Peer};
use tonic::{Request, Response, Status};

use super::{Fault, answer, called, opened};
use crate::{
    call::{Call, CallError},
    sequencer::Sequencer,
    wire::{exchange, request::read, right},
};

/// The service.
#[derive(Clone, Debug)]
pub struct Exchange {
    sequencer: Sequencer,
}

impl Exchange {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer) -> Self {
        Self { sequencer }
    }

    /// Refuses a question that no person's data could make answerable. The sequencer does the same, one
    /// question at a time; of a batch all must be looked at before the first is decided.
    fn answerable(&self, number: usize, ask: &Ask, peer: &Peer) -> Result<(), CallError> {
        let registry = self.sequencer.registry();
        let registered = registry
            .purpose(&ask.purpose, ask.version, self.sequencer.now())
            .ok_or_else(|| CallError::PurposeUnknown {
                field: format!("items[{number}].purpose"),
                purpose: ask.purpose.clone(),
            })?;
        if registered.version.leads_to(&peer.roles) {
            Ok(())
        } else {
            Err(CallError::PurposeNotForRole(ask.purpose.clone()))
        }
    }
}

#[tonic::async_trait]
impl ExchangeService for Exchange {
    async fn report_status(
        &self,
        request: Request<v1::ReportStatusRequest>,
    ) -> Result<Response<v1::ReportStatusResponse>, Status> {
        answer(
            &self.sequencer,
            request,
            exchange::report,
            exchange::reported,
        )
        .await
    }

    async fn introduce(
        &self,
        request: Request<v1::IntroduceRequest>,
    ) -> Result<Response<v1::IntroduceResponse>, Status> {
        answer(
            &self.sequencer,
            request,
            exchange::introduce,
            exchange::introduced,
        )
        .await
    }

    async fn redeem(
        &self,
        request: Request<v1::RedeemRequest>,
    ) -> Result<Response<v1::RedeemResponse>, Status> {
        answer(
            &self.sequencer,
            request,
            exchange::redeem,
            exchange::redeemed,
        )
        .await
    }

    async fn ask(
        &self,
        request: Request<v1::AskRequest>,
    ) -> Result<Response<v1::AskResponse>, Status> {
        answer(&self.sequencer, request, exchange::ask, exchange::answered).await
    }

    async fn ask_batch(
        &self,
        request: Request<v1::AskBatchRequest>,
    ) -> Result<Response<v1::AskBatchResponse>, Status> {
        let (caller, message) = opened(request)?;
        let parsed = read(message, &caller.peer, exchange::ask_batch)?;
        for (number, one) in parsed.iter().enumerate() {
            if let Call::Ask(ask) = &one.call {
                self.answerable(number, ask, &caller.peer)?;
            }
        }
        let count = parsed.len();
        let requests = parsed.into_iter().map(|one| called(&caller, one)).collect();
        let answers = self.sequencer.submit_together(requests).await?;
        if answers.len() != count {
            return Err(Fault::Miscounted.into());
        }
        let answers = answers
            .into_iter()
            .map(|answer| exchange::answered(answer).map_err(Fault::from))
            .collect::<Result<Vec<_>, Fault>>()?;
        Ok(Response::new(v1::AskBatchResponse { answers }))
    }

    async fn get_my_rights(
        &self,
        request: Request<v1::GetMyRightsRequest>,
    ) -> Result<Response<v1::GetMyRightsResponse>, Status> {
        answer(&self.sequencer, request, right::get, right::shown).await
    }
}
