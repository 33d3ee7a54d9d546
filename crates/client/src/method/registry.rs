//! Parties and purposes.

use schakel_api::v1::registry_service_client::RegistryServiceClient;

super::methods! { RegistryServiceClient:
    ask
    /// Shows the parties.
    list_parties(ListPartiesRequest) -> ListPartiesResponse;
    ask
    /// Shows the purposes, every version.
    list_purposes(ListPurposesRequest) -> ListPurposesResponse;
    write
    /// Proposes a change, which another administrator must approve.
    propose_change(ProposeChangeRequest) -> ProposeChangeResponse;
    write
    /// Makes a proposed change.
    approve_change(ApproveChangeRequest) -> ApproveChangeResponse;
    write
    /// Drops a proposed change.
    reject_change(RejectChangeRequest) -> RejectChangeResponse;
    ask
    /// Shows the changes that wait.
    list_proposals(ListProposalsRequest) -> ListProposalsResponse;
    write
    /// Stops something at once.
    stop(StopRequest) -> StopResponse;
    ask
    /// Shows the certificates that were used, and those that are blocked.
    list_certificates(ListCertificatesRequest) -> ListCertificatesResponse;
    ask
    /// Shows what the broker makes of the certificate of the connection.
    get_my_certificate(GetMyCertificateRequest) -> GetMyCertificateResponse;
}
