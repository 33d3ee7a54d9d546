//! Publication: the log as files that anybody's tools can check (C2SP tlog-tiles).
//!
//! ```text
//! <dir>/checkpoint                     the newest published tree head, signed: written last
//! <dir>/tile/entries/<n>[.p/<w>]       the leaves, 256 a file
//! <dir>/tile/<level>/<n>[.p/<w>]       their hashes, and those of the tree above them
//! <dir>/erasures/<index>               the opened details of erasure entries
//! <dir>/keys/<index>                   the opened details of entries about checkpoint keys
//! <dir>/keys/<index>.leaf              the leaf of such an entry, once its bundle is pruned
//! <dir>/minimum-index                  below which entry bundles are pruned, signed
//! <dir>/.swept, .pruned                how far partial tiles were collected, and bundles pruned
//! ```
//!
//! Everything but the checkpoint is made from the log alone, and is the same whenever it is made. A file is
//! written under another name, synced, renamed and read back, and its directory synced, before the checkpoint
//! that covers it is shown; a crash at any point leaves files that the next attempt finds and compares.
//! The sealed parts of entries never come here.
//!
//! Nothing is published over damage: a file that is there already and is not what the log says is named and
//! left alone.

use std::{
    cell::RefCell,
    io,
    path::{Path, PathBuf},
};

use schakel_audit::{
    checkpoint::{Checkpoint, CheckpointError},
    note::{Note, NoteError},
    tile::Tile,
    tree::Hash,
};
use thiserror::Error;

use crate::{
    disk::Disk,
    durable,
    log::{LogReader, ReadError},
};

mod lay;
mod sweep;

/// The name of the file that holds the published tree head.
pub const CHECKPOINT: &str = "checkpoint";

/// The directory in which a log is published. One thread owns it.
#[derive(Debug)]
pub struct Publication {
    disk: Disk,
    dir: PathBuf,
    shown: Option<Shown>,
    /// Up to where files are laid down, when that is further.
    laid: u64,
    swept: u64,
    pruned: u64,
}

/// The checkpoint that stands in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The signed note, as it stands there.
    pub note: String,
    /// What it says. Whether its signatures hold is for whoever knows the keys.
    pub checkpoint: Checkpoint,
}

/// Files that were laid down and read back: all that a checkpoint of this size needs beside itself.
#[derive(Debug)]
#[must_use = "what was laid down is seen only once its checkpoint is shown"]
pub struct Laid {
    size: u64,
    root: Hash,
}

/// Why the log cannot be published.
#[derive(Debug, Error)]
pub enum PublicationError {
    /// A file is there already and is not what the log says.
    #[error(
        "`{}` is damaged: it is not what the log says; check its disk, then remove the file, and it is written again",
        file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
    },
    /// A file was written, and is another when it is read back.
    #[error("`{}` reads back other than it was written: check its disk", file.display())]
    ReadBack {
        /// The file.
        file: PathBuf,
    },
    /// The entries below a file and the tree of the log do not fit together.
    #[error(
        "entries {first} to {last} no longer have the hash that the tree of the log has: the log is damaged, nothing more is published"
    )]
    Tree {
        /// The first of the entries.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// The files lead to another root than the log has.
    #[error(
        "the files lead to root {got} for {size} entries where the log has {want}: nothing more is published"
    )]
    Root {
        /// How many entries.
        size: u64,
        /// The root of the log.
        want: Hash,
        /// The root of the files.
        got: Hash,
    },
    /// The details of an entry that everybody may read are sealed, or are not those its leaf is committed to.
    #[error("the details of entry {index} should be open and are not, or are damaged")]
    Closed {
        /// The entry.
        index: u64,
    },
    /// The published checkpoint is none.
    #[error(
        "`{}` is no signed checkpoint: restore it, or remove it when its loss is accepted and on record",
        file.display()
    )]
    Checkpoint {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        fault: ShownError,
    },
    /// The checkpoint is of other files than were laid down, or of fewer than are shown already.
    #[error("the checkpoint of {got} entries does not belong to the files that were laid down")]
    Misfit {
        /// Its size.
        got: u64,
    },
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] ReadError),
    /// The disk failed.
    #[error("`{}` cannot be read or written", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Why a file holds no signed checkpoint.
