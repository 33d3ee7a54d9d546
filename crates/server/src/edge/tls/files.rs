//! The files of section `[tls]`, as bytes.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;

use super::TlsError;
use crate::config;

/// One state of the files.
pub(super) struct Files {
    pub(super) certificate: File,
    pub(super) key: File,
    pub(super) authorities: File,
    pub(super) lists: Vec<File>,
}

/// A file that was read.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

impl Files {
    pub(super) fn read(config: &config::Tls) -> Result<Self, TlsError> {
        let lists = config.client_crls.iter();
        Ok(Self {
            certificate: File::read("tls.certificate", &config.certificate)?,
            key: File::read_secret("tls.key", &config.key)?,
            authorities: File::read("tls.client_ca", &config.client_ca)?,
            lists: lists
                .map(|path| File::read("tls.client_crls", path))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Tells one state of the files from another without keeping them.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut all = digest::Context::new(&digest::SHA256);
        let single = [&self.certificate, &self.key, &self.authorities];
        for file in single.into_iter().chain(&self.lists) {
            all.update(digest::digest(&digest::SHA256, &file.bytes).as_ref());
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(all.finish().as_ref());
        bytes
    }
}

impl File {
    fn read(key: &'static str, path: &Path) -> Result<Self, TlsError> {
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
    fn read_secret(key: &'static str, path: &Path) -> Result<Self, TlsError> {
        let exposed = fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o004 != 0);
        if exposed {
            return Err(TlsError::Exposed {
                file: path.to_owned(),
            });
        }
        Self::read(key, path)
    }
}
