//! Consents, restrictions and objections.

use schakel_api::v1::consents_service_client::ConsentsServiceClient;

super::methods! { ConsentsServiceClient:
    write
    /// Records a consent, or that one was asked for, deferred or refused.
    record_consent(RecordConsentRequest) -> RecordConsentResponse;
    write
    /// Withdraws consents: no ask that starts after the answer succeeds under them.
    withdraw_consent(WithdrawConsentRequest) -> WithdrawConsentResponse;
    ask
    /// Shows one consent.
    get_consent(GetConsentRequest) -> GetConsentResponse;
    ask
    /// Shows the consents of a person.
    list_consents(ListConsentsRequest) -> ListConsentsResponse;
    write
    /// Records a restriction of or an objection to processing.
    record_restriction(RecordRestrictionRequest) -> RecordRestrictionResponse;
    write
    /// Ends a restriction or objection.
    lift_restriction(LiftRestrictionRequest) -> LiftRestrictionResponse;
}
