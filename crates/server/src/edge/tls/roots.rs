//! The authorities of others, for connections that the broker makes itself.

use std::{fs, io, path::Path};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// The authorities in a file of certificates, PEM.
///
/// # Errors
/// When the file cannot be read; of kind [`io::ErrorKind::InvalidData`] when it holds something else, or nothing.
pub(crate) fn roots(file: &Path) -> io::Result<RootCertStore> {
    let pem = fs::read(file)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(unusable)?;
        roots.add(certificate).map_err(unusable)?;
    }
    if roots.is_empty() {
        return Err(unusable("it holds no certificate"));
    }
    Ok(roots)
}

fn unusable(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
