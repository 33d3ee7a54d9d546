//! How many handshakes are under way.
//!
//! Nobody waits for a place: whoever connects does not need a certificate for it, so that places which are held
//! until they time out would keep everybody else out. When there are too many, the oldest ends. An honest
//! handshake takes a few round trips; to end it, as many others as there are places must begin meanwhile.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// The handshakes that are under way, oldest first.
#[derive(Debug)]
pub(super) struct Handshakes {
    most: usize,
    under_way: Arc<UnderWay>,
}

type UnderWay = Mutex<VecDeque<Arc<Notify>>>;

/// One handshake under way; it is over when this is dropped.
#[derive(Debug)]
pub(super) struct Handshake {
    ended: Arc<Notify>,
    under_way: Arc<UnderWay>,
}

impl Handshakes {
    /// At most so many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            under_way: Arc::default(),
        }
    }

    /// Begins one, and ends the oldest when there are too many.
    pub(super) fn begin(&self) -> Handshake {
        let ended = Arc::new(Notify::new());
        let mut under_way = locked(&self.under_way);
        under_way.push_back(Arc::clone(&ended));
        if under_way.len() > self.most
            && let Some(oldest) = under_way.pop_front()
        {
            oldest.notify_one();
        }
        Handshake {
            ended,
            under_way: Arc::clone(&self.under_way),
        }
    }
}

impl Handshake {
    /// Waits until newer ones take the place of this one.
    pub(super) async fn is_ended(&self) {
        self.ended.notified().await;
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        locked(&self.under_way).retain(|other| !Arc::ptr_eq(other, &self.ended));
    }
}

/// Nothing is done under the lock that could panic in between.
fn locked(under_way: &UnderWay) -> MutexGuard<'_, VecDeque<Arc<Notify>>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}
