//! Destroying keys, and holding what is gone against what the log says was destroyed.

use std::collections::BTreeSet;

use schakel_audit::leaf::{Month, RetentionClass};
use schakel_core::{
    erasure::{ClassMonth, Erasures},
    id::SlotId,
};

use super::{Keyring, KeyringError, months, read, slots, write};

/// Keys that are to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doomed {
    /// The keys of these slots.
    pub slots: BTreeSet<SlotId>,
    /// The keys of these classes and months.
    pub months: BTreeSet<(u8, Month)>,
    /// The keys of entries about nobody known that are destroyed in these months.
    pub unknown: BTreeSet<Month>,
}

impl Doomed {
    /// Every key that was destroyed by what is known to be erased.
    #[must_use]
    pub fn by(erasures: &Erasures) -> Self {
        let month = |due: &ClassMonth| Month::from_number(u64::from(due.month)).ok();
        let left: BTreeSet<Month> = erasures
            .months_left()
            .filter_map(|due| month(&due))
            .collect();
        let over: Vec<ClassMonth> = erasures.months_over().collect();
        let months: BTreeSet<_> = over
            .iter()
            .filter_map(|due| Some((due.class, month(due)?)))
            .collect();
        let unknown = over.iter().filter_map(month);
        Self {
            slots: erasures.slots().collect(),
            unknown: unknown.filter(|month| !left.contains(month)).collect(),
            months,
        }
    }
}

impl Keyring {
    /// Destroys keys: what they sealed can be read no more from the moment this begins, and once it has
    /// returned well they are not on disk either. With any of them goes the key of the view's generation, so
    /// that what the view and the indexes held is unreadable with the next start. Whether any was still there.
    ///
    /// # Errors
    /// When a file cannot be replaced; the keys are unusable all the same, and a later call tries again.
    pub fn destroy(&self, doomed: &Doomed) -> Result<bool, KeyringError> {
        let shared = &self.shared;
        let mut hand = shared.hand();
        let (shards, mut gone) = write(&shared.slots).destroy_all(&doomed.slots);
        gone |= write(&shared.months).destroy_all(doomed);
        hand.owes_table |= gone || !shards.is_empty();
        if !hand.owes_table {
            return Ok(false);
        }
        for number in shards {
            let content = read(&shared.slots).content(number);
            if let Some(content) = content {
                hand.keep(&slots::name(number), &content)?;
            }
            write(&shared.slots).kept(number);
        }
        let mut table = read(&shared.months).clone();
        table.make_view(hand.random.as_mut());
        hand.keep(months::NAME, &table.encode())?;
        *write(&shared.months) = table;
        hand.owes_table = false;
        hand.keep_seen(shared.newest())?;
        Ok(gone)
    }

    /// Destroys the key of a slot; see [`Self::destroy`].
    ///
    /// # Errors
    /// As [`Self::destroy`].
    pub fn destroy_slot(&self, slot: SlotId) -> Result<(), KeyringError> {
        let doomed = Doomed {
            slots: [slot].into(),
            ..Doomed::default()
        };
        self.destroy(&doomed).map(drop)
    }

    /// Destroys the key of a retention class and month, for good: it is never made again.
    ///
    /// # Errors
    /// As [`Self::destroy`].
    pub fn destroy_month(&self, class: RetentionClass, month: Month) -> Result<(), KeyringError> {
        let doomed = Doomed {
            months: [(class.number(), month)].into(),
            ..Doomed::default()
        };
        self.destroy(&doomed).map(drop)
    }

    /// Whether a slot had a key that was destroyed. One that never was is not.
    #[must_use]
    pub fn is_destroyed(&self, slot: SlotId) -> bool {
        read(&self.shared.slots).is_destroyed(slot)
            || read(&self.shared.months).is_destroyed_unknown(slot)
    }

    /// Holds the keyring against the log: nothing is gone but what `destroyed` names, and the keys of the
    /// classes and months `in_use` are there.
    ///
    /// # Errors
    /// [`KeyringError::Destroyed`] or [`KeyringError::MissingMonth`], with the first key in question.
    pub fn check(
        &self,
        destroyed: &Doomed,
        in_use: impl IntoIterator<Item = (u8, Month)>,
    ) -> Result<(), KeyringError> {
        let slots = read(&self.shared.slots);
        let mut gone = slots.destroyed();
        if let Some(slot) = gone.find(|slot| !destroyed.slots.contains(slot)) {
            return Err(KeyringError::Destroyed(slot));
        }
        let months = read(&self.shared.months);
        let mut gone = months.destroyed();
        if let Some((class, month)) = gone.find(|key| !destroyed.months.contains(key)) {
            return Err(KeyringError::DestroyedMonth(class, month));
        }
        let mut wanted = in_use.into_iter();
        match wanted.find(|(class, month)| !months.has(*class, *month)) {
            Some((class, month)) => Err(KeyringError::MissingMonth(class, month)),
            None => Ok(()),
        }
    }
}
