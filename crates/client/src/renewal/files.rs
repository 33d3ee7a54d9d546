//! The files of a party's certificate and key, and of those that take their place.
//!
//! Beside `own.cert.pem` and `own.key.pem` the first renewal keeps `own.cert.1.pem`, `own.key.1.pem` and the request
//! `own.key.1.csr`, the second `own.cert.2.pem` and so on. A certificate is written last, and each file at once or
//! not at all, so that the newest pair that is whole is always one to go on with. Nothing is ever overwritten or
//! deleted: whoever moves back to an older pair finds it. A key whose request was closed goes to `own.key.1.closed-1.pem`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use crate::config::Identity;

/// Who may read a private key: its owner.
const SECRET: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// Where a party keeps its certificate and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFiles {
    certificate: PathBuf,
    key: PathBuf,
}

/// Why a file of a party's identity cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be {action}", path.display())]
pub struct FileError {
    /// The file or directory.
    pub path: PathBuf,
    /// What was tried, as a participle.
    pub action: &'static str,
    /// What the operating system said.
    #[source]
    pub source: io::Error,
}

/// A pair that is whole.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// How many renewals came before it.
    pub(super) generation: u32,
    pub(super) certificate_pem: String,
    pub(super) key_pem: String,
}

/// A key that waits for its certificate.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) generation: u32,
    pub(super) key_pem: String,
    pub(super) request_pem: String,
}

impl IdentityFiles {
    /// The files of the first certificate (PEM, the party's own first) and its private key (PEM).
    #[must_use]
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
        }
    }

    /// The newest certificate of a party with its key: the one to connect with.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn load(&self, party: impl Into<String>) -> Result<Identity, FileError> {
        let pair = self.newest()?;
        Ok(Identity::new(party, pair.certificate_pem, pair.key_pem))
    }

    /// Where the certificate of a generation is.
    #[must_use]
    pub fn certificate_of(&self, generation: u32) -> PathBuf {
        numbered(&self.certificate, generation)
    }

    /// Where the private key of a generation is.
    #[must_use]
    pub fn key_of(&self, generation: u32) -> PathBuf {
        numbered(&self.key, generation)
    }

    pub(super) fn newest(&self) -> Result<Pair, FileError> {
        let mut generation: u32 = 0;
        // A certificate is written last, and generations have no gaps.
        while self.certificate_of(generation.saturating_add(1)).exists() {
            generation = generation.saturating_add(1);
        }
        Ok(Pair {
            generation,
            certificate_pem: read(&self.certificate_of(generation))?,
            key_pem: read(&self.key_of(generation))?,
        })
    }

    /// The key that waits for its certificate, if one does.
    pub(super) fn pending(&self, generation: u32) -> Result<Option<Pending>, FileError> {
        let request = self.request_of(generation);
        if !request.exists() {
            return Ok(None);
        }
        Ok(Some(Pending {
            generation,
            key_pem: read(&self.key_of(generation))?,
            request_pem: read(&request)?,
        }))
    }

    /// Keeps a key before anybody is asked for its certificate; the request last, because it says that the key
    /// is there.
    pub(super) fn keep_pending(&self, pending: &Pending) -> Result<(), FileError> {
        let key = self.key_of(pending.generation);
        if key == self.certificate_of(pending.generation) {
            let source = io::Error::other("the certificate must be in a file of its own");
            return Err(failed(&key, "renewed")(source));
        }
        // A key without its request was asked for by nobody.
        write(&key, &pending.key_pem, SECRET)?;
        let request = self.request_of(pending.generation);
        write(&request, &pending.request_pem, PUBLIC)
    }

    /// Gives a key whose request was closed another name, so that the next one has the place; where it is then. The
    /// request first, because it says that the key is there.
    pub(super) fn set_aside(&self, generation: u32) -> Result<PathBuf, FileError> {
        let (key, request) = (self.key_of(generation), self.request_of(generation));
        let mut number: u32 = 1;
        while closed(&key, number).exists() || closed(&request, number).exists() {
            number = number.saturating_add(1);
        }
        let aside = closed(&key, number);
        let renamed = fs::rename(&request, closed(&request, number));
        renamed.map_err(failed(&request, "set aside"))?;
        fs::rename(&key, &aside).map_err(failed(&key, "set aside"))?;
        Ok(aside)
    }

    pub(super) fn keep_certificate(&self, generation: u32, pem: &str) -> Result<(), FileError> {
        write(&self.certificate_of(generation), pem, PUBLIC)
    }

    fn request_of(&self, generation: u32) -> PathBuf {
        self.key_of(generation).with_extension("csr")
    }
}

