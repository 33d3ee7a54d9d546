//! How many attempts within a minute: with each token that somebody gave, and with those that nobody gave.
//!
//! Who has no token must not use up the attempts of who has one, so only attempts with tokens that nobody gave count
//! against the source address and everybody's minute. What is bounded by it is work, not guessing: a token is 32 random
//! bytes, so that at a million guesses a second for a year one in 2²¹¹ is right.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use schakel_core::time::Timestamp;

use super::sockets::site;

const MINUTE_MS: u64 = 60_000;

/// Counts attempts by the minute. What is counted is bounded by what is let through, and by the tokens that are known.
#[derive(Debug)]
pub(crate) struct Attempts {
    all: u32,
    of_one: u32,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    minute: u64,
    unknown: u32,
    by_address: HashMap<IpAddr, u32>,
    by_token: HashMap<[u8; 32], u32>,
}

impl Attempts {
    /// At most so many a minute with tokens that nobody gave, so many of them from each address, and as many with each
    /// token that somebody gave.
    pub(crate) fn new(all: u32, of_one: u32) -> Self {
        Self {
            all,
            of_one,
            counted: Mutex::default(),
        }
    }

    /// Counts an attempt with a token that somebody gave, by its digest; `false` when it is one too many in its minute.
    pub(crate) fn admit_known(&self, token_sha256: [u8; 32], now: Timestamp) -> bool {
        self.within(now, |counted| {
            counted_once(&mut counted.by_token, token_sha256, self.of_one)
        })
    }

    /// Counts an attempt with a token that nobody gave; `false` when it is one too many in its minute.
    pub(crate) fn admit_unknown(&self, address: IpAddr, now: Timestamp) -> bool {
        self.within(now, |counted| {
            let fits = counted.unknown < self.all
                && counted_once(&mut counted.by_address, site(address), self.of_one);
            counted.unknown += u32::from(fits);
            fits
        })
    }

    fn within(&self, now: Timestamp, count: impl FnOnce(&mut Counted) -> bool) -> bool {
        let minute = now.as_millis() / MINUTE_MS;
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.minute != minute {
            *counted = Counted {
                minute,
                ..Counted::default()
            };
        }
        count(&mut counted)
    }
}

/// One more of these, unless that is one too many.
fn counted_once<K: Eq + Hash>(counts: &mut HashMap<K, u32>, of: K, most: u32) -> bool {
    let before = counts.get(&of).copied().unwrap_or(0);
    if before >= most {
        return false;
    }
    counts.insert(of, before.saturating_add(1));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(ms).unwrap()
    }

    fn from(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn wrong_tokens_use_up_no_attempt_of_a_right_one() {
        let attempts = Attempts::new(5, 2);
        for _ in 0..60 {
            for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
                attempts.admit_unknown(from(address), at(0));
            }
        }
        assert!(!attempts.admit_unknown(from("192.0.2.4"), at(0)));
        assert!(attempts.admit_known([7; 32], at(0)) && attempts.admit_known([7; 32], at(1)));
        // Who has one has so many attempts with it, too.
        assert!(!attempts.admit_known([7; 32], at(59_999)));
        assert!(attempts.admit_known([8; 32], at(59_999)));
        assert!(attempts.admit_known([7; 32], at(60_000)));
    }

    #[test]
    fn an_address_has_so_many_attempts_a_minute_and_everybody_together_so_many() {
        let attempts = Attempts::new(5, 2);
        let admit = |address, ms| attempts.admit_unknown(from(address), at(ms));
        assert!(admit("192.0.2.1", 0) && admit("192.0.2.1", 59_999));
        assert!(!admit("192.0.2.1", 59_999));
        assert!(admit("192.0.2.2", 1) && admit("192.0.2.2", 1));
        assert!(admit("192.0.2.3", 1));
        // Refused ones are not counted, but the five are spent.
        assert!(!admit("192.0.2.4", 59_999));
        assert!(admit("192.0.2.1", 60_000) && admit("192.0.2.4", 60_000));
    }
}
