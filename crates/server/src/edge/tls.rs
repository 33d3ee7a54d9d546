//! TLS with client certificates and revocation lists, read from files and addresses that may change at any time.
//!
//! What is admitted is decided here and nowhere else: only what the authorities of an anchor issued, only while a
//! current revocation list of theirs does not name it. Sessions are never resumed, since resuming skips the
//! verification of the certificate. A connection that is open when something changes is verified again.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, UnixTime},
    time_provider::TimeProvider,
};
use schakel_core::{party::Party, time::Timestamp};
use schakel_pki::check::{Acceptance, Anchor, Chain, KnownList, list_text};
use tokio::sync::watch;

use super::uses::Uses;
use crate::{
    clock::Clock,
    config::{self, Environment},
    telemetry::Metrics,
};

mod anchor;
mod build;
mod copies;
mod error;
mod fetch;
mod files;
mod lease;
mod list;
mod newest;
mod pair;
mod parts;
mod refused;
mod roots;
mod taking;
mod verifier;

pub use error::TlsError;
pub use lease::Lease;
pub use list::Source;
pub use refused::Refused;
pub use verifier::Verified;

pub(crate) use roots::roots;

use copies::Copies;
use list::Place;
use newest::Newest;
use parts::Parts;
use verifier::Verifier;

/// The directory in that of the data where copies of fetched lists are kept.
pub const COPIES: &str = "crl";

/// The broker's side of every handshake, as of the last change of what it goes by.
pub struct Tls {
    config: config::Tls,
    environment: Environment,
    clock: Arc<dyn Clock>,
    copies: Option<Copies>,
    parts: Mutex<Parts>,
    /// What was last kept of how new the lists are.
    kept: Mutex<Option<Newest>>,
    current: Arc<ArcSwap<Generation>>,
    changed: watch::Sender<u64>,
    uses: Arc<Uses>,
}

/// What one state of the files and lists admits.
struct Generation {
    number: u64,
    server: Arc<ServerConfig>,
    guest: Arc<ServerConfig>,
    verifier: Arc<Verifier>,
}

/// What [`Tls::reload`] found.
#[derive(Debug)]
pub struct Reloaded {
    /// Whether anything changed; it counts from now on.
    pub changed: bool,
    /// What is broken or outdated: the part of it that counted before counts on, as long as it may.
    pub broken: Vec<TlsError>,
}

/// A revocation list that is fetched.
#[derive(Clone, Debug)]
pub struct Fetched {
    url: String,
    source: Arc<Source>,
}

impl Tls {
    /// Reads and checks the files. Copies of fetched lists are kept in the directory, if one is named.
    ///
    /// # Errors
    /// When a file cannot be read or does not hold what it should, an authority has no revocation list, something
    /// is for development and the environment is not, or the broker's certificate does not hold now. The error
    /// names the key of the configuration and the remedy. A list that is too old is no error: certificates of its
    /// own authority are refused, and [`Self::reload`] tells.
    pub fn load(
        config: &config::Tls,
        environment: Environment,
        copies: Option<&Path>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        let copies = copies.map(Copies::new);
        let parts = Parts::read(config, environment, copies.as_ref(), clock.now())?;
        let first = build::generation(&parts, config.oldest_version, &clock, 0)?;
        Ok(Self {
            config: config.clone(),
            environment,
            clock,
            copies,
            parts: Mutex::new(parts),
            kept: Mutex::default(),
            current: Arc::new(ArcSwap::from_pointee(first)),
            changed: watch::Sender::new(0),
            uses: Arc::default(),
        })
    }

    /// Reads the files again. What changed counts for handshakes from now on, and for open connections at once.
    /// What is broken stays as it was, each part by itself.
    pub fn reload(&self) -> Reloaded {
        let now = self.clock.now();
        let mut parts = self.parts();
        let (changed, mut broken) = parts.read_again(&self.config, self.environment, now);
        if changed && let Err(error) = self.count(&parts) {
            broken.push(error);
        }
        broken.extend(parts.outdated(now));
        Reloaded { changed, broken }
    }

    /// The lists that are fetched.
    #[must_use]
    pub fn fetched(&self) -> Vec<Fetched> {
        let parts = self.parts();
        let lists = parts.anchors.iter().flat_map(|anchor| &anchor.lists);
        let fetched = lists.filter_map(|part| match &part.source.place {
            Place::Url(url) => Some(Fetched {
                url: url.clone(),
                source: Arc::clone(&part.source),
            }),
            Place::File(_) => None,
        });
        fetched.collect()
    }

    /// Lets these anchors count from now on and no others: for handshakes, and for open connections at once. One
    /// that stayed as it was is not read again. One that cannot be used stays as it was, or away when it is new.
    pub fn adopt(&self, wanted: &[config::Anchor]) -> Reloaded {
        let mut parts = self.parts();
        let (now, copies) = (self.clock.now(), self.copies.as_ref());
        let (changed, mut broken) = parts.adopt(wanted, self.environment, copies, now);
        if changed && let Err(error) = self.count(&parts) {
            broken.push(error);
        }
        Reloaded { changed, broken }
    }

