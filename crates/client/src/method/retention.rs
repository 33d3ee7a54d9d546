//! Erasure and retention.

use schakel_api::v1::retention_service_client::RetentionServiceClient;

super::methods! { RetentionServiceClient:
    write
    /// Proposes to erase a person for the officer's own controller.
    propose_erasure(ProposeErasureRequest) -> ProposeErasureResponse;
    write
    /// Erases what another actor proposed to.
    approve_erasure(ApproveErasureRequest) -> ApproveErasureResponse;
    write
    /// Drops a proposed erasure.
    reject_erasure(RejectErasureRequest) -> RejectErasureResponse;
    ask
    /// Shows what waits and what was erased.
    list_erasures(ListErasuresRequest) -> ListErasuresResponse;
    ask
    /// Shows for how long what is kept, and what is due.
    get_retention(GetRetentionRequest) -> GetRetentionResponse;
    write
    /// Writes the keyring again under a new key-encryption key.
    rotate_kek(RotateKekRequest) -> RotateKekResponse;
    write
    /// Says that a clock that jumped ahead is right.
    acknowledge_clock(AcknowledgeClockRequest) -> AcknowledgeClockResponse;
}
