//! How many attempts within a minute, of everybody and of each source address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use schakel_core::time::Timestamp;

use super::sockets::site;

const MINUTE_MS: u64 = 60_000;

/// Counts attempts by the minute. What is counted is bounded by what is let through.
#[derive(Debug)]
pub(crate) struct Attempts {
    all: u32,
    of_address: u32,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    minute: u64,
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

impl Attempts {
    /// At most so many a minute, and of each address.
    pub(crate) fn new(all: u32, of_address: u32) -> Self {
        Self {
            all,
            of_address,
            counted: Mutex::default(),
        }
    }

    /// Counts an attempt; `false` when it is one too many in its minute.
    pub(crate) fn admit(&self, address: IpAddr, now: Timestamp) -> bool {
        let minute = now.as_millis() / MINUTE_MS;
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.minute != minute {
            *counted = Counted {
                minute,
                ..Counted::default()
            };
        }
        let of_address = counted.by_address.get(&site(address)).copied();
        let of_address = of_address.unwrap_or(0);
        if counted.all >= self.all || of_address >= self.of_address {
            return false;
        }
        counted.all = counted.all.saturating_add(1);
        let of_address = of_address.saturating_add(1);
        counted.by_address.insert(site(address), of_address);
        true
    }
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
    fn an_address_has_so_many_attempts_a_minute_and_everybody_together_so_many() {
        let attempts = Attempts::new(5, 2);
        let admit = |address, ms| attempts.admit(from(address), at(ms));
        assert!(admit("192.0.2.1", 0) && admit("192.0.2.1", 59_999));
        assert!(!admit("192.0.2.1", 59_999));
        assert!(admit("192.0.2.2", 1) && admit("192.0.2.2", 1));
        assert!(admit("192.0.2.3", 1));
        // Refused ones are not counted, but the five are spent.
        assert!(!admit("192.0.2.4", 59_999));
        assert!(admit("192.0.2.1", 60_000) && admit("192.0.2.4", 60_000));
    }
}
