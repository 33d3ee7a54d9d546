//! A batch on its way into the log: checked, encoded, and hashed into the tree, but not yet written.

use std::{borrow::Borrow, io, sync::Arc};

use schakel_audit::tree::{Frontier, Hash};
use thiserror::Error;

use super::{
    Frame,
    format::{COMMIT_LEN, Commit, Entry, MAX_ENTRIES, MAX_PART},
    tiles::Growth,
};

/// The greatest length of a batch in bytes, with everything that frames it.
pub const MAX_BATCH_LEN: usize = 1 << 20;

/// A batch that is ready to be written. It was made for one place in the log and fits nowhere else.
#[derive(Debug)]
pub struct Prepared {
    pub(super) first: u64,
    pub(super) bytes: Vec<u8>,
    /// Where each entry frame begins in `bytes`.
    pub(super) starts: Vec<u32>,
    pub(super) growth: Growth,
    pub(super) root: Hash,
}

/// Why a batch is not in the log.
#[derive(Clone, Debug, Error)]
pub enum AppendError {
    /// The log has another length than the batch was made for. Nothing was written: take note of what
    /// came in between, and make the batch again.
    #[error("the batch was made for another place: the log has {head} entries")]
    Conflict {
        /// How many entries the log has.
        head: u64,
    },
    /// There is nothing in the batch.
    #[error("the batch is empty: append one entry at least")]
    Empty,
    /// There are too many entries in the batch.
    #[error("the batch has {count} entries: at most {MAX_ENTRIES} fit")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A part of an entry is too long.
    #[error("the {part} of entry {position} of the batch has {len} bytes: at most {MAX_PART} fit")]
    TooLarge {
        /// Which entry of the batch, from 0.
        position: usize,
        /// Which part: the leaf or the sealed part.
        part: &'static str,
        /// Its length in bytes.
        len: usize,
    },
    /// The entries are too long together.
    #[error("the batch has {len} bytes: at most {most} fit; append the entries in smaller batches")]
    BatchTooLarge {
        /// The length of the batch in bytes.
        len: usize,
        /// The greatest length.
        most: usize,
    },
    /// The next segment could not be made, for want of room as a rule. Nothing was written, and it may
    /// go better later.
    #[error("the next segment of the log cannot be prepared: check the room on its disk")]
    NoSegment(#[source] Arc<io::Error>),
    /// The disk failed while the log was written. What is in the log now is known only when it is opened
    /// again: the process must end. Every later call gives this error too.
    #[error("the log cannot be written ({step}): the process must end, and the disk be checked")]
    Fatal {
        /// What failed.
        step: &'static str,
        /// What the system says.
        source: Arc<io::Error>,
    },
}

impl Prepared {
    /// Encodes a batch that begins at the end of the tree with this frontier, into a buffer used before.
    pub(super) fn encode<F: Borrow<Frame>>(
        frames: &[F],
        frontier: &Frontier,
        mut bytes: Vec<u8>,
        most: usize,
    ) -> Result<Self, AppendError> {
        let len = check(frames, most)?;
        bytes.clear();
        bytes.reserve(len);
        let first = frontier.size();
        let mut growth = Growth::after(frontier);
        let mut starts = Vec::with_capacity(frames.len());
        for (frame, index) in frames.iter().zip(first..) {
            let Frame { leaf, sealed } = frame.borrow();
            let start = bytes.len();
            starts.push(u32::try_from(start).unwrap_or(u32::MAX));
            Entry {
                index,
                batch_first: first,
                leaf,
                sealed,
            }
            .encode_into(&mut bytes);
            // Hashed from what will be written, so that what is signed is what is stored.
            growth.append(leaf_in(&bytes, start));
        }
        let root = growth.frontier().root();
        let count = u32::try_from(frames.len()).unwrap_or(u32::MAX);
        Commit {
            batch_first: first,
            count,
            root,
        }
        .encode_into(&mut bytes);
        Ok(Self {
            first,
            bytes,
            starts,
            growth,
            root,
        })
    }

    /// The index that the first entry of the batch will have.
    #[must_use]
    pub const fn first_index(&self) -> u64 {
        self.first
    }

    /// How many entries the log will have.
    #[must_use]
    pub fn size_after(&self) -> u64 {
        self.growth.frontier().size()
    }

    /// The root that the tree will have. A checkpoint over it may be signed, and must not be shown to
    /// anyone before the batch is committed.
    #[must_use]
    pub const fn root_after(&self) -> Hash {
        self.root
    }
}

/// Checks the limits of a batch, and gives its length in bytes.
fn check<F: Borrow<Frame>>(frames: &[F], most: usize) -> Result<usize, AppendError> {
    let count = frames.len();
    if count == 0 {
        return Err(AppendError::Empty);
    }
    if count > MAX_ENTRIES {
        return Err(AppendError::TooMany { count });
    }
    let mut batch = COMMIT_LEN;
    for (position, frame) in frames.iter().enumerate() {
        let frame = frame.borrow();
        for (part, bytes) in [("leaf", &frame.leaf), ("sealed part", &frame.sealed)] {
            let len = bytes.len();
            if len > MAX_PART {
                return Err(AppendError::TooLarge {
                    position,
                    part,
                    len,
                });
            }
        }
        batch += frame.stored_len();
    }
    if batch > most {
        Err(AppendError::BatchTooLarge { len: batch, most })
    } else {
        Ok(batch)
    }
}

/// The leaf in the entry frame that begins at `start`.
fn leaf_in(bytes: &[u8], start: usize) -> &[u8] {
    let frame = bytes.get(start..).and_then(Entry::read);
    frame.map_or(&[], |frame| frame.leaf)
}
