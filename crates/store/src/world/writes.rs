//! The writes of the last 24 hours, by which a retry is recognised.

use std::collections::{BTreeSet, HashMap, VecDeque};

use schakel_audit::leaf::EntryType;
use schakel_core::{
    event::{Details, Remembered},
    id::{EntryIndex, IdempotencyKey, PartyId},
    time::Timestamp,
};

/// How long a write is remembered, in log time.
pub(super) const REMEMBERED_MS: u64 = Timestamp::DAY_MS;

/// A write that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// SHA-256 of the request body.
    pub digest: [u8; 32],
    /// What was answered.
    pub answer: Remembered,
    /// The entry that holds it.
    pub entry: EntryIndex,
    /// When, in log time.
    pub at: Timestamp,
}

/// The writes that are remembered.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// The key is the caller's, so two callers may use the same.
    by_key: HashMap<IdempotencyKey, Vec<Of>>,
    /// Oldest first.
    ages: VecDeque<(Timestamp, IdempotencyKey)>,
}

/// A write with whose it was and of what.
#[derive(Debug)]
struct Of {
    party: PartyId,
    method: String,
    written: Written,
}

impl Writes {
    /// Remembers the write that an entry holds, if it holds one, and forgets those that are too old by then.
    pub(super) fn learn(
        &mut self,
        kind: EntryType,
        details: &Details,
        entry: EntryIndex,
        at: Timestamp,
    ) {
        self.forget(at);
        if !may_hold_a_write(kind) {
            return;
        }
        let Some(call) = &details.call else { return };
        let Some(write) = &call.write else { return };
        let written = Written {
            digest: write.digest,
            answer: write.answer.clone(),
            entry,
            at,
        };
        let of = Of {
            party: call.principal.clone(),
            method: write.method.clone(),
            written,
        };
        self.by_key.entry(write.key).or_default().push(of);
        self.ages.push_back((at, write.key));
    }

    /// A write that was made less than 24 hours ago; of two, which cannot be, the first.
    pub(super) fn find(
        &self,
        party: &PartyId,
        method: &str,
        key: IdempotencyKey,
        now: Timestamp,
    ) -> Option<&Written> {
        let of = self.by_key.get(&key)?;
        let found = of
            .iter()
            .find(|of| of.party == *party && of.method == method)?;
        (!is_over(found.written.at, now)).then_some(&found.written)
    }

    /// Forgets the writes that these entries hold.
    pub(super) fn forget_of(&mut self, entries: &BTreeSet<EntryIndex>) {
        self.by_key.retain(|_, of| {
            of.retain(|of| !entries.contains(&of.written.entry));
            !of.is_empty()
        });
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((_, key)) = self.ages.pop_front_if(|(at, _)| is_over(*at, now)) {
            if let Some(of) = self.by_key.get_mut(&key) {
                of.retain(|of| !is_over(of.written.at, now));
                if of.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
    }
}

/// Whether an entry of this type can hold a write: a start opens no other to find those of the last day. Asked
/// while the broker runs as well, so that what a start would not find again is not remembered before it either.
pub(super) const fn may_hold_a_write(kind: EntryType) -> bool {
    !matches!(
        kind,
        EntryType::Disclosure
            | EntryType::Delivery
            | EntryType::Notice
            | EntryType::Refusals
            | EntryType::Erasure
            | EntryType::PeerCheckpoint
    )
}

fn is_over(at: Timestamp, now: Timestamp) -> bool {
    at.plus_millis(REMEMBERED_MS) <= now
}

#[cfg(test)]
mod tests {
    use schakel_core::event::{Call, Event, Write};

    use super::*;

    fn details(party: &str, key: u8) -> Details {
        Details {
            call: Some(Call {
                principal: party.parse().unwrap(),
                transport: party.parse().unwrap(),
                certificate: [0; 32],
                address: String::new(),
                actor: None,
                responsible: None,
                transaction: None,
                trace: None,
                write: Some(Write {
                    method: "Cases/OpenCase".to_owned(),
                    key: IdempotencyKey::from_bytes([key; 16]),
                    digest: [key; 32],
                    answer: Remembered::Done,
                }),
                roles: None,
                named: None,
                unit: None,
            }),
            subject: None,
            controllers: [].into(),
            binds: Vec::new(),
            event: Event::Stopped,
        }
    }

    #[test]
    fn a_write_is_remembered_for_a_day_and_not_an_instant_longer() {
        let at = |ms| Timestamp::from_millis(ms).unwrap();
        let mut writes = Writes::default();
        writes.learn(
            EntryType::Case,
            &details("utrecht", 1),
            EntryIndex(4),
            at(1000),
        );
        let party = "utrecht".parse().unwrap();
        let key = IdempotencyKey::from_bytes([1; 16]);
        let find = |writes: &Writes, now| {
            writes
                .find(&party, "Cases/OpenCase", key, now)
                .map(|found| found.entry)
        };
        assert_eq!(find(&writes, at(999 + REMEMBERED_MS)), Some(EntryIndex(4)));
        assert_eq!(find(&writes, at(1000 + REMEMBERED_MS)), None);
        writes.learn(
            EntryType::Case,
            &details("utrecht", 2),
            EntryIndex(5),
            at(1000 + REMEMBERED_MS),
        );
        assert_eq!(
            (writes.by_key.len(), writes.ages.len()),
            (1, 1),
            "the first is forgotten"
        );
    }

    #[test]
    fn a_key_means_another_write_for_another_party_or_method() {
        let at = Timestamp::from_millis(1).unwrap();
        let mut writes = Writes::default();
        writes.learn(EntryType::Case, &details("utrecht", 1), EntryIndex(1), at);
        writes.learn(EntryType::Case, &details("almere", 1), EntryIndex(2), at);
        let key = IdempotencyKey::from_bytes([1; 16]);
        let find = |party: &str, method| {
            writes
                .find(&party.parse().unwrap(), method, key, at)
                .map(|found| found.entry.0)
        };
        assert_eq!(find("utrecht", "Cases/OpenCase"), Some(1));
        assert_eq!(find("almere", "Cases/OpenCase"), Some(2));
        assert_eq!(find("almere", "Cases/CloseCase"), None);
        assert_eq!(find("den-haag", "Cases/OpenCase"), None);
    }
}
