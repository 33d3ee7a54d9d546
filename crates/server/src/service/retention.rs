//! Erasure and retention.

use schakel_api::v1::{self, retention_service_server::RetentionService};
use schakel_core::{code::Role, id::PartyId, party::Peer};
use tonic::{Request, Response, Status};

use super::{answer, opened};
use crate::{config, sequencer::Sequencer, wire::retention};

/// The service. What waits and what was erased names no person, so that showing it is no entry.
#[derive(Clone, Debug)]
pub struct Retention {
    sequencer: Sequencer,
    terms: config::Retention,
}

impl Retention {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer, terms: config::Retention) -> Self {
        Self { sequencer, terms }
    }

    /// The controller of which a caller sees the erasures; `None` for all of them.
    fn controller(&self, caller: &Peer) -> Option<PartyId> {
        let sees_all = [Role::Administrator, Role::Auditor];
        if sees_all.iter().any(|role| caller.has_role(*role)) {
            return None;
        }
        let registry = self.sequencer.registry();
        let officer_for = registry
            .party(&caller.principal)
            .and_then(|party| party.officer_for.clone());
        Some(officer_for.unwrap_or_else(|| caller.principal.clone()))
    }
}

#[tonic::async_trait]
impl RetentionService for Retention {
    async fn propose_erasure(
        &self,
        request: Request<v1::ProposeErasureRequest>,
    ) -> Result<Response<v1::ProposeErasureResponse>, Status> {
        let (parse, render) = (retention::propose, retention::proposed);
        answer(&self.sequencer, request, parse, render).await
    }

    async fn approve_erasure(
        &self,
        request: Request<v1::ApproveErasureRequest>,
    ) -> Result<Response<v1::ApproveErasureResponse>, Status> {
        let (parse, render) = (retention::approve, retention::approved);
        answer(&self.sequencer, request, parse, render).await
    }

    async fn reject_erasure(
        &self,
        request: Request<v1::RejectErasureRequest>,
    ) -> Result<Response<v1::RejectErasureResponse>, Status> {
        answer(&self.sequencer, request, retention::reject, |answer| {
            let receipt = Some(retention::done(answer)?);
            Ok(v1::RejectErasureResponse { receipt })
        })
        .await
    }

    async fn list_erasures(
        &self,
        request: Request<v1::ListErasuresRequest>,
    ) -> Result<Response<v1::ListErasuresResponse>, Status> {
        let (caller, message) = opened(request)?;
        let v1::ListErasuresRequest { before } = message;
        let erasures = self.sequencer.trail().erasures();
        let of = self.controller(&caller.peer);
        let as_of = (self.sequencer.now(), &self.terms);
        let shown = retention::list(&erasures, of.as_ref(), before, as_of);
        Ok(Response::new(shown))
    }

    async fn get_retention(
        &self,
        request: Request<v1::GetRetentionRequest>,
    ) -> Result<Response<v1::GetRetentionResponse>, Status> {
        let v1::GetRetentionRequest {} = request.into_inner();
        let erasures = self.sequencer.trail().erasures();
        let held = self.sequencer.clock_held().await?;
        let shown = retention::shown(&self.terms, &erasures, held, self.sequencer.now());
        Ok(Response::new(shown))
    }

    async fn rotate_kek(
        &self,
        request: Request<v1::RotateKekRequest>,
    ) -> Result<Response<v1::RotateKekResponse>, Status> {
        answer(&self.sequencer, request, retention::rotate, |answer| {
            let receipt = Some(retention::done(answer)?);
            Ok(v1::RotateKekResponse { receipt })
        })
        .await
    }

    async fn acknowledge_clock(
        &self,
        request: Request<v1::AcknowledgeClockRequest>,
    ) -> Result<Response<v1::AcknowledgeClockResponse>, Status> {
        answer(&self.sequencer, request, retention::acknowledge, |answer| {
            let receipt = Some(retention::done(answer)?);
            Ok(v1::AcknowledgeClockResponse { receipt })
        })
        .await
    }
}