/// `own.key.pem` as `own.key.3.pem`.
fn numbered(path: &Path, generation: u32) -> PathBuf {
    if generation == 0 {
        return path.to_owned();
    }
    inserted(path, &generation.to_string())
}

/// `own.key.1.pem` as `own.key.1.closed-2.pem`.
fn closed(path: &Path, number: u32) -> PathBuf {
    inserted(path, &format!("closed-{number}"))
}

/// A name with a word before its extension.
fn inserted(path: &Path, word: &str) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{word}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn read(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(failed(path, "read"))
}

/// Writes a whole file or none: to a name beside it, to disk, and then under its own name.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), FileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let written = || {
        // What a crash left may have another mode.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(dir.unwrap_or_else(|| Path::new(".")))?.sync_all()
    };
    written().map_err(failed(path, "written"))
}

fn failed(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError {
        path,
        action,
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn files(dir: &Path) -> IdentityFiles {
        fs::write(dir.join("own.cert.pem"), "CERTIFICATE 0").unwrap();
        fs::write(dir.join("own.key"), "KEY 0").unwrap();
        IdentityFiles::new(dir.join("own.cert.pem"), dir.join("own.key"))
    }

    fn pending(generation: u32) -> Pending {
        Pending {
            generation,
            key_pem: format!("KEY {generation}"),
            request_pem: "REQUEST".to_owned(),
        }
    }

    #[test]
    fn the_newest_whole_pair_counts_and_the_older_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path());
        for generation in 1..=3 {
            files.keep_pending(&pending(generation)).unwrap();
            // Its certificate is not there yet.
            assert_eq!(files.newest().unwrap().generation, generation - 1);
            let text = format!("CERTIFICATE {generation}");
            files.keep_certificate(generation, &text).unwrap();
            let newest = files.load("wonen-zuid").unwrap();
            assert_eq!(newest.certificate_pem, text);
            assert_eq!(newest.key_pem, format!("KEY {generation}"));
        }
        assert!(dir.path().join("own.cert.pem").exists());
        assert!(dir.path().join("own.cert.2.pem").exists());
        assert!(dir.path().join("own.2.key").exists());
    }

    #[test]
    fn a_private_key_is_its_owners_alone_whatever_a_crash_left() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path());
        // Half a key under the name beside, readable by all.
        fs::write(dir.path().join("own.1.key.new"), "KEY").unwrap();
        files.keep_pending(&pending(1)).unwrap();
        let mode = fs::metadata(files.key_of(1)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!dir.path().join("own.1.key.new").exists());
        let again = files.pending(1).unwrap().unwrap();
        assert_eq!(again.key_pem, "KEY 1");
        assert!(files.pending(2).unwrap().is_none());
    }

    #[test]
    fn a_key_that_was_closed_makes_place_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path());
        for number in 1..=2 {
            files.keep_pending(&pending(1)).unwrap();
            let aside = files.set_aside(1).unwrap();
            let name = format!("own.1.closed-{number}.key");
            assert_eq!(aside, dir.path().join(&name));
            assert_eq!(fs::read_to_string(&aside).unwrap(), "KEY 1");
            assert!(files.pending(1).unwrap().is_none());
            assert_eq!(files.newest().unwrap().generation, 0);
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_or_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let files = IdentityFiles::new(dir.path().join("gone/a.pem"), dir.path().join("gone/b"));
        let error = files.load("wonen-zuid").unwrap_err();
        assert!(error.to_string().ends_with("gone/a.pem` cannot be read"));
        let error = files.keep_certificate(1, "").unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("gone/a.1.pem` cannot be written")
        );
    }
}
