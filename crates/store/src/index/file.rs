//! A run that is full: as a rule a file that never changes again.
//!
//! ```text
//! magic 8 | first entry u64 | entries u32 | lists u32 | time u64 … | (token 16, start u32, before u32) … | list …
//! ```
//!
//! All integers little-endian, all of it in sealed blocks. A token stands for a controller, or the broker itself, and a thing
//! to be found by; tokens are in order, and a list ends where the next one starts. Before is, for a person, the
//! number of the newest run before this one in which the token stands, see [`heads`](super::heads).

use std::path::{Path, PathBuf};

use schakel_core::time::Period;

pub use super::blocks::FileError;
use super::{
    blocks::{self, Blocks},
    heads::{Heads, Link},
    list::{self, List, Lists, Place, Term, within},
    recent::Recent,
    token::{Sought, TOKEN, Token, Tokens},
    worker::Files,
};
use crate::keyring::Key;

const MAGIC: &[u8; 8] = b"SCHKRUN6";
const HEADER: u64 = 24;
const TIME: u64 = 8;
/// A token with where its list starts and the run before.
const ROW: u64 = 24;
const ROW_LEN: usize = 24;
/// Every so many tokens one is held in memory: a look-up reads only what lies between two of them.
const STRIDE: u64 = 64;
const STRIDE_LEN: usize = 64;
/// Instead of the number of a run: there is none before.
const NONE: u32 = u32::MAX;
/// Instead of the number of a run: what is found by this leads to no other.
const NO_PERSON: u32 = u32::MAX - 1;

/// A run that is full.
#[derive(Debug)]
pub(super) struct Run {
    content: Content,
    first: u64,
    entries: u64,
    lists: u64,
    /// When the first and the last entry were recorded.
    span: (u64, u64),
    /// Every 64th token, from the first.
    sparse: Vec<Token>,
}

/// Where the content of a run is.
#[derive(Debug)]
enum Content {
    /// As it should be.
    File(Blocks),
    /// The file could not be written; it is at the next start.
    Memory(Vec<u8>),
}

/// One row of a run.
struct Row {
    token: Token,
    start: u32,
    before: u32,
}

/// The path of the file of a run.
pub(super) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.idx"))
}

impl Run {
    /// Opens the file of a run of `entries` from `first` on, all of which is read once. With it, the people in it.
    pub(super) fn open(
        dir: &Path,
        first: u64,
        entries: u64,
        key: &Key,
    ) -> Result<(Self, Vec<Link>), FileError> {
        let blocks = Blocks::open(&path(dir, first), key)?;
        let content = blocks.read(0, blocks.len())?;
        let (run, links) = Self::of(Content::File(blocks), &content)?;
        if (run.first, run.entries) == (first, entries) {
            Ok((run, links))
        } else {
            Err(FileError::Damaged)
        }
    }

    /// Writes a run and opens it. With it, the people in it.
    pub(super) fn write(
        run: &Recent,
        heads: &Heads,
        files: &mut Files,
    ) -> Result<(Self, Vec<Link>), FileError> {
        let content = encode(run, heads, &files.tokens);
        let path = path(&files.dir, run.first());
        blocks::write(&path, &files.key, &content, files.random.as_mut())?;
        Self::of(Content::File(Blocks::open(&path, &files.key)?), &content)
    }

    /// As [`Self::write`], in memory alone.
    pub(super) fn hold(
        run: &Recent,
        heads: &Heads,
        files: &Files,
    ) -> Result<(Self, Vec<Link>), FileError> {
        let content = encode(run, heads, &files.tokens);
        Self::of(Content::Memory(content.clone()), &content)
    }

    /// A run with this content, which is still to be read from there later.
    fn of(source: Content, content: &[u8]) -> Result<(Self, Vec<Link>), FileError> {
        if !content.starts_with(MAGIC) {
            return Err(FileError::Damaged);
        }
        let mut run = Self {
            content: source,
            first: u64_at(content, 8)?,
            entries: u64::from(u32_at(content, 16)?),
            lists: u64::from(u32_at(content, 20)?),
            span: (0, 0),
            sparse: Vec::new(),
        };
        let last = run.entries.checked_sub(1).ok_or(FileError::Damaged)?;
        run.span = (run.time(0)?, run.time(last)?);
        let mut links = Vec::new();
        let (from, until) = (size(run.rows_at())?, size(run.lists_at())?);
        let rows = content.get(from..until).ok_or(FileError::Damaged)?;
        for (at, row) in rows.chunks_exact(ROW_LEN).enumerate() {
            let row = Row::read(row)?;
            if at.is_multiple_of(STRIDE_LEN) {
                run.sparse.push(row.token);
            }
            links.extend(row.link());
        }
        Ok((run, links))
    }

    /// When the last entry was recorded.
    pub(super) const fn last_at(&self) -> u64 {
        self.span.1
    }

    fn time(&self, at: u64) -> Result<u64, FileError> {
        let bytes = self.content.read(HEADER + at * TIME, TIME)?;
        u64_at(&bytes, 0)
    }

