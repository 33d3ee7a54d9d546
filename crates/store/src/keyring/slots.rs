//! Slots and the shards they are kept in.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use schakel_core::{id::SlotId, random::Random};
use zeroize::Zeroizing;

use super::{Kek, Key, KeyFileError, KeyringError, file};

/// Slots made at once, in one file.
pub(super) const SHARD: usize = 4096;
const ROW: usize = 48;

/// Every slot there is, and which of them are free.
#[derive(Debug, Default)]
pub(super) struct Slots {
    keys: HashMap<SlotId, (Key, u32)>,
    used: HashSet<SlotId>,
    pool: Vec<SlotId>,
    next_shard: u32,
}

/// A shard that is being made.
pub(super) struct Shard {
    rows: Vec<(SlotId, Key)>,
}

/// Makes the slots of a new shard.
pub(super) fn make(random: &mut dyn Random) -> Shard {
    let rows = (0..SHARD).map(|_| {
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
    /// Makes the shard durable.
    pub(super) fn keep(
        &self,
        dir: &Path,
        kek: &Kek,
        number: u32,
        random: &mut dyn Random,
    ) -> Result<(), KeyFileError> {
        let rows = self.rows.iter().map(|(id, key)| (*id, key));
        file::replace(dir, &name(number), kek, &encode(rows), random)
    }
}

impl Slots {
    /// Reads every shard.
    pub(super) fn read(dir: &Path, kek: &Kek) -> Result<Self, KeyringError> {
        let mut slots = Self::default();
        for number in numbers(dir)? {
            let content = file::read(dir, &name(number), kek)?.unwrap_or_default();
            let rows =
                decode(&content).ok_or_else(|| KeyringError::Malformed(dir.join(name(number))))?;
            slots
                .keys
                .extend(rows.into_iter().map(|(id, key)| (id, (key, number))));
            slots.next_shard = slots.next_shard.max(number.saturating_add(1));
        }
        Ok(slots)
    }

    pub(super) fn mark_used(&mut self, slot: SlotId) {
        self.used.insert(slot);
    }

    /// Lets every slot that is not used be given out; how many there are.
    pub(super) fn fill_pool(&mut self) -> usize {
        let used = std::mem::take(&mut self.used);
        self.pool = self
            .keys
            .keys()
            .filter(|slot| !used.contains(slot))
            .copied()
            .collect();
        self.pool.len()
    }

    pub(super) fn take(&mut self) -> (Option<SlotId>, usize) {
        (self.pool.pop(), self.pool.len())
    }

    pub(super) fn key(&self, slot: SlotId) -> Option<Key> {
        self.keys.get(&slot).map(|(key, _)| key.clone())
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
        self.keys
            .extend(shard.rows.into_iter().map(|(id, key)| (id, (key, number))));
    }

    /// Takes a key out of memory, and then out of its shard.
    pub(super) fn destroy(
        &mut self,
        dir: &Path,
        kek: &Kek,
        slot: SlotId,
        random: &mut dyn Random,
    ) -> Result<(), KeyringError> {
        let Some((_, number)) = self.keys.remove(&slot) else {
            return Ok(());
        };
        self.pool.retain(|free| *free != slot);
        let rest = self.keys.iter().filter(|(_, (_, shard))| *shard == number);
        let content = encode(rest.map(|(id, (key, _))| (*id, key)));
        Ok(file::replace(dir, &name(number), kek, &content, random)?)
    }
}

fn name(number: u32) -> String {
    format!("slots-{number:08}.keys")
}

fn numbers(dir: &Path) -> Result<Vec<u32>, KeyringError> {
    let failed = |source| KeyFileError::Io {
        path: dir.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let file = entry.map_err(failed)?.file_name();
        let number = file
            .to_str()
            .and_then(|text| text.strip_prefix("slots-")?.strip_suffix(".keys"))
            .and_then(|text| text.parse::<u32>().ok());
        found.extend(number);
    }
    found.sort_unstable();
    Ok(found)
}

fn encode<'a>(rows: impl Iterator<Item = (SlotId, &'a Key)>) -> Zeroizing<Vec<u8>> {
    let mut content = Zeroizing::new(Vec::with_capacity(SHARD * ROW));
    for (id, key) in rows {
        content.extend_from_slice(id.as_bytes());
        content.extend_from_slice(key.as_slice());
    }
    content
}

fn decode(content: &[u8]) -> Option<Vec<(SlotId, Key)>> {
    if !content.len().is_multiple_of(ROW) {
        return None;
    }
    content
        .chunks_exact(ROW)
        .map(|row| {
            let (id, key) = row.split_first_chunk::<16>()?;
            Some((
                SlotId::from_bytes(*id),
                Zeroizing::new(key.try_into().ok()?),
            ))
        })
        .collect()
}
