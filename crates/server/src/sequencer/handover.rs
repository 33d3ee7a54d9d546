//! Messages on their way out: decided and recorded, and perhaps with the broker still, because their receiver has
//! made no room for them.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use schakel_core::{inbox::Pending, party::Peer};
use tokio::sync::watch;

/// From how many on those that have ended are looked for when one more begins.
const CLEAR_FROM: usize = 64;

/// The way of one message to its receiver: it lasts until the last of these is dropped.
#[derive(Clone, Debug)]
pub struct Handover(Arc<watch::Sender<bool>>);

/// Everything on its way.
#[derive(Debug)]
pub(super) struct Handovers(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    begun: Vec<Begun>,
    clear_at: usize,
}

/// A message on its way, and to whom.
#[derive(Clone, Debug)]
struct Begun {
    way: Weak<watch::Sender<bool>>,
    peer: Peer,
    message: Pending,
}

impl Handover {
    /// A way over a connection that is cut off when this turns true.
    #[must_use]
    pub fn over(cut: watch::Sender<bool>) -> Self {
        Self(Arc::new(cut))
    }

    /// Cuts the connection off.
    pub(super) fn cut(&self) {
        self.0.send_replace(true);
    }
}

impl Default for Handovers {
    fn default() -> Self {
        Self(Mutex::new(Kept {
            begun: Vec::new(),
            clear_at: CLEAR_FROM,
        }))
    }
}

impl Handovers {
    /// Notes that a message is on its way to somebody.
    pub(super) fn begin(&self, over: &Handover, peer: Peer, message: Pending) {
        let mut kept = self.lock();
        if kept.begun.len() >= kept.clear_at {
            kept.begun.retain(|one| one.way.strong_count() > 0);
            kept.clear_at = kept.begun.len().saturating_mul(2).max(CLEAR_FROM);
        }
        let way = Arc::downgrade(&over.0);
        kept.begun.push(Begun { way, peer, message });
    }

    /// What is on its way and fits.
    pub(super) fn under_way(
        &self,
        fits: impl Fn(&Pending) -> bool,
    ) -> Vec<(Handover, Peer, Pending)> {
        let mut kept = self.lock();
        let begun = mem::take(&mut kept.begun);
        let mut found = Vec::new();
        for one in begun {
            let Some(way) = one.way.upgrade() else {
                continue;
            };
            if fits(&one.message) {
                found.push((Handover(way), one.peer.clone(), one.message.clone()));
            }
            kept.begun.push(one);
        }
        found
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
