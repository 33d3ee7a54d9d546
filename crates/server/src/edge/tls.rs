//! TLS 1.3 with client certificates and revocation lists, read from files that may change at any time.
//!
//! What is admitted is decided here and nowhere else: only what the listed authorities issued, only while a
//! current revocation list of theirs does not name it. Sessions are never resumed, since resuming skips the
//! verification of the certificate. A connection that is open when the files change is verified again.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, UnixTime},
    server::danger::ClientCertVerifier,
    time_provider::TimeProvider,
};
use schakel_core::time::Timestamp;

use crate::{
    clock::Clock,
    config::{self, Environment},
};

mod build;
mod error;
mod files;

pub use error::TlsError;

use files::Files;

/// The broker's side of every handshake, as of the last change of its files.
pub struct Tls {
    config: config::Tls,
    environment: Environment,
    clock: Arc<dyn Clock>,
    current: Arc<ArcSwap<Generation>>,
}

/// What one state of the files admits.
struct Generation {
    number: u64,
    digest: [u8; 32],
    server: Arc<ServerConfig>,
    verifier: Arc<dyn ClientCertVerifier>,
}

/// What [`Tls::reload`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// The files changed; what they say counts from now on.
    Changed,
    /// The files are what they were.
    Unchanged,
}

impl Tls {
    /// Reads and checks the files.
    ///
    /// # Errors
    /// When a file cannot be read or does not hold what it should, an authority has no current revocation
    /// list, something is for development and the environment is not, or the broker's certificate does not
    /// hold now. The error names the key of the configuration and the remedy.
    pub fn load(
        config: &config::Tls,
        environment: Environment,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        let files = Files::read(config)?;
        let first = build::generation(&files, environment, &clock, 0)?;
        Ok(Self {
            config: config.clone(),
            environment,
            clock,
            current: Arc::new(ArcSwap::from_pointee(first)),
        })
    }

    /// Reads the files again. What changed counts for handshakes from now on, and for open connections at
    /// their next call.
    ///
    /// # Errors
    /// As [`Self::load`]; what counted before counts on then.
    pub fn reload(&self) -> Result<Reloaded, TlsError> {
        let files = Files::read(&self.config)?;
        let current = self.current.load();
        if files.digest() == current.digest {
            return Ok(Reloaded::Unchanged);
        }
        let number = current.number.saturating_add(1);
        let next = build::generation(&files, self.environment, &self.clock, number)?;
        self.current.store(Arc::new(next));
        Ok(Reloaded::Changed)
    }

    /// What the next handshake goes by.
    #[must_use]
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().server)
    }

    /// A lease on the chain that a handshake just verified, the peer's own certificate first.
    #[must_use]
    pub fn lease(&self, chain: Vec<CertificateDer<'static>>) -> Lease {
        Lease {
            chain,
            current: Arc::clone(&self.current),
            // Verified by a generation, but perhaps not by the newest: the first call finds out.
            generation: AtomicU64::new(u64::MAX),
            verified_at: AtomicU64::new(0),
        }
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

/// A certificate chain that was verified, and is verified again when the files have changed and once a
/// minute: a certificate revoked or expired, or a list expired, ends what an open connection may do.
pub struct Lease {
    chain: Vec<CertificateDer<'static>>,
    current: Arc<ArcSwap<Generation>>,
    generation: AtomicU64,
    verified_at: AtomicU64,
}

impl Lease {
    /// For how long a verification counts, in milliseconds.
    const VERIFIED_MS: u64 = 60_000;

    /// Whether the chain holds.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        let current = self.current.load();
        let passed = now
            .as_millis()
            .abs_diff(self.verified_at.load(Ordering::Relaxed));
        if self.generation.load(Ordering::Relaxed) == current.number && passed < Self::VERIFIED_MS {
            return true;
        }
        let Some((own, intermediates)) = self.chain.split_first() else {
            return false;
        };
        let verified = current
            .verifier
            .verify_client_cert(own, intermediates, unix_time(now));
        if verified.is_ok() {
            self.verified_at.store(now.as_millis(), Ordering::Relaxed);
            self.generation.store(current.number, Ordering::Relaxed);
        }
        verified.is_ok()
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

/// The broker's clock as the handshake reads it.
#[derive(Debug)]
struct ClockTime(Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(self.0.now()))
    }
}

fn unix_time(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_millis(at.as_millis()))
}

#[cfg(test)]
pub(crate) mod tests;
