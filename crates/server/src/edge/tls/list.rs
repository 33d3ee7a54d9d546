//! Revocation lists: where each comes from, which authority signed it, and how long what it says counts.

use std::{
    fmt,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::{CertificateDer, TrustAnchor, pem::PemObject as _};
use schakel_core::time::Timestamp;
use schakel_pki::{
    check::{self, KnownList},
    revocation::{RevocationError, RevocationList},
    validity::Validity,
};
use webpki::{CertRevocationList, OwnedCertRevocationList};

use crate::config::{self, WhenStale};

/// Where a revocation list comes from, and how its age counts.
#[derive(Debug)]
pub struct Source {
    /// Where.
    pub(super) place: Place,
    /// How often it is fetched.
    pub(super) refresh_every: Duration,
    max_age_ms: Option<u64>,
    when_stale: WhenStale,
    /// When it was last fetched, in milliseconds since 1970; 0 when it never was.
    fetched_at: AtomicU64,
}

/// Where a revocation list comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    File(PathBuf),
    Url(String),
}

/// A revocation list whose signature was checked.
#[derive(Debug)]
pub(super) struct List {
    pub(super) authority: Authority,
    pub(super) lookup: CertRevocationList<'static>,
    validity: Validity,
}

/// An authority as revocation knows it: a name and a key. Two certificates of one authority have both in
/// common; two generations of it have the name only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    name: Vec<u8>,
    key: Vec<u8>,
}

impl Source {
    pub(super) fn new(config: &config::List) -> Option<Self> {
        let file = config.file.clone().map(Place::File);
        let place = file.or_else(|| config.url.clone().map(Place::Url))?;
        Some(Self {
            place,
            refresh_every: config.refresh_every,
            max_age_ms: config
                .max_age
                .map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            when_stale: config.when_stale,
            fetched_at: AtomicU64::new(0),
        })
    }

    /// Whether certificates are admitted although the list is too old.
    pub(super) fn admits_stale(&self) -> bool {
        self.when_stale == WhenStale::Admit
    }

    /// Whether the list is fetched, from an address at which anybody on the way may answer.
    pub(super) const fn is_fetched(&self) -> bool {
        matches!(self.place, Place::Url(_))
    }

    /// Whether a list of the same authority alone may take the place of this one: as long as it counts. Whoever
    /// answers in the name of an address must not be able to take away what it says of its own authority. When it
    /// counts no more there is nothing to take away, and a list that was never that of this address makes room.
    /// A generation of the authority with another key has its name.
    pub(super) fn belongs_to_another(&self, there: &List, list: &List, now: Timestamp) -> bool {
        self.is_fetched()
            && there.authority.name != list.authority.name
            && (self.admits_stale() || now < self.stale_at(there))
    }

    /// Notes that the list was fetched.
    pub(super) fn fetched(&self, at: Timestamp) {
        self.fetched_at.store(at.as_millis(), Ordering::Relaxed);
    }

    /// The list as somebody reads it who checks a certificate by hand.
    pub(super) fn shown(&self, bytes: Option<&[u8]>) -> KnownList {
        let fetched = self.fetched_at.load(Ordering::Relaxed);
        KnownList {
            from: self.to_string(),
            text: bytes.map(check::list_text),
            counted_from: match self.place {
                Place::File(_) => None,
                Place::Url(_) => Some(Timestamp::EPOCH.plus_millis(fetched)),
            },
            max_age_ms: self.max_age_ms,
            admits_stale: self.admits_stale(),
        }
    }

    /// When what the list says begins to be too old.
    pub(super) fn stale_at(&self, list: &List) -> Timestamp {
        let end = list.validity.not_after();
        let Some(age) = self.max_age_ms else {
            return end;
        };
        let from = match &self.place {
            Place::File(_) => list.validity.not_before().as_millis(),
            Place::Url(_) => self.fetched_at.load(Ordering::Relaxed),
        };
        end.min(Timestamp::EPOCH.plus_millis(from.saturating_add(age)))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File(path) => write!(f, "`{}`", path.display()),
            Place::Url(url) => write!(f, "`{url}`"),
        }
    }
}

impl List {
    /// Reads a list, PEM or DER, and finds the authority that signed it.
    ///
    /// # Errors
    /// When it is no list that can be used, or none of the authorities signed it.
    pub(super) fn read(
        bytes: &[u8],
        authorities: &[CertificateDer<'_>],
    ) -> Result<Self, RevocationError> {
        let pem = CertificateRevocationListDer::from_pem_slice(bytes);
        let der: &[u8] = pem.as_ref().map_or(bytes, |der| der.as_ref());
        // What the library cannot look things up in is refused here, before it is relied on.
        let lookup =
            OwnedCertRevocationList::from_der(der).map_err(|_| RevocationError::Malformed)?;
        let mut refused = RevocationError::OtherAuthority;
        for certificate in authorities {
            match RevocationList::parse_der(der, certificate) {
                Ok(list) => {
                    return Ok(Self {
                        authority: Authority::of(certificate)
                            .ok_or(RevocationError::OtherAuthority)?,
                        lookup: lookup.into(),
                        validity: list.validity(),
                    });
                }
                Err(RevocationError::OtherAuthority) => {}
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Whether it names this certificate.
    pub(super) fn names(&self, certificate: &webpki::Cert<'_>) -> bool {
        self.lookup.issuer() == certificate.issuer()
            && matches!(self.lookup.find_serial(certificate.serial()), Ok(Some(_)))
    }

    /// When the authority signed it, and until when it may be relied on.
    pub(super) const fn validity(&self) -> Validity {
        self.validity
    }
}

impl Authority {
    /// The exact name, DER.
    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    /// The key, DER.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The authority of a certificate; `None` when it is none.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let anchor = webpki::anchor_from_trusted_cert(certificate).ok()?;
        Some(Self::of_anchor(&anchor))
    }

    pub(super) fn of_anchor(anchor: &TrustAnchor<'_>) -> Self {
        Self {
            name: anchor.subject.as_ref().to_vec(),
            key: anchor.subject_public_key_info.as_ref().to_vec(),
        }
    }
}