#[derive(Debug, Error)]
pub enum ShownError {
    /// It is no note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The note is no checkpoint.
    #[error(transparent)]
    Form(#[from] CheckpointError),
}

impl Shown {
    /// Reads a signed checkpoint, without looking at whether its signatures hold.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(note: String) -> Result<Self, ShownError> {
        let checkpoint = Checkpoint::parse(Note::parse(&note)?.text())?;
        Ok(Self { note, checkpoint })
    }
}

impl Laid {
    /// How many entries it is of.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree over them, as the files lead to it.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }
}

impl Publication {
    /// Opens the directory, and makes it when it is missing, for the owner alone.
    ///
    /// # Errors
    /// When the disk failed, or what stands in the place of the checkpoint is none.
    pub fn open(disk: Disk, dir: &Path) -> Result<Self, PublicationError> {
        durable::create_dir(&disk, dir).map_err(at(dir))?;
        durable::settle(&disk, dir).map_err(at(dir))?;
        durable::remove_unfinished(&disk, dir).map_err(at(dir))?;
        // The process before this one may have ended between renaming the checkpoint and making that durable.
        // Outsiders may have seen it, and it is what comes next is held against: it must not go back.
        disk.sync_dir(dir).map_err(at(dir))?;
        let file = dir.join(CHECKPOINT);
        let shown = match disk.read(&file) {
            Ok(note) => {
                let shown = Shown::parse(String::from_utf8_lossy(&note).into_owned());
                Some(shown.map_err(|fault| PublicationError::Checkpoint { file, fault })?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(at(&file)(error)),
        };
        Ok(Self {
            swept: sweep::read_mark(&disk, &dir.join(sweep::SWEPT)),
            pruned: sweep::read_mark(&disk, &dir.join(sweep::PRUNED)),
            dir: dir.to_owned(),
            laid: 0,
            shown,
            disk,
        })
    }

    /// The checkpoint that is shown now.
    #[must_use]
    pub const fn shown(&self) -> Option<&Shown> {
        self.shown.as_ref()
    }

    /// How many entries are published.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shown.as_ref().map_or(0, |shown| shown.checkpoint.size)
    }

    /// Lays down everything that the log with its first `size` entries has more than what is shown, and
    /// reads it back. What is laid down already is compared. The memory needed does not depend on how much it is.
    ///
    /// # Errors
    /// When the log has fewer entries, something is damaged, or the disk failed. Nothing is shown then.
    pub fn lay(&mut self, log: &LogReader, size: u64) -> Result<Laid, PublicationError> {
        let want = log.root_at(size)?;
        let layer = lay::Layer {
            disk: &self.disk,
            dir: &self.dir,
            log,
            pruned: self.pruned,
            durable: RefCell::default(),
            renamed: RefCell::default(),
        };
        let from = self.size().max(self.laid);
        layer.check_edge(from.min(size))?;
        layer.lay(from, size)?;
        layer.settle()?;
        let got = layer.root(size)?;
        if got != want {
            return Err(PublicationError::Root { size, want, got });
        }
        // No need to compare all of it again while its checkpoint waits for witnesses.
        self.laid = self.laid.max(size);
        Ok(Laid { size, root: want })
    }

    /// Shows the checkpoint of what was laid down, and removes the partial tiles that full ones replace.
    ///
    /// # Errors
    /// When it is another checkpoint, smaller than the one shown, or the disk failed.
    pub fn show(&mut self, laid: &Laid, note: &str) -> Result<(), PublicationError> {
        let file = self.dir.join(CHECKPOINT);
        let shown =
            Shown::parse(note.to_owned()).map_err(|fault| PublicationError::Checkpoint {
                file: file.clone(),
                fault,
            })?;
        let Checkpoint { size, root, .. } = shown.checkpoint;
        if (size, root) != (laid.size, laid.root) || size < self.size() {
            return Err(PublicationError::Misfit { got: size });
        }
        durable::replace(&self.disk, &file, note.as_bytes()).map_err(at(&file))?;
        let back = self.disk.read(&file).map_err(at(&file))?;
        if back != note.as_bytes() {
            return Err(PublicationError::ReadBack { file });
        }
        self.shown = Some(shown);
        self.sweep()
    }
}

/// Where a tile stands.
fn place(dir: &Path, tile: Tile) -> PathBuf {
    dir.join(tile.to_string())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PublicationError {
    let path = path.to_owned();
    |source| PublicationError::Io { path, source }
}
