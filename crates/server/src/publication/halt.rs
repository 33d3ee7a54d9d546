//! The emergency brake: once something outside proves that the log was taken back, nothing more is signed.

use std::sync::{Arc, OnceLock};

/// Whether signing was stopped, and why. Nothing but a restart undoes it, which checks anew.
#[derive(Clone, Debug, Default)]
pub struct Halt(Arc<OnceLock<String>>);

impl Halt {
    /// Stops signing: from the next batch on every call is sent back undone. Only the first reason counts.
    pub fn pull(&self, why: String) {
        tracing::error!(why, "nothing more is signed, recorded or told");
        // Already stopped is stopped.
        let _ = self.0.set(why);
    }

    /// Why signing was stopped; `None` while it goes on.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}
