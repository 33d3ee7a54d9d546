//! Comparing what both sides hold. See [`Client::reconcile`](crate::Client::reconcile), which does all of it.

use schakel_api::v1::reconciliation_service_client::ReconciliationServiceClient;

super::methods! { ReconciliationServiceClient:
    ask
    /// Compares what both sides hold of some periods, by digests.
    compare_digests(CompareDigestsRequest) -> CompareDigestsResponse;
    ask
    /// Lists what was handed over to the caller in some periods. Every entry has been verified.
    list_handed_over(ListHandedOverRequest) -> ListHandedOverResponse;
}
