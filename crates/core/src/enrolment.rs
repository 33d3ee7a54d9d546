//! Certificates and enrolments as the registry knows them: what was issued to whom, what was revoked, and who
//! may ask for a certificate once.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    certificate::StopReason,
    id::{EnrolmentId, Oin, PartyId},
    party::{Peer, Proposer},
    time::Timestamp,
};

/// The most bytes of a request or a certificate that is kept: RSA of 4096 bits with everything around it.
/// Bounds a row on disk.
pub const MOST_DER: usize = 2_400;

/// A certificate of a party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCertificate {
    /// SHA-256 of it.
    pub sha256: [u8; 32],
    /// Subject.serialNumber.
    pub oin: Oin,
    /// Its own serial number, in hexadecimal.
    pub serial: String,
    /// The name of the authority that issued it, for people.
    pub issuer: String,
    /// From when it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// How it came to be known.
    pub origin: Origin,
    /// The certificate it is to take the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<[u8; 32]>,
    /// The certificate with which its chain of renewals began, so that the chain is known when those between have
    /// been forgotten. That of one which its own party announced is the chain of the certificate it was announced with,
    /// though it need not take its place. Absent where it replaces none, and in what older brokers recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_with: Option<[u8; 32]>,
    /// SHA-256 of its public key, as `SubjectPublicKeyInfo`; absent in what older brokers recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_sha256: Option<[u8; 32]>,
    /// When and why it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// How a certificate came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// The party said that it is going to use it.
    Announced,
    /// It was issued for a request that came over the broker.
    Enrolled,
    /// An administrator registered it.
    Registered,
}

/// The end of a certificate before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: StopReason,
}

/// Leave for an organisation to ask for one certificate, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Its id.
    pub id: EnrolmentId,
    /// For whom the certificate is going to be: nothing of it is taken from the request.
    pub holder: Holder,
    /// SHA-256 of the token that proves the leave; absent for a renewal, which a certificate proves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_sha256: Option<[u8; 32]>,
    /// Until when a request may come.
    pub until: Timestamp,
    /// Who gave the leave, or asked for the renewal.
    pub opened_by: PartyId,
    /// The party whose connection it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_over: Option<PartyId>,
    /// SHA-256 of the certificate with which the leave was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_with: Option<[u8; 32]>,
    /// Whether a second administrator confirmed the leave.
    #[serde(default)]
    pub confirmed: bool,
    /// Who that was; absent in what older brokers recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<PartyId>,
    /// The certificate that is going to be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<[u8; 32]>,
    /// How far it is.
    pub state: EnrolmentState,
}

/// For whom a certificate is going to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// What for, such as `party`.
    pub profile: String,
    /// Subject.serialNumber.
    pub oin: Oin,
    /// organizationName and commonName: 1 to 64 characters.
    pub name: String,
    /// organizationalUnitName: 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// How far an enrolment is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnrolmentState {
    /// No request came yet.
    Open,
    /// A request came, and waits for the authority.
    Waiting {
        /// The request, PKCS #10.
        request: Der,
    },
    /// A certificate was issued, and may be fetched.
    Issued {
        /// SHA-256 of the request it answers.
        request_sha256: [u8; 32],
        /// The certificate.
        certificate: Der,
        /// Until when the certificate holds; absent in what older brokers kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        holds_until: Option<Timestamp>,
    },
    /// A renewal was closed before anything was issued for it: the same request is not taken again.
    Closed {
        /// SHA-256 of the request that waited.
        request_sha256: [u8; 32],
    },
}

/// What happened to a certificate or an enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IssuanceEvent {
    /// A certificate was registered or announced.
    Registered(IssuedCertificate),
    /// A certificate was revoked.
    Revoked {
        /// SHA-256 of it.
        sha256: [u8; 32],
        /// Why.
        reason: StopReason,
        /// The other certificates of its key that were revoked with it, because the key is compromised; absent in what
        /// older brokers recorded.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        same_key: Vec<[u8; 32]>,
    },
    /// Leave was given to ask for a certificate, or a renewal was asked for.
    Opened(Enrolment),
    /// A second administrator confirmed the leave: the broker may issue by itself.
    Confirmed {
        /// The enrolment.
        enrolment: EnrolmentId,
        /// Who confirmed it; absent in what older brokers recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PartyId>,
    },
    /// A request came.
    Requested {
        /// The enrolment.
        enrolment: EnrolmentId,
        /// The request, PKCS #10.
        request: Der,
    },
    /// A certificate was issued for the request.
    Answered {
        /// The enrolment.
        enrolment: EnrolmentId,
        /// SHA-256 of the request.
        request_sha256: [u8; 32],
        /// The certificate, as it is registered from now on.
        registered: IssuedCertificate,
        /// The certificate itself.
        certificate: Der,
    },
    /// An enrolment was closed: leave was taken back, or what waited was rejected or given up.
    Closed {
        /// The enrolment.
        enrolment: EnrolmentId,
        /// SHA-256 of the request that waited, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_sha256: Option<[u8; 32]>,
    },
    /// The broker's own authority signed a revocation list, and the broker published it.
    Listed {
        /// Its number.
        number: u64,
        /// SHA-256 of the list, DER.
        sha256: [u8; 32],
        /// The last second in which it counts.
        until: Timestamp,
        /// How many certificates it names.
        revoked: u32,
    },
}

/// Bytes that are kept as bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Der(pub Vec<u8>);

impl fmt::Debug for Der {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Der({} bytes)", self.0.len())
    }
}

impl Serialize for Der {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Der {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(Bytes).map(Self)
    }
}

struct Bytes;

impl<'de> de::Visitor<'de> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

impl Enrolment {
    /// Whether a request may still come.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        matches!(self.state, EnrolmentState::Open) && at < self.until
    }

    /// Whether somebody still has to do something for it.
    #[must_use]
    pub fn is_under_way(&self, at: Timestamp) -> bool {
        self.is_open(at) || matches!(self.state, EnrolmentState::Waiting { .. })
    }

    /// Whether a certificate in use asked for it.
    #[must_use]
    pub const fn is_renewal(&self) -> bool {
        self.token_sha256.is_none()
    }

    /// Whether the broker may issue by itself: for a renewal, which a certificate proves, and for a first
    /// certificate when two administrators let it.
    #[must_use]
    pub const fn may_be_issued_at_once(&self) -> bool {
        self.is_renewal() || self.confirmed
    }

    /// Whether this is a second actor to the one who gave the leave.
    #[must_use]
    pub fn may_be_confirmed_by(&self, peer: &Peer, certificate: &[u8; 32]) -> bool {
        self.opened_with.as_ref().is_some_and(|opened_with| {
            let opener = Proposer {
                party: &self.opened_by,
                transport: self.opened_over.as_ref(),
                certificate: opened_with,
            };
            opener.may_be_seconded_by(peer, certificate)
        })
    }
}
