//! Cases.

use schakel_api::v1::{self, cases_service_server::CasesService};
use tonic::{Request, Response, Status};

use super::answer;
use crate::{sequencer::Sequencer, wire::case};

/// The service.
#[derive(Clone, Debug)]
pub struct Cases {
    sequencer: Sequencer,
}

impl Cases {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer) -> Self {
        Self { sequencer }
    }
}

#[tonic::async_trait]
impl CasesService for Cases {
    async fn open_case(
        &self,
        request: Request<v1::OpenCaseRequest>,
    ) -> Result<Response<v1::OpenCaseResponse>, Status> {
        answer(&self.sequencer, request, case::open, case::opened).await
    }

    async fn assign_municipality(
        &self,
        request: Request<v1::AssignMunicipalityRequest>,
    ) -> Result<Response<v1::AssignMunicipalityResponse>, Status> {
        answer(&self.sequencer, request, case::assign, case::assigned).await
    }

    async fn add_member(
        &self,
        request: Request<v1::AddMemberRequest>,
    ) -> Result<Response<v1::AddMemberResponse>, Status> {
        answer(&self.sequencer, request, case::add, case::added).await
    }

    async fn remove_member(
        &self,
        request: Request<v1::RemoveMemberRequest>,
    ) -> Result<Response<v1::RemoveMemberResponse>, Status> {
        answer(&self.sequencer, request, case::remove, case::removed).await
    }

    async fn close_case(
        &self,
        request: Request<v1::CloseCaseRequest>,
    ) -> Result<Response<v1::CloseCaseResponse>, Status> {
        answer(&self.sequencer, request, case::close, case::closed).await
    }

    async fn get_case(
        &self,
        request: Request<v1::GetCaseRequest>,
    ) -> Result<Response<v1::GetCaseResponse>, Status> {
        answer(&self.sequencer, request, case::get, case::shown).await
    }
}
