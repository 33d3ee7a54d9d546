//! Notices.

use schakel_api::v1::{self, notices_service_server::NoticesService};
use tonic::{Request, Response, Status};

use super::answer;
use crate::{sequencer::Sequencer, wire::notice};

/// The service.
#[derive(Clone, Debug)]
pub struct Notices {
    sequencer: Sequencer,
}

impl Notices {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer) -> Self {
        Self { sequencer }
    }
}

#[tonic::async_trait]
impl NoticesService for Notices {
    async fn get_notice(
        &self,
        request: Request<v1::GetNoticeRequest>,
    ) -> Result<Response<v1::GetNoticeResponse>, Status> {
        answer(&self.sequencer, request, notice::get, notice::shown).await
    }
}
