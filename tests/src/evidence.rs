//! What was received, and the check of the whole log against it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use schakel_api::v1;
use schakel_audit::{
    checkpoint::Checkpoint,
    commitment::verify_released,
    leaf::{EntryType, Leaf},
    note::VerifyingKey,
    tree::{Frontier, Hash, leaf_hash, verify_inclusion},
};
use schakel_core::event::Details;
use schakel_store::{
    details,
    log::{Log as Stored, Settings},
    seal,
};

use crate::{
    outsider::{Outsider, check_receipt},
    place::{ORIGIN, Place},
};

/// Something received that claims to be in the log.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Who received it.
    pub party: String,
    /// Its receipt.
    pub receipt: v1::Receipt,
    /// What was disclosed with it, and the salt of that.
    pub disclosed: Option<(Vec<u8>, Vec<u8>)>,
}

/// Everything that the parties of a test received.
#[derive(Debug, Default)]
pub struct Evidence(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    kept: Vec<Kept>,
    /// The keys that are trusted, the one that the broker says it signs with last.
    keys: Vec<VerifyingKey>,
}

/// A log that was checked from its first entry to its last.
#[derive(Debug)]
pub struct Log {
    /// The leaves, in order.
    pub leaves: Vec<Leaf>,
    /// Their exact bytes.
    pub encoded: Vec<Vec<u8>>,
    /// The sealed parts beside them.
    pub sealed: Vec<Vec<u8>>,
}

impl Evidence {
    /// Keeps what a party received.
    pub fn keep(&self, kept: Kept) {
        self.inner().kept.push(kept);
    }

    /// What was received so far.
    #[must_use]
    pub fn kept(&self) -> Vec<Kept> {
        self.inner().kept.clone()
    }

    /// Lets go of what was received so far. Only once it was checked.
    pub fn let_go(&self) {
        self.inner().kept.clear();
    }

    /// Pins the key of the log, the first time; later it must be that one, or one that is to take over.
    pub fn trust(&self, vkey: &str) {
        let mut inner = self.inner();
        if inner.keys.is_empty() {
            inner.keys.push(vkey.parse().expect("a vkey"));
        }
        let at = inner.keys.iter().position(|key| key.to_string() == vkey);
        let signing = inner.keys.remove(at.expect("the key changed"));
        inner.keys.push(signing);
    }

    /// Pins a key that is to take over.
    pub fn expect_key(&self, vkey: &str) {
        let key = vkey.parse().expect("a vkey");
        self.inner().keys.insert(0, key);
    }

    /// The pinned key.
    #[must_use]
    pub fn key(&self) -> VerifyingKey {
        self.inner().keys.last().cloned().expect("a pinned key")
    }

