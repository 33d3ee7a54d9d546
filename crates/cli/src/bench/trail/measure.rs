//! The measurements.

use std::{
    fs::{self, File},
    hint::black_box,
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use schakel_audit::tree::{Frontier, leaf_hash};
use schakel_store::{index::Query, log::Frame};

use super::{
    BATCH,
    keeper::{Batch, Keeper, OF_ONE_PERSON, Opening, PROVIDER, person},
    report::{Batches, Bytes, Single, Size, Start, Verification},
};
use crate::bench::statistics::{percentile, real};

/// Batches that are timed.
const BATCHES: usize = 30;
/// Entries that are timed one at a time.
const SINGLES: usize = 1000;
/// Searches and proofs that are timed.
const SEARCHES: u64 = 1000;
/// How long the file is that is flushed for comparison.
const YARDSTICK: u64 = 16 << 20;

/// A file that was filled with zeros, as a segment is, to be written and flushed.
pub(super) struct Yardstick(File);

impl Yardstick {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = File::create(path)?;
        let zeros = vec![0; usize::try_from(YARDSTICK)?];
        file.write_all_at(&zeros, 0)?;
        file.sync_all()?;
        Ok(Self(file))
    }

    /// Writes as many bytes as an appended batch has, and flushes them.
    fn flush(&self, bytes: &[u8], at: &mut u64) -> io::Result<Duration> {
        if *at + bytes.len() as u64 > YARDSTICK {
            *at = 0;
        }
        let started = Instant::now();
        self.0.write_all_at(bytes, *at)?;
        self.0.sync_data()?;
        let took = started.elapsed();
        *at += bytes.len() as u64;
        Ok(took)
    }
}

/// Batches, in turn with the yardstick.
pub(super) fn batches(keeper: &mut Keeper, yardstick: &Yardstick) -> Result<Batches> {
    let (mut appends, mut flushes, mut at) = (Vec::new(), Vec::new(), 0);
    let mut recording = Duration::ZERO;
    for turn in 0..BATCHES {
        let started = Instant::now();
        let batch = keeper.compose(BATCH)?;
        recording += started.elapsed();
        let bytes = stored(&batch);
        // Each goes first every other time: the first finds the disk still busy with what was before.
        if turn % 2 == 0 {
            flushes.push(yardstick.flush(&bytes, &mut at)?);
        }
        let appending = Instant::now();
        keeper.append(&batch)?;
        let took = appending.elapsed();
        appends.push(took);
        if turn % 2 == 1 {
            flushes.push(yardstick.flush(&bytes, &mut at)?);
        }
        let started = Instant::now();
        keeper.applied(&batch)?;
        recording += took + started.elapsed();
    }
    let all: Duration = appends.iter().sum();
    let entries = real(BATCHES) * real(usize::try_from(BATCH)?);
    let (append_us, flush_us) = (part(&mut appends, 0.5)?, part(&mut flushes, 0.5)?);
    Ok(Batches {
        entries: BATCH,
        append_us,
        flush_us,
        ratio: append_us / flush_us,
        log_per_second: entries / all.as_secs_f64(),
        recorded_per_second: entries / recording.as_secs_f64(),
    })
}

/// One entry at a time, in turn with the yardstick.
pub(super) fn single(keeper: &mut Keeper, yardstick: &Yardstick) -> Result<Single> {
    let (mut appends, mut flushes, mut at) = (Vec::new(), Vec::new(), 0);
    for turn in 0..SINGLES {
        let batch = keeper.compose(1)?;
        let bytes = stored(&batch);
        if turn % 2 == 0 {
            flushes.push(yardstick.flush(&bytes, &mut at)?);
        }
        let appending = Instant::now();
        keeper.append(&batch)?;
        appends.push(appending.elapsed());
        if turn % 2 == 1 {
            flushes.push(yardstick.flush(&bytes, &mut at)?);
        }
        keeper.applied(&batch)?;
    }
    let (append_us, flush_us) = (part(&mut appends, 0.5)?, part(&mut flushes, 0.5)?);
    Ok(Single {
        append_us,
        append_p99_us: part(&mut appends, 0.99)?,
        flush_us,
        flush_p99_us: part(&mut flushes, 0.99)?,
        ratio: append_us / flush_us,
    })
}

/// What must not grow with the trail: measured, with two starts in between. Gives the trail as it is then.
pub(super) fn at_size(keeper: Keeper, data: &Path) -> Result<(Keeper, Size)> {
    keeper.settle()?;
    let entries = keeper.size();
    drop(keeper);
    let (keeper, start) = Keeper::open(data)?;
    let (search_us, search_p99_us) = search(&keeper, 0)?;
    let newest = (entries - 1) / 10_000 * 10_000 + (entries - 1) % 1000;
    let (search_newest_us, _) = search(&keeper, newest)?;
    let proof_us = proofs(&keeper)?;
    drop(keeper);
    for derived in ["view", "index"] {
        fs::remove_dir_all(data.join(derived))?;
    }
    let (keeper, rebuild) = Keeper::open(data)?;
    let (again, _) = search(&keeper, 0)?;
    ensure!(again > 0.0, "nothing was measured");
    let size = Size {
        entries,
        search_us,
        search_p99_us,
        search_newest_us,
        proof_us,
        start_ms: start.into(),
        rebuild_ms: rebuild.into(),
    };
    Ok((keeper, size))
}

