//! Why the broker does not serve with the files it was given.

use std::{io, path::PathBuf};

use schakel_core::{id::AnchorName, time::Timestamp};
use schakel_pki::revocation::RevocationError;

use super::fetch::FetchError;

/// Why the files of section `[tls]` are refused: the key, the file and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The copy of a fetched list cannot be kept.
    #[error(
        "`tls.anchor.crl`: a copy of the list from {list} cannot be kept: make `broker.data_dir` writable"
    )]
    Copy {
        /// Where the list is from.
        list: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// An authority is one for development.
    #[error(
        "`tls.anchor`: `{anchor}` holds a development authority: name the authority that issues your partners' certificates, or set `broker.environment` to \"development\""
    )]
    DevelopmentAuthority {
        /// The anchor.
        anchor: AnchorName,
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
    /// A list was not fetched.
    #[error("`tls.anchor.crl.url`: {list} was not fetched")]
    Fetch {
        /// Where it should have come from.
        list: String,
        /// Why not.
        source: FetchError,
    },
    /// How new the lists are cannot be kept.
    #[error(
        "`broker.data_dir`: it cannot be kept in `{}` how new the revocation lists are: make it writable, or an older one might count after a restart",
        dir.display()
    )]
    Newest {
        /// Where it should be kept.
        dir: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A list was never fetched.
    #[error(
        "`tls.anchor.crl.url`: {list} was never fetched: certificates of its authority are refused until it is"
    )]
    NeverFetched {
        /// Where it should come from.
        list: String,
    },
    /// The broker's certificate does not hold now.
    #[error("`tls.certificate`: `{}` holds from {} to {}, not now: renew it", file.display(), from.spoken(), until.spoken())]
    NotValid {
        /// The file.
        file: PathBuf,
        /// From when it holds.
        from: Timestamp,
        /// Until when it holds.
        until: Timestamp,
    },
    /// A list is older than one that was taken.
    #[error(
        "`tls.anchor.crl`: {list} is older than a list of the same authority that was taken already: give the newest one"
    )]
    Older {
        /// Where the list is from.
        list: String,
    },
    /// An address of one authority's lists has another's.
    #[error(
        "`tls.anchor.crl.url`: {list} has the list of another authority than before: name an address for each authority"
    )]
    OtherAuthority {
        /// Where the list is from.
        list: String,
    },
    /// A revocation list does not count now.
    #[error(
        "`tls.anchor.crl`: {list} counts from {} to {}, not now: fetch the newest list",
        from.spoken(),
        until.spoken()
    )]
    Outdated {
        /// Where the list is from.
        list: String,
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
    #[error(
        "`tls.anchor.crl`: {list} is no list of an authority of its anchor: give the newest list of each"
    )]
    Revocation {
        /// Where the list is from.
        list: String,
        /// Why not.
        #[source]
        source: RevocationError,
    },
    /// The broker ends while a list is taken.
    #[error("a revocation list was not taken in whole: it is fetched again")]
    Task,
    /// An authority has no revocation list.
    #[error(
        "`tls.anchor.crl`: anchor `{anchor}` holds no list of its certificate {position}: without one a revoked certificate would be admitted, so add its newest list"
    )]
    Unlisted {
        /// The anchor.
        anchor: AnchorName,
        /// Which certificate of it, from 1: those of `certificates`, then those of `intermediates`.
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
    #[error("`tls.anchor`: a certificate of an authority cannot be used")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
