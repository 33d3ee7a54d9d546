//! Which certificates are used, and when last: kept in memory, and told to the trail now and then.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use schakel_core::{
    certificate::{Seen, Thumbprint},
    time::Timestamp,
};

/// How long a certificate that goes on being used is not told of again.
const AGAIN_MS: u64 = 3_600_000;

/// The most certificates that are told of at once.
const MOST_AT_ONCE: usize = 256;

/// The certificates that were used since the broker started.
#[derive(Debug, Default)]
pub struct Uses {
    known: Mutex<BTreeMap<Thumbprint, Use>>,
}

#[derive(Debug)]
struct Use {
    seen: Seen,
    told_at: Option<Timestamp>,
}

impl Uses {
    /// Notes a use.
    pub fn note(&self, seen: Seen) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = known.get_mut(&seen.certificate) {
            before.seen.last_used_at = before.seen.last_used_at.max(seen.last_used_at);
            (before.seen.party, before.seen.anchor) = (seen.party, seen.anchor);
        } else {
            let told_at = None;
            known.insert(seen.certificate, Use { seen, told_at });
        }
    }

    /// Takes what is to be told now: certificates used for the first time, and those used again for an hour.
    #[must_use]
    pub fn take_due(&self, now: Timestamp) -> Vec<Seen> {
        self.take(now, AGAIN_MS)
    }

    /// Takes every use that was not told of yet: when the broker stops.
    #[must_use]
    pub fn take_all(&self, now: Timestamp) -> Vec<Seen> {
        self.take(now, 0)
    }

    /// Has these told of again: they could not be recorded.
    pub fn put_back(&self, untold: &[Seen]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for seen in untold {
            if let Some(use_) = known.get_mut(&seen.certificate) {
                use_.told_at = None;
            }
        }
    }

    fn take(&self, now: Timestamp, again_ms: u64) -> Vec<Seen> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let due = |one: &&mut Use| match one.told_at {
            None => true,
            Some(at) => at < one.seen.last_used_at && at.plus_millis(again_ms) <= now,
        };
        let due = known.values_mut().filter(due).take(MOST_AT_ONCE);
        due.map(|one| {
            one.told_at = Some(now);
            one.seen.clone()
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + minute * 60_000).unwrap()
    }

    fn used(minute: u64) -> Seen {
        Seen {
            certificate: Thumbprint([1; 32]),
            party: "wonen-zuid".parse().unwrap(),
            oin: "00000099000000050000".parse().unwrap(),
            anchor: "own".parse().unwrap(),
            not_after: at(100_000),
            first_used_at: at(minute),
            last_used_at: at(minute),
        }
    }

    #[test]
    fn a_use_is_told_at_first_and_then_once_an_hour_while_it_goes_on() {
        let uses = Uses::default();
        uses.note(used(0));
        assert_eq!(uses.take_due(at(0)), [used(0)]);
        uses.note(used(30));
        assert_eq!(uses.take_due(at(59)), []);
        let last: Vec<_> = uses
            .take_due(at(60))
            .iter()
            .map(|one| one.last_used_at)
            .collect();
        assert_eq!(last, [at(30)]);
        assert_eq!(uses.take_due(at(600)), [], "it was not used again");
    }

    #[test]
    fn what_was_not_told_or_not_recorded_is_told_at_the_end() {
        let uses = Uses::default();
        uses.note(used(0));
        let taken = uses.take_due(at(0));
        uses.put_back(&taken);
        assert_eq!(uses.take_due(at(1)).len(), 1);
        uses.note(used(2));
        assert_eq!(uses.take_all(at(2)).len(), 1);
        assert_eq!(uses.take_all(at(3)), []);
    }
}
