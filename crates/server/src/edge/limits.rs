//! How much at once, of everybody and of each party.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use schakel_core::id::PartyId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::access::Method;
use crate::config::Limits;

/// Counts what is in use by a key, and refuses past a bound. Keys that hold nothing are forgotten.
#[derive(Debug)]
pub struct Counted<K: Eq + Hash> {
    most: usize,
    held: Arc<Mutex<HashMap<K, usize>>>,
}

/// One place taken; given back when dropped.
#[derive(Debug)]
pub struct Place<K: Eq + Hash> {
    key: K,
    held: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Clone + Eq + Hash> Counted<K> {
    /// At most so many for each key.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most,
            held: Arc::default(),
        }
    }

    /// Takes a place; `None` when the key has them all.
    #[must_use]
    pub fn take(&self, key: K) -> Option<Place<K>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.get(&key).copied().unwrap_or(0);
        if count >= self.most {
            return None;
        }
        held.insert(key.clone(), count.saturating_add(1));
        Some(Place {
            key,
            held: Arc::clone(&self.held),
        })
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.key) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            _ => {
                held.remove(&self.key);
            }
        }
    }
}

/// How many calls and subscriptions run, of everybody and of each party.
#[derive(Debug)]
pub struct CallQuota {
    all: Arc<Semaphore>,
    calls: Counted<PartyId>,
    subscriptions: Counted<PartyId>,
}

/// The places that one call takes until its answer has left.
#[derive(Debug, Default)]
pub struct CallPlace {
    _all: Option<OwnedSemaphorePermit>,
    _party: Option<Place<PartyId>>,
}

impl CallQuota {
    /// As configured.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.calls)),
            calls: Counted::new(limits.calls_per_party),
            subscriptions: Counted::new(limits.subscriptions_per_party),
        }
    }

    /// Takes the places a call of the party needs; `None` when there are none left. A method that is never
    /// refused needs none: connections and streams bound it.
    #[must_use]
    pub fn take(&self, method: &Method, party: &PartyId) -> Option<CallPlace> {
        if method.never_refused {
            return Some(CallPlace::default());
        }
        let of_party = if method.streams {
            &self.subscriptions
        } else {
            &self.calls
        };
        Some(CallPlace {
            _all: Some(Arc::clone(&self.all).try_acquire_owned().ok()?),
            _party: Some(of_party.take(party.clone())?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::access;

    #[test]
    fn a_place_comes_back_when_dropped() {
        let counted = Counted::new(2);
        let first = counted.take("a").unwrap();
        let _second = counted.take("a").unwrap();
        assert!(counted.take("a").is_none());
        assert!(counted.take("b").is_some());
        drop(first);
        assert!(counted.take("a").is_some());
    }

    #[test]
    fn what_holds_nothing_is_forgotten() {
        let counted = Counted::new(1);
        drop(counted.take("a"));
        assert!(counted.held.lock().unwrap().is_empty());
    }

    #[test]
    fn one_party_at_its_bound_does_not_hold_up_another_nor_its_own_withdrawals() {
        let limits = Limits {
            calls: 3,
            calls_per_party: 2,
            ..Limits::default()
        };
        let quota = CallQuota::new(&limits);
        let ask = access::method("/schakel.v1.ExchangeService/Ask").unwrap();
        let withdraw = access::method("/schakel.v1.ConsentsService/WithdrawConsent").unwrap();
        let subscribe = access::method("/schakel.v1.InboxService/Subscribe").unwrap();
        let [one, other] = ["pi-noord", "wonen-zuid"].map(|id| id.parse().unwrap());
        let _held = [
            quota.take(ask, &one).unwrap(),
            quota.take(ask, &one).unwrap(),
        ];
        assert!(quota.take(ask, &one).is_none());
        assert!(quota.take(withdraw, &one).is_some());
        assert!(quota.take(subscribe, &one).is_some());
        let _third = quota.take(ask, &other).unwrap();
        assert!(quota.take(ask, &other).is_none());
        assert!(quota.take(withdraw, &other).is_some());
    }
}
