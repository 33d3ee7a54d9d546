//! Files of the directory: read when there, made when not, replaced as a whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::DevelopError;

/// The directory that is filled.
pub(super) struct Directory(PathBuf);

impl Directory {
    /// The directory, made when it is missing.
    pub(super) fn open(path: &Path) -> Result<Self, DevelopError> {
        fs::create_dir_all(path).map_err(failed(path, "made"))?;
        Ok(Self(path.to_owned()))
    }

    /// The text of a file, none when it is missing.
    pub(super) fn read(&self, file: &str) -> Result<Option<String>, DevelopError> {
        let path = self.0.join(file);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, "read")(error)),
        }
    }

    /// A certificate and its key, none when both are missing.
    pub(super) fn pair(
        &self,
        certificate: &str,
        key: &str,
    ) -> Result<Option<(String, String)>, DevelopError> {
        let incomplete = |present: &str, missing: &str| DevelopError::Incomplete {
            present: present.to_owned(),
            missing: missing.to_owned(),
        };
        match (self.read(certificate)?, self.read(key)?) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(incomplete(certificate, key)),
            (None, Some(_)) => Err(incomplete(key, certificate)),
            (Some(_), Some(_)) if self.is_exposed(key)? => Err(DevelopError::Exposed {
                file: key.to_owned(),
            }),
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        }
    }

    /// Makes a file that is not there yet, for its owner only when it is a key.
    pub(super) fn create(&self, file: &str, text: &str) -> Result<(), DevelopError> {
        let path = self.0.join(file);
        create_new(&path, file.ends_with(".key.pem"))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(failed(&path, "made"))
    }

    /// Puts another file in the place of one that is there: the old or the new, never half of one.
    pub(super) fn replace(&self, file: &str, text: &str) -> Result<(), DevelopError> {
        let (path, next) = (self.0.join(file), self.0.join(format!("{file}.next")));
        fs::write(&next, text)
            .and_then(|()| fs::rename(&next, &path))
            .map_err(failed(&path, "replaced"))
    }

    #[cfg(unix)]
    fn is_exposed(&self, key: &str) -> Result<bool, DevelopError> {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.0.join(key);
        let mode = fs::metadata(&path)
            .map_err(failed(&path, "read"))?
            .permissions()
            .mode();
        Ok(mode & 0o077 != 0)
    }

    #[cfg(not(unix))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "there is no mode to read"
    )]
    fn is_exposed(&self, _key: &str) -> Result<bool, DevelopError> {
        Ok(false)
    }
}

fn create_new(path: &Path, secret: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = secret;
    options.open(path)
}

fn failed(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> DevelopError {
    let path = path.display().to_string();
    move |source| DevelopError::Disk {
        path,
        action,
        source,
    }
}
