//! What everybody may have: the certificates of the authorities and their revocation lists.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Office, OfficeError, SignedList,
    files::{self, Readers},
};
use crate::{pem, revocation::RevocationList};

/// Writes the certificate of an authority, and a list of it, into the directory that is published: the list
/// as DER, which is what its address must answer with (RFC 5280 4.2.1.13), and as PEM, which brokers read.
/// Gives the files that were written.
///
/// # Errors
/// When a file cannot be written. A list that was signed and not published is no loss: sign the next.
pub fn publish(
    office: &Office,
    list: Option<&SignedList>,
    dir: &Path,
) -> Result<Vec<PathBuf>, OfficeError> {
    files::make_dir(dir, Readers::Everybody)?;
    let name = office.level().code();
    let certificate = pem::block(office.certificate(), "CERTIFICATE");
    let mut written = vec![(format!("{name}.cert.pem"), certificate.into_bytes())];
    if let Some(list) = list {
        written.push((format!("{name}.crl"), list.der.clone()));
        written.push((format!("{name}.crl.pem"), list.pem().into_bytes()));
    }
    let mut paths = Vec::new();
    for (name, bytes) in written {
        let path = dir.join(name);
        files::put(&path, &bytes, Readers::Everybody)?;
        paths.push(path);
    }
    Ok(paths)
}

/// The list of an authority as it is published in a directory; `None` when there is none that the authority signed.
#[must_use]
pub fn published(office: &Office, dir: &Path) -> Option<RevocationList> {
    let der = fs::read(dir.join(format!("{}.crl", office.level().code()))).ok()?;
    RevocationList::parse_der(&der, office.certificate()).ok()
}
