//! What callers want of certificates and enrolments.

use schakel_core::{
    certificate::StopReason,
    enrolment::{Der, Holder, IssuedCertificate},
    id::EnrolmentId,
};

/// What is wanted of a certificate's issue or an enrolment.
#[derive(Debug)]
pub enum IssuanceCall {
    /// Register a certificate, or announce the caller's next.
    Register(IssuedCertificate),
    /// Revoke a certificate.
    Revoke {
        /// SHA-256 of it.
        sha256: [u8; 32],
        /// Why.
        reason: StopReason,
    },
    /// Give leave to ask for a certificate.
    Open {
        /// For whom it is going to be.
        holder: Holder,
        /// SHA-256 of the token.
        token_sha256: [u8; 32],
        /// For how many hours a request may come.
        hours: u32,
    },
    /// Confirm the leave that another administrator gave.
    Confirm {
        /// The enrolment.
        enrolment: EnrolmentId,
    },
    /// Take leave back, or end what waits.
    Close {
        /// The enrolment.
        enrolment: EnrolmentId,
    },
    /// Hand in a request, by token.
    Enrol {
        /// SHA-256 of the token.
        token_sha256: [u8; 32],
        /// The request.
        request: Der,
    },
    /// Ask for the next certificate with the one in use.
    Renew {
        /// For whom it is going to be.
        holder: Holder,
        /// The request.
        request: Der,
    },
    /// Hand over the certificate that answers a request.
    Answer {
        /// The enrolment.
        enrolment: EnrolmentId,
        /// The certificate, as it is going to be registered.
        registered: IssuedCertificate,
        /// The certificate itself.
        certificate: Der,
    },
}
