//! Who calls: the organisation from the verified certificate, once a connection, and the party from the
//! registry, at every call.

use std::{
    fmt::Debug,
    net::SocketAddr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use schakel_core::{
    certificate::{Seen, Thumbprint},
    id::{Oin, PartyId, UnitId},
    party::{Party, Peer},
    registry::{NoStanding, Proven, Registry},
    time::Timestamp,
};
use schakel_pki::identity::{self, CertificateIdentity, IdentityError};
use tokio::{sync::watch, time::Instant};

use super::{
    outflow::Outflow,
    refusals::Whom,
    tls::{Lease, Verified},
};
use crate::{access::Method, config::Environment, sequencer::Sequencer};

/// How often a use of one connection's certificate is noted, in milliseconds.
const NOTED_MS: u64 = 60_000;

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

/// For whom a call says it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acting {
    /// The party, where it is another than that of the certificate.
    pub principal: Option<PartyId>,
    /// The unit of that party.
    pub unit: Option<UnitId>,
}

/// Why it is not known who calls.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownParty {
    /// An administrator blocked the certificate.
    #[error("the certificate is blocked: ask the operator of the broker why, and use another")]
    Blocked,
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
    /// The party has no such unit now, or the certificate is another unit's.
    #[error(
        "the unit, named by `schakel-unit` or by the OIN of the certificate, is none that the party has now, or the certificate is for another unit: see `schakel party show`"
    )]
    NoUnit,
    /// The certificate names no organisation.
    #[error("the certificate names no organisation: Subject.serialNumber must be its OIN")]
    NoOin(#[source] IdentityError),
    /// Whoever asks for a first certificate has no leave.
    #[error(
        "the token is unknown, has ended, or was used with another request: ask the administrator for a new one"
    )]
    Token,
    /// The number is nobody's, or that party is suspended.
    #[error(
        "no active party is registered with the OIN of the certificate, under the authority that issued it"
    )]
    NotRegistered,
}

impl From<NoStanding> for UnknownParty {
    fn from(why: NoStanding) -> Self {
        match why {
            NoStanding::Principal => Self::NoDelegation,
            NoStanding::Transport => Self::NotRegistered,
            NoStanding::Unit => Self::NoUnit,
        }
    }
}

/// What the edge asks of the state of the log.
pub trait Directory: Debug + Send + Sync {
    /// What is registered, as of the last durable entry.
    fn registry(&self) -> Arc<Registry>;

    /// The broker's time, never behind the log.
    fn now(&self) -> Timestamp;

    /// Changes when the registry has changed.
    fn changes(&self) -> watch::Receiver<u64>;
}

