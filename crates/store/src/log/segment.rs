//! The files of the log: made of zeros ahead of time, put into use under the index of their first entry.

use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use super::format::Header;
use crate::{
    disk::{Disk, File},
    durable,
};

/// How many digits the name of a segment has: those of the largest index.
const NAME_DIGITS: usize = 20;
/// How many bytes of zeros are written at once.
const ZEROS: usize = 1 << 20;

/// Where the next segment is made ready.
fn unfinished(dir: &Path) -> PathBuf {
    dir.join("next.seg")
        .with_added_extension(durable::UNFINISHED)
}

/// Makes a file of `len` zeros, durable with its blocks in place, so that writing into it later
/// changes nothing but its content. Ends early with [`io::ErrorKind::Interrupted`] when told to stop.
pub(super) fn prepare(disk: &Disk, dir: &Path, len: u64, stop: &AtomicBool) -> io::Result<File> {
    let file = disk.create(&unfinished(dir))?;
    let zeros = vec![0; ZEROS];
    let mut offset = 0;
    while offset < len {
        if stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let piece = usize::try_from(len - offset).unwrap_or(ZEROS).min(ZEROS);
        file.write_all_at(zeros.get(..piece).unwrap_or_default(), offset)?;
        offset += piece as u64;
    }
    file.sync_all()?;
    Ok(file)
}

/// Puts a prepared file into use: its header first, then its name. A crash in between leaves an
/// unfinished file, which is removed; after this has returned, the segment is found for certain.
pub(super) fn start(
    disk: &Disk,
    dir: &Path,
    prepared: &File,
    header: &Header,
) -> io::Result<PathBuf> {
    prepared.write_all_at(&header.encode(), 0)?;
    prepared.sync_all()?;
    let path = dir.join(name(header.first));
    disk.rename(&unfinished(dir), &path)?;
    disk.sync_dir(dir)?;
    Ok(path)
}

/// The segments of a log with the index of the first entry each is named for, in order.
pub(super) fn list(disk: &Disk, dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut segments = Vec::new();
    for path in disk.list(dir)? {
        if let Some(first) = path.file_name().and_then(|name| parse_name(name.to_str()?)) {
            segments.push((first, path));
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

fn name(first: u64) -> String {
    format!("{first:0NAME_DIGITS$}.seg")
}

fn parse_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    let fits = digits.len() == NAME_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_their_indexes_do() {
        assert_eq!(name(0), "00000000000000000000.seg");
        assert_eq!(name(u64::MAX), "18446744073709551615.seg");
        assert!(name(9) < name(10));
    }

    #[test]
    fn only_segments_are_taken_for_segments() {
        assert_eq!(parse_name(&name(42)), Some(42));
        for other in [
            "next.seg.tmp",
            "42.seg",
            "0000000000000000004x.seg",
            "hashes",
        ] {
            assert_eq!(parse_name(other), None, "{other}");
        }
        assert_eq!(parse_name("99999999999999999999.seg"), None);
    }
}
