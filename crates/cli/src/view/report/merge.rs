//! Adding up the pages of a report.

use std::collections::BTreeMap;

use super::rows::{Collector, Denial, Recipient, Use, Withdrawal};

/// Rows of which the numbers are added up.
pub(super) trait Row {
    type Key: Ord;

    fn key(&self) -> Self::Key;
    fn add(&mut self, other: Self);
}

pub(super) fn add_up<R: Row>(rows: &mut Vec<R>, more: Vec<R>) {
    let mut known: BTreeMap<R::Key, usize> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        known.insert(row.key(), at);
    }
    for row in more {
        let at = known.get(&row.key()).copied();
        if let Some(first) = at.and_then(|at| rows.get_mut(at)) {
            first.add(row);
        } else {
            known.insert(row.key(), rows.len());
            rows.push(row);
        }
    }
}

impl Row for Denial {
    type Key = (String, String, Option<String>);

    fn key(&self) -> Self::Key {
        (
            self.party_id.clone(),
            self.reason.clone(),
            self.purpose.clone(),
        )
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        // Pages go back in time.
        self.first_at = other.first_at.or(self.first_at.take());
    }
}

impl Row for Recipient {
    type Key = (String, String, Option<String>, bool);

    fn key(&self) -> Self::Key {
        let (to, condition) = (self.recipient_party_id.clone(), self.condition.clone());
        (
            to,
            condition,
            self.provider_party_id.clone(),
            self.on_consent,
        )
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
    }
}

impl Row for Use {
    type Key = (String, String, u32);

    fn key(&self) -> Self::Key {
        (
            self.party_id.clone(),
            self.purpose.clone(),
            self.purpose_version,
        )
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.within &= other.within;
        self.conditions.extend(other.conditions);
        self.conditions.sort_unstable();
        self.conditions.dedup();
    }
}

impl Row for Collector {
    type Key = String;

    fn key(&self) -> String {
        self.party_id.clone()
    }

    fn add(&mut self, other: Self) {
        self.given += other.given;
        self.refused += other.refused;
        self.undecided += other.undecided;
    }
}

impl Row for Withdrawal {
    type Key = u64;

    fn key(&self) -> u64 {
        self.index
    }

    fn add(&mut self, other: Self) {
        self.consent_ids.extend(other.consent_ids);
        self.after.extend(other.after);
        self.last_before_at = self.last_before_at.take().max(other.last_before_at);
    }
}
