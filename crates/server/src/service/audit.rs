//! The trail: searching, one entry with its proof, why it was decided so, and everything else that those who
//! oversee ask.
//!
//! Whoever looks is recorded before anything is shown.

mod entry;
pub(super) mod look;
mod oversight;
mod person;
mod receipt;
mod report;
mod search;
mod usage;

use schakel_api::v1::{self, audit_service_server::AuditService};
use schakel_core::{id::PurposeCode, party::Peer, registry::Registry, time::Timestamp};
use tonic::{Request, Response, Status};

use super::{Fault, Waits};
use crate::{
    call::CallError,
    officer::Bounds,
    sequencer::Sequencer,
    wire::{audit, entry::Viewer},
};

/// The service.
#[derive(Clone, Debug)]
pub struct Audit {
    sequencer: Sequencer,
    waits: Waits,
    bounds: Bounds,
}

impl Audit {
    /// The service in front of a sequencer.
    #[must_use]
    pub const fn new(sequencer: Sequencer, waits: Waits, bounds: Bounds) -> Self {
        Self {
            sequencer,
            waits,
            bounds,
        }
    }
}

/// Each method hands its request on.
macro_rules! handed_on {
    ($($method:ident($request:ident) -> $response:ident;)*) => {
        #[tonic::async_trait]
        impl AuditService for Audit {
            $(
                async fn $method(
                    &self,
                    request: Request<v1::$request>,
                ) -> Result<Response<v1::$response>, Status> {
                    self.$method(request).await.map(Response::new)
                }
            )*
        }
    };
}

handed_on! {
    search_entries(SearchEntriesRequest) -> SearchEntriesResponse;
    get_entry(GetEntryRequest) -> GetEntryResponse;
    explain_entry(ExplainEntryRequest) -> ExplainEntryResponse;
    replay_entry(ReplayEntryRequest) -> ReplayEntryResponse;
    get_as_of(GetAsOfRequest) -> GetAsOfResponse;
    get_statement(GetStatementRequest) -> GetStatementResponse;
    record_withholding(RecordWithholdingRequest) -> RecordWithholdingResponse;
    get_breach(GetBreachRequest) -> GetBreachResponse;
    get_report(GetReportRequest) -> GetReportResponse;
    get_usage(GetUsageRequest) -> GetUsageResponse;
    get_integrity(GetIntegrityRequest) -> GetIntegrityResponse;
    record_verification(RecordVerificationRequest) -> RecordVerificationResponse;
    propose_search(ProposeSearchRequest) -> ProposeSearchResponse;
    decide_search(DecideSearchRequest) -> DecideSearchResponse;
    list_searches(ListSearchesRequest) -> ListSearchesResponse;
    get_checkpoint(GetCheckpointRequest) -> GetCheckpointResponse;
    get_receipt(GetReceiptRequest) -> GetReceiptResponse;
    get_consistency(GetConsistencyRequest) -> GetConsistencyResponse;
}

impl Audit {
    #[expect(clippy::unused_async, reason = "called like every other method")]
    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<v1::GetCheckpointResponse, Status> {
        let v1::GetCheckpointRequest {} = request.into_inner();
        let trail = self.sequencer.trail();
        Ok(v1::GetCheckpointResponse {
            checkpoint: trail.checkpoint().as_bytes().to_vec().into(),
            verifier_key: trail.verifier_key().to_owned(),
        })
    }

    #[expect(clippy::unused_async, reason = "called like every other method")]
    async fn get_consistency(
        &self,
        request: Request<v1::GetConsistencyRequest>,
    ) -> Result<v1::GetConsistencyResponse, Status> {
        let v1::GetConsistencyRequest { old_size, new_size } = request.into_inner();
        let trail = self.sequencer.trail();
        let size = trail.size();
        let new_size = new_size.unwrap_or(size);
        let proof = trail.consistency(old_size, new_size)?;
        let proof = proof.ok_or_else(|| audit::sizes(old_size, size))?;
        Ok(audit::consistency(proof, new_size))
    }
}

/// The purpose of a look into the trail must be registered, in force, and about no condition: it grants
/// nothing.
pub(super) fn check_purpose(
    registry: &Registry,
    purpose: &PurposeCode,
    now: Timestamp,
) -> Result<(), CallError> {
    let registered =
        registry
            .purpose(purpose, None, now)
            .ok_or_else(|| CallError::PurposeUnknown {
                field: "purpose".to_owned(),
                purpose: purpose.clone(),
            })?;
    if registered.version.conditions.is_empty() {
        return Ok(());
    }
    let rule = "must be a purpose about no condition, such as P-ACCOUNTABILITY: looking into the trail \
                is no disclosure";
    Err(CallError::Invalid {
        field: "purpose".to_owned(),
        rule: rule.to_owned(),
    })
}

pub(super) fn viewer(registry: &Registry, officer: &Peer) -> Result<Viewer, Fault> {
    let controller = registry
        .party(&officer.principal)
        .and_then(|party| party.officer_for.clone())
        .ok_or(Fault::NoController)?;
    Ok(Viewer::new(registry, controller))
}
