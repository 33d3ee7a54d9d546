//! The way of answers from the writing thread to those who wait for them.
//!
//! All answers of a batch go to the runtime at once and are given out there. Given out one by one from the
//! writing thread, each would wake a thread of the runtime, and each would leave its connection in a write
//! of its own; both cost more than the answer.

use tokio::{runtime::Handle, sync::oneshot};

use super::job::Reply;

/// Brings answers to the runtime.
pub(super) struct Courier {
    runtime: Handle,
    bag: Vec<(oneshot::Sender<Reply>, Reply)>,
}

impl Courier {
    /// A courier to a runtime.
    pub(super) const fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            bag: Vec::new(),
        }
    }

    /// Takes an answer along.
    pub(super) fn take(&mut self, to: oneshot::Sender<Reply>, reply: Reply) {
        self.bag.push((to, reply));
    }

    /// Lets everything go that was taken along.
    pub(super) fn go(&mut self) {
        if self.bag.is_empty() {
            return;
        }
        let bag = std::mem::take(&mut self.bag);
        self.runtime.spawn(async move {
            for (to, reply) in bag {
                // Whoever asked may have gone; what is recorded stays recorded.
                let _ = to.send(reply);
            }
        });
    }
}
