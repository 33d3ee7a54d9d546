//! Where entries are read back from at the start, and what may be missing of them.

use schakel_audit::leaf::{EntryType, Leaf};
use schakel_core::{
    erasure::{Done, Erasures},
    event::{Details, Event},
    id::EntryIndex,
    time::Timestamp,
};

use super::{
    erase::due,
    open::OpenWorldError,
    writes::{REMEMBERED_MS, Writes, may_hold_a_write},
};
use crate::{
    entry::{self, Entry, EntryError, EntryFault},
    keyring::Keyring,
    log::LogReader,
    view::Applied,
};

/// The log, and the keyring that opens it.
pub(super) struct Source<'a> {
    pub(super) log: &'a LogReader,
    pub(super) origin: &'a str,
    pub(super) keyring: &'a Keyring,
}

impl Source<'_> {
    /// Holds against the log what the view has seen.
    pub(super) fn check(&self, applied: Applied) -> Result<(), OpenWorldError> {
        let log = self.log.size();
        let Some(last) = applied.entries.checked_sub(1) else {
            return Ok(());
        };
        if applied.entries > log {
            return Err(OpenWorldError::AheadOfLog {
                applied: applied.entries,
                log,
            });
        }
        if leaf(self.log, last)?.id == applied.last {
            Ok(())
        } else {
            Err(OpenWorldError::OtherLog { index: last })
        }
    }

    /// What was erased, by what is known of the first entries and by the entries from there on. Erasures are
    /// not sealed, so this needs no key.
    pub(super) fn erasures(&self, known: Erasures, from: u64) -> Result<Erasures, EntryError> {
        let mut erasures = known;
        for (index, stored) in self.log.iter(from) {
            let fault = |fault| EntryError { index, fault };
            let stored = stored.map_err(|error| fault(error.into()))?;
            let decoded = Leaf::decode(&stored.leaf).map_err(|error| fault(error.into()))?;
            if let Some(due) = due(&decoded) {
                erasures.use_month(due);
            }
            if decoded.entry_type != EntryType::Erasure {
                continue;
            }
            let found = entry::open(index, Ok(stored), self.origin, self.keyring)?;
            let Some(Event::Erased(erased)) = found.details.map(|details| details.event) else {
                continue;
            };
            let at = Timestamp::from_millis(decoded.at_ms);
            erasures.carry_out(Done {
                entry: EntryIndex(index),
                at: at.map_err(|_| fault(EntryFault::Sealed))?,
                erased,
            });
        }
        Ok(erasures)
    }

    /// What can be applied of an entry; `None` when its details were erased.
    pub(super) fn readable<'e>(
        index: EntryIndex,
        entry: &'e Entry,
        erasures: &Erasures,
    ) -> Result<Option<(&'e Details, Timestamp)>, EntryError> {
        let fault = |fault| EntryError {
            index: index.0,
            fault,
        };
        let Some(details) = &entry.details else {
            let covering = erasures.covering(index, due(&entry.leaf), |_| true);
            return match covering {
                Some(_) => Ok(None),
                None => Err(fault(EntryFault::MissingKey)),
            };
        };
        let at = Timestamp::from_millis(entry.leaf.at_ms).map_err(|_| fault(EntryFault::Sealed))?;
        Ok(Some((details, at)))
    }

    /// The writes of the last 24 hours of log time, among the first entries.
    pub(super) fn writes(
        &self,
        entries: u64,
        erasures: &Erasures,
    ) -> Result<Writes, OpenWorldError> {
        let mut writes = Writes::default();
        let Some(last) = entries.checked_sub(1) else {
            return Ok(writes);
        };
        let since = leaf(self.log, last)?.at_ms.saturating_sub(REMEMBERED_MS);
        let (mut first, mut after) = (0, entries);
        while first < after {
            let middle = first.midpoint(after);
            if leaf(self.log, middle)?.at_ms <= since {
                first = middle.saturating_add(1);
            } else {
                after = middle;
            }
        }
        for (index, stored) in self
            .log
            .iter(first)
            .take_while(|(index, _)| *index < entries)
        {
            let stored = stored.map_err(|e| EntryError {
                index,
                fault: e.into(),
            })?;
            let decoded = Leaf::decode(&stored.leaf);
            let decoded = decoded.map_err(|e| EntryError {
                index,
                fault: e.into(),
            })?;
            if !may_hold_a_write(decoded.entry_type) {
                continue;
            }
            let found = entry::open(index, Ok(stored), self.origin, self.keyring)?;
            if let Some((details, at)) = Self::readable(EntryIndex(index), &found, erasures)? {
                writes.learn(decoded.entry_type, details, EntryIndex(index), at);
            }
        }
        Ok(writes)
    }
}

fn leaf(log: &LogReader, index: u64) -> Result<Leaf, EntryError> {
    let read = || Ok::<_, EntryFault>(Leaf::decode(&log.read(index)?.leaf)?);
    read().map_err(|fault| EntryError { index, fault })
}
