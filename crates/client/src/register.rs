//! The register: the receipts that a party holds, in a file that only grows.
//!
//! ```text
//! file  = "schakel receipts 1\n" *batch
//! batch = u32 length | [8] first bytes of SHA-256(content) | content: protobuf messages Receipt, each with its
//!         length before it as protobuf has it
//! ```
//!
//! Integers are little-endian. A receipt counts once its batch is on disk; a batch that was being written when
//! the machine stopped is cut off at the next start, and damage that is followed by a whole batch is an error
//! that says where.

mod batch;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    ops::Range,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use batch::{HEAD, LARGEST};
use prost::Message as _;
use schakel_api::v1;
use schakel_audit::{
    leaf::{EntryType, Leaf},
    proof::TlogProof,
    reconciliation::Held,
    tree::{Hash, leaf_hash},
};

const MAGIC: &[u8] = b"schakel receipts 1\n";
/// The most bytes of a receipt: far more than its leaf, its hashes and a checkpoint with many cosignatures.
const LONGEST: usize = 64 * 1024;

/// The receipts that a party holds. Shared by the clients of a program; one program at a time has it open.
///
/// A client that is given one ([`ClientConfig::register`](crate::ClientConfig::register)) keeps every receipt in
/// it before the answer is handed over.
pub struct Register {
    path: PathBuf,
    state: Mutex<State>,
}

/// Why receipts cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The file cannot be used.
    #[error("the register `{}` cannot be used; mend its permissions or the disk", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Another program has it open.
    #[error("the register `{}` is open in another program", .0.display())]
    Open(PathBuf),
    /// The file is something else.
    #[error("`{}` is no register of receipts", .0.display())]
    Foreign(PathBuf),
    /// Its bytes are not those that were written.
    #[error("the register `{}` is damaged at byte {at}: restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged record begins.
        at: u64,
    },
    /// Keeping was broken off in the midst: whether it is kept is not known.
    #[error("the receipt may not have been kept: open the register again")]
    Abandoned,
    /// The receipt is not one.
    #[error("the receipt is not one: its leaf cannot be read, or it is longer than any")]
    Receipt,
}

struct State {
    file: File,
    end: u64,
    /// By index and leaf: two leaves at one index are evidence, and both are kept.
    kept: BTreeMap<Key, Place>,
    newest: Option<(u64, Place)>,
    /// Whether a write failed: what stands at the end is not known until the file is opened again.
    broken: bool,
}

/// Index and leaf.
type Key = (u64, Hash);

#[derive(Clone, Copy)]
struct Place {
    at: u64,
    len: usize,
    at_ms: u64,
    kind: EntryType,
}

impl Register {
    /// Opens a register, or begins one.
    ///
    /// # Errors
    /// When the file cannot be used, is open elsewhere, is no register, or is damaged before its end.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RegisterError> {
        let path = path.into();
        let failed = |source| RegisterError::Io {
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            // It tells everything that the party did.
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => RegisterError::Open(path.clone()),
            TryLockError::Error(source) => failed(source),
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let mut state = State {
            file,
            end: 0,
            kept: BTreeMap::new(),
            newest: None,
            broken: false,
        };
        if MAGIC.starts_with(&bytes) && bytes.len() < MAGIC.len() {
            state.begin(&path).map_err(failed)?;
        } else if bytes.starts_with(MAGIC) {
            state.read(&bytes, &path)?;
        } else {
            return Err(RegisterError::Foreign(path));
        }
        let state = Mutex::new(state);
        Ok(Self { path, state })
    }

