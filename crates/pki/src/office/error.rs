//! Why an authority on disk cannot do what was asked.

use std::path::PathBuf;

use schakel_core::time::Timestamp;

use super::{CERTIFICATE, KEY};
use crate::{
    identity::Serial,
    issuing::{IssueError, LoadError},
    ledger::LedgerError,
    profile::HolderError,
    request::Refusals,
    secret::SecretError,
};

/// Why an authority on disk cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// Certificate and key are no authority.
    #[error("`{}` and `{}` cannot be used: restore them from their backup", dir.join(CERTIFICATE).display(), dir.join(KEY).display())]
    Authority {
        /// The directory.
        dir: PathBuf,
        /// Why not.
        #[source]
        source: LoadError,
    },
    /// The key is in other hands as well.
    #[error(
        "the key is that of certificate {serial}, which was revoked because its key was compromised: make a new key"
    )]
    Compromised {
        /// The serial number of that certificate.
        serial: Serial,
    },
    /// A file cannot be read or written.
    #[error("`{}` cannot be {action}", path.display())]
    Disk {
        /// The file or directory.
        path: PathBuf,
        /// What was tried, as a participle.
        action: &'static str,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The authority does not hold now.
    #[error(
        "the authority holds from {from} to {until}, not now: have the root issue it a new certificate"
    )]
    Expired {
        /// The first instant at which it holds.
        from: Timestamp,
        /// The last instant at which it holds.
        until: Timestamp,
    },
    /// No certificate can be issued for this holder.
    #[error(transparent)]
    Holder(#[from] HolderError),
    /// The library refused.
    #[error("nothing was issued")]
    Issue(#[from] IssueError),
    /// The private key cannot be opened.
    #[error("`{}` cannot be opened", path.display())]
    Key {
        /// The key.
        path: PathBuf,
        /// Why not.
        #[source]
        source: SecretError,
    },
    /// The ledger refused.
    #[error("`{}` cannot be used", path.display())]
    Ledger {
        /// The ledger.
        path: PathBuf,
        /// Why not.
        #[source]
        source: LedgerError,
    },
    /// The certificate is not that of a holder.
    #[error("the certificate is an authority's, not a holder's: the root renews it")]
    NoHolder,
    /// The directory is in use for something.
    #[error("`{}` is not empty: an authority begins in a directory of its own", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The wrong kind of authority.
    #[error("`{}` is {is}, not {wanted}: name the other directory", dir.display())]
    OtherLevel {
        /// The directory.
        dir: PathBuf,
        /// What it is.
        is: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// The request asks for what its holder does not get.
    #[error(transparent)]
    Request(#[from] Refusals),
    /// The certificate is revoked.
    #[error("certificate {serial} is revoked since {at}")]
    Revoked {
        /// Its serial number.
        serial: Serial,
        /// When it was revoked.
        at: Timestamp,
    },
    /// The certificate that was just signed is not what was meant: a fault of the program or the machine.
    #[error(
        "the certificate that was signed does not verify: nothing was issued; do not go on with this machine"
    )]
    Unsound,
    /// A file does not hold what it should.
    #[error("`{}` must hold {wanted}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
}
