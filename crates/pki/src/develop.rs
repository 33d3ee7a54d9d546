//! The directory with the development authority and the certificates of the development organisations.
//!
//! What is there is kept, when it belongs together and holds at the instant; what is missing is made; what
//! does not hold any more is replaced only by [`renew`], and then the keys stay. Anything else is an error
//! that names the file and the way out: no file is ever overwritten because it was not understood.

mod file;
mod filling;

use std::path::Path;

use schakel_core::{random::Random, time::Timestamp};

use self::filling::{Expired, Filling};
use crate::{
    authority::{IssueError, LoadError},
    identity::IdentityError,
    organisation::{Organisation, Organisations},
    revocation::RevocationError,
};

/// The certificate of the authority.
pub const AUTHORITY_CERTIFICATE: &str = "ca.cert.pem";
/// The private key of the authority.
pub const AUTHORITY_KEY: &str = "ca.key.pem";
/// The revocation list of the authority.
pub const REVOCATION_LIST: &str = "ca.crl.pem";

/// The file with the certificate of an organisation.
#[must_use]
pub fn certificate_file(organisation: &Organisation) -> String {
    format!("{}.cert.pem", organisation.id)
}

/// The file with the private key of an organisation.
#[must_use]
pub fn key_file(organisation: &Organisation) -> String {
    format!("{}.key.pem", organisation.id)
}

/// What was done in the directory, as names of files in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Made, because they were missing.
    pub created: Vec<String>,
    /// Found in order and left alone.
    pub kept: Vec<String>,
    /// Replaced, because they no longer held.
    pub renewed: Vec<String>,
    /// When the first of the certificates and the revocation list ends.
    pub holds_until: Timestamp,
}

/// Why the directory was not filled. Files made before the error stay, and are kept the next time.
#[derive(Debug, thiserror::Error)]
pub enum DevelopError {
    /// The authority on disk cannot be used.
    #[error(
        "`{AUTHORITY_CERTIFICATE}` and `{AUTHORITY_KEY}` cannot be used: remove all `.pem` files to start afresh"
    )]
    Authority(#[source] LoadError),
    /// A file cannot be read or written.
    #[error("`{path}` cannot be {action}")]
    Disk {
        /// The file or directory.
        path: String,
        /// What was tried, as a participle.
        action: &'static str,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A private key can be read by others than its owner.
    #[error(
        "`{file}` can be read by others than its owner: set its mode to 0600, or remove it with its certificate"
    )]
    Exposed {
        /// The key.
        file: String,
    },
    /// A certificate is not from the authority beside it.
    #[error(
        "`{file}` was not issued by `{AUTHORITY_CERTIFICATE}`: remove it and its key to have both made again"
    )]
    Foreign {
        /// The certificate.
        file: String,
    },
    /// Of a certificate and its key only one is there.
    #[error("`{present}` is there and `{missing}` is not: put it back, or remove `{present}`")]
    Incomplete {
        /// What is there.
        present: String,
        /// What is not.
        missing: String,
    },
    /// Something cannot be issued.
    #[error("nothing could be issued for `{id}`")]
    Issue {
        /// The organisation, or `ca`.
        id: String,
        /// Why not.
        #[source]
        source: IssueError,
    },
    /// A certificate or list does not hold at this instant.
    #[error(
        "`{file}` holds from {from} to {until}, not now: `schakel pki dev --renew` replaces it"
    )]
    NotValid {
        /// The certificate or list.
        file: String,
        /// From when it holds.
        from: Timestamp,
        /// Until when it holds.
        until: Timestamp,
    },
    /// The key beside a certificate is another's.
    #[error("`{key}` is not the key of `{certificate}`: remove both to have them made again")]
    OtherKey {
        /// The certificate.
        certificate: String,
        /// The key.
        key: String,
    },
    /// A certificate is for another number than the organisation has.
    #[error(
        "`{file}` is for number {found}, the organisation has {wanted}: remove it and its key to have both made again"
    )]
    OtherOrganisation {
        /// The certificate.
        file: String,
        /// The number in the certificate.
        found: String,
        /// The number of the organisation.
        wanted: String,
    },
    /// The revocation list cannot be used.
    #[error("`{REVOCATION_LIST}` cannot be used: remove it to have it made again")]
    Revocation(#[source] RevocationError),
    /// A certificate cannot be read.
    #[error("`{file}` cannot be used: remove it and its key to have both made again")]
    Unreadable {
        /// The certificate.
        file: String,
        /// Why not.
        #[source]
        source: IdentityError,
    },
}

/// Fills the directory: authority, revocation list, and a certificate with its key for each organisation.
/// The directory is made when it is missing. Private keys get mode 0600.
///
/// # Errors
/// When something in the directory is not what it should be, or does not hold at `now`; nothing of it is
/// changed then. When a file cannot be read or written.
pub fn develop(
    dir: &Path,
    organisations: &Organisations,
    now: Timestamp,
    random: &mut dyn Random,
) -> Result<Written, DevelopError> {
    Filling::new(dir, Expired::Refuse, now)?.fill(organisations, random)
}

/// As [`develop`], and replaces certificates and the list that do not hold at `now`. Keys stay.
///
/// # Errors
/// As [`develop`], except for what does not hold.
pub fn renew(
    dir: &Path,
    organisations: &Organisations,
    now: Timestamp,
    random: &mut dyn Random,
) -> Result<Written, DevelopError> {
    Filling::new(dir, Expired::Renew, now)?.fill(organisations, random)
}

#[cfg(test)]
mod tests;
