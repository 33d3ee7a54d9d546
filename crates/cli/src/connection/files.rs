//! Where the files are with which a party calls.

use std::path::{Path, PathBuf};

use schakel_client::Identity;

use super::read;
use crate::exit::Failure;

/// Where certificate, key and authority are.
pub(super) struct Files {
    pub(super) party: Option<String>,
    pub(super) directory: Option<PathBuf>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) ca: Option<PathBuf>,
}

impl Files {
    /// The directory, the party with its certificate and key, and the authority.
    ///
    /// Who calls is what the certificate says and the broker knows: a party need only be named to find the files.
    pub(super) fn read(self) -> Result<(PathBuf, Identity, String), Failure> {
        let (directory, party) = self.directory_and_party()?;
        let beside = |ending: &str| {
            let party = party.as_deref().ok_or_else(unnamed)?;
            Ok::<_, Failure>(directory.join(format!("{party}.{ending}")))
        };
        let certificate = self.certificate.map_or_else(|| beside("cert.pem"), Ok)?;
        let key = self.key.map_or_else(|| beside("key.pem"), Ok)?;
        let ca = self.ca.unwrap_or_else(|| directory.join("ca.cert.pem"));
        if !certificate.exists() {
            let path = certificate.display();
            let said = format!(
                "`{path}` is not there: name the files by --certificate, --key and --ca, or the party by --as and \
                 its directory by --certificates. `schakel pki dev` makes certificates for development."
            );
            return Err(Failure::usage(said));
        }
        let party = party.unwrap_or_default();
        let identity = Identity::new(party, read(&certificate)?, read(&key)?);
        Ok((directory, identity, read(&ca)?))
    }

    /// Where files are that are not named, and for whom: beside the certificate, when that is named and no directory.
    fn directory_and_party(&self) -> Result<(PathBuf, Option<String>), Failure> {
        let named = self.party.as_deref();
        if let Some((directory, party)) = named.and_then(|named| named.rsplit_once('/')) {
            return Ok((PathBuf::from(directory), Some(party.to_owned())));
        }
        let directory = match (&self.directory, &self.certificate) {
            (Some(directory), _) => directory.clone(),
            (None, Some(certificate)) if named.is_none() => {
                certificate.parent().unwrap_or(Path::new("")).to_owned()
            }
            (None, _) => PathBuf::from("certs-dev"),
        };
        let needed = self.certificate.is_none() || self.key.is_none();
        if named.is_none() && needed {
            return Err(unnamed());
        }
        Ok((directory, named.map(str::to_owned)))
    }
}

fn unnamed() -> Failure {
    Failure::usage(
        "Say as whom to call: the files by --certificate, --key and --ca; or the party by --as PARTY, whose files are \
         in the directory of --certificates.",
    )
}
