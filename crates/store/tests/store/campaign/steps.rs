//! What a process does with its log and its keyring, and what may come of it.

use std::{fmt, path::Path, sync::Arc};

use schakel_audit::leaf::{Month, RetentionClass};
use schakel_core::id::SlotId;
use schakel_store::{
    keyring::{self, Keyring},
    log::{AppendError, Log},
    publication::Publication,
};

use super::{
    life::{Alive, End, KEK, Schedule},
    model::{Kept, entry, text},
};
use crate::store::publication::signed;

/// A process that runs.
pub(super) struct Life<'a> {
    pub(super) log: Log,
    pub(super) keyring: Arc<Keyring>,
    pub(super) publication: Publication,
    pub(super) at: &'a mut Schedule,
}

impl Life<'_> {
    /// Does any of the things that a broker does, until something fails or nothing is left to do.
    pub(super) fn work(&mut self) -> Alive<()> {
        for _ in 0..self.at.dice.below(40) {
            self.step()?;
            if self.at.disk.is_stopped() {
                return Err(End::Over);
            }
        }
        let model = &self.at.model;
        model
            .check_keyring(&self.keyring)
            .map_err(|what| self.at.excuse_or_broken(what))
    }

    fn step(&mut self) -> Alive<()> {
        match self.at.dice.below(27) {
            0..12 => self.append(),
            12..14 => self.destroy_slot(),
            14..17 => self.month(),
            17 => self.destroy_month(),
            18 => self.unknown(),
            19 => self.new_view(),
            20 => self.prove(),
            23 => self.publish(),
            24 => self.rotate(),
            21 => {
                let room = self.at.dice.below(3 * self.at.segment_len);
                self.at.disk.set_room(self.at.disk.taken() + room);
                self.at.is_excused = true;
                Ok(())
            }
            22 => {
                self.at.disk.set_room(u64::MAX);
                self.goes_on()
            }
            _ => self.ready(),
        }
    }

    fn append(&mut self) -> Alive<()> {
        let count = 1 + self.at.dice.below(5);
        let mut batch = Vec::new();
        for _ in 0..count {
            let Some((slot, key)) = self.slot()? else {
                return Ok(());
            };
            let index = self.at.model.entries.len() + batch.len();
            let filler = [self.at.dice.bytes(60), self.at.dice.bytes(400)];
            batch.push(entry(index, slot, &key, filler));
        }
        let (size, segments) = (self.log.size(), self.segments());
        self.at.model.in_flight.clone_from(&batch);
        match self.log.append(size, &batch) {
            Ok(()) => {
                self.at.model.in_flight.clear();
                self.at.tally.entries += count;
                self.at.tally.segments += self.segments() - segments;
                self.at.model.acknowledge(batch);
                let (size, root) = self.log.reader().head();
                self.keyring.saw(size, root);
                self.is_head()
            }
            Err(AppendError::NoSegment(error)) => {
                // Nothing was written, and it may go better later.
                self.at.model.in_flight.clear();
                self.at.tally.refused += 1;
                match self.at.excuse(&*error) {
                    End::Over => self.is_head(),
                    broken @ End::Broken(_) => Err(broken),
                }
            }
            Err(error @ AppendError::Fatal { .. }) => {
                let again = self.log.append(size, &batch);
                if !matches!(again, Err(AppendError::Fatal { .. })) {
                    return broken("a log that has failed goes on");
                }
                self.is_head()?;
                Err(self.at.excuse(&error))
            }
            Err(error) => broken(error),
        }
    }

    /// Readers see what was acknowledged, and nothing else.
    fn is_head(&self) -> Alive<()> {
        let (size, root) = self.log.reader().head();
        let tree = &self.at.model.tree;
        if (size, root) == (tree.size(), tree.root()) {
            Ok(())
        } else {
            broken(format!("readers see {size} entries, not {}", tree.size()))
        }
    }

    /// A slot that is in use, or a new one; `None` when none can be had.
    fn slot(&mut self) -> Alive<Option<(SlotId, keyring::Key)>> {
        let there = |(slot, kept): (&SlotId, &Kept)| match kept {
            Kept::There(key) => Some((*slot, key.clone())),
            _ => None,
        };
        if !self.at.dice.once_in(3) {
            let slots: Vec<_> = self.at.model.slots.iter().filter_map(there).collect();
            if !slots.is_empty() {
                let at = self.at.dice.below(slots.len() as u64);
                return Ok(slots.get(usize::try_from(at).unwrap()).cloned());
            }
        }
        let slot = match self.keyring.take_slot() {
            Ok(slot) => slot,
            Err(error) => return self.failed(&error).map(|()| None),
        };
        let key = self
            .keyring
            .key(slot)
            .map_err(|error| End::Broken(text(error)))?;
        match self.at.model.slots.insert(slot, Kept::There(key.clone())) {
            Some(Kept::There(_)) => broken("a slot was handed out twice"),
            Some(Kept::Gone) => broken("a slot that was destroyed was handed out"),
            // It was to be destroyed before any entry was bound to it, and was not.
            Some(Kept::Doubtful) | None => Ok(Some((slot, key))),
        }
    }

    fn destroy_slot(&mut self) -> Alive<()> {
        let slots: Vec<_> = self.at.model.slots.keys().copied().collect();
        let Some(slot) = self.at.dice.pick(&slots) else {
            return Ok(());
        };
        let before = self.at.model.slots.insert(slot, Kept::Doubtful);
        if let Some(Kept::Gone) = before {
            self.at.model.slots.insert(slot, Kept::Gone);
        }
        let view = self.view_in_doubt();
        let destroyed = self.keyring.destroy_slot(slot);
        if self.keyring.key(slot).is_ok() {
            return broken("a key that is being destroyed can be used");
        }
        match destroyed {
            Ok(()) => {
                self.at.tally.destroyed += 1;
                self.at.model.slots.insert(slot, Kept::Gone);
                self.view_is(view);
                Ok(())
            }
            Err(error) => self.failed(&error),
        }
    }

    /// The key of the view goes with any other: what was promised of it, and what it is.
    fn view_in_doubt(&mut self) -> (Option<keyring::Key>, Option<keyring::Key>) {
        (self.at.model.view.take(), self.keyring.view_key().ok())
    }

    /// The destruction is done. When nothing was left to destroy nothing was written, and no more is promised
    /// than before: a key that could not be written may be on the disk all the same.
    fn view_is(&mut self, (promised, before): (Option<keyring::Key>, Option<keyring::Key>)) {
        let now = self.keyring.view_key().ok();
        self.at.model.view = if now == before { promised } else { now };
    }

    fn a_month(&mut self) -> (RetentionClass, Month) {
        let class = [RetentionClass::Standard, RetentionClass::Care];
        let month = 202_601 + self.at.dice.below(6);
        (
            self.at.dice.pick(&class).unwrap(),
            Month::from_number(month).unwrap(),
        )
    }

    fn month(&mut self) -> Alive<()> {
        let (class, month) = self.a_month();
        let promised = self.at.model.months.get(&(class, month)).cloned();
        match (self.keyring.month(class, month), promised) {
            (Ok(key), Some(Kept::There(promised))) if key != promised => {
                broken("a month has another key")
            }
            (Ok(_), Some(Kept::Gone)) => broken("the key of a month is back"),
            (Ok(key), _) => {
                let months = &mut self.at.model.months;
                months.insert((class, month), Kept::There(key));
                Ok(())
            }
            (Err(keyring::KeyringError::Gone), Some(Kept::Gone | Kept::Doubtful)) => Ok(()),
            (Err(error), _) => self.failed(&error),
        }
    }

    fn destroy_month(&mut self) -> Alive<()> {
        let (class, month) = self.a_month();
        let view = self.view_in_doubt();
        let destroyed = self.keyring.destroy_month(class, month);
        if destroyed.is_ok() {
            self.view_is(view);
        }
        let kept = match (&destroyed, self.at.model.months.get(&(class, month))) {
            (Ok(()), _) | (_, Some(Kept::Gone)) => Kept::Gone,
            _ => Kept::Doubtful,
        };
        self.at.model.months.insert((class, month), kept);
        self.at.tally.destroyed += u64::from(destroyed.is_ok());
        destroyed.or_else(|error| self.failed(&error))
    }

    fn unknown(&mut self) -> Alive<()> {
        let (_, month) = self.a_month();
        match self.keyring.unknown(month) {
            Ok(found) => match self.at.model.unknown.insert(month, found.clone()) {
                Some(before) if before != found => broken("another key for nobody known"),
                _ => Ok(()),
            },
            Err(error) => self.failed(&error),
        }
    }

    /// Changes the key-encryption key.
    fn rotate(&mut self) -> Alive<()> {
        match self.keyring.rotate_kek(Path::new(KEK)) {
            Ok(()) => {
                self.at.tally.rotated += 1;
                Ok(())
            }
            Err(error) => self.failed(&error),
        }
    }

    fn new_view(&mut self) -> Alive<()> {
        self.at.model.view = None;
        match self.keyring.new_view_key() {
            Ok(key) => {
                self.at.model.view = Some(key);
                Ok(())
            }
            Err(error) => self.failed(&error),
        }
    }

    fn prove(&mut self) -> Alive<()> {
        let size = self.log.size();
        if size == 0 {
            return Ok(());
        }
        let index = self.at.dice.below(size);
        let reader = self.log.reader();
        let proved = self.at.model.check_proofs(&reader, index);
        proved.map_err(|what| self.at.excuse_or_broken(what))
    }

    /// Publishes all there is. When it fails, the process goes on, and tries again later.
    fn publish(&mut self) -> Alive<()> {
        let (reader, size) = (self.log.reader(), self.log.size());
        let note = signed(&reader, size);
        let published = self.publication.lay(&reader, size);
        let published = published.and_then(|laid| self.publication.show(&laid, &note));
        match published {
            Ok(()) => {
                self.at.tally.shown += 1;
                self.at.model.shown = size;
                Ok(())
            }
            Err(error) => match self.at.excuse(&error) {
                End::Over if !self.at.disk.is_stopped() => Ok(()),
                end => Err(end),
            },
        }
    }

    fn ready(&mut self) -> Alive<()> {
        match self.log.ready() {
            Ok(()) => Ok(()),
            Err(error) => match self.at.excuse(&error) {
                End::Over if matches!(error, AppendError::NoSegment(_)) => Ok(()),
                end => Err(end),
            },
        }
    }

    /// With room again, and nothing failing, entries are taken again after at most one more refusal: the
    /// segment that was asked for while there was none.
    fn goes_on(&mut self) -> Alive<()> {
        self.at.note_faults();
        let (faults, entries) = (self.at.faults(), self.at.tally.entries);
        for _ in 0..2 {
            self.append()?;
            if self.at.tally.entries > entries {
                return Ok(());
            }
        }
        self.at.note_faults();
        if self.at.faults() > faults {
            Ok(())
        } else {
            broken("there is room again, and entries are not taken")
        }
    }

    /// A key could not be had: the request fails, and the process goes on.
    fn failed(&mut self, error: &keyring::KeyringError) -> Alive<()> {
        match self.at.excuse(error) {
            End::Over if self.at.disk.is_stopped() => Err(End::Over),
            End::Over => Ok(()),
            broken @ End::Broken(_) => Err(broken),
        }
    }

    fn segments(&self) -> u64 {
        let paths = self.at.disk.paths();
        let segments = paths
            .iter()
            .filter(|path| path.extension().is_some_and(|end| end == "seg"));
        segments.count() as u64
    }
}

fn broken<T>(what: impl fmt::Display) -> Alive<T> {
    Err(End::Broken(what.to_string()))
}