    fn rows_at(&self) -> u64 {
        HEADER + self.entries * TIME
    }

    fn lists_at(&self) -> u64 {
        self.rows_at() + self.lists * ROW
    }

    /// The row of a token, and where its list ends; `None` when there is none.
    fn find(&self, token: &Token) -> Result<Option<(Row, u64)>, FileError> {
        let group = self.sparse.partition_point(|known| known <= token) as u64;
        let Some(group) = group.checked_sub(1) else {
            return Ok(None);
        };
        let from = group * STRIDE;
        // One more than the group, because a list ends where the next one starts.
        let until = (from + STRIDE + 1).min(self.lists);
        let rows = self
            .content
            .read(self.rows_at() + from * ROW, (until - from) * ROW)?;
        let mut rows = rows.chunks_exact(ROW_LEN);
        let Some(row) = rows.find(|row| row.starts_with(token)) else {
            return Ok(None);
        };
        let end = match rows.next() {
            Some(next) => u64::from(Row::read(next)?.start),
            None => self.content.len().saturating_sub(self.lists_at()),
        };
        Ok(Some((Row::read(row)?, end)))
    }
}

impl Lists for Run {
    type Error = FileError;

    fn first(&self) -> u64 {
        self.first
    }

    fn period(&self, period: Option<&Period>) -> Result<(u64, u64), FileError> {
        let whole = period.is_none_or(|period| {
            let (first, last) = self.span;
            period.from.as_millis() <= first
                && period.until.is_none_or(|until| last < until.as_millis())
        });
        if whole {
            Ok((0, self.entries))
        } else {
            within(period, self.entries, |at| self.time(at))
        }
    }

    fn list(&self, sought: &Sought<'_>) -> Result<List, FileError> {
        let Some((row, end)) = self.find(&sought.token)? else {
            return Ok(List::default());
        };
        let start = u64::from(row.start);
        let len = end.checked_sub(start).ok_or(FileError::Damaged)?;
        let bytes = self.content.read(self.lists_at() + start, len)?;
        Ok(List {
            places: list::get(&bytes),
            before: row.link().and_then(|link| link.before),
        })
    }
}

impl Content {
    fn len(&self) -> u64 {
        match self {
            Self::File(blocks) => blocks.len(),
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Reads a part, which must lie within it.
    fn read(&self, from: u64, len: u64) -> Result<Vec<u8>, FileError> {
        match self {
            Self::File(blocks) => blocks.read(from, len),
            Self::Memory(bytes) => {
                let part = bytes.get(size(from)?..size(from.saturating_add(len))?);
                part.map(<[u8]>::to_vec).ok_or(FileError::Damaged)
            }
        }
    }
}

impl Row {
    fn read(bytes: &[u8]) -> Result<Self, FileError> {
        Ok(Self {
            token: bytes.first_chunk().copied().ok_or(FileError::Damaged)?,
            start: u32_at(bytes, TOKEN)?,
            before: u32_at(bytes, TOKEN + 4)?,
        })
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.token);
        bytes.extend(self.start.to_le_bytes());
        bytes.extend(self.before.to_le_bytes());
    }

    /// The person that it stands for, if it does.
    fn link(&self) -> Option<Link> {
        (self.before != NO_PERSON).then_some(Link {
            token: self.token,
            before: Some(self.before).filter(|before| *before != NONE),
        })
    }
}

/// The content of a run.
fn encode(run: &Recent, heads: &Heads, tokens: &Tokens) -> Vec<u8> {
    let mut lists: Vec<(Row, &[Place])> = run
        .lists()
        .map(|(whose, term, places)| {
            let token = tokens.token(whose, &term);
            let before = match term {
                Term::Subject(_) | Term::Named(_) => heads.newest(&token).unwrap_or(NONE),
                _ => NO_PERSON,
            };
            let start = 0;
            (
                Row {
                    token,
                    start,
                    before,
                },
                places,
            )
        })
        .collect();
    lists.sort_unstable_by_key(|(row, _)| row.token);
    let mut content = MAGIC.to_vec();
    content.extend(run.first().to_le_bytes());
    content.extend(u32_of(run.times().len()).to_le_bytes());
    content.extend(u32_of(lists.len()).to_le_bytes());
    content.extend(run.times().iter().flat_map(|time| time.to_le_bytes()));
    let mut encoded = Vec::new();
    for (row, places) in &mut lists {
        row.start = u32_of(encoded.len());
        row.put(&mut content);
        list::put(places, &mut encoded);
    }
    content.append(&mut encoded);
    content
}

/// A run holds at most 65,536 entries, and its lists far fewer than 2^32 bytes.
fn u32_of(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn size(number: u64) -> Result<usize, FileError> {
    usize::try_from(number).map_err(|_| FileError::Damaged)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, FileError> {
    let part = bytes.get(at..).and_then(|rest| rest.first_chunk().copied());
    part.map(u32::from_le_bytes).ok_or(FileError::Damaged)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, FileError> {
    let part = bytes.get(at..).and_then(|rest| rest.first_chunk().copied());
    part.map(u64::from_le_bytes).ok_or(FileError::Damaged)
}
