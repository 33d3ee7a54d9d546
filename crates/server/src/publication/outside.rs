//! What stands outside the log and was signed for it: held against the log before anything is signed again.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use schakel_audit::{
    checkpoint::Origin,
    minimum::{MinimumError, MinimumIndex},
    note::{SigningKey, VerifyingKey},
};
use schakel_store::{
    anchor::{self, Anchor, AnchorError, Contradiction},
    disk::Disk,
    log::LogReader,
    publication::{Publication, PublicationError, Shown},
};

/// Where it stands.
#[derive(Clone, Debug)]
pub struct Places {
    /// The directory of what is published.
    pub dir: PathBuf,
    /// The file of the anchor.
    pub anchor: Option<PathBuf>,
    /// Whether no answer may leave that the anchor does not cover.
    pub every_batch: bool,
    /// Entries below this index are no longer published.
    pub minimum_index: u64,
}

/// What stands outside, opened and found to agree with the log.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) publication: Publication,
    pub(crate) anchor: Option<SharedAnchor>,
    pub(crate) minimum_index: u64,
}

/// The anchor, written by the writer or by the publication.
#[derive(Clone, Debug)]
pub(crate) struct SharedAnchor(Arc<Mutex<Anchor>>);

/// Why the log and what was signed for it do not go together.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The anchor.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The published checkpoint contradicts the log.
    #[error(
        "the checkpoint published in `{}` contradicts the log; restore the log, or, when the loss is accepted and on \
         record, remove that directory",
        dir.display()
    )]
    Published {
        /// The directory.
        dir: PathBuf,
        /// Where the two part.
        #[source]
        how: Contradiction,
    },
    /// The directory.
    #[error("the directory of what is published cannot be used")]
    Directory(#[from] PublicationError),
    /// The minimum index.
    #[error("the minimum index cannot be announced")]
    Minimum(#[from] MinimumError),
}

impl Outside {
    /// Opens what stands outside and holds the log against it.
    pub(crate) fn open(
        places: &Places,
        log: &LogReader,
        origin: &Origin,
        keys: &[VerifyingKey],
    ) -> Result<Self, OutsideError> {
        let keys: Vec<&VerifyingKey> = keys.iter().collect();
        let anchored = places.anchor.as_ref();
        let anchor = anchored.map(|file| Anchor::open(Disk::real(), file, log, origin, &keys));
        let anchor = anchor.transpose()?;
        let publication = Publication::open(Disk::real(), &places.dir)?;
        if let Some(shown) = publication.shown() {
            published(&places.dir, shown, (log, origin, &keys))?;
        }
        Ok(Self {
            publication,
            anchor: anchor.map(|anchor| SharedAnchor(Arc::new(Mutex::new(anchor)))),
            minimum_index: places.minimum_index,
        })
    }

    /// Says below which entry bundles are pruned, by the keys that sign from now on.
    pub(crate) fn announce(
        &self,
        origin: &Origin,
        signers: &[SigningKey],
    ) -> Result<(), OutsideError> {
        let minimum = MinimumIndex::make(origin, self.minimum_index, signers)?;
        Ok(self.publication.announce(&minimum)?)
    }
}

fn published(
    dir: &Path,
    shown: &Shown,
    (log, origin, keys): (&LogReader, &Origin, &[&VerifyingKey]),
) -> Result<(), OutsideError> {
    let checked = anchor::check(log, origin, shown, keys);
    checked.map_err(|how| OutsideError::Published {
        dir: dir.to_owned(),
        how,
    })
}

impl SharedAnchor {
    /// Puts a checkpoint in the place of the one before, unless it is no larger.
    pub(crate) fn replace(&self, shown: &Shown) -> Result<(), AnchorError> {
        self.lock().replace(shown)
    }

    fn lock(&self) -> MutexGuard<'_, Anchor> {
        // A panic while it was held leaves the file and what is remembered of it as they were.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
