//! What this program knows of the log: the checkpoints it verified, and that none contradicts another.

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;
use schakel_audit::{
    checkpoint::{Checkpoint, OpenError, Origin, OriginError},
    note::{KeyError, VerifyingKey},
    tree::{ConsistencyError, Hash, verify_consistency},
};
use sha2::{Digest as _, Sha256};

/// How many verified notes, and how many sizes with their roots, are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// A log that is trusted by its pinned key, and what was seen of it. Shared by the clients of a program, so
/// that what one saw the others hold the broker to.
///
/// Verifying a signature costs more than all else about a receipt, and the receipts of one batch share
/// their checkpoint: verified ones are remembered, by the hash of every byte of them.
pub struct Trail {
    origin: Origin,
    key: VerifyingKey,
    seen: Mutex<Seen>,
}

/// A checkpoint that was verified, with the note that proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note, as it came.
    pub note: String,
}

/// Two checkpoints that the log's key signed and that cannot both be true: whoever holds the two notes can
/// show anybody that the log was forked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The one that was seen first.
    pub first: Arc<Head>,
    /// The one that contradicts it.
    pub second: Arc<Head>,
}

/// Why a key cannot be pinned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// The origin is none.
    #[error("the origin of the log cannot be used")]
    Origin(#[from] OriginError),
    /// The key is none.
    #[error("the verifier key of the log cannot be used")]
    Key(#[from] KeyError),
}

/// Why a checkpoint is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// It contradicts one that was seen before. From then on nothing of the log is accepted.
    #[error(transparent)]
    Fork(Box<Fork>),
    /// It is of another log.
    #[error("the checkpoint is of the log `{got}`, not of `{want}`")]
    Origin {
        /// The log that is pinned.
        want: Origin,
        /// The log that the checkpoint names.
        got: Origin,
    },
    /// The log was larger before the call was made.
    #[error("the log went back from {} entries to {}", seen.checkpoint.size, got.checkpoint.size)]
    Rollback {
        /// What was seen before the call.
        seen: Arc<Head>,
        /// What came.
        got: Arc<Head>,
    },
    /// It is not signed by the pinned key, or is no checkpoint.
    #[error("the checkpoint does not hold")]
    Signature(#[from] OpenError),
}

/// What was seen, bounded.
struct Seen {
    verified: LruCache<[u8; 32], Arc<Head>>,
    sizes: LruCache<u64, Arc<Head>>,
    newest: Option<Arc<Head>>,
    /// The newest head to which every earlier anchor was proved to lead.
    anchor: Option<Arc<Head>>,
    fork: Option<Fork>,
    signatures: u64,
}

impl Trail {
    /// The log of this name, whose checkpoints this key signs.
    #[must_use]
    pub fn new(origin: Origin, key: VerifyingKey) -> Self {
        let seen = Seen {
            verified: LruCache::new(REMEMBERED),
            sizes: LruCache::new(REMEMBERED),
            newest: None,
            anchor: None,
            fork: None,
            signatures: 0,
        };
        Self {
            origin,
            key,
            seen: Mutex::new(seen),
        }
    }

    /// The log of this name with this vkey, `<name>+<8 hex digits>+<base64>`; blanks around are left out.
    ///
    /// # Errors
    /// When either is not one.
    pub fn pinned(origin: &str, verifier_key: &str) -> Result<Self, PinError> {
        Ok(Self::new(
            origin.trim().parse()?,
            verifier_key.trim().parse()?,
        ))
    }

    /// The name of the log.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The key that must have signed.
    #[must_use]
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The largest head seen so far.
    #[must_use]
    pub fn newest(&self) -> Option<Arc<Head>> {
        self.seen().newest.clone()
    }

    /// The contradiction that was found, if one was.
    #[must_use]
    pub fn fork(&self) -> Option<Fork> {
        self.seen().fork.clone()
    }

    /// How many signatures were verified: less than the receipts by what the memory saved.
    #[must_use]
    pub fn signatures_checked(&self) -> u64 {
        self.seen().signatures
    }

    /// Verifies a signed checkpoint and holds it against everything seen so far.
    ///
    /// # Errors
    /// When it is not signed by the pinned key, is of another log, or contradicts one seen before.
    pub fn admit(&self, note: &str) -> Result<Arc<Head>, HeadError> {
        let hash: [u8; 32] = Sha256::digest(note.as_bytes()).into();
        let known = {
            let mut seen = self.seen();
            if let Some(fork) = &seen.fork {
                return Err(HeadError::Fork(fork.clone().into()));
            }
            seen.verified.get(&hash).map(Arc::clone)
        };
        match known {
            Some(head) => Ok(head),
            // Outside the lock: others need not wait for a signature.
            None => self.seen_first(hash, self.open(note)?),
        }
    }

    /// As [`Self::admit`], for a call before which this head was known: the log must not be smaller.
    pub(crate) fn admit_since(
        &self,
        note: &str,
        floor: Option<&Arc<Head>>,
    ) -> Result<Arc<Head>, HeadError> {
        let got = self.admit(note)?;
        match floor {
            Some(seen) if got.checkpoint.size < seen.checkpoint.size => {
                let seen = Arc::clone(seen);
                Err(HeadError::Rollback { seen, got })
            }
            _ => Ok(got),
        }
    }

    /// The head from which consistency is to be proved next.
    pub(crate) fn anchor(&self) -> Option<Arc<Head>> {
        self.seen().anchor.clone()
    }

    /// Takes a head as the next anchor when the proof shows that it only adds to the last.
    pub(crate) fn extend(
        &self,
        from: &Arc<Head>,
        to: &Arc<Head>,
        proof: &[Hash],
    ) -> Result<(), ConsistencyError> {
        let (old, new) = (&from.checkpoint, &to.checkpoint);
        verify_consistency(old.size, old.root, new.size, new.root, proof)?;
        let mut seen = self.seen();
        let further = |anchor: &Arc<Head>| anchor.checkpoint.size > new.size;
        if !seen.anchor.as_ref().is_some_and(further) {
            seen.anchor = Some(Arc::clone(to));
        }
        Ok(())
    }

    fn open(&self, note: &str) -> Result<Head, HeadError> {
        let checkpoint = Checkpoint::open(note, &self.key);
        let mut seen = self.seen();
        seen.signatures = seen.signatures.saturating_add(1);
        let checkpoint = checkpoint?;
        if checkpoint.origin != self.origin {
            return Err(HeadError::Origin {
                want: self.origin.clone(),
                got: checkpoint.origin,
            });
        }
        Ok(Head {
            checkpoint,
            note: note.to_owned(),
        })
    }

    fn seen_first(&self, hash: [u8; 32], head: Head) -> Result<Arc<Head>, HeadError> {
        let (head, mut seen) = (Arc::new(head), self.seen());
        let size = head.checkpoint.size;
        let other = |before: &&Arc<Head>| before.checkpoint.root != head.checkpoint.root;
        if let Some(first) = seen.sizes.get(&size).filter(other).map(Arc::clone) {
            let fork = Fork {
                first,
                second: head,
            };
            seen.fork = Some(fork.clone());
            return Err(HeadError::Fork(fork.into()));
        }
        seen.verified.put(hash, Arc::clone(&head));
        seen.sizes.put(size, Arc::clone(&head));
        let larger = |newest: &Arc<Head>| newest.checkpoint.size >= size;
        if !seen.newest.as_ref().is_some_and(larger) {
            seen.newest = Some(Arc::clone(&head));
        }
        seen.anchor.get_or_insert_with(|| Arc::clone(&head));
        Ok(head)
    }

    /// What was seen. A panic elsewhere leaves nothing half done here that could be believed wrongly.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trail({})", self.key)
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = (&self.first.checkpoint, &self.second.checkpoint);
        write!(
            f,
            "the log `{}` is forked: for {} entries it signed both root {} and root {}",
            first.origin, first.size, first.root, second.root
        )
    }
}

impl std::error::Error for Fork {}

#[cfg(test)]
mod tests;
