//! What leaves over a connection: whether the peer takes it in, and that it ends.

use tokio::sync::watch;

/// What those who send over a connection, and those who may have to end that, know of it.
#[derive(Debug)]
pub struct Outflow {
    cut: watch::Sender<bool>,
    flows: watch::Sender<bool>,
}

impl Default for Outflow {
    fn default() -> Self {
        Self {
            cut: watch::Sender::new(false),
            flows: watch::Sender::new(true),
        }
    }
}

impl Outflow {
    /// Cuts the connection off when it turns true, with everything that has not left over it.
    #[must_use]
    pub fn cut(&self) -> watch::Sender<bool> {
        self.cut.clone()
    }

    /// Whether the connection was cut off.
    pub(super) fn is_cut(&self) -> bool {
        *self.cut.borrow()
    }

    /// Ends once everything that was sent is in the kernel's hands: the peer, or its kernel, takes it in.
    pub async fn flows(&self) {
        // The sender is this one's own.
        drop(self.flows.subscribe().wait_for(|flows| *flows).await);
    }

    /// Notes whether everything that was sent is in the kernel's hands.
    pub(super) fn set_flows(&self, flows: bool) {
        self.flows
            .send_if_modified(|known| std::mem::replace(known, flows) != flows);
    }
}
