//! Why the broker does not serve with the files it was given.

use std::{io, path::PathBuf};

use schakel_core::time::Timestamp;
use schakel_pki::revocation::RevocationError;

/// Why the files of section `[tls]` are refused: the key, the file and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// An authority is one for development.
    #[error(
        "`tls.client_ca`: `{}` holds a development authority: name the authority that issues your partners' certificates, or set `broker.environment` to \"development\"",
        file.display()
    )]
    DevelopmentAuthority {
        /// The file.
        file: PathBuf,
    },
    /// The broker's own certificate is one for development.
    #[error(
        "`tls.certificate`: `{}` is a development certificate: use one that was issued to your organisation, or set `broker.environment` to \"development\"",
        file.display()
    )]
    DevelopmentCertificate {
        /// The file.
        file: PathBuf,
    },
    /// A file does not hold what it should.
    #[error("`{key}`: `{}` must hold {wanted} in PEM", file.display())]
    Empty {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// What it must hold.
        wanted: &'static str,
    },
    /// The private key can be read by everybody on the machine.
    #[error("`tls.key`: `{}` can be read by every user: set its mode to 0640 or 0600", file.display())]
    Exposed {
        /// The file.
        file: PathBuf,
    },
    /// The broker's certificate does not hold now.
    #[error("`tls.certificate`: `{}` holds from {from} to {until}, not now: renew it", file.display())]
    NotValid {
        /// The file.
        file: PathBuf,
        /// From when it holds.
        from: Timestamp,
        /// Until when it holds.
        until: Timestamp,
    },
    /// A revocation list does not count now.
    #[error(
        "`tls.client_crls`: `{}` counts from {from} to {until}, not now: fetch the newest list",
        file.display()
    )]
    Outdated {
        /// The file.
        file: PathBuf,
        /// From when it counts.
        from: Timestamp,
        /// Until when it counts.
        until: Timestamp,
    },
    /// The certificate and the key do not belong together, or the library cannot use them.
    #[error(
        "`tls.certificate` and `tls.key` cannot be used: they must be a certificate chain and the private key of its first certificate"
    )]
    Pair(#[source] rustls::Error),
    /// A revocation list cannot be used.
    #[error("`tls.client_crls`: `{}` is no list of an authority in `tls.client_ca`: give the newest list of each", file.display())]
    Revocation {
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        source: RevocationError,
    },
    /// An authority has no revocation list.
    #[error(
        "`tls.client_crls` holds no list of certificate {position} in `{}`: without one a revoked certificate would be admitted, so add its newest list",
        file.display()
    )]
    Unlisted {
        /// The file with the authorities.
        file: PathBuf,
        /// Which certificate of the file, from 1.
        position: usize,
    },
    /// A file cannot be read.
    #[error("`{key}`: `{}` cannot be read: name a file that the broker may read", file.display())]
    Unreadable {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The library refuses the authorities or lists.
    #[error("`tls.client_ca` and `tls.client_crls` cannot be used")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
