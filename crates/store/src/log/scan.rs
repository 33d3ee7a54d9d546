//! Reading a segment from its beginning: which batches count, and what the first bad place means.
//!
//! A batch counts when all of it is there and its commit frame has the root that its leaves lead to.
//! What follows the last batch is zeros. Anything else is either the rest of the last write before a
//! crash, of which nobody was told, or damage to something that somebody was told is there:
//!
//! * bytes that form no frame, with no frame of another batch anywhere after them, are a torn write;
//! * bytes that form no frame before a frame of another batch are damage, for a batch is written only
//!   once the one before it is durable;
//! * a whole frame in the wrong place, or a whole batch with the wrong root, is damage or worse: no
//!   interrupted write leaves that behind.

use std::{fmt, io, ops::Range};

use schakel_audit::tree::{Frontier, Hash};

use super::{
    format::{COMMIT_LEN, COMMIT_MAGIC, Commit, ENTRY_MAGIC, HEADER_LEN, Parsed},
    tiles::{Growth, Tiles},
};

/// What is wrong with a place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The header is not whole.
    Header,
    /// The file has another length than its header says.
    Length {
        /// The length that the header says, in bytes.
        want: u64,
        /// The length of the file, in bytes.
        got: u64,
    },
    /// The name and the header of a segment say different first indexes.
    Name {
        /// The first index in the header.
        header: u64,
    },
    /// The bytes form no frame.
    Frame,
    /// A whole frame stands where it does not belong.
    Order,
    /// The entries of a batch lead to another root than its commit frame says.
    Root {
        /// The root in the commit frame.
        want: Hash,
        /// The root that the entries lead to.
        got: Hash,
    },
    /// Entries are not there, though later ones are.
    Missing {
        /// The first entry after them that is there.
        next: u64,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => write!(f, "the header of the segment is not whole"),
            Self::Length { want, got } => {
                write!(
                    f,
                    "the segment has {got} bytes where its header says {want}"
                )
            }
            Self::Name { header } => write!(f, "the header says that entry {header} is the first"),
            Self::Frame => write!(f, "the bytes are no frame"),
            Self::Order => write!(f, "a frame stands where it does not belong"),
            Self::Root { want, got } => {
                write!(f, "the entries lead to root {got} where {want} was written")
            }
            Self::Missing { next } => {
                write!(f, "entries are missing: the next one there is {next}")
            }
        }
    }
}

/// What a segment holds.
#[derive(Debug)]
pub(super) struct Scanned {
    /// Where each entry frame begins.
    pub(super) offsets: Vec<u32>,
    /// Where the last whole batch begins and ends; empty at the header's end when there is none.
    pub(super) last_batch: Range<usize>,
    /// The first place that is neither part of a batch nor of the zeros at the end.
    pub(super) bad: Option<Bad>,
}

/// A bad place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bad {
    /// Where the frame should stand that does not.
    pub(super) offset: usize,
    /// The entry it should be, or should commit.
    pub(super) index: u64,
    pub(super) what: Damage,
}

/// Reads all batches of a segment, and lets the tree grow by them.
pub(super) fn scan(
    segment: &[u8],
    frontier: &mut Frontier,
    tiles: &mut Tiles,
) -> io::Result<Scanned> {
    let mut scanned = Scanned {
        offsets: Vec::new(),
        last_batch: HEADER_LEN..HEADER_LEN,
        bad: None,
    };
    let mut at = HEADER_LEN;
    while segment.get(at..).is_some_and(|rest| !is_zero(rest)) {
        match Batch::read(segment, at, frontier) {
            Ok(batch) => {
                tiles.grow(&batch.growth)?;
                frontier.clone_from(batch.growth.frontier());
                scanned.offsets.extend(batch.offsets);
                scanned.last_batch = at..batch.end;
                at = batch.end;
            }
            Err(bad) => {
                scanned.bad = Some(bad);
                break;
            }
        }
    }
    Ok(scanned)
}

/// Whether a bad place after which `size` entries are whole can be the rest of an interrupted write.
pub(super) fn is_torn(segment: &[u8], bad: &Bad, size: u64) -> bool {
    let rest = segment.get(bad.offset..).unwrap_or_default();
    bad.what == Damage::Frame && !has_foreign_frame(rest, size)
}

/// Whether bytes are all zero.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes
        .chunks(ZEROS.len())
        .all(|chunk| ZEROS.starts_with(chunk))
}

/// A whole batch.
struct Batch {
    offsets: Vec<u32>,
    end: usize,
    growth: Growth,
}

impl Batch {
    /// Reads the batch that begins at `start` and follows the tree with this frontier.
    fn read(segment: &[u8], start: usize, frontier: &Frontier) -> Result<Self, Bad> {
        let first = frontier.size();
        let mut growth = Growth::after(frontier);
        let mut offsets = Vec::new();
        let mut offset = start;
        loop {
            let index = growth.frontier().size();
            let bad = |what| Bad {
                offset,
                index,
                what,
            };
            let frame = segment.get(offset..).and_then(Parsed::read);
            match frame.ok_or(bad(Damage::Frame))? {
                Parsed::Entry(entry) if (entry.index, entry.batch_first) == (index, first) => {
                    offsets.push(u32::try_from(offset).map_err(|_| bad(Damage::Order))?);
                    growth.append(entry.leaf);
                    offset += entry.frame_len();
                }
                Parsed::Commit(commit) if closes(&commit, first, index) => {
                    let got = growth.frontier().root();
                    if got != commit.root {
                        return Err(bad(Damage::Root {
                            want: commit.root,
                            got,
                        }));
                    }
                    return Ok(Self {
                        offsets,
                        end: offset + COMMIT_LEN,
                        growth,
                    });
                }
                _ => return Err(bad(Damage::Order)),
            }
        }
    }
}

/// Whether a commit frame closes the batch of the entries from `first` to before `index`.
fn closes(commit: &Commit, first: u64, index: u64) -> bool {
    commit.count > 0 && commit.batch_first == first && first + u64::from(commit.count) == index
}

/// Whether a whole frame of another batch than the one that begins at `first` stands anywhere in bytes.
fn has_foreign_frame(bytes: &[u8], first: u64) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte != 0) {
        let here = rest.get(at..).unwrap_or_default();
        let is_frame = here.starts_with(&ENTRY_MAGIC) || here.starts_with(&COMMIT_MAGIC);
        if is_frame && Parsed::read(here).is_some_and(|frame| frame.batch_first() != first) {
            return true;
        }
        rest = here.get(1..).unwrap_or_default();
    }
    false
}
