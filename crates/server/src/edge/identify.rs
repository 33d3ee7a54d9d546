//! Who calls: the organisation from the verified certificate, once a connection, and the party from the
//! registry, at every call.

use std::{
    fmt::Debug,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::pki_types::CertificateDer;
use schakel_core::{
    id::{Oin, PartyId},
    party::{Party, Peer},
    registry::Registry,
    time::Timestamp,
};
use schakel_pki::identity::{self, CertificateIdentity, IdentityError};
use tokio::time::Instant;

use super::{access::Method, tls::Lease};
use crate::{config::Environment, sequencer::Sequencer};

/// A call that was admitted: who makes it and what came along. Every service finds it in the extensions of
/// its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The party, and over whose connection.
    pub peer: Peer,
    /// SHA-256 of the certificate of the connection.
    pub certificate: [u8; 32],
    /// The network address it came from.
    pub address: String,
    /// The FSC transaction id that came along: 1 to 64 printable ASCII characters.
    pub transaction: Option<String>,
    /// The W3C trace id that came along; carried, not trusted.
    pub trace: Option<[u8; 16]>,
    /// The method, as `Service/Method`.
    pub method: &'static str,
}

/// Why it is not known who calls.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownParty {
    /// A certificate for development came to a broker that is not.
    #[error(
        "the certificate is for development (a test number, or a development authority): use one that was issued to your organisation"
    )]
    Development,
    /// The certificate no longer holds.
    #[error("the certificate is revoked or no longer holds: connect again with one that does")]
    Lapsed,
    /// Nobody gave leave to act for the party named.
    #[error(
        "`schakel-principal` names no active party that lets the party of the certificate act for it"
    )]
    NoDelegation,
    /// The certificate names no organisation.
    #[error("the certificate names no organisation: Subject.serialNumber must be its OIN")]
    NoOin(#[source] IdentityError),
    /// The number is nobody's, or that party is suspended.
    #[error("no active party is registered with the OIN of the certificate")]
    NotRegistered,
}

/// What the edge asks of the state of the log.
pub trait Directory: Debug + Send + Sync {
    /// What is registered, as of the last durable entry.
    fn registry(&self) -> Arc<Registry>;

    /// The broker's time, never behind the log.
    fn now(&self) -> Timestamp;
}

impl Directory for Sequencer {
    fn registry(&self) -> Arc<Registry> {
        Self::registry(self)
    }

    fn now(&self) -> Timestamp {
        Self::now(self)
    }
}

/// A connection whose handshake proved a certificate, shared by all calls over it.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    identity: Result<CertificateIdentity, UnknownParty>,
    address: String,
    lease: Lease,
    ends_at: Instant,
    /// The party found last, looked at first: the registry need not be searched at every call.
    last: RwLock<Option<PartyId>>,
}

impl Connection {
    /// A connection from an address that proved this certificate chain, its own certificate first. It ends
    /// at an instant, and streams over it with it.
    #[must_use]
    pub fn new(
        lease: Lease,
        address: SocketAddr,
        environment: Environment,
        ends_at: Instant,
    ) -> Self {
        Self(Arc::new(Inner {
            identity: identity_of(lease.certificate(), environment),
            address: address.to_string(),
            lease,
            ends_at,
            last: RwLock::new(None),
        }))
    }

    /// The number in the certificate; `None` when it holds none that counts here.
    #[must_use]
    pub fn oin(&self) -> Option<&Oin> {
        self.0.identity.as_ref().map(|identity| &identity.oin).ok()
    }

    /// When the connection ends.
    #[must_use]
    pub fn ends_at(&self) -> Instant {
        self.0.ends_at
    }

    /// The network address it came from.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0.address
    }

    /// SHA-256 of the certificate.
    ///
    /// # Errors
    /// When the certificate names no organisation that counts here, or it no longer holds.
    pub fn certificate(&self, now: Timestamp) -> Result<[u8; 32], UnknownParty> {
        let identity = self.0.identity.as_ref().map_err(Clone::clone)?;
        if self.0.lease.holds(now) {
            Ok(identity.sha256)
        } else {
            Err(UnknownParty::Lapsed)
        }
    }

    /// The party that calls, for itself or for the principal it names.
    ///
    /// # Errors
    /// When the number is no party's, nobody gave leave to act for the principal, or one of the two is
    /// suspended: that does not stand in the way of a method that is never refused.
    pub fn peer(
        &self,
        method: &Method,
        principal: Option<&PartyId>,
        registry: &Registry,
        now: Timestamp,
    ) -> Result<Peer, UnknownParty> {
        let oin = &self.0.identity.as_ref().map_err(Clone::clone)?.oin;
        let may_act = |party: &&Party| method.never_refused || party.is_active(now);
        let transport = self
            .holder(oin, registry, now)
            .filter(may_act)
            .ok_or(UnknownParty::NotRegistered)?;
        let principal = match principal {
            Some(id) if *id != transport.id => registry
                .party(id)
                .filter(|party| party.is_served_by(&transport.id, now))
                .filter(may_act)
                .ok_or(UnknownParty::NoDelegation)?,
            _ => transport,
        };
        Ok(Peer {
            principal: principal.id.clone(),
            transport: transport.id.clone(),
            roles: principal.roles.clone(),
        })
    }

    /// The party with this number. Two parties never hold one number at one time, so the one found last is
    /// the only one as long as it holds it.
    fn holder<'r>(&self, oin: &Oin, registry: &'r Registry, now: Timestamp) -> Option<&'r Party> {
        let last = self.0.last.read().unwrap_or_else(PoisonError::into_inner);
        let known = last.as_ref().and_then(|id| registry.party(id));
        if let Some(party) = known.filter(|party| party.holds(oin, now)) {
            return Some(party);
        }
        drop(last);
        let found = registry.parties().find(|party| party.holds(oin, now))?;
        let mut last = self.0.last.write().unwrap_or_else(PoisonError::into_inner);
        *last = Some(found.id.clone());
        Some(found)
    }
}

fn identity_of(
    certificate: Option<&CertificateDer<'_>>,
    environment: Environment,
) -> Result<CertificateIdentity, UnknownParty> {
    let der = certificate.map_or(&[][..], |der| der.as_ref());
    let identity = identity::parse_peer(der).map_err(UnknownParty::NoOin)?;
    match environment {
        Environment::Production if identity.is_for_development() => Err(UnknownParty::Development),
        Environment::Production | Environment::Development => Ok(identity),
    }
}

#[cfg(test)]
mod tests;
