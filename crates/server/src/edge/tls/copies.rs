//! Copies of fetched revocation lists on disk, and of which instant the newest of each authority is, so that a broker
//! that starts again knows what it knew, and when it knew it.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use schakel_core::time::Timestamp;

use super::newest::Newest;

/// Where it is kept of which instant the newest list of each authority is.
const NEWEST: &str = "newest";

/// The directory of the copies.
#[derive(Clone, Debug)]
pub(super) struct Copies(PathBuf);

impl Copies {
    pub(super) fn new(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    /// What was last fetched from an address, and when; `None` when nothing was, or it cannot be read.
    pub(super) fn read(&self, url: &str) -> Option<(Vec<u8>, Timestamp)> {
        let bytes = fs::read(self.path(url)).ok()?;
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (head, list) = bytes.split_at_checked(end)?;
        let at = str::from_utf8(head).ok()?.parse().ok()?;
        Some((list.get(1..)?.to_vec(), at))
    }

    /// Keeps what was fetched: the instant on a line of its own, then the list.
    ///
    /// # Errors
    /// When it cannot be written; the copy there was stays.
    pub(super) fn write(&self, url: &str, list: &[u8], at: Timestamp) -> io::Result<()> {
        let head = format!("{at}\n");
        self.replace(&self.path(url), &[head.as_bytes(), list])
    }

    /// Of which instant the newest list of each authority is, as it was last kept.
    pub(super) fn newest(&self) -> Newest {
        let text = fs::read_to_string(self.0.join(NEWEST)).unwrap_or_default();
        Newest::from_text(&text)
    }

    /// Keeps of which instant the newest list of each authority is.
    ///
    /// # Errors
    /// When it cannot be written; what was kept stays.
    pub(super) fn keep_newest(&self, newest: &Newest) -> io::Result<()> {
        let text = newest.to_text();
        self.replace(&self.0.join(NEWEST), &[text.as_bytes()])
    }

    /// Where they are.
    pub(super) fn dir(&self) -> &Path {
        &self.0
    }

    fn replace(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(&self.0)?.sync_all()
    }

    fn path(&self, url: &str) -> PathBuf {
        self.0.join(sum(url.as_bytes()) + ".crl")
    }
}

/// What something is called on disk, in hexadecimal digits.
pub(super) fn sum(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    let mut name = String::new();
    for byte in digest.as_ref().iter().take(16) {
        // Writing into a text cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://crl.example/ca.crl";

    #[test]
    fn a_copy_reads_back_with_its_instant_and_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let copies = Copies::new(&dir.path().join("crl"));
        assert_eq!(copies.read(URL), None);
        let at: Timestamp = "2026-11-23T14:00:00Z".parse().unwrap();
        for list in [&b"\n\x30\x0a\n"[..], b"other"] {
            copies.write(URL, list, at).unwrap();
            assert_eq!(copies.read(URL), Some((list.to_vec(), at)));
        }
        assert_eq!(copies.read("http://crl.example/other.crl"), None);
        assert_eq!(fs::read_dir(dir.path().join("crl")).unwrap().count(), 1);
    }

    #[test]
    fn a_spoilt_copy_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let copies = Copies::new(dir.path());
        for spoilt in [&b""[..], b"2026", b"yesterday\nlist", b"\xff\nlist"] {
            fs::write(copies.path(URL), spoilt).unwrap();
            assert_eq!(copies.read(URL), None, "{spoilt:?}");
        }
    }
}
