//! The first certificate: asked for where no certificate is asked for, by a token.

use schakel_api::enrolment::{EnrolRequest, enrolment_service_client::EnrolmentServiceClient};
use tonic::transport::Channel;

use crate::{
    connect::{ConnectError, guest_channel},
    refusal::Refusal,
};

/// Where certificates are asked for.
#[derive(Clone, Debug)]
pub struct EnrolmentAddress {
    /// Host and port, such as `broker.example.nl:7444`.
    pub address: String,
    /// The host name or address that the broker's certificate must be for.
    pub server_name: String,
    /// The authorities that may have issued the broker's certificate: PEM, one or more. They are all that proves
    /// the broker here: compare their fingerprint over another way.
    pub ca_pem: String,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enrolled {
    /// The certificate.
    Certificate {
        /// Itself, DER.
        certificate: Vec<u8>,
        /// The authorities above it, DER, the nearest first: they are sent along with it.
        authorities: Vec<Vec<u8>>,
    },
    /// The request waits for the authority: ask again later, with the same token and request.
    Waiting,
}

/// Why nothing came of asking.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The broker refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
}

/// Hands in a request (PKCS #10, DER) with a token of 32 bytes, or fetches what came of it.
///
/// # Errors
/// When the address cannot be reached or is not that of the broker; when the broker refuses.
pub async fn enrol(
    at: &EnrolmentAddress,
    token: &[u8; 32],
    request: &[u8],
) -> Result<Enrolled, EnrolError> {
    let channel: Channel = guest_channel(&at.address, &at.server_name, &at.ca_pem).await?;
    let request = EnrolRequest {
        token: token.to_vec().into(),
        request: request.to_vec().into(),
    };
    match EnrolmentServiceClient::new(channel).enrol(request).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            let authorities = answer.authorities.into_iter();
            Ok(match answer.certificate {
                Some(certificate) => Enrolled::Certificate {
                    certificate: certificate.into(),
                    authorities: authorities.map(Into::into).collect(),
                },
                None => Enrolled::Waiting,
            })
        }
        Err(status) => Err(EnrolError::Refused(Box::new(Refusal::of(&status)))),
    }
}