/// Searches for everything about a person; the median and the 99th percentile.
fn search(keeper: &Keeper, number: u64) -> Result<(f64, f64)> {
    let query = Query {
        subject: Some(person(number)),
        ..Query::of(PROVIDER.parse()?)
    };
    let mut took = Vec::new();
    for _ in 0..SEARCHES {
        let started = Instant::now();
        let page = keeper.index().search(&query)?;
        took.push(started.elapsed());
        let found = page.entries.len() as u64;
        ensure!(found == OF_ONE_PERSON, "{found} entries were found");
    }
    Ok((part(&mut took, 0.5)?, part(&mut took, 0.99)?))
}

/// Proves that entries spread over all of it are in the tree; the median.
fn proofs(keeper: &Keeper) -> Result<f64> {
    let (reader, size) = (keeper.reader(), keeper.size());
    let mut took = Vec::new();
    for number in 0..SEARCHES {
        let started = Instant::now();
        black_box(reader.inclusion_proof(number * size / SEARCHES, size)?);
        took.push(started.elapsed());
    }
    part(&mut took, 0.5)
}

/// Reads everything and computes the tree anew, against SHA-256 of the same bytes.
pub(super) fn verification(keeper: &Keeper) -> Result<Verification> {
    let reader = keeper.reader();
    let started = Instant::now();
    let mut tree = Frontier::new();
    for (_, found) in reader.iter(0) {
        tree.append(leaf_hash(&found?.leaf));
    }
    let verified = started.elapsed();
    ensure!(reader.head() == (tree.size(), tree.root()), "another root");
    let (mut bytes, mut hashing) = (0, Duration::ZERO);
    for (_, found) in reader.iter(0) {
        let found = found?;
        let whole = [found.leaf, found.sealed].concat();
        bytes += whole.len() as u64;
        let started = Instant::now();
        black_box(digest(&SHA256, &whole));
        hashing += started.elapsed();
    }
    Ok(Verification {
        entries: tree.size(),
        bytes,
        verify_ms: millis(verified),
        sha256_ms: millis(hashing),
        ratio: verified.as_secs_f64() / hashing.as_secs_f64(),
    })
}

/// What an entry takes on disk.
pub(super) fn bytes(keeper: &Keeper, data: &Path) -> Result<Bytes> {
    let (mut leaves, mut sealed, mut frames) = (0, 0, 0);
    for (_, found) in keeper.reader().iter(0) {
        let found = found?;
        leaves += found.leaf.len();
        sealed += found.sealed.len();
        frames += found.stored_len() - found.leaf.len() - found.sealed.len();
    }
    let entries = real(usize::try_from(keeper.size())?);
    let each = |bytes: usize| real(bytes) / entries;
    let below = |name: &str| -> Result<f64> { Ok(each(taken(&data.join(name))?)) };
    // A commit frame has 52 bytes.
    let commits = 52.0 / real(usize::try_from(BATCH)?);
    Ok(Bytes {
        leaf: each(leaves),
        sealed: each(sealed),
        frame: each(frames) + commits,
        tree: below("log/hashes")?,
        index: below("index")?,
        view: below("view")?,
        keyring: below("keyring")?,
    })
}

/// How many bytes the files in a directory take.
fn taken(dir: &Path) -> Result<usize> {
    let mut bytes = 0;
    for found in fs::read_dir(dir)? {
        let found = found?;
        bytes += if found.file_type()?.is_dir() {
            taken(&found.path())?
        } else {
            usize::try_from(found.metadata()?.len())?
        };
    }
    Ok(bytes)
}

/// As many bytes as a batch takes in the log.
fn stored(batch: &Batch) -> Vec<u8> {
    let bytes: usize = batch.frames.iter().map(Frame::stored_len).sum();
    vec![0x5a; bytes + 52]
}

/// The time that this part of the times lies below, in microseconds.
fn part(took: &mut [Duration], part: f64) -> Result<f64> {
    took.sort_unstable();
    let found = percentile(took, part).context("nothing was measured")?;
    Ok(found.as_secs_f64() * 1e6)
}

pub(super) fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

impl From<Opening> for Start {
    fn from(opening: Opening) -> Self {
        Self {
            log: millis(opening.log),
            view: millis(opening.view),
            index: millis(opening.index),
        }
    }
}
