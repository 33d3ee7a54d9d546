//! The content of a file: as it is read now, and as it may be found after a stop.

use std::collections::BTreeMap;

use super::random::Generator;

const SECTOR: usize = 512;

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    now: Vec<u8>,
    /// What is there after a stop for certain, unless something of the below is.
    durable: Vec<u8>,
    /// What each sector held since it was last durable, oldest first.
    sectors: BTreeMap<usize, Vec<Vec<u8>>>,
    /// The lengths the file had since.
    lens: Vec<usize>,
}

impl Content {
    pub(super) fn now(&self) -> &[u8] {
        &self.now
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset.saturating_add(bytes.len());
        if end > self.now.len() {
            self.now.resize(end, 0);
            self.lens.push(end);
        }
        if let Some(place) = self.now.get_mut(offset..end) {
            place.copy_from_slice(bytes);
        }
        self.note(offset, end);
    }

    /// Writes some of the sectors only.
    pub(super) fn write_partly(&mut self, bytes: &[u8], offset: usize, random: &mut Generator) {
        random.set_survival();
        let mut at = offset;
        let end = offset.saturating_add(bytes.len());
        while at < end {
            let until = (at / SECTOR * SECTOR + SECTOR).min(end);
            let piece = bytes.get(at - offset..until - offset).unwrap_or_default();
            if random.survives() {
                self.write(piece, at);
            }
            at = until;
        }
    }

    pub(super) fn set_len(&mut self, len: usize) {
        let before = self.now.len();
        self.now.resize(len, 0);
        self.lens.push(len);
        // What was cut off does not come back when the file grows again.
        self.note(len.min(before), len.max(before));
    }

    pub(super) fn sync(&mut self) {
        // Only what was written since is written out, so that what an earlier sync failed to write stays lost.
        self.durable.resize(self.now.len(), 0);
        for number in self.sectors.keys() {
            let places = number * SECTOR..self.now.len().min(number * SECTOR + SECTOR);
            if let Some(place) = self.durable.get_mut(places.clone()) {
                place.copy_from_slice(self.now.get(places).unwrap_or_default());
            }
        }
        self.settle();
    }

    /// Some of it becomes durable, and nobody will ever write out the rest: it counts as clean.
    pub(super) fn fail_to_sync(&mut self, random: &mut Generator) {
        random.set_survival();
        self.durable = self.survivor(random);
        self.settle();
    }

    /// Becomes what is found after a stop.
    pub(super) fn lose(&mut self, random: &mut Generator) {
        self.now = self.survivor(random);
        self.durable.clone_from(&self.now);
        self.settle();
    }

    pub(super) fn damage(&mut self, offset: usize, flip: u8) {
        for content in [&mut self.now, &mut self.durable] {
            if let Some(byte) = content.get_mut(offset) {
                *byte ^= flip;
            }
        }
    }

    fn settle(&mut self) {
        self.sectors.clear();
        self.lens.clear();
    }

    fn note(&mut self, from: usize, until: usize) {
        if from >= until {
            return;
        }
        for number in from / SECTOR..until.div_ceil(SECTOR) {
            let sector = sector(&self.now, number);
            self.sectors.entry(number).or_default().push(sector);
        }
    }

    fn survivor(&self, random: &mut Generator) -> Vec<u8> {
        let len = random.version(self.lens.len());
        let len = len.checked_sub(1).and_then(|at| self.lens.get(at).copied());
        let len = len.unwrap_or(self.durable.len());
        let mut found = Vec::with_capacity(len.next_multiple_of(SECTOR));
        for number in 0..len.div_ceil(SECTOR) {
            let versions = self.sectors.get(&number).map_or(&[][..], Vec::as_slice);
            let version = random.version(versions.len()).checked_sub(1);
            match version.and_then(|at| versions.get(at)) {
                Some(sector) => found.extend_from_slice(sector),
                None => found.extend(sector(&self.durable, number)),
            }
        }
        found.truncate(len);
        found
    }
}

/// A sector of a content, with zeros where that ends.
fn sector(content: &[u8], number: usize) -> Vec<u8> {
    let start = number * SECTOR;
    let rest = content.get(start..).unwrap_or_default();
    let mut sector = rest.get(..SECTOR).unwrap_or(rest).to_vec();
    sector.resize(SECTOR, 0);
    sector
}
