//! Reconciliation: what two sides hold of the same entries, compared by digests of periods.
//!
//! Each side makes a digest of what it holds of a period. Where two digests differ, the period is cut into
//! its parts, down to hours, and only what is in hours that differ is listed: so two sides that agree on a
//! year of entries need one comparison, and two that differ in a few need three and those few hours.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::tree::Hash;

/// Milliseconds of an hour.
pub const HOUR_MS: u64 = 3_600_000;

/// Milliseconds of a day.
pub const DAY_MS: u64 = 24 * HOUR_MS;

/// The longest time that is compared at once: a leap year.
pub const LONGEST_MS: u64 = 366 * DAY_MS;

/// An entry that one side holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Its index.
    pub index: u64,
    /// When it was recorded, by its leaf: milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: u64,
    /// The hash of its leaf.
    pub leaf: Hash,
}

/// What one side holds of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The period, in milliseconds since 1970-01-01T00:00:00Z.
    pub period: Range<u64>,
    /// SHA-256 over what is held, as `reconciliation.proto` says.
    pub digest: [u8; 32],
    /// How many entries that are.
    pub entries: u64,
}

impl Summary {
    /// What is held of a period, of entries in ascending order of their index.
    #[must_use]
    pub fn of(held: &[Held], period: Range<u64>) -> Self {
        let mut summing = Summing::of(period);
        for one in held {
            summing.add(one);
        }
        summing.finish()
    }
}

/// What one side holds of a period, while it is read: no entry is kept.
#[derive(Clone, Debug)]
pub struct Summing {
    period: Range<u64>,
    hash: Sha256,
    entries: u64,
}

impl Summing {
    /// Nothing yet of a period.
    #[must_use]
    pub fn of(period: Range<u64>) -> Self {
        Self {
            period,
            hash: Sha256::new_with_prefix(DOMAIN),
            entries: 0,
        }
    }

    /// The period.
    #[must_use]
    pub const fn period(&self) -> &Range<u64> {
        &self.period
    }

    /// Adds an entry, after all of a lower index; one outside the period does not count.
    pub fn add(&mut self, one: &Held) {
        if self.period.contains(&one.at_ms) {
            self.hash.update(one.index.to_be_bytes());
            self.hash.update(one.leaf.as_bytes());
            self.entries += 1;
        }
    }

    /// What is held of it.
    #[must_use]
    pub fn finish(self) -> Summary {
        Summary {
            period: self.period,
            digest: self.hash.finalize().into(),
            entries: self.entries,
        }
    }
}

/// The parts of a period: days of one longer than a day, hours of one longer than an hour, none of any other.
/// They begin and end at whole days or hours of UTC, but for the first and the last.
#[must_use]
pub fn parts(period: &Range<u64>) -> Vec<Range<u64>> {
    let long = period.end.saturating_sub(period.start);
    let step = match long {
        _ if long > DAY_MS => DAY_MS,
        _ if long > HOUR_MS => HOUR_MS,
        _ => return Vec::new(),
    };
    let mut parts = Vec::new();
    let mut from = period.start;
    while from < period.end {
        let next = (from / step).saturating_add(1).saturating_mul(step);
        let until = next.min(period.end);
        parts.push(from..until);
        from = until;
    }
    parts
}

/// Separates these digests from every other use of SHA-256.
const DOMAIN: &[u8] = b"schakel/held/v1\0";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::leaf_hash;

    fn held(index: u64, at_ms: u64) -> Held {
        let leaf = leaf_hash(&index.to_be_bytes());
        Held { index, at_ms, leaf }
    }

    #[test]
    fn the_digest_is_the_published_one() {
        // Python: hashlib.sha256(b"schakel/held/v1\0" + i.to_bytes(8, "big") + sha256(b"\0" + i.to_bytes(8, "big")) ...)
        let some = [held(3, 10), held(258, 11), held(259, 12)];
        let summary = Summary::of(&some, 10..12);
        assert_eq!(summary.entries, 2);
        assert_eq!(hex::encode(summary.digest), DIGEST_OF_3_AND_258);
        let none = Summary::of(&some, 13..14);
        assert_eq!(hex::encode(none.digest), DIGEST_OF_NOTHING);
    }

    const DIGEST_OF_3_AND_258: &str =
        "37af00510aa10161f28ba849738d58806ae6cfb3942e1d59bddd529dac6c6b5e";
    const DIGEST_OF_NOTHING: &str =
        "7d6bfda08f274cf7ffd5d120e8dc64bc07846f9c008008f76b3581653cb1173e";

    #[test]
    fn a_year_has_days_a_day_has_hours_and_an_hour_has_no_parts() {
        let half = HOUR_MS / 2;
        assert_eq!(parts(&(0..366 * DAY_MS)).len(), 366);
        assert_eq!(parts(&(DAY_MS..2 * DAY_MS)).len(), 24);
        let uneven = parts(&(half..DAY_MS + half));
        assert_eq!(uneven.len(), 25);
        assert_eq!(uneven.first(), Some(&(half..HOUR_MS)));
        assert_eq!(uneven.last(), Some(&(DAY_MS..DAY_MS + half)));
        assert_eq!(parts(&(0..HOUR_MS)), []);
        assert_eq!(parts(&(5..5)), []);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_whole(from in 0..10 * DAY_MS, long in 0..10 * DAY_MS) {
            let period = from..from + long;
            let parts = parts(&period);
            let mut at = period.start;
            for part in &parts {
                prop_assert_eq!(part.start, at);
                prop_assert!(part.end > part.start);
                at = part.end;
            }
            prop_assert!(parts.is_empty() == (long <= HOUR_MS));
            prop_assert!(parts.is_empty() || at == period.end);
        }

        #[test]
        fn two_sides_agree_in_a_period_if_and_only_if_they_hold_the_same_of_it(
            times in prop::collection::vec(0..3 * HOUR_MS, 0..12),
            lost in any::<prop::sample::Index>(),
        ) {
            let all: Vec<Held> = (0..).zip(&times).map(|(index, at)| held(index, *at)).collect();
            let mut some = all.clone();
            let gone = (!some.is_empty()).then(|| some.remove(lost.index(all.len())));
            for part in parts(&(0..3 * HOUR_MS)) {
                let differ = Summary::of(&all, part.clone()) != Summary::of(&some, part.clone());
                prop_assert_eq!(differ, gone.is_some_and(|gone| part.contains(&gone.at_ms)));
            }
        }
    }
}
