//! Why a client's certificate is not admitted.

use rustls::{CertificateError, OtherError};
use schakel_core::time::Timestamp;
use std::sync::Arc;

/// Why a chain is not admitted. What is about revocation names the certificate, its issuer and where the list is
/// from, for the operator's log; a client is told no more than TLS can say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It does not lead to an authority of the anchor, or does not hold now.
    #[error("the certificate is not verified: {0}")]
    Chain(webpki::Error),
    /// It cannot be read.
    #[error("the certificate cannot be read")]
    Malformed,
    /// It says nothing of what it may be used for.
    #[error(
        "the certificate has no extended key usage: it must be issued for client authentication"
    )]
    NoUsages,
    /// It was issued under another policy.
    #[error("the certificate was issued under none of the accepted policies")]
    Policy,
    /// It is revoked, or an authority above it is.
    #[error(
        "certificate `{certificate}` is revoked: the list of issuer `{issuer}` from {from} names it"
    )]
    Revoked {
        /// The certificate that is revoked: the client's, or that of an authority above it.
        certificate: String,
        /// Who issued it, and signed the list.
        issuer: String,
        /// Where the list is from.
        from: String,
    },
    /// The list of its issuer is too old to be relied on.
    #[error(
        "certificate `{certificate}`: the revocation list of issuer `{issuer}` from {from} is too old since {}",
        since.spoken()
    )]
    Stale {
        /// The certificate that it would be about.
        certificate: String,
        /// Whose list it is.
        issuer: String,
        /// Where it is from.
        from: String,
        /// Since when.
        since: Timestamp,
    },
    /// There is no list of its issuer.
    #[error(
        "certificate `{certificate}`: there is no revocation list of issuer `{issuer}` from {sources}"
    )]
    Unlisted {
        /// The certificate that it would be about.
        certificate: String,
        /// Whose list is missing.
        issuer: String,
        /// Where it was looked for.
        sources: String,
    },
    /// It came with too many others.
    #[error(
        "the chain is too long: send the certificate and the authorities between it and the root, at most 8"
    )]
    TooLong,
}

impl Refused {
    /// Says so in the log: as an error where it is the revocation data that failed, which the operator must mend.
    pub(super) fn tell(&self) {
        if matches!(self, Self::Stale { .. } | Self::Unlisted { .. }) {
            tracing::error!(error = %self, "a client is refused for want of revocation data");
        } else {
            tracing::info!(error = %self, "a client's certificate is refused");
        }
    }

    /// Whether the chain leads to no authority of the anchor at all, so that another anchor's reason tells more.
    pub(super) const fn is_foreign(&self) -> bool {
        matches!(self, Self::Chain(why) if leads_nowhere(why))
    }
}

/// Whether no authority signed it: authorities may share a name, and then it is the signature that tells them apart.
const fn leads_nowhere(why: &webpki::Error) -> bool {
    use webpki::Error::{
        InvalidSignatureForPublicKey, UnknownIssuer,
        UnsupportedSignatureAlgorithmForPublicKeyContext,
    };
    matches!(
        why,
        UnknownIssuer
            | InvalidSignatureForPublicKey
            | UnsupportedSignatureAlgorithmForPublicKeyContext(_)
    )
}

impl From<webpki::Error> for Refused {
    fn from(error: webpki::Error) -> Self {
        Self::Chain(error)
    }
}

impl From<Refused> for rustls::Error {
    fn from(refused: Refused) -> Self {
        use webpki::Error as Why;
        let error = match refused {
            // Whoever only has the name of a trusted authority is unknown too.
            Refused::Chain(why) if leads_nowhere(&why) => CertificateError::UnknownIssuer,
            Refused::Chain(Why::CertExpired { .. }) => CertificateError::Expired,
            Refused::Chain(Why::CertNotValidYet { .. }) => CertificateError::NotValidYet,
            Refused::Chain(Why::RequiredEkuNotFoundContext(_) | Why::CaUsedAsEndEntity)
            | Refused::NoUsages => CertificateError::InvalidPurpose,
            Refused::Malformed | Refused::Chain(Why::BadDer | Why::BadDerTime) => {
                CertificateError::BadEncoding
            }
            Refused::Revoked { .. } | Refused::Chain(Why::CertRevoked) => CertificateError::Revoked,
            // Not for want of an authority, as the library would tell it: a client could not mend that.
            other => CertificateError::Other(OtherError(Arc::new(other))),
        };
        error.into()
    }
}
