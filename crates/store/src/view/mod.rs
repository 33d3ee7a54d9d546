//! The view: what decisions ask for by key, in sled. All of it can be made again from the log and the
//! keyring, so nothing relies on its durability, which sled does not give on Linux.
//!
//! One thread reads and writes it. What describes a person is sealed under a key of that person; the
//! registry, which describes nobody, is kept in clear.

mod disk;
mod key;
mod name;
mod row;

use std::{collections::HashMap, path::Path};

use schakel_core::{
    dossier::{Dossier, Row, RowKey},
    erasure::{ErasureKey, ErasureRow},
    id::{PartyId, SubjectId},
    inbox::{InboxKey, InboxRow},
    random::Random,
    registry::{RegistryKey, RegistryRow},
};
use serde::de::DeserializeOwned;

pub use self::{
    disk::{DiskError, discard, quarantine},
    key::index_key,
};
use self::{
    key::{Keys, Owner},
    row::{Rows, Whole},
};
use crate::keyring::Key;

/// Rows written before sled is made to catch up. Its backlog has no bound of its own, and the flush of
/// a long one holds the writer up for seconds.
const MOST_UNFLUSHED: usize = 1000;
/// As many rows as a batch counts for by itself: sled writes its buffer out before and after it.
const OF_A_BATCH: usize = 4;

/// The view on disk.
pub struct View {
    db: sled::Db,
    keys: Keys,
    /// The rows of more than one part.
    long: HashMap<Vec<u8>, u8>,
    unflushed: usize,
}

/// How far the view has come in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many entries are applied.
    pub entries: u64,
    /// The id in the leaf of the last of them; zeros when there is none.
    pub last: [u8; 16],
}

/// Rows as they are from now on; `None` for one that is gone.
#[derive(Debug, Default)]
pub struct Changes {
    /// Of the registry.
    pub registry: Vec<(RegistryKey, Option<RegistryRow>)>,
    /// Of inboxes, by their parties.
    pub inboxes: Vec<(PartyId, InboxKey, Option<InboxRow>)>,
    /// Of dossiers, by their persons.
    pub dossiers: Vec<(SubjectId, RowKey, Option<Row>)>,
    /// Of what was erased and waits to be.
    pub erasures: Vec<(ErasureKey, Option<ErasureRow>)>,
}

/// A row that is read at the start.
#[derive(Debug)]
pub enum Loaded {
    /// A row of the registry.
    Registry(RegistryRow),
    /// A row of a party's inbox.
    Inbox(PartyId, InboxRow),
    /// A row by which a person is found, or that names a key of theirs.
    Dossier(SubjectId, Row),
    /// A row about erasures.
    Erasure(ErasureRow),
}

