//! What a log is opened with.

use super::{
    format::Header,
    open::{self, MAX_SEGMENT_LEN, MIN_SEGMENT_LEN, OpenError},
};
use crate::disk::Disk;

/// What a log is opened with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the log, as in its checkpoints. It cannot change.
    pub origin: String,
    /// The length of new segments in bytes, from [`MIN_SEGMENT_LEN`] to [`MAX_SEGMENT_LEN`]; a batch
    /// that does not fit into an empty segment is refused, so less than 2 MiB is for tests.
    pub segment_len: u64,
    /// The disk it is on.
    pub disk: Disk,
}

impl Settings {
    /// The settings of a log with this origin: segments of 64 MiB.
    #[must_use]
    pub fn new(origin: impl Into<String>) -> Self {
        Self {
            origin: origin.into(),
            segment_len: 64 << 20,
            disk: Disk::real(),
        }
    }

    pub(super) fn check(&self) -> Result<(), OpenError> {
        if (MIN_SEGMENT_LEN..=MAX_SEGMENT_LEN).contains(&self.segment_len) {
            Ok(())
        } else {
            Err(OpenError::SegmentLen(self.segment_len))
        }
    }

    pub(super) fn header(&self, first: u64) -> Header {
        Header {
            first,
            origin: open::origin_digest(&self.origin),
            file_len: self.segment_len,
        }
    }
}
