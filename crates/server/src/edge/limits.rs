//! How much at once, of everybody and of each party.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use schakel_core::id::PartyId;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{access::Method, config::Limits};

const MINUTE: Duration = Duration::from_mins(1);

/// From how many keys on those that rested are forgotten.
const MOST_RATED: usize = 256;

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

/// How often something may be done by a key: as often at once as in a minute, and then evenly. Who rested for a minute
/// is forgotten.
#[derive(Debug)]
struct Rate<K: Eq + Hash> {
    /// The time that one takes.
    each: Duration,
    /// When what each key did is paid for.
    paid: Mutex<HashMap<K, Instant>>,
}

impl<K: Clone + Eq + Hash> Rate<K> {
    fn new(per_minute: u32) -> Self {
        Self {
            each: MINUTE / per_minute.max(1),
            paid: Mutex::default(),
        }
    }

    /// Counts one more; `false` when it is one too many.
    fn admit(&self, key: &K, now: Instant) -> bool {
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let next = paid.get(key).copied().unwrap_or(now).max(now) + self.each;
        if next > now + MINUTE {
            return false;
        }
        if paid.len() >= MOST_RATED {
            paid.retain(|_, paid| *paid > now);
        }
        paid.insert(key.clone(), next);
        true
    }
}

/// How many calls and subscriptions run, of everybody and of each party.
#[derive(Debug)]
pub struct CallQuota {
    all: Arc<Semaphore>,
    calls: Counted<PartyId>,
    subscriptions: Counted<PartyId>,
    named: Rate<PartyId>,
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
            named: Rate::new(limits.named_per_minute),
        }
    }

    /// Takes the places a call of the party needs; `None` when there are none left, or it makes calls of methods that name
    /// people faster than a party may. A method that is never refused needs none: connections and streams bound it.
    #[must_use]
    pub fn take(&self, method: &Method, party: &PartyId, now: Instant) -> Option<CallPlace> {
        if method.never_refused {
            return Some(CallPlace::default());
        }
        let of_party = if method.streams {
            &self.subscriptions
        } else {
            &self.calls
        };
        let place = CallPlace {
            _all: Some(Arc::clone(&self.all).try_acquire_owned().ok()?),
            _party: Some(of_party.take(party.clone())?),
        };
        // Last: what is refused for another reason costs nothing of it.
        let in_time = !method.names || self.named.admit(party, now);
        in_time.then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access;

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
    fn a_call_that_finds_no_place_costs_none_of_the_minute() {
        let limits = Limits {
            calls_per_party: 1,
            named_per_minute: 2,
            ..Limits::default()
        };
        let (quota, now) = (CallQuota::new(&limits), Instant::now());
        let open = access::method("/schakel.v1.CasesService/OpenCase").unwrap();
        let party = "pi-noord".parse().unwrap();
        let held = quota.take(open, &party, now).unwrap();
        for _ in 0..5 {
            assert!(quota.take(open, &party, now).is_none());
        }
        drop(held);
        assert!(quota.take(open, &party, now).is_some());
        assert!(
            quota.take(open, &party, now).is_none(),
            "the minute is full"
        );
    }

    #[test]
    fn one_party_at_its_bound_does_not_hold_up_another_nor_its_own_withdrawals() {
        let limits = Limits {
            calls: 3,
            calls_per_party: 2,
            ..Limits::default()
        };
        let (quota, now) = (CallQuota::new(&limits), Instant::now());
        let ask = access::method("/schakel.v1.ExchangeService/Ask").unwrap();
        let withdraw = access::method("/schakel.v1.ConsentsService/WithdrawConsent").unwrap();
        let subscribe = access::method("/schakel.v1.InboxService/Subscribe").unwrap();
        let [one, other] = ["pi-noord", "wonen-zuid"].map(|id| id.parse().unwrap());
        let _held = [
            quota.take(ask, &one, now).unwrap(),
            quota.take(ask, &one, now).unwrap(),
        ];
        assert!(quota.take(ask, &one, now).is_none());
        assert!(quota.take(withdraw, &one, now).is_some());
        assert!(quota.take(subscribe, &one, now).is_some());
        let _third = quota.take(ask, &other, now).unwrap();
        assert!(quota.take(ask, &other, now).is_none());
        assert!(quota.take(withdraw, &other, now).is_some());
    }

    #[test]
    fn a_party_names_so_many_people_a_minute_and_withdraws_for_as_many_as_it_likes() {
        let limits = Limits {
            named_per_minute: 3,
            ..Limits::default()
        };
        let (quota, start) = (CallQuota::new(&limits), Instant::now());
        let consent = access::method("/schakel.v1.ConsentsService/RecordConsent").unwrap();
        let open = access::method("/schakel.v1.CasesService/OpenCase").unwrap();
        let ask = access::method("/schakel.v1.ExchangeService/Ask").unwrap();
        let withdraw = access::method("/schakel.v1.ConsentsService/WithdrawConsent").unwrap();
        let [one, other] = ["pi-noord", "wonen-zuid"].map(|id| id.parse().unwrap());
        let admits = |method, party, seconds| {
            let now = start + Duration::from_secs(seconds);
            quota.take(method, party, now).is_some()
        };
        assert!(admits(consent, &one, 0) && admits(open, &one, 0) && admits(consent, &one, 0));
        assert!(!admits(open, &one, 0), "whatever the method");
        assert!(admits(consent, &other, 0), "another party");
        assert!(admits(ask, &one, 0) && admits(withdraw, &one, 0));
        assert!(!admits(consent, &one, 19), "a third of a minute for each");
        assert!(admits(consent, &one, 20));
        assert!(
            !admits(consent, &one, 20),
            "what was refused counts for nothing"
        );
        for _ in 0..3 {
            assert!(admits(consent, &one, 80), "after a rest");
        }
        assert!(!admits(consent, &one, 80));
    }
}