/// Why the view could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// sled failed.
    #[error("the view cannot be read or written")]
    Sled(#[from] sled::Error),
    /// A row is not what was written.
    #[error("a row of the view is damaged; restart the broker to rebuild the view")]
    Damaged,
    /// A row is longer than the view takes.
    #[error("a row of {section} has {bytes} bytes, more than the view takes")]
    TooLong {
        /// What it is a row of.
        section: &'static str,
        /// How long it is.
        bytes: usize,
    },
    /// A row cannot be written down.
    #[error("a row of the view cannot be written as CBOR")]
    Encode(#[source] Box<ciborium::ser::Error<std::io::Error>>),
    /// The cryptographic library failed.
    #[error("a row of the view cannot be sealed")]
    Cipher,
}

impl View {
    /// Opens the view under the key of its generation, and hands every row that is needed at the start
    /// to `load`. `None` when there is no view, or the one there is cannot be used and must be made
    /// again: it does not open, a row is damaged, or it is of another generation.
    ///
    /// # Errors
    /// When the disk fails, or another process has the view open.
    pub fn open(
        dir: &Path,
        key: &Key,
        load: &mut dyn FnMut(Loaded),
    ) -> Result<Option<(Self, Applied)>, DiskError> {
        let keys = Keys::new(key);
        let Some(db) = disk::open(dir)? else {
            return Ok(None);
        };
        let mut view = Self {
            db,
            keys,
            long: HashMap::new(),
            unflushed: 0,
        };
        match disk::guarded(dir, || view.load(load))? {
            Some(Some(applied)) => Ok(Some((view, applied))),
            _ => Ok(None),
        }
    }

    /// Begins an empty view. Its directory must not be there yet: see [`quarantine`].
    ///
    /// # Errors
    /// When the disk fails.
    pub fn create(dir: &Path, key: &Key) -> Result<Self, DiskError> {
        let keys = Keys::new(key);
        let db = disk::create(dir)?;
        db.insert(name::GENERATION, keys.generation().as_slice())
            .map_err(|error| disk::failed(dir, error))?;
        Ok(Self {
            db,
            keys,
            long: HashMap::new(),
            unflushed: 0,
        })
    }

    /// Writes rows, and how far the view now is, in one piece.
    ///
    /// # Errors
    /// When a row cannot be sealed or is too long, or sled fails. Then the view must not be used any more.
    pub fn apply(
        &mut self,
        changes: &Changes,
        applied: Applied,
        random: &mut dyn Random,
    ) -> Result<(), ViewError> {
        let mut batch = sled::Batch::default();
        let mut rows = 1;
        for (key, row) in &changes.registry {
            let body = row.as_ref().map(name::cbor).transpose()?;
            rows += self.put(&mut batch, name::registry(key), body)?;
        }
        for (party, key, row) in &changes.inboxes {
            let inbox = name::inbox(&self.keys, party);
            let name = name::inbox_row(&self.keys, &inbox, *key)?;
            let body = row
                .as_ref()
                .map(|row| name::cbor(&(party, row)))
                .transpose()?;
            let body = self.seal(Owner::Inbox(&inbox), &name, body, random)?;
            rows += self.put(&mut batch, name, body)?;
        }
        for (subject, key, row) in &changes.dossiers {
            let name = name::dossier_row(&self.keys, subject, key)?;
            let body = row.as_ref().map(name::cbor).transpose()?;
            let body = self.seal(Owner::Person(subject.as_bytes()), &name, body, random)?;
            rows += self.put(&mut batch, name, body)?;
        }
        for (key, row) in &changes.erasures {
            let name = name::erasure_row(&self.keys, *key)?;
            let body = row.as_ref().map(name::cbor).transpose()?;
            let body = self.seal(Owner::Erasures, &name, body, random)?;
            rows += self.put(&mut batch, name, body)?;
        }
        let applied = [applied.entries.to_be_bytes().as_slice(), &applied.last].concat();
        if rows == 1 {
            // Most disclosures change nothing else, and a batch of one costs many times an insert.
            self.db.insert(name::APPLIED, applied)?;
        } else {
            batch.insert(name::APPLIED, applied);
            self.db.apply_batch(batch)?;
            self.unflushed += OF_A_BATCH;
        }
        self.unflushed += rows;
        if self.unflushed >= MOST_UNFLUSHED {
            self.db.flush()?;
            self.unflushed = 0;
        }
        Ok(())
    }

    /// The dossier of a person; `None` when nothing is held about them.
    ///
    /// # Errors
    /// When sled fails or a row is damaged.
    pub fn dossier(&self, subject: SubjectId) -> Result<Option<Dossier>, ViewError> {
        let rows = Rows(self.db.scan_prefix(name::dossier(&subject)));
        let key = self.keys.sealing(Owner::Person(subject.as_bytes()));
        let mut dossier = None;
        for row in rows {
            let row = row?;
            let body = row::open(&key, &row.name, &row.body)?;
            dossier
                .get_or_insert_with(|| Dossier::new(subject))
                .restore(read(&body)?);
        }
        Ok(dossier)
    }

    /// The next persons of whom something is held, in the order of their ids, after one of them.
    ///
    /// # Errors
    /// When sled fails or a row is damaged.
    pub fn persons_after(
        &self,
        after: Option<SubjectId>,
        most: usize,
    ) -> Result<Vec<SubjectId>, ViewError> {
        let mut found: Vec<SubjectId> = Vec::new();
        let mut from = after.map_or_else(|| vec![name::DOSSIER], |last| name::after(&last));
        while found.len() < most {
            let next = self.db.range(from..vec![name::DOSSIER + 1]).next();
            let Some(next) = next.transpose()? else { break };
            let (owner, _) = name::owner_and_kind(&next.0).ok_or(ViewError::Damaged)?;
            let subject = SubjectId::from_bytes(owner);
            from = name::after(&subject);
            found.push(subject);
        }
        Ok(found)
    }

    /// Reads every row there is, so that damage shows now, and hands over those that are needed.
    /// `None` when the view is of another generation or was never finished.
    fn load(&mut self, load: &mut dyn FnMut(Loaded)) -> Result<Option<Applied>, ViewError> {
        let found = self.db.get(name::GENERATION)?;
        let of_this = found.is_some_and(|found| *found == *self.keys.generation());
        let Some(applied) = self.db.get(name::APPLIED)?.filter(|_| of_this) else {
            return Ok(None);
        };
        let (entries, last) = applied.split_first_chunk().ok_or(ViewError::Damaged)?;
        let applied = Applied {
            entries: u64::from_be_bytes(*entries),
            last: last.try_into().map_err(|_| ViewError::Damaged)?,
        };
        for section in [name::REGISTRY, name::INBOX, name::DOSSIER, name::ERASURE] {
            let rows = Rows(self.db.scan_prefix([section]));
            for row in rows {
                let row = row?;
                if let Some(loaded) = self.loaded(section, &row)? {
                    load(loaded);
                }
                if row.parts > 1 {
                    self.long.insert(row.name, row.parts);
                }
            }
        }
        Ok(Some(applied))
    }

    fn loaded(&self, section: u8, row: &Whole) -> Result<Option<Loaded>, ViewError> {
        if section == name::REGISTRY {
            return Ok(Some(Loaded::Registry(read(&row.body)?)));
        }
        let (owner, kind) = name::owner_and_kind(&row.name).ok_or(ViewError::Damaged)?;
        if section == name::INBOX {
            let (party, row) = read(&self.unseal(Owner::Inbox(&owner), row)?)?;
            return Ok(Some(Loaded::Inbox(party, row)));
        }
        if section == name::ERASURE {
            let row = read(&self.unseal(Owner::Erasures, row)?)?;
            return Ok(Some(Loaded::Erasure(row)));
        }
        if !name::is_read_at_start(kind) {
            return Ok(None);
        }
        let body = self.unseal(Owner::Person(&owner), row)?;
        Ok(Some(Loaded::Dossier(
            SubjectId::from_bytes(owner),
            read(&body)?,
        )))
    }

    /// Adds a row to a batch, or its removal, and says how many rows of the tree that touches.
    fn put(
        &mut self,
        batch: &mut sled::Batch,
        name: Vec<u8>,
        body: Option<Vec<u8>>,
    ) -> Result<usize, ViewError> {
        let parts = match body {
            Some(body) => row::parts(&name, &body)?,
            None => Vec::new(),
        };
        let now = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        let before = self.long.remove(&name).unwrap_or(1);
        for gone in now..before {
            batch.remove(row::part_of(&name, gone));
        }
        for (name, value) in parts {
            batch.insert(name, value);
        }
        if now > 1 {
            self.long.insert(name, now);
        }
        Ok(usize::from(now.max(before)))
    }

    fn seal(
        &self,
        owner: Owner<'_>,
        name: &[u8],
        body: Option<Vec<u8>>,
        random: &mut dyn Random,
    ) -> Result<Option<Vec<u8>>, ViewError> {
        let Some(body) = body else { return Ok(None) };
        row::seal(&self.keys.sealing(owner), name, body, random).map(Some)
    }

    fn unseal(&self, owner: Owner<'_>, row: &Whole) -> Result<Vec<u8>, ViewError> {
        row::open(&self.keys.sealing(owner), &row.name, &row.body)
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("unflushed", &self.unflushed)
            .finish_non_exhaustive()
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ViewError> {
    ciborium::from_reader(bytes).map_err(|_| ViewError::Damaged)
}
