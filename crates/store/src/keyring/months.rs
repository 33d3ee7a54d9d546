//! The keys of retention classes by month, those for entries about nobody known, and the view's.

use std::{collections::BTreeMap, path::Path};

use schakel_audit::leaf::{Month, RetentionClass};
use schakel_core::{id::SlotId, random::Random};
use zeroize::Zeroizing;

use super::{Kek, Key, KeyFileError, KeyringError, file};
use crate::disk::Disk;

const NAME: &str = "months.keys";
/// kind | yyyymm | id | key, all zeros when it was destroyed
const ROW: usize = 1 + 4 + 16 + 32;
const UNKNOWN: u8 = 0xff;
const VIEW: u8 = 0xfe;

/// The table. The view's key stands in it as a row of its own.
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

    pub(super) fn keep(
        &self,
        disk: &Disk,
        dir: &Path,
        kek: &Kek,
        random: &mut dyn Random,
    ) -> Result<(), KeyFileError> {
        let mut content = Zeroizing::new(Vec::with_capacity(self.rows.len() * ROW));
        for ((kind, month), (id, key)) in &self.rows {
            content.push(*kind);
            content.extend_from_slice(&month.to_le_bytes());
            content.extend_from_slice(id.as_bytes());
            content.extend_from_slice(key.as_slice());
        }
        file::replace(disk, dir, NAME, kek, &content, random)
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

    /// Destroys a key. Its row stays, so that it is not made again.
    pub(super) fn destroy_class(&mut self, class: RetentionClass, month: Month) {
        let destroyed = (SlotId::from_bytes([0; 16]), Zeroizing::new([0; 32]));
        self.rows.insert((kind(class), month.number()), destroyed);
    }

    pub(super) fn unknown(&self, month: Month) -> Option<(SlotId, Key)> {
        self.rows.get(&(UNKNOWN, month.number())).cloned()
    }

    pub(super) fn unknown_key(&self, id: SlotId) -> Option<Key> {
        let of_unknown = self.rows.range((UNKNOWN, 0)..=(UNKNOWN, u32::MAX));
        of_unknown
            .map(|(_, row)| row)
            .find(|(found, _)| *found == id)
            .map(|(_, key)| key.clone())
    }

    pub(super) fn make_unknown(&mut self, month: Month, random: &mut dyn Random) -> (SlotId, Key) {
        self.make(UNKNOWN, month.number(), random)
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