    /// Keeps receipts: on disk when this returns. One that is kept already is passed over.
    ///
    /// # Errors
    /// When one is not a receipt, or the file cannot be written: then nothing more is kept until it is opened
    /// again.
    pub fn keep<'a>(
        &self,
        receipts: impl IntoIterator<Item = &'a v1::Receipt>,
    ) -> Result<(), RegisterError> {
        let mut state = self.state();
        let mut batch = vec![0; HEAD];
        let mut added: Vec<(Key, Place, Option<u64>)> = Vec::new();
        for receipt in receipts {
            let (key, mut place) = described(receipt)?;
            if state.kept.contains_key(&key) || added.iter().any(|(other, ..)| *other == key) {
                continue;
            }
            if batch.len() + place.len > LARGEST {
                self.append(&mut state, &mut batch, &mut added)?;
            }
            let content = receipt.encode_length_delimited_to_vec();
            place.at = state.end + (batch.len() + content.len() - place.len) as u64;
            batch.extend(content);
            added.push((key, place, size_of(receipt)));
        }
        self.append(&mut state, &mut batch, &mut added)
    }

    /// Writes a batch and begins the next one.
    fn append(
        &self,
        state: &mut State,
        batch: &mut Vec<u8>,
        added: &mut Vec<(Key, Place, Option<u64>)>,
    ) -> Result<(), RegisterError> {
        if added.is_empty() {
            return Ok(());
        }
        batch::seal(batch);
        state.append(batch).map_err(|source| RegisterError::Io {
            path: self.path.clone(),
            source,
        })?;
        for (key, place, size) in added.drain(..) {
            state.note(key, place, size);
        }
        *batch = vec![0; HEAD];
        Ok(())
    }

    /// What was handed over in a period (milliseconds since 1970-01-01T00:00:00Z) by the receipts held, in
    /// ascending order of their index.
    #[must_use]
    pub fn handed_over(&self, period: &Range<u64>) -> Vec<Held> {
        let state = self.state();
        let held = state.kept.iter().filter(|(_, place)| {
            period.contains(&place.at_ms)
                && matches!(
                    place.kind,
                    EntryType::Disclosure | EntryType::Delivery | EntryType::Notice
                )
        });
        held.map(|((index, leaf), place)| Held {
            index: *index,
            at_ms: place.at_ms,
            leaf: *leaf,
        })
        .collect()
    }

    /// How many receipts are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().kept.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The receipt of an entry with this leaf; `None` when it is not held.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn receipt(&self, index: u64, leaf: Hash) -> Result<Option<v1::Receipt>, RegisterError> {
        let state = self.state();
        let place = state.kept.get(&(index, leaf)).copied();
        place.map(|place| self.load(&state, place)).transpose()
    }

    /// The newest signed tree head among the receipts held.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn newest_checkpoint(&self) -> Result<Option<String>, RegisterError> {
        let state = self.state();
        let Some((_, place)) = state.newest else {
            return Ok(None);
        };
        let receipt = self.load(&state, place)?;
        let note = str::from_utf8(&receipt.checkpoint).map(str::to_owned);
        note.map(Some).map_err(|_| RegisterError::Receipt)
    }

    fn load(&self, state: &State, place: Place) -> Result<v1::Receipt, RegisterError> {
        let mut bytes = vec![0; place.len];
        let read = state.file.read_exact_at(&mut bytes, place.at);
        read.map_err(|source| RegisterError::Io {
            path: self.path.clone(),
            source,
        })?;
        v1::Receipt::decode(bytes.as_slice()).map_err(|_| RegisterError::Damaged {
            path: self.path.clone(),
            at: place.at,
        })
    }

    /// What is held. A panic elsewhere leaves nothing half done here: what is not noted is on disk, and is
    /// found at the next start.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self, path: &Path) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(MAGIC)?;
        self.file.sync_all()?;
        // The name of a new file is as durable as its directory.
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        self.end = MAGIC.len() as u64;
        Ok(())
    }

    fn read(&mut self, bytes: &[u8], path: &Path) -> Result<(), RegisterError> {
        let mut at = MAGIC.len();
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let damaged = || RegisterError::Damaged {
                path: path.to_path_buf(),
                at: at as u64,
            };
            let Some(mut content) = batch::whole(rest) else {
                if batch::is_torn(rest) {
                    break;
                }
                return Err(damaged());
            };
            let end = at + HEAD + content.len();
            while !content.is_empty() {
                let receipt = v1::Receipt::decode_length_delimited(&mut content);
                let receipt = receipt.map_err(|_| damaged())?;
                let (key, mut place) = described(&receipt).map_err(|_| damaged())?;
                place.at = (end - content.len() - place.len) as u64;
                self.note(key, place, size_of(&receipt));
            }
            at = end;
        }
        self.end = at as u64;
        let cut = || -> io::Result<()> {
            self.file.set_len(at as u64)?;
            self.file.sync_all()
        };
        if at < bytes.len() {
            cut().map_err(|source| RegisterError::Io {
                path: path.to_path_buf(),
                source,
            })?;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier write failed"));
        }
        let written = self
            .file
            .write_all_at(bytes, self.end)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // After a failed fsync nobody knows what is on disk: it is never tried again.
            self.broken = true;
            return Err(error);
        }
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn note(&mut self, key: Key, place: Place, size: Option<u64>) {
        if let Entry::Vacant(vacant) = self.kept.entry(key) {
            vacant.insert(place);
        }
        let newest = self.newest.map(|(size, _)| size);
        if size.is_some_and(|size| newest.is_none_or(|newest| size > newest)) {
            self.newest = size.map(|size| (size, place));
        }
    }
}

fn described(receipt: &v1::Receipt) -> Result<(Key, Place), RegisterError> {
    let len = receipt.encoded_len();
    let leaf = Leaf::decode(&receipt.leaf).map_err(|_| RegisterError::Receipt)?;
    let fits = len <= LONGEST && receipt.hashes.len() <= TlogProof::MAX_HASHES;
    if !fits {
        return Err(RegisterError::Receipt);
    }
    let place = Place {
        at: 0,
        len,
        at_ms: leaf.at_ms,
        kind: leaf.entry_type,
    };
    Ok(((receipt.index, leaf_hash(&receipt.leaf)), place))
}

/// The size of the tree whose head came with a receipt; what it says was verified before it was kept.
fn size_of(receipt: &v1::Receipt) -> Option<u64> {
    let note = str::from_utf8(&receipt.checkpoint).ok()?;
    note.lines().nth(1)?.parse().ok()
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Register({})", self.path.display())
    }
}

#[cfg(test)]
mod tests;