    /// What ends and when: the broker's certificate and the authorities, by what each is.
    #[must_use]
    pub fn ends(&self) -> Vec<(String, Timestamp)> {
        let parts = self.parts();
        let own = ("the broker's certificate".to_owned(), parts.pair.not_after);
        let authorities = parts.anchors.iter().flat_map(parts::AnchorParts::ends);
        std::iter::once(own).chain(authorities).collect()
    }

    /// By what certificates are judged, as it is known at this moment, when these parties are registered.
    #[must_use]
    pub fn acceptance(&self, parties: Vec<Party>) -> Acceptance {
        Acceptance {
            production: self.environment == Environment::Production,
            anchors: self.parts().shown(self.config.unpinned()),
            parties: Some(parties),
        }
    }

    /// The authorities above a certificate that was issued for a party, DER, the nearest first and no root: those that
    /// are trusted here, and the one with which this broker issues.
    pub(crate) fn above(&self, certificate: &[u8], issuing: Option<&[u8]>) -> Vec<Vec<u8>> {
        let mut acceptance = self.acceptance(Vec::new());
        acceptance.anchors.push(Anchor {
            terms: None,
            authorities: Vec::new(),
            intermediates: issuing.map(<[u8]>::to_vec).into_iter().collect(),
            lists: Vec::new(),
        });
        acceptance.above(certificate, self.clock.now())
    }

    /// What the handshake itself says of a chain at an instant, by the lists as they are.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn judge(&self, chain: &Chain, at: Timestamp) -> Result<Verified, Refused> {
        let mut all = chain.iter().map(|der| CertificateDer::from(der.to_vec()));
        let own = all.next().ok_or(Refused::Malformed)?;
        let sent: Vec<_> = all.collect();
        let current = self.current.load();
        current.verifier.verify(&own, &sent, at)
    }

    /// What the next handshake of somebody without a certificate goes by: the broker's own certificate alone.
    #[must_use]
    pub(crate) fn guest_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().guest)
    }

    /// Tells until when the broker's certificate, the authorities and the revocation lists count.
    pub fn measure(&self, metrics: &Metrics) {
        let now = self.clock.now();
        for (kind, name, end) in self.expiring() {
            metrics.expiry(kind, name, days_between(now, end));
        }
    }

    fn expiring(&self) -> Vec<(&'static str, String, Timestamp)> {
        let parts = self.parts();
        let own = ("certificate", "broker".to_owned(), parts.pair.not_after);
        let authorities = parts.anchors.iter().flat_map(parts::AnchorParts::ends);
        let lists = parts.anchors.iter().flat_map(|anchor| &anchor.lists);
        std::iter::once(own)
            .chain(authorities.map(|(name, end)| ("authority", name, end)))
            .chain(lists.filter_map(parts::ListPart::end))
            .collect()
    }

    /// What the next handshake goes by.
    #[must_use]
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().server)
    }

    /// What the next handshake of a listener that serves files goes by: the same certificates, another
    /// protocol inside.
    #[must_use]
    pub fn files_config(&self) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(&self.current.load().server);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }

    /// A lease on the chain that a handshake just verified, the peer's own certificate first.
    #[must_use]
    pub fn lease(&self, chain: Vec<CertificateDer<'static>>) -> Lease {
        Lease::new(chain, self)
    }

    /// Which certificates are used.
    #[must_use]
    pub const fn uses(&self) -> &Arc<Uses> {
        &self.uses
    }

    /// Lets the parts count from now on.
    fn count(&self, parts: &Parts) -> Result<(), TlsError> {
        let number = self.current.load().number.saturating_add(1);
        let next = build::generation(parts, self.config.oldest_version, &self.clock, number)?;
        self.current.store(Arc::new(next));
        self.changed.send_replace(number);
        Ok(())
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetched {
    /// Whether this is the same list of the same anchor, as it was configured then.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }

    /// How often it is fetched.
    #[must_use]
    pub fn refresh_every(&self) -> std::time::Duration {
        self.source.refresh_every
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("config", &self.config)
            .field("generation", &self.current.load().number)
            .finish_non_exhaustive()
    }
}

/// The revocation list that a broker with this data directory fetched last from an address, as its copy says.
#[must_use]
pub fn kept(data_dir: &Path, url: &str) -> KnownList {
    let copy = Copies::new(&data_dir.join(COPIES)).read(url);
    let (bytes, counted_from) = copy.unzip();
    KnownList {
        from: format!("`{url}`"),
        text: bytes.as_deref().map(list_text),
        counted_from,
        max_age_ms: None,
        admits_stale: false,
    }
}

/// The broker's clock as the handshake reads it.
#[derive(Debug)]
struct ClockTime(Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(self.0.now()))
    }
}

/// The library of this broker, for connections it makes itself.
pub(crate) fn provider() -> rustls::crypto::CryptoProvider {
    build::provider()
}

/// From one instant to another in days; negative when the other lies before.
#[expect(
    clippy::cast_precision_loss,
    reason = "a millisecond more or less in thousands of years is of no account"
)]
fn days_between(from: Timestamp, to: Timestamp) -> f64 {
    let days = |at: Timestamp| at.as_millis() as f64 / Timestamp::DAY_MS as f64;
    days(to) - days(from)
}

fn unix_time(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_millis(at.as_millis()))
}

#[cfg(test)]
pub(crate) mod tests;
