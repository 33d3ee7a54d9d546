//! Certificates and enrolments.

use schakel_api::v1::certificates_service_client::CertificatesServiceClient;

super::methods! { CertificatesServiceClient:
    write
    /// Registers a certificate that was issued to a party.
    register_certificate(RegisterCertificateRequest) -> RegisterCertificateResponse;
    write
    /// Tells the certificate that the party is going to use next.
    announce_certificate(AnnounceCertificateRequest) -> AnnounceCertificateResponse;
    write
    /// Ends a registered certificate.
    revoke_certificate(RevokeCertificateRequest) -> RevokeCertificateResponse;
    ask
    /// Shows certificates: the party's own, or all of them.
    list_issued_certificates(ListIssuedCertificatesRequest) -> ListIssuedCertificatesResponse;
    write
    /// Gives an organisation leave to ask for one certificate.
    open_enrolment(OpenEnrolmentRequest) -> OpenEnrolmentResponse;
    write
    /// Lets the broker issue for an enrolment by itself: a second administrator.
    confirm_enrolment(ConfirmEnrolmentRequest) -> ConfirmEnrolmentResponse;
    write
    /// Takes leave back, or ends what waits.
    close_enrolment(CloseEnrolmentRequest) -> CloseEnrolmentResponse;
    ask
    /// Shows enrolments and what waits for the authority.
    list_enrolments(ListEnrolmentsRequest) -> ListEnrolmentsResponse;
    write
    /// Hands over the certificate that was issued for a request that waits.
    answer_enrolment(AnswerEnrolmentRequest) -> AnswerEnrolmentResponse;
    ask
    /// Says what the broker would make of certificates.
    check_certificates(CheckCertificatesRequest) -> CheckCertificatesResponse;
    write
    /// Asks for the party's next certificate, and how far that is.
    renew_certificate(RenewCertificateRequest) -> RenewCertificateResponse;
}