impl Directory for Sequencer {
    fn registry(&self) -> Arc<Registry> {
        Self::registry(self)
    }

    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.registry_changes()
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
    outflow: Outflow,
    /// The party found last, looked at first: the registry need not be searched at every call.
    last: RwLock<Option<PartyId>>,
    /// When a use was last noted, in milliseconds since 1970.
    noted_at: AtomicU64,
    version: &'static str,
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
            outflow: Outflow::default(),
            last: RwLock::new(None),
            noted_at: AtomicU64::new(0),
            version: "1.3",
        }))
    }

    /// The same over this version of TLS.
    #[must_use]
    pub fn of_version(mut self, version: &'static str) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.version = version;
        }
        self
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

    /// What leaves over the connection.
    #[must_use]
    pub fn outflow(&self) -> &Outflow {
        &self.0.outflow
    }

    /// The network address it came from.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0.address
    }

    /// What the certificate says.
    ///
    /// # Errors
    /// When it names no organisation that counts here.
    pub fn identity(&self) -> Result<&CertificateIdentity, UnknownParty> {
        self.0.identity.as_ref().map_err(Clone::clone)
    }

    /// The version of TLS.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.0.version
    }

    /// SHA-256 of the certificate.
    ///
    /// # Errors
    /// When the certificate names no organisation that counts here, it no longer holds, or it is blocked.
    pub fn certificate(
        &self,
        registry: &Registry,
        now: Timestamp,
    ) -> Result<[u8; 32], UnknownParty> {
        let certificate = self.identity()?.sha256;
        self.0
            .lease
            .verified(now)
            .map_err(|_| UnknownParty::Lapsed)?;
        if registry.blocks(&certificate) {
            return Err(UnknownParty::Blocked);
        }
        Ok(certificate)
    }

    /// Under which anchors the certificate is verified.
    ///
    /// # Errors
    /// When it no longer holds.
    pub fn verified(&self, now: Timestamp) -> Result<Arc<Verified>, UnknownParty> {
        self.0.lease.verified(now).map_err(|_| UnknownParty::Lapsed)
    }

    /// Changes when the certificate must be looked at again.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.lease.changes()
    }

    /// When the certificate ends, if that is near.
    #[must_use]
    pub fn ends_soon(&self, now: Timestamp) -> Option<Timestamp> {
        let identity = self.identity().ok()?;
        let soon = identity.ends_soon(self.0.lease.warn_before_ms, now);
        soon.then_some(identity.not_after)
    }

    /// For whom a refusal counts: the party whose certificate it is or was, or the number that is nobody's.
    #[must_use]
    pub fn whom(&self, registry: &Registry, now: Timestamp) -> Whom {
        let Ok(identity) = self.identity() else {
            return Whom::default();
        };
        if let Ok(verified) = self.0.lease.verified(now) {
            let party = self.holder(&identity.oin, &verified, registry, now);
            let party = party.map(|party| party.id.clone());
            let oin = party.is_none().then(|| identity.oin.clone());
            return Whom { party, oin };
        }
        let last = self.0.last.read().unwrap_or_else(PoisonError::into_inner);
        last.clone().into()
    }

    /// Notes that the certificate was used, at most once a minute.
    pub fn note_use(&self, party: &PartyId, now: Timestamp) {
        let noted = self.0.noted_at.load(Ordering::Relaxed);
        if now.as_millis() < noted.saturating_add(NOTED_MS) {
            return;
        }
        let (Ok(identity), Ok(verified)) = (self.identity(), self.verified(now)) else {
            return;
        };
        let Some(anchor) = verified.anchors.first() else {
            return;
        };
        self.0.noted_at.store(now.as_millis(), Ordering::Relaxed);
        self.0.lease.uses.note(Seen {
            certificate: Thumbprint(identity.sha256),
            party: party.clone(),
            oin: identity.oin.clone(),
            anchor: anchor.clone(),
            not_after: identity.not_after,
            first_used_at: now,
            last_used_at: now,
        });
    }

    /// SHA-256 of the certificate, whomever it names; `None` when it no longer holds.
    #[must_use]
    pub fn fingerprint(&self, now: Timestamp) -> Option<[u8; 32]> {
        let held = self
            .0
            .lease
            .certificate()
            .filter(|_| self.0.lease.holds(now))?;
        sha256(held)
    }

    /// The party that calls, for itself or for the principal it names, and for which unit of it.
    ///
    /// # Errors
    /// When the number is no party's, nobody gave leave to act for the principal, or one of the two is
    /// suspended or the unit ended: that does not stand in the way of a method that is never refused.
    pub fn peer(
        &self,
        method: &Method,
        acting: &Acting,
        registry: &Registry,
        now: Timestamp,
    ) -> Result<Peer, UnknownParty> {
        let oin = &self.identity()?.oin;
        let verified = self.verified(now)?;
        let transport = self
            .holder(oin, &verified, registry, now)
            .ok_or(UnknownParty::NotRegistered)?;
        let principal = acting.principal.as_ref().unwrap_or(&transport.id);
        let unit = match transport.unit_with(oin, now) {
            Some(own) if *principal == transport.id => {
                let named = acting.unit.as_ref();
                if named.is_some_and(|named| *named != own.id) {
                    return Err(UnknownParty::NoUnit);
                }
                Some(&own.id)
            }
            _ => acting.unit.as_ref(),
        };
        let transport = &transport.id;
        Ok(registry.standing(transport, principal, unit, method.never_refused, now)?)
    }

    /// The party with this number under one of these anchors. Two parties never hold one number at one time, so
    /// the one found last is the only one as long as it holds it.
    fn holder<'r>(
        &self,
        oin: &Oin,
        verified: &Verified,
        registry: &'r Registry,
        now: Timestamp,
    ) -> Option<&'r Party> {
        let proven = Proven {
            oin,
            anchors: &verified.anchors,
            unpinned: self.0.lease.unpinned.as_ref(),
        };
        let last = self.0.last.read().unwrap_or_else(PoisonError::into_inner);
        let known = last.as_ref().and_then(|id| registry.party(id));
        if let Some(party) = known.filter(|party| proven.is_of(party, now)) {
            return Some(party);
        }
        drop(last);
        let found = registry.holder(proven, now)?;
        let mut last = self.0.last.write().unwrap_or_else(PoisonError::into_inner);
        *last = Some(found.id.clone());
        Some(found)
    }
}

/// SHA-256 of a certificate.
pub(crate) fn sha256(certificate: &CertificateDer<'_>) -> Option<[u8; 32]> {
    digest(&SHA256, certificate).as_ref().try_into().ok()
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
