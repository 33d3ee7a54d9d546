//! What the benchmark of the trail found, as figures.

use serde::Serialize;

use crate::bench::report::Machine;

/// Everything that `schakel bench trail` found. Times are in microseconds unless they say otherwise.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// On what.
    pub(super) machine: Machine,
    /// Batches, against a flush of the same bytes.
    pub(super) batches: Batches,
    /// One entry at a time, against a flush of the same bytes.
    pub(super) single: Single,
    /// Verifying all of it, against SHA-256 of the same bytes.
    pub(super) verification: Verification,
    /// Verifying what is published, against SHA-256 of the same files.
    pub(super) published: Published,
    /// What an entry takes on disk.
    pub(super) bytes: Bytes,
    /// What was measured as it grew.
    pub(super) sizes: Vec<Size>,
}

/// Batches of entries, in turn with a write and one fdatasync of as many bytes.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Batches {
    /// Entries in a batch.
    pub(super) entries: u64,
    /// The median of appending one to the log, durably.
    pub(super) append_us: f64,
    /// The median of writing and flushing as many bytes.
    pub(super) flush_us: f64,
    /// The first by the second.
    pub(super) ratio: f64,
    /// Entries a second that the log alone takes.
    pub(super) log_per_second: f64,
    /// Entries a second when they are sealed, appended, and applied to view and indexes too.
    pub(super) recorded_per_second: f64,
}

/// One entry at a time.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Single {
    /// The median of appending one to the log, durably.
    pub(super) append_us: f64,
    /// The 99th percentile of that.
    pub(super) append_p99_us: f64,
    /// The median of writing and flushing as many bytes.
    pub(super) flush_us: f64,
    /// The 99th percentile of that.
    pub(super) flush_p99_us: f64,
    /// The first median by the second.
    pub(super) ratio: f64,
}

/// Verifying the trail at its largest size.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Verification {
    /// Entries.
    pub(super) entries: u64,
    /// Bytes of leaves and sealed parts together.
    pub(super) bytes: u64,
    /// Reading every entry against its checksum and computing the tree anew, in milliseconds.
    pub(super) verify_ms: f64,
    /// SHA-256 over the same bytes, in memory, in milliseconds.
    pub(super) sha256_ms: f64,
    /// The first by the second.
    pub(super) ratio: f64,
}

/// Verifying the published log as an outsider does, at its largest size.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Published {
    /// Entries.
    pub(super) entries: u64,
    /// Files: entry bundles and tiles of hashes.
    pub(super) files: u64,
    /// Their bytes together.
    pub(super) bytes: u64,
    /// Laying them down, synced and read back, in milliseconds.
    pub(super) publish_ms: f64,
    /// Verifying them with the code of `schakel verify log`, the quickest of three times, in milliseconds.
    pub(super) verify_ms: f64,
    /// SHA-256 over the same files, one at a time and in memory, the quickest of three times, in milliseconds.
    pub(super) sha256_ms: f64,
    /// The first by the second.
    pub(super) ratio: f64,
    /// Bytes verified a second, in millions.
    pub(super) megabytes_per_second: f64,
}

/// Bytes on disk for each entry.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Bytes {
    /// The leaf.
    pub(super) leaf: f64,
    /// The sealed details.
    pub(super) sealed: f64,
    /// What frames entries and batches.
    pub(super) frame: f64,
    /// The nodes of the tree.
    pub(super) tree: f64,
    /// The search indexes.
    pub(super) index: f64,
    /// The view.
    pub(super) view: f64,
    /// The keyring.
    pub(super) keyring: f64,
}

/// What was measured at one size.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Size {
    /// Entries.
    pub(super) entries: u64,
    /// The median search for everything about one person, whose entries are the oldest.
    pub(super) search_us: f64,
    /// The 99th percentile of that.
    pub(super) search_p99_us: f64,
    /// The median search for everything about a person whose entries are the newest.
    pub(super) search_newest_us: f64,
    /// The median of proving that an entry is in the tree.
    pub(super) proof_us: f64,
    /// Starting with everything there, in milliseconds.
    pub(super) start_ms: Start,
    /// Starting with view and indexes gone, in milliseconds.
    pub(super) rebuild_ms: Start,
}

/// How long a start takes, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Start {
    /// Reading and checking the whole log.
    pub(super) log: f64,
    /// Opening, or making, the view.
    pub(super) view: f64,
    /// Opening, or making, the indexes.
    pub(super) index: f64,
}
