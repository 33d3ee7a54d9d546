//! Section `[enrolment]`: where organisations without a certificate ask for one, and who issues it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    check::{apart, broken, number},
    error::Broken,
};

/// Section `[enrolment]`: where organisations without a certificate ask for one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// Address and port, another than that of `[listen]`. No client certificate is asked for there, and nothing
    /// but enrolment is served.
    pub address: SocketAddr,
    /// How many attempts with tokens that nobody gave are taken a minute: 1 to 6000.
    #[serde(default = "default_attempts")]
    pub attempts_per_minute: u32,
    /// How many of them from one source address, or one IPv6 network of 64 bits, and how many with one token that
    /// somebody gave, from wherever: 1 to 6000.
    #[serde(default = "default_attempts_per_address")]
    pub attempts_per_address: u32,
    /// The authority with which the broker issues by itself; absent: what is asked for waits until it is signed.
    #[serde(default)]
    pub issuing: Option<Issuing>,
}

/// Section `[enrolment.issuing]`: the authority with which the broker issues by itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuing {
    /// The directory of the authority, as `schakel pki init` made it: below a root that stays offline.
    pub authority: PathBuf,
    /// A file with the passphrase of its key.
    pub passphrase_file: PathBuf,
    /// For how many days a certificate holds: 1 to 90.
    #[serde(default = "default_days")]
    pub days: u32,
    /// The directory in which the revocation list of the authority is published. With it the broker keeps the list:
    /// what is revoked is put on it, and it is signed anew every day. Absent: whoever keeps the authority does that.
    #[serde(default)]
    pub public: Option<PathBuf>,
}

impl Enrolment {
    pub(super) fn check(&self, data: &Path) -> Result<(), Broken> {
        let attempts = self.attempts_per_minute;
        number("enrolment.attempts_per_minute", attempts, 1..=6000)?;
        let attempts = self.attempts_per_address;
        number("enrolment.attempts_per_address", attempts, 1..=6000)?;
        let Some(issuing) = &self.issuing else {
            return Ok(());
        };
        number("enrolment.issuing.days", issuing.days, 1..=90)?;
        apart("enrolment.issuing.authority", &issuing.authority, data)?;
        if let Some(public) = &issuing.public {
            apart("enrolment.issuing.public", public, data)?;
            let (inside, around) = (&issuing.authority, public);
            if around.starts_with(inside) || inside.starts_with(around) {
                return broken(
                    "enrolment.issuing.public",
                    "must lie apart from `enrolment.issuing.authority`: what is in it is published",
                );
            }
        }
        let phrase = &issuing.passphrase_file;
        apart("enrolment.issuing.passphrase_file", phrase, data)?;
        if phrase.starts_with(&issuing.authority) {
            return broken(
                "enrolment.issuing.passphrase_file",
                "must not lie inside `enrolment.issuing.authority`: a backup of the authority must not hold the passphrase of its key",
            );
        }
        Ok(())
    }

    pub(super) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let issuing = self.issuing.iter_mut();
        issuing.flat_map(|issuing| {
            let public = issuing.public.iter_mut();
            [&mut issuing.authority, &mut issuing.passphrase_file]
                .into_iter()
                .chain(public)
        })
    }
}

const fn default_attempts() -> u32 {
    60
}

const fn default_attempts_per_address() -> u32 {
    10
}

const fn default_days() -> u32 {
    30
}
