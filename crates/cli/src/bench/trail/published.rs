//! The published log, verified as `schakel verify log` does, against SHA-256 over the same files.

use std::{
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use schakel_audit::{checkpoint::Checkpoint, tile::Tile};
use schakel_store::{disk::Disk, publication::Publication};

use super::{
    keeper::{Keeper, ORIGIN},
    measure::millis,
    report::Published,
};
use crate::{bench::statistics::real, command::verify_files};

/// How often it is verified; the quickest counts, and of the hashing too.
const TIMES: usize = 3;

/// Publishes all of it in a directory of its own, and verifies that. The files are read once before anything is
/// timed, so that the disk has no part in either figure.
pub(super) fn published(keeper: &Keeper, dir: &Path) -> Result<Published> {
    let (reader, size) = (keeper.reader(), keeper.size());
    let started = Instant::now();
    let laid = Publication::open(Disk::real(), dir)?.lay(&reader, size)?;
    let laying = started.elapsed();
    let signed = Checkpoint {
        origin: ORIGIN.parse()?,
        size,
        root: laid.root(),
    };
    let (files, bytes, _) = hashed(dir, size)?;
    let (mut verified, mut hashing) = (Duration::MAX, Duration::MAX);
    for _ in 0..TIMES {
        let started = Instant::now();
        let (summary, findings) = verify_files(dir, signed.clone());
        verified = verified.min(started.elapsed());
        let holds = findings.is_empty() && summary.root_holds && summary.entries == size;
        ensure!(holds, "what was published does not verify: {findings:?}");
        hashing = hashing.min(hashed(dir, size)?.2);
    }
    Ok(Published {
        entries: size,
        files,
        bytes,
        publish_ms: millis(laying),
        verify_ms: millis(verified),
        sha256_ms: millis(hashing),
        ratio: verified.as_secs_f64() / hashing.as_secs_f64(),
        megabytes_per_second: real(usize::try_from(bytes)?) / 1e6 / verified.as_secs_f64(),
    })
}

/// Hashes each file whole: how many there are, their bytes, and how long the hashing took, without the reading.
fn hashed(dir: &Path, size: u64) -> Result<(u64, u64, Duration)> {
    let (mut files, mut bytes, mut took) = (0, 0, Duration::ZERO);
    for tile in Tile::all(size) {
        let file = fs::read(dir.join(tile.to_string()))?;
        let started = Instant::now();
        black_box(digest(&SHA256, &file));
        took += started.elapsed();
        files += 1;
        bytes += file.len() as u64;
    }
    Ok((files, bytes, took))
}