    /// Checks a copy of the log as an outsider would: every leaf decodes to itself, times never decrease, the
    /// tree over all leaves has the root that the newest checkpoint signs, and whatever anybody received is
    /// in it, under a signed root that is the root of its size. By our code and by that of others.
    ///
    /// # Panics
    /// When anything does not hold.
    #[must_use]
    pub fn check(&self, place: &Place, newest: Option<&str>) -> Log {
        let log = Log::read(place);
        let roots = log.roots();
        let outsider = Outsider::new(&log.encoded);
        let keys = self.inner().keys.clone();
        let mut opened = BTreeMap::new();
        let mut open = |note: &str| -> Checkpoint {
            let open = || {
                outsider.check_head(note, &keys);
                let mut opened = keys.iter().map(|key| Checkpoint::open(note, key));
                opened.find_map(Result::ok).expect("a signed checkpoint")
            };
            let checkpoint = opened.entry(note.to_owned()).or_insert_with(open).clone();
            let root = usize::try_from(checkpoint.size)
                .ok()
                .and_then(|size| roots.get(size));
            assert_eq!(
                Some(&checkpoint.root),
                root,
                "the root of {}",
                checkpoint.size
            );
            assert_eq!(checkpoint.origin.as_str(), ORIGIN);
            checkpoint
        };
        if let Some(note) = newest {
            open(note);
        }
        for kept in self.kept() {
            let note = std::str::from_utf8(&kept.receipt.checkpoint)
                .expect("UTF-8")
                .to_owned();
            log.check_kept(&kept, &open(&note));
            check_receipt(&kept.receipt);
        }
        log
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// Reads a copy of the log of a place; a broker may be writing to it meanwhile.
    #[must_use]
    pub fn read(place: &Place) -> Self {
        let copied = tempfile::tempdir().expect("a directory");
        copy(&place.data().join("log"), &copied.path().join("log"));
        let opened = Stored::open(copied.path(), Settings::new(ORIGIN)).expect("a log");
        let (mut leaves, mut encoded, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..opened.log.size() {
            let stored = opened.log.read(index).expect("an entry");
            let leaf = Leaf::decode(&stored.leaf).expect("a leaf");
            assert_eq!(leaf.encode(), stored.leaf, "one encoding a leaf");
            leaves.push(leaf);
            encoded.push(stored.leaf);
            sealed.push(stored.sealed);
        }
        assert!(
            leaves.windows(2).all(|two| two[0].at_ms <= two[1].at_ms),
            "time went back"
        );
        Self {
            leaves,
            encoded,
            sealed,
        }
    }

    /// How many entries of this kind there are.
    #[must_use]
    pub fn count(&self, kind: EntryType) -> usize {
        self.leaves
            .iter()
            .filter(|leaf| leaf.entry_type == kind)
            .count()
    }

    /// The leaf at this position.
    #[must_use]
    pub fn leaf(&self, index: u64) -> &Leaf {
        &self.leaves[usize::try_from(index).expect("an index")]
    }

    /// Opens every sealed part with the keys of the place; `None` for those that cannot be opened any more.
    #[must_use]
    pub fn details(&self, place: &Place) -> Vec<Option<Details>> {
        self.details_from(place, 0)
    }

    /// The same of the entries from this one on.
    #[must_use]
    pub fn details_from(&self, place: &Place, first: usize) -> Vec<Option<Details>> {
        place.with_keyring(|keyring| {
            let open = |(leaf, sealed): (&Leaf, &Vec<u8>)| match seal::open_whole(
                leaf, sealed, ORIGIN, keyring,
            ) {
                Ok(unsealed) => {
                    let (shown, links) = (&unsealed.opened.details, &unsealed.links);
                    let (details, _) = details::decode_with(shown, links).expect("details");
                    Some(details)
                }
                Err(seal::OpenError::Erased) => None,
                Err(error) => panic!("{error}"),
            };
            let entries = self.leaves.iter().zip(&self.sealed);
            entries.skip(first).map(open).collect()
        })
    }

    fn roots(&self) -> Vec<Hash> {
        let mut frontier = Frontier::new();
        let mut roots = vec![frontier.root()];
        for leaf in &self.encoded {
            frontier.append(leaf_hash(leaf));
            roots.push(frontier.root());
        }
        roots
    }

    fn check_kept(&self, kept: &Kept, checkpoint: &Checkpoint) {
        let receipt = &kept.receipt;
        let index = usize::try_from(receipt.index).expect("an index");
        let leaf = self.encoded.get(index).map(Vec::as_slice);
        assert_eq!(leaf, Some(&receipt.leaf[..]), "the leaf of entry {index}");
        let leaf = &self.leaves[index];
        assert_eq!(leaf.party, kept.party, "who acted in entry {index}");
        let hashes: Vec<_> = receipt
            .hashes
            .iter()
            .map(|hash| Hash::new(array(hash)))
            .collect();
        let hash = leaf_hash(&receipt.leaf);
        verify_inclusion(
            hash,
            receipt.index,
            checkpoint.size,
            &hashes,
            checkpoint.root,
        )
        .unwrap_or_else(|error| panic!("entry {index}: {error}"));
        if let Some((content, salt)) = &kept.disclosed {
            let released = leaf.released.expect("a release says what it released");
            assert!(
                verify_released(&array(salt), content, &released),
                "what entry {index} released"
            );
        }
    }
}

fn array(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().expect("32 bytes")
}

/// Copies a directory without the holes in its files: segments are mostly zeros.
///
/// # Panics
/// When a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            copy_file(&entry.path(), &target).expect("a file copied");
        }
    }
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let (mut source, mut target) = (File::open(from)?, File::create(to)?);
    target.set_permissions(source.metadata()?.permissions())?;
    let (mut chunk, mut len) = (vec![0; 1 << 20], 0);
    let zeros = vec![0; chunk.len()];
    loop {
        let read = source.read(&mut chunk)?;
        if read == 0 {
            return target.set_len(len);
        }
        if chunk[..read] != zeros[..read] {
            target.seek(SeekFrom::Start(len))?;
            target.write_all(&chunk[..read])?;
        }
        len += u64::try_from(read).map_err(io::Error::other)?;
    }
}
