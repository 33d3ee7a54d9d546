//! A look at an authority from outside: it writes nothing, and takes nobody's turn.

use std::path::Path;

use super::{KEY, LEDGER, Level, Office, OfficeError, SETTINGS, Settings, certificate, files};
use crate::{
    issuing::{SigningAuthority, Terms},
    ledger::Ledger,
    secret::{self, Passphrase},
};

impl Office {
    /// Whether an authority could be opened and its key with it, and where it stands.
    ///
    /// # Errors
    /// As [`Office::open`] and [`Office::unlock`].
    pub fn look(dir: &Path, passphrase: &Passphrase) -> Result<Level, OfficeError> {
        let settings = settings(dir)?;
        let path = dir.join(LEDGER);
        Ledger::read(&path).map_err(|source| OfficeError::Ledger { path, source })?;
        unlocked(dir, certificate(dir)?, settings.terms, passphrase)?;
        Ok(settings.level)
    }
}

pub(super) fn settings(dir: &Path) -> Result<Settings, OfficeError> {
    let settings = files::read(&dir.join(SETTINGS))?;
    toml::from_str(&settings).map_err(|_| OfficeError::Unreadable {
        path: dir.join(SETTINGS),
        wanted: "the settings of an authority, as `schakel pki init` wrote them",
    })
}

pub(super) fn unlocked(
    dir: &Path,
    certificate: Vec<u8>,
    terms: Terms,
    passphrase: &Passphrase,
) -> Result<SigningAuthority, OfficeError> {
    let path = dir.join(KEY);
    let sealed = files::read(&path)?;
    let key =
        secret::open(&sealed, passphrase).map_err(|source| OfficeError::Key { path, source })?;
    SigningAuthority::load(certificate, key, terms).map_err(|source| OfficeError::Authority {
        dir: dir.to_owned(),
        source,
    })
}
