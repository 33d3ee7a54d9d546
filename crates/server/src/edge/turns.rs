//! Turns that nobody waits for: when too many are taken, the oldest is over.
//!
//! Whoever connects has proved nothing yet. Were places held until they time out, whoever takes them all and
//! says nothing would keep everybody else out. An honest handshake, or an honest guest, takes a few round trips;
//! to end it, as many others as there are turns must come meanwhile.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// The turns that are taken, oldest first.
#[derive(Debug)]
pub(super) struct Turns {
    most: usize,
    taken: Arc<Taken>,
}

type Taken = Mutex<VecDeque<Arc<Notify>>>;

/// One turn; given back when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    over: Arc<Notify>,
    taken: Arc<Taken>,
}

impl Turns {
    /// At most so many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    /// Takes one; the oldest is over when there are too many.
    pub(super) fn take(&self) -> Turn {
        let over = Arc::new(Notify::new());
        let mut taken = locked(&self.taken);
        taken.push_back(Arc::clone(&over));
        if taken.len() > self.most
            && let Some(oldest) = taken.pop_front()
        {
            oldest.notify_one();
        }
        Turn {
            over,
            taken: Arc::clone(&self.taken),
        }
    }
}

impl Turn {
    /// Waits until newer ones take the place of this one.
    pub(super) async fn is_over(&self) {
        self.over.notified().await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        locked(&self.taken).retain(|other| !Arc::ptr_eq(other, &self.over));
    }
}

/// Nothing is done under the lock that could panic in between.
fn locked(taken: &Taken) -> MutexGuard<'_, VecDeque<Arc<Notify>>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}
