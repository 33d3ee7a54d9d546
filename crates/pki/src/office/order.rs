//! What an authority is told to issue.

use serde::{Deserialize, Serialize};

use crate::{
    identity::Serial,
    issuing::{AuthorityName, Terms},
    profile::Holder,
    request::CertificateRequest,
};

/// Where an authority stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Below a root: it issues to holders.
    Issuing,
    /// Above everything: it issues to the authority below it.
    Root,
}

/// What is to be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// To whom.
    pub holder: Holder,
    /// For how many days; absent means as many as is usual for the profile.
    pub days: Option<u32>,
    /// The certificate it is to take the place of.
    pub replaces: Option<Serial>,
}

/// For which key a certificate is renewed.
#[derive(Clone, Copy, Debug)]
pub enum Renewed<'a> {
    /// For a new key, which this request brings.
    Request(&'a CertificateRequest),
    /// For the key of the certificate before. Its holder proved possession then.
    SameKey,
}

/// An authority that a root is to certify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    /// Its name.
    pub name: AuthorityName,
    /// Its public key: `SubjectPublicKeyInfo`, DER.
    pub spki: Vec<u8>,
    /// For how many days.
    pub days: u32,
    /// What stands in the certificates it issues.
    pub terms: Terms,
}

impl Level {
    pub(super) const fn spoken(self) -> &'static str {
        match self {
            Self::Issuing => "an issuing authority",
            Self::Root => "a root",
        }
    }

    /// The first part of the names of the files that are published.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Issuing => "issuing",
            Self::Root => "root",
        }
    }
}
