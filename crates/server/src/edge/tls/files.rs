//! The files of section `[tls]`, as bytes.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::TlsError;

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

impl File {
    pub(super) fn read(key: &'static str, path: &Path) -> Result<Self, TlsError> {
        let bytes = fs::read(path).map_err(|source| TlsError::Unreadable {
            key,
            file: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
        })
    }

    /// Reads a file that not everybody may read.
    pub(super) fn read_secret(key: &'static str, path: &Path) -> Result<Self, TlsError> {
        let exposed = fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o004 != 0);
        if exposed {
            return Err(TlsError::Exposed {
                file: path.to_owned(),
            });
        }
        Self::read(key, path)
    }

    /// The certificates in it; at least one.
    pub(super) fn certificates(
        &self,
        key: &'static str,
    ) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let empty = || TlsError::Empty {
            key,
            file: self.path.clone(),
            wanted: "one or more certificates",
        };
        let found: Vec<_> = CertificateDer::pem_slice_iter(&self.bytes)
            .collect::<Result<_, _>>()
            .map_err(|_| empty())?;
        if found.is_empty() {
            return Err(empty());
        }
        Ok(found)
    }
}
