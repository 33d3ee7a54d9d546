//! The file of a run that is full.
//!
//! ```text
//! magic 8 | first entry u64 | entries u32 | lists u32 | time u64 … | (token 16, start u32) … | list …
//! ```
//!
//! All integers little-endian, all of it in sealed blocks. A token stands for a controller, or the broker itself, and a thing
//! to be found by; tokens are in order, and a list ends where the next one starts.

use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use schakel_core::time::Period;

pub use super::blocks::FileError;
use super::{
    Whose,
    blocks::{self, Blocks},
    list::{self, Lists, Place, Term, within},
    recent::Recent,
    worker::Files,
};
use crate::keyring::Key;

const MAGIC: &[u8; 8] = b"SCHKRUN2";
const HEADER: u64 = 24;
const TIME: u64 = 8;
const TOKEN: usize = 16;
/// A token with where its list starts.
const ROW: u64 = 20;
const ROW_LEN: usize = 20;
/// Every so many tokens one is held in memory: a look-up reads only what lies between two of them.
const STRIDE: u64 = 64;
const STRIDE_LEN: usize = 64;

type Token = [u8; TOKEN];

/// A run on disk.
#[derive(Debug)]
pub(super) struct RunFile {
    blocks: Blocks,
    first: u64,
    entries: u64,
    lists: u64,
    /// When the first and the last entry were recorded.
    span: (u64, u64),
    /// Every 64th token, from the first.
    sparse: Vec<Token>,
    secret: hmac::Key,
}

/// The path of the file of a run.
pub(super) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.idx"))
}

impl RunFile {
    /// Writes a run and opens it.
    pub(super) fn write(run: &Recent, files: &mut Files) -> Result<Self, FileError> {
        let path = path(&files.dir, run.first());
        // The tokens depend on the salt of the file, which comes first.
        let content = |secret: &Key| encode(run, &token_key(secret));
        blocks::write(&path, &files.key, content, files.random.as_mut())?;
        Self::open(&files.dir, run.first(), run.len(), &files.key)
    }

    /// Opens the file of a run of `entries` from `first` on; its lists are looked at when they are read.
    pub(super) fn open(dir: &Path, first: u64, entries: u64, key: &Key) -> Result<Self, FileError> {
        let blocks = Blocks::open(&path(dir, first), key)?;
        let header = blocks.read(0, HEADER)?;
        let lists = u64::from(u32_at(&header, 20)?);
        if !header.starts_with(MAGIC)
            || u64_at(&header, 8)? != first
            || u64::from(u32_at(&header, 16)?) != entries
            || entries == 0
        {
            return Err(FileError::Damaged);
        }
        let secret = token_key(blocks.secret());
        let mut run = Self {
            blocks,
            first,
            entries,
            lists,
            span: (0, 0),
            sparse: Vec::new(),
            secret,
        };
        run.span = (run.time(0)?, run.time(entries.saturating_sub(1))?);
        run.sparse = run.read_sparse()?;
        Ok(run)
    }

    /// When the last entry was recorded.
    pub(super) const fn last_at(&self) -> u64 {
        self.span.1
    }

    /// Reads all of it once.
    pub(super) fn verify(&self) -> Result<(), FileError> {
        self.blocks.verify()
    }

    fn read_sparse(&self) -> Result<Vec<Token>, FileError> {
        let rows = self.blocks.read(self.rows_at(), self.lists * ROW)?;
        let every = rows.chunks_exact(ROW_LEN).step_by(STRIDE_LEN);
        every
            .map(|row| row.first_chunk().copied().ok_or(FileError::Damaged))
            .collect()
    }

    fn time(&self, at: u64) -> Result<u64, FileError> {
        let bytes = self.blocks.read(HEADER + at * TIME, TIME)?;
        u64_at(&bytes, 0)
    }

    fn rows_at(&self) -> u64 {
        HEADER + self.entries * TIME
    }

    fn lists_at(&self) -> u64 {
        self.rows_at() + self.lists * ROW
    }

    /// Where the list of a token lies, from where to where; `None` when there is none.
    fn find(&self, token: &Token) -> Result<Option<(u64, u64)>, FileError> {
        let group = self.sparse.partition_point(|known| known <= token) as u64;
        let Some(group) = group.checked_sub(1) else {
            return Ok(None);
        };
        let from = group * STRIDE;
        // One more than the group, because a list ends where the next one starts.
        let until = (from + STRIDE + 1).min(self.lists);
        let rows = self
            .blocks
            .read(self.rows_at() + from * ROW, (until - from) * ROW)?;
        let mut rows = rows.chunks_exact(ROW_LEN);
        let Some(row) = rows.find(|row| row.starts_with(token)) else {
            return Ok(None);
        };
        let start = u64::from(u32_at(row, TOKEN)?);
        let end = match rows.next() {
            Some(next) => u64::from(u32_at(next, TOKEN)?),
            None => self.blocks.len().saturating_sub(self.lists_at()),
        };
        Ok(Some((start, end)))
    }
}

impl Lists for RunFile {
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

    fn list(&self, whose: &Whose, term: &Term<'_>) -> Result<Vec<Place>, FileError> {
        let Some((start, end)) = self.find(&token(&self.secret, whose, term))? else {
            return Ok(Vec::new());
        };
        let len = end.checked_sub(start).ok_or(FileError::Damaged)?;
        let bytes = self.blocks.read(self.lists_at() + start, len)?;
        Ok(list::get(&bytes))
    }
}

/// The content of the file of a run.
fn encode(run: &Recent, secret: &hmac::Key) -> Vec<u8> {
    let mut lists: Vec<(Token, &[Place])> = run
        .lists()
        .map(|(whose, term, places)| (token(secret, whose, &term), places))
        .collect();
    lists.sort_unstable_by_key(|(token, _)| *token);
    let mut content = MAGIC.to_vec();
    content.extend(run.first().to_le_bytes());
    content.extend(u32_of(run.times().len()).to_le_bytes());
    content.extend(u32_of(lists.len()).to_le_bytes());
    content.extend(run.times().iter().flat_map(|time| time.to_le_bytes()));
    let mut encoded = Vec::new();
    for (token, places) in &lists {
        content.extend(token);
        content.extend(u32_of(encoded.len()).to_le_bytes());
        list::put(places, &mut encoded);
    }
    content.append(&mut encoded);
    content
}

/// What stands for whose entries they are and a thing to be found by. Sixteen bytes of a keyed hash: two things
/// never share one, and nobody without the key of the file can make them.
fn token(secret: &hmac::Key, whose: &Whose, term: &Term<'_>) -> Token {
    let (kind, bytes) = term.key();
    let mut context = hmac::Context::with_key(secret);
    if let Whose::Controller(controller) = whose {
        context.update(controller.as_str().as_bytes());
    }
    // No id of a party holds a zero byte, and none is empty.
    context.update(&[0, kind]);
    context.update(bytes);
    let tag = context.sign();
    tag.as_ref().first_chunk().copied().unwrap_or_default()
}

fn token_key(secret: &Key) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_slice())
}

/// A run holds at most 65,536 entries, and its lists far fewer than 2^32 bytes.
fn u32_of(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, FileError> {
    let part = bytes.get(at..).and_then(|rest| rest.first_chunk().copied());
    part.map(u32::from_le_bytes).ok_or(FileError::Damaged)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, FileError> {
    let part = bytes.get(at..).and_then(|rest| rest.first_chunk().copied());
    part.map(u64::from_le_bytes).ok_or(FileError::Damaged)
}
