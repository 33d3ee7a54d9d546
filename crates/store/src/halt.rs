//! The halt: once something outside proves that the log was taken back, nothing more is signed, and a file in the
//! data directory says so. It outlives the process: a start refuses while it is there.
//!
//! ```text
//! <data>/halted     since when, and why: a line each; `halted.tmp` while it is being written, which counts as well
//! <data>/resumed    the same, and on what ground an administrator lifted it, until that is an entry
//! ```

use std::{
    io,
    path::{Path, PathBuf},
};

use schakel_core::time::Timestamp;
use thiserror::Error;

use crate::{disk::Disk, durable};

/// Signing was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halted {
    /// Since when, by the broker's clock.
    pub at: Timestamp,
    /// Why, in one line.
    pub why: String,
}

/// An administrator lifted a halt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifted {
    /// What was lifted.
    pub halted: Halted,
    /// On what ground, in one line.
    pub ground: String,
}

/// Why a halt cannot be lifted.
#[derive(Debug, Error)]
pub enum LiftError {
    /// There is none.
    #[error("signing was not stopped")]
    NotHalted,
    /// The ground is none that can stand in an entry.
    #[error("the ground must be one line of 1 to {MOST_GROUND} characters")]
    Ground,
    /// The disk failed.
    #[error("the data directory cannot be read or written")]
    Io(#[from] io::Error),
}

/// The longest ground, in characters.
pub const MOST_GROUND: usize = 200;

/// Keeps that signing was stopped. The first reason counts.
///
/// # Errors
/// When the disk failed.
pub fn keep(disk: &Disk, data: &Path, halted: &Halted) -> io::Result<()> {
    let file = data.join(HALTED);
    match read(disk, &file)? {
        // Whoever wrote it may have been stopped before that was durable.
        Some(_) => durable::settle(disk, &file),
        None => durable::replace(disk, &file, halted.text().as_bytes()),
    }
}

/// Whether signing was stopped and may not begin again. A file that says so in no known form does too, and one that
/// was not written to its end.
///
/// # Errors
/// When the disk failed.
pub fn halted(disk: &Disk, data: &Path) -> io::Result<Option<Halted>> {
    let file = data.join(HALTED);
    let text = match read(disk, &file)? {
        Some(text) => Some(text),
        None => read(disk, &unfinished(&file))?,
    };
    Ok(text.as_deref().map(Halted::parse))
}

/// As [`halted`], for a start: what it refuses for is there at the next one too, whatever stops in between.
///
/// # Errors
/// When the disk failed.
pub fn held(disk: &Disk, data: &Path) -> io::Result<Option<Halted>> {
    let found = halted(disk, data)?;
    if let Some(halted) = &found {
        keep(disk, data, halted)?;
    }
    Ok(found)
}

/// Lifts a halt, on this ground: the next start goes on, and says so in an entry.
///
/// # Errors
/// When there is none, the ground is no line, or the disk failed.
pub fn lift(disk: &Disk, data: &Path, ground: &str) -> Result<Halted, LiftError> {
    let count = ground.chars().count();
    if count == 0 || count > MOST_GROUND || ground.contains(char::is_control) {
        return Err(LiftError::Ground);
    }
    let halted = halted(disk, data)?.ok_or(LiftError::NotHalted)?;
    let text = format!("{}{ground}\n", halted.text());
    durable::replace(disk, &data.join(LIFTED), text.as_bytes())?;
    // A crash between any two of these leaves it halted.
    let file = data.join(HALTED);
    for path in [unfinished(&file), file] {
        remove(disk, &path)?;
    }
    disk.sync_dir(data)?;
    Ok(halted)
}

/// What was lifted and is no entry yet.
///
/// # Errors
/// When the disk failed.
pub fn lifted(disk: &Disk, data: &Path) -> io::Result<Option<Lifted>> {
    let Some(text) = read(disk, &data.join(LIFTED))? else {
        return Ok(None);
    };
    Ok(Some(Lifted {
        halted: Halted::parse(&text),
        ground: text.lines().nth(2).unwrap_or_default().to_owned(),
    }))
}

/// Forgets what was lifted, once it is an entry.
///
/// # Errors
/// When the disk failed.
pub fn settle(disk: &Disk, data: &Path) -> io::Result<()> {
    remove(disk, &data.join(LIFTED))?;
    disk.sync_dir(data)
}

/// Removes a file, if it is there.
fn remove(disk: &Disk, file: &Path) -> io::Result<()> {
    match disk.remove(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn unfinished(file: &Path) -> PathBuf {
    file.with_added_extension(durable::UNFINISHED)
}

fn read(disk: &Disk, file: &Path) -> io::Result<Option<String>> {
    match disk.read(file) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Halted {
    fn text(&self) -> String {
        let why: Vec<&str> = self.why.lines().collect();
        format!("{}\n{}\n", self.at, why.join(" "))
    }

    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let at = lines.next().and_then(|line| line.parse().ok());
        Self {
            at: at.unwrap_or(Timestamp::EPOCH),
            why: lines.next().unwrap_or("no reason can be read").to_owned(),
        }
    }
}

const HALTED: &str = "halted";
const LIFTED: &str = "resumed";
