//! The keys of retention classes by month, those for entries about nobody known, and the view's.

use std::{collections::BTreeMap, path::Path};

use schakel_audit::leaf::{Month, RetentionClass};
use schakel_core::{id::SlotId, random::Random};
use zeroize::Zeroizing;

use super::{Doomed, Kek, Key, KeyringError, file};
use crate::disk::Disk;

/// The name of the file.
pub(super) const NAME: &str = "months.keys";
/// kind | yyyymm | id | key, all zeros when it was destroyed
const ROW: usize = 1 + 4 + 16 + 32;
const UNKNOWN: u8 = 0xff;
const VIEW: u8 = 0xfe;
const CURSOR: u8 = 0xfd;

/// The table. The keys of the view and of cursors stand in it as rows of their own.
#[derive(Clone, Debug, Default)]
pub(super) struct Months {
    rows: BTreeMap<(u8, u32), (SlotId, Key)>,
}

impl Months {
    pub(super) fn read(disk: &Disk, dir: &Path, kek: &Kek) -> Result<Self, KeyringError> {
        let content = file::read(disk, dir, NAME, kek)?.unwrap_or_default();
        let rows = decode(&content).ok_or_else(|| KeyringError::Malformed(dir.join(NAME)))?;
        Ok(Self { rows })
    }

    /// The content of its file.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut content = Zeroizing::new(Vec::with_capacity(self.rows.len() * ROW));
        for ((kind, month), (id, key)) in &self.rows {
            content.push(*kind);
            content.extend_from_slice(&month.to_le_bytes());
            content.extend_from_slice(id.as_bytes());
            content.extend_from_slice(key.as_slice());
        }
        content
    }

    pub(super) fn class_key(&self, class: RetentionClass, month: Month) -> Option<Key> {
        self.rows
            .get(&(kind(class), month.number()))
            .filter(|(_, key)| !is_destroyed(key))
            .map(|(_, key)| key.clone())
    }

    /// Makes a key, unless there is one; `None` when there was one and it was destroyed.
    pub(super) fn make_class(
        &mut self,
        class: RetentionClass,
        month: Month,
        random: &mut dyn Random,
    ) -> Option<Key> {
        let (_, key) = self.make(kind(class), month.number(), random);
        (!is_destroyed(&key)).then_some(key)
    }

    /// Destroys keys. Their rows stay, so that they are not made again. Whether any was still there, or had
    /// not been made yet.
    pub(super) fn destroy_all(&mut self, doomed: &Doomed) -> bool {
        let classes = doomed.months.iter();
        let classes = classes.map(|(class, month)| (*class, month.number()));
        // One that never was has sealed nothing.
        let unknown = doomed.unknown.iter();
        let unknown = unknown
            .map(|month| (UNKNOWN, month.number()))
            .filter(|row| self.rows.contains_key(row));
        let rows: Vec<_> = classes.chain(unknown).collect();
        let mut any = false;
        for row in rows {
            let id = self
                .rows
                .get(&row)
                .map_or([0; 16], |(id, _)| *id.as_bytes());
            let destroyed = (SlotId::from_bytes(id), Zeroizing::new([0; 32]));
            let before = self.rows.insert(row, destroyed);
            any |= before.is_none_or(|(_, key)| !is_destroyed(&key));
        }
        any
    }

    /// Whether no key was ever made.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether the key of a class and month is there.
    pub(super) fn has(&self, class: u8, month: Month) -> bool {
        let row = self.rows.get(&(class, month.number()));
        row.is_some_and(|(_, key)| !is_destroyed(key))
    }

    /// The classes and months whose keys were destroyed.
    pub(super) fn destroyed(&self) -> impl Iterator<Item = (u8, Month)> {
        let gone = self.rows.iter().filter(|(_, (_, key))| is_destroyed(key));
        gone.filter(|((kind, _), _)| !matches!(*kind, UNKNOWN | VIEW | CURSOR))
            .filter_map(|((class, month), _)| {
                Some((*class, Month::from_number(u64::from(*month)).ok()?))
            })
    }

    pub(super) fn is_destroyed_unknown(&self, id: SlotId) -> bool {
        self.of_unknown()
            .any(|(found, key)| *found == id && is_destroyed(key))
    }

    pub(super) fn unknown(&self, month: Month) -> Option<(SlotId, Key)> {
        self.rows
            .get(&(UNKNOWN, month.number()))
            .filter(|(_, key)| !is_destroyed(key))
            .cloned()
    }

    pub(super) fn unknown_key(&self, id: SlotId) -> Option<Key> {
        self.of_unknown()
            .find(|(found, key)| *found == id && !is_destroyed(key))
            .map(|(_, key)| key.clone())
    }

    fn of_unknown(&self) -> impl Iterator<Item = &(SlotId, Key)> {
        let rows = self.rows.range((UNKNOWN, 0)..=(UNKNOWN, u32::MAX));
        rows.map(|(_, row)| row)
    }

    /// Makes a key, unless there is one; `None` when there was one and it was destroyed.
    pub(super) fn make_unknown(
        &mut self,
        month: Month,
        random: &mut dyn Random,
    ) -> Option<(SlotId, Key)> {
        let made = self.make(UNKNOWN, month.number(), random);
        (!is_destroyed(&made.1)).then_some(made)
    }

    pub(super) fn cursor_key(&self) -> Option<Key> {
        self.rows.get(&(CURSOR, 0)).map(|(_, key)| key.clone())
    }

    pub(super) fn make_cursor(&mut self, random: &mut dyn Random) -> Key {
        self.make(CURSOR, 0, random).1
    }

    pub(super) fn view_key(&self) -> Option<Key> {
        self.rows.get(&(VIEW, 0)).map(|(_, key)| key.clone())
    }

    pub(super) fn make_view(&mut self, random: &mut dyn Random) -> Key {
        self.rows.remove(&(VIEW, 0));
        self.make(VIEW, 0, random).1
    }

    fn make(&mut self, kind: u8, month: u32, random: &mut dyn Random) -> (SlotId, Key) {
        let made = self.rows.entry((kind, month)).or_insert_with(|| {
            let id = SlotId::draw(random);
            let mut key = Zeroizing::new([0; 32]);
            random.fill(key.as_mut_slice());
            (id, key)
        });
        made.clone()
    }
}

/// Whether a key is the one that stands for none. No key that is drawn is all zeros.
fn is_destroyed(key: &Key) -> bool {
    **key == [0; 32]
}

fn kind(class: RetentionClass) -> u8 {
    class as u8
}

fn decode(content: &[u8]) -> Option<BTreeMap<(u8, u32), (SlotId, Key)>> {
    if !content.len().is_multiple_of(ROW) {
        return None;
    }
    content
        .chunks_exact(ROW)
        .map(|row| {
            let (kind, rest) = row.split_first()?;
            let (month, rest) = rest.split_first_chunk::<4>()?;
            let (id, key) = rest.split_first_chunk::<16>()?;
            let key = Zeroizing::new(key.try_into().ok()?);
            Some((
                (*kind, u32::from_le_bytes(*month)),
                (SlotId::from_bytes(*id), key),
            ))
        })
        .collect()
}
