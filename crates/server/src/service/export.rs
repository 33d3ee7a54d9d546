//! Exports from the log itself. A run of calls is recorded when it begins, and a page of opened details for
//! each person in it; see `export.proto`.

mod entries;
mod processings;
mod run;
mod transactions;

use schakel_api::v1::{self, export_service_server::ExportService};
use tonic::{Request, Response, Status};

use super::Waits;
use crate::sequencer::Sequencer;

/// The most bytes of one answer before it is cut: below what an answer may have, by the largest entry.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// The service.
#[derive(Clone, Debug)]
pub struct Export {
    sequencer: Sequencer,
    waits: Waits,
}

impl Export {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer, waits: Waits) -> Self {
        Self { sequencer, waits }
    }
}

#[tonic::async_trait]
impl ExportService for Export {
    async fn export_entries(
        &self,
        request: Request<v1::ExportEntriesRequest>,
    ) -> Result<Response<v1::ExportEntriesResponse>, Status> {
        self.entries(request).await.map(Response::new)
    }

    async fn export_processings(
        &self,
        request: Request<v1::ExportProcessingsRequest>,
    ) -> Result<Response<v1::ExportProcessingsResponse>, Status> {
        self.processings(request).await.map(Response::new)
    }

    async fn export_transactions(
        &self,
        request: Request<v1::ExportTransactionsRequest>,
    ) -> Result<Response<v1::ExportTransactionsResponse>, Status> {
        self.transactions(request).await.map(Response::new)
    }
}
