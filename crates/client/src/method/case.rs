//! Cases.

use schakel_api::v1::cases_service_client::CasesServiceClient;

super::methods! { CasesServiceClient:
    write
    /// Opens a case for a person.
    open_case(OpenCaseRequest) -> OpenCaseResponse;
    write
    /// Names the municipality of return from now on.
    assign_municipality(AssignMunicipalityRequest) -> AssignMunicipalityResponse;
    write
    /// Gives a party a place in a case.
    add_member(AddMemberRequest) -> AddMemberResponse;
    write
    /// Takes a party's place in a case away from now on.
    remove_member(RemoveMemberRequest) -> RemoveMemberResponse;
    write
    /// Closes a case.
    close_case(CloseCaseRequest) -> CloseCaseResponse;
    ask
    /// Shows a case.
    get_case(GetCaseRequest) -> GetCaseResponse;
}
