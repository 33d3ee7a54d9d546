//! Consents, restrictions and objections.

use schakel_api::v1::{self, consents_service_server::ConsentsService};
use tonic::{Request, Response, Status};

use super::{answer, veil};
use crate::{
    sequencer::Sequencer,
    wire::{consent, restriction},
};

/// The service.
#[derive(Clone, Debug)]
pub struct Consents {
    sequencer: Sequencer,
}

impl Consents {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer) -> Self {
        Self { sequencer }
    }
}

#[tonic::async_trait]
impl ConsentsService for Consents {
    async fn record_consent(
        &self,
        request: Request<v1::RecordConsentRequest>,
    ) -> Result<Response<v1::RecordConsentResponse>, Status> {
        answer(&self.sequencer, request, consent::record, consent::recorded).await
    }

    async fn withdraw_consent(
        &self,
        request: Request<v1::WithdrawConsentRequest>,
    ) -> Result<Response<v1::WithdrawConsentResponse>, Status> {
        answer(
            &self.sequencer,
            request,
            consent::withdraw,
            consent::withdrawn,
        )
        .await
    }

    async fn get_consent(
        &self,
        request: Request<v1::GetConsentRequest>,
    ) -> Result<Response<v1::GetConsentResponse>, Status> {
        let veil = veil(&self.sequencer, &request)?;
        let render = |answer| consent::shown(answer, &veil);
        answer(&self.sequencer, request, consent::get, render).await
    }

    async fn list_consents(
        &self,
        request: Request<v1::ListConsentsRequest>,
    ) -> Result<Response<v1::ListConsentsResponse>, Status> {
        let veil = veil(&self.sequencer, &request)?;
        let render = |answer| consent::listed(answer, &veil);
        answer(&self.sequencer, request, consent::list, render).await
    }

    async fn record_restriction(
        &self,
        request: Request<v1::RecordRestrictionRequest>,
    ) -> Result<Response<v1::RecordRestrictionResponse>, Status> {
        answer(
            &self.sequencer,
            request,
            restriction::record,
            restriction::recorded,
        )
        .await
    }

    async fn lift_restriction(
        &self,
        request: Request<v1::LiftRestrictionRequest>,
    ) -> Result<Response<v1::LiftRestrictionResponse>, Status> {
        answer(
            &self.sequencer,
            request,
            restriction::lift,
            restriction::lifted,
        )
        .await
    }
}
