//! The registry: parties and purposes, and their changes by two actors.

use schakel_api::v1::{self, registry_service_server::RegistryService};
use tonic::{Request, Response, Status};

use super::{answer, connected};
use crate::{
    edge::refusals::Refusal,
    sequencer::Sequencer,
    wire::{certificate, party, purpose, registry},
};

/// The service. What is registered is about organisations, so that showing it is no entry.
#[derive(Clone, Debug)]
pub struct Registry {
    sequencer: Sequencer,
}

impl Registry {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer) -> Self {
        Self { sequencer }
    }
}

#[tonic::async_trait]
impl RegistryService for Registry {
    async fn list_parties(
        &self,
        request: Request<v1::ListPartiesRequest>,
    ) -> Result<Response<v1::ListPartiesResponse>, Status> {
        let v1::ListPartiesRequest {} = request.into_inner();
        let parties = self
            .sequencer
            .registry()
            .parties()
            .map(party::write)
            .collect();
        Ok(Response::new(v1::ListPartiesResponse { parties }))
    }

    async fn list_purposes(
        &self,
        request: Request<v1::ListPurposesRequest>,
    ) -> Result<Response<v1::ListPurposesResponse>, Status> {
        let v1::ListPurposesRequest {} = request.into_inner();
        let purposes = self
            .sequencer
            .registry()
            .purposes()
            .map(purpose::registered)
            .collect();
        Ok(Response::new(v1::ListPurposesResponse { purposes }))
    }

    async fn propose_change(
        &self,
        request: Request<v1::ProposeChangeRequest>,
    ) -> Result<Response<v1::ProposeChangeResponse>, Status> {
        answer(
            &self.sequencer,
            request,
            registry::propose,
            registry::proposed,
        )
        .await
    }

    async fn approve_change(
        &self,
        request: Request<v1::ApproveChangeRequest>,
    ) -> Result<Response<v1::ApproveChangeResponse>, Status> {
        answer(
            &self.sequencer,
            request,
            registry::approve,
            registry::approved,
        )
        .await
    }

    async fn reject_change(
        &self,
        request: Request<v1::RejectChangeRequest>,
    ) -> Result<Response<v1::RejectChangeResponse>, Status> {
        answer(
            &self.sequencer,
            request,
            registry::reject,
            registry::rejected,
        )
        .await
    }

    async fn list_proposals(
        &self,
        request: Request<v1::ListProposalsRequest>,
    ) -> Result<Response<v1::ListProposalsResponse>, Status> {
        let v1::ListProposalsRequest {} = request.into_inner();
        let now = self.sequencer.now();
        let proposals = self
            .sequencer
            .registry()
            .proposals(now)
            .map(registry::proposal)
            .collect();
        Ok(Response::new(v1::ListProposalsResponse { proposals }))
    }

    async fn stop(
        &self,
        request: Request<v1::StopRequest>,
    ) -> Result<Response<v1::StopResponse>, Status> {
        answer(&self.sequencer, request, registry::stop, registry::stopped).await
    }

    async fn list_certificates(
        &self,
        request: Request<v1::ListCertificatesRequest>,
    ) -> Result<Response<v1::ListCertificatesResponse>, Status> {
        let v1::ListCertificatesRequest {} = request.into_inner();
        let registry = self.sequencer.registry();
        Ok(Response::new(v1::ListCertificatesResponse {
            used: registry.seen().map(certificate::used).collect(),
            blocked: registry.blocked().map(certificate::blocked).collect(),
        }))
    }

    async fn get_my_certificate(
        &self,
        request: Request<v1::GetMyCertificateRequest>,
    ) -> Result<Response<v1::GetMyCertificateResponse>, Status> {
        let now = self.sequencer.now();
        let (caller, v1::GetMyCertificateRequest {}, connection) = connected(request)?;
        let own = certificate::own(&connection, &caller.peer.transport, now);
        Ok(Response::new(own.map_err(|why| {
            Status::from(&Refusal::PartyUnknown(why))
        })?))
    }
}
