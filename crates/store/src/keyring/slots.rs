//! Slots and the shards they are kept in.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::Path,
};

use schakel_core::{id::SlotId, random::Random};
use zeroize::Zeroizing;

use super::{Kek, Key, KeyFileError, KeyringError, file};
use crate::disk::Disk;

/// id | key, all zeros when it was destroyed
const ROW: usize = 48;

/// Every slot there is, and which of them are free.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// The key of each slot, unless it was destroyed, and the shard it stands in.
    keys: HashMap<SlotId, (Option<Key>, u32)>,
    /// The slots of each shard, in its order.
    shards: BTreeMap<u32, Vec<SlotId>>,
    /// Shards that still hold a destroyed key on disk.
    unwritten: HashSet<u32>,
    used: HashSet<SlotId>,
    pool: Vec<SlotId>,
    next_shard: u32,
}

/// A shard that is being made.
pub(super) struct Shard {
    rows: Vec<(SlotId, Key)>,
}

/// Makes the slots of a new shard.
pub(super) fn make(slots: usize, random: &mut dyn Random) -> Shard {
    let rows = (0..slots).map(|_| {
        let id = SlotId::draw(random);
        let mut key = Zeroizing::new([0; 32]);
        random.fill(key.as_mut_slice());
        (id, key)
    });
    Shard {
        rows: rows.collect(),
    }
}

impl Shard {
    /// The content of its file.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let rows = self.rows.iter().map(|(id, key)| (*id, Some(key)));
        encode(self.rows.len(), rows)
    }
}

impl Slots {
    /// Reads every shard.
    pub(super) fn read(disk: &Disk, dir: &Path, kek: &Kek) -> Result<Self, KeyringError> {
        let mut slots = Self::default();
        for number in numbers(disk, dir)? {
            let content = file::read(disk, dir, &name(number), kek)?.unwrap_or_default();
            let rows =
                decode(&content).ok_or_else(|| KeyringError::Malformed(dir.join(name(number))))?;
            slots.insert(number, rows);
            slots.next_shard = slots.next_shard.max(number.saturating_add(1));
        }
        Ok(slots)
    }

    pub(super) fn mark_used(&mut self, slot: SlotId) {
        self.used.insert(slot);
    }

    /// Lets every slot that is neither used nor destroyed be given out; how many there are. Fails with a
    /// slot that is used and not there.
    pub(super) fn fill_pool(&mut self) -> Result<usize, SlotId> {
        if let Some(missing) = self.used.iter().find(|slot| !self.keys.contains_key(*slot)) {
            return Err(*missing);
        }
        let used = std::mem::take(&mut self.used);
        let free = self.keys.iter().filter(|(_, (key, _))| key.is_some());
        let free = free.map(|(slot, _)| *slot);
        self.pool = free.filter(|slot| !used.contains(slot)).collect();
        // In an order that follows from the keys alone, so that a test can be run again as it was.
        self.pool.sort_unstable();
        Ok(self.pool.len())
    }

    pub(super) fn take(&mut self) -> (Option<SlotId>, usize) {
        (self.pool.pop(), self.pool.len())
    }

    pub(super) fn key(&self, slot: SlotId) -> Option<Key> {
        self.keys.get(&slot)?.0.clone()
    }

    /// Reserves the number of the next shard.
    pub(super) fn next_shard(&mut self) -> u32 {
        let number = self.next_shard;
        self.next_shard = number.saturating_add(1);
        number
    }

    /// Adds a shard that is durable.
    pub(super) fn add(&mut self, number: u32, shard: Shard) {
        self.pool.extend(shard.rows.iter().map(|(id, _)| *id));
        let rows = shard.rows.into_iter().map(|(id, key)| (id, Some(key)));
        self.insert(number, rows.collect());
    }

    /// Takes keys out of memory. Gives the shards that still hold one of them on disk, and whether any key
    /// was still there.
    pub(super) fn destroy_all(&mut self, doomed: &BTreeSet<SlotId>) -> (BTreeSet<u32>, bool) {
        let (mut shards, mut any) = (BTreeSet::new(), false);
        for slot in doomed {
            let Some((key, number)) = self.keys.get_mut(slot) else {
                continue;
            };
            if key.take().is_some() {
                any = true;
                self.unwritten.insert(*number);
            }
            if self.unwritten.contains(number) {
                shards.insert(*number);
            }
        }
        if any {
            self.pool.retain(|free| !doomed.contains(free));
        }
        (shards, any)
    }

    /// What is to stand in a shard on disk.
    pub(super) fn content(&self, number: u32) -> Option<Zeroizing<Vec<u8>>> {
        let ids = self.shards.get(&number)?;
        let rows = ids
            .iter()
            .filter_map(|id| Some((*id, self.keys.get(id)?.0.as_ref())));
        Some(encode(ids.len(), rows))
    }

    /// The numbers of the shards.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.shards.keys().copied().collect()
    }

    pub(super) fn is_destroyed(&self, slot: SlotId) -> bool {
        matches!(self.keys.get(&slot), Some((None, _)))
    }

    /// The slots whose keys were destroyed.
    pub(super) fn destroyed(&self) -> impl Iterator<Item = SlotId> {
        let gone = self.keys.iter().filter(|(_, (key, _))| key.is_none());
        gone.map(|(slot, _)| *slot)
    }

    /// Notes that a shard is on disk as it is in memory.
    pub(super) fn kept(&mut self, number: u32) {
        self.unwritten.remove(&number);
    }

    fn insert(&mut self, number: u32, rows: Vec<(SlotId, Option<Key>)>) {
        self.shards
            .insert(number, rows.iter().map(|(id, _)| *id).collect());
        self.keys
            .extend(rows.into_iter().map(|(id, key)| (id, (key, number))));
    }
}

/// The name of the file of a shard.
pub(super) fn name(number: u32) -> String {
    format!("slots-{number:08}.keys")
}

fn numbers(disk: &Disk, dir: &Path) -> Result<Vec<u32>, KeyFileError> {
    let number = |name: String| {
        let text = name.strip_prefix("slots-")?.strip_suffix(".keys")?;
        text.parse::<u32>().ok()
    };
    let names = file::names(disk, dir)?;
    let mut found: Vec<_> = names.into_iter().filter_map(number).collect();
    found.sort_unstable();
    Ok(found)
}

fn encode<'a>(
    slots: usize,
    rows: impl Iterator<Item = (SlotId, Option<&'a Key>)>,
) -> Zeroizing<Vec<u8>> {
    // Long enough from the start, so that no copy of keys is left behind.
    let mut content = Zeroizing::new(Vec::with_capacity(slots * ROW));
    for (id, key) in rows {
        content.extend_from_slice(id.as_bytes());
        content.extend_from_slice(key.map_or(&[0; 32], |key| &**key));
    }
    content
}

fn decode(content: &[u8]) -> Option<Vec<(SlotId, Option<Key>)>> {
    if !content.len().is_multiple_of(ROW) {
        return None;
    }
    let row = |row: &[u8]| {
        let (id, key) = row.split_first_chunk()?;
        let key: Key = Zeroizing::new(key.try_into().ok()?);
        // No key that is drawn is all zeros.
        let key = (*key != [0; 32]).then_some(key);
        Some((SlotId::from_bytes(*id), key))
    };
    content.chunks_exact(ROW).map(row).collect()
}
