//! A lease on a verified chain.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use arc_swap::ArcSwap;
use rustls::pki_types::CertificateDer;
use schakel_core::{id::AnchorName, time::Timestamp};
use tokio::sync::watch;

use super::{Generation, Tls, refused::Refused, verifier::Verified};
use crate::edge::uses::Uses;

/// For how long a refusal counts, so that a client that goes on calling costs no verification each time.
const REFUSED_MS: u64 = 1000;

/// A certificate chain that was verified, and is verified again when anything changed that it depends on, and
/// when the first of them ends: a certificate revoked or expired, or a list too old, ends what an open connection
/// may do.
pub struct Lease {
    chain: Vec<CertificateDer<'static>>,
    current: Arc<ArcSwap<Generation>>,
    changes: watch::Receiver<u64>,
    /// The anchor under which numbers count that the registry pins to none.
    pub(in crate::edge) unpinned: Option<AnchorName>,
    /// How long before the certificate ends its holder is told, in milliseconds.
    pub(in crate::edge) warn_before_ms: u64,
    /// Where uses of the certificate are noted.
    pub(in crate::edge) uses: Arc<Uses>,
    last: RwLock<Option<Known>>,
}

/// What was found last.
struct Known {
    generation: u64,
    from: Timestamp,
    until: Timestamp,
    found: Result<Arc<Verified>, Refused>,
}

impl Lease {
    pub(super) fn new(chain: Vec<CertificateDer<'static>>, tls: &Tls) -> Self {
        let warn_before = tls.config.warn_before.as_millis();
        Self {
            chain,
            current: Arc::clone(&tls.current),
            changes: tls.changed.subscribe(),
            unpinned: tls.config.unpinned().cloned(),
            warn_before_ms: u64::try_from(warn_before).unwrap_or(u64::MAX),
            uses: Arc::clone(&tls.uses),
            last: RwLock::new(None),
        }
    }

    /// Under which anchors the chain holds.
    ///
    /// # Errors
    /// Why it no longer does.
    pub fn verified(&self, now: Timestamp) -> Result<Arc<Verified>, Refused> {
        let current = self.current.load();
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        let counts = |known: &&Known| {
            known.generation == current.number && known.from <= now && now < known.until
        };
        if let Some(known) = last.as_ref().filter(counts) {
            return known.found.clone();
        }
        drop(last);
        let found = match self.chain.split_first() {
            Some((own, sent)) => current.verifier.verify(own, sent, now).map(Arc::new),
            None => Err(Refused::Malformed),
        };
        if let Err(refused) = &found {
            refused.tell();
        }
        let again = found
            .as_ref()
            .map_or(now.plus_millis(REFUSED_MS), |found| found.until);
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        *last = Some(Known {
            generation: current.number,
            from: now,
            until: again,
            found: found.clone(),
        });
        found
    }

    /// Whether the chain holds.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.verified(now).is_ok()
    }

    /// Changes when the chain must be looked at again.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// The peer's own certificate.
    #[must_use]
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.chain.first()
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}
