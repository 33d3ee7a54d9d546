//! Checkpoints and what was proved about them.

use schakel_client::{Extension, Head};
use serde::Serialize;

use crate::{output::View, page::Page};

/// A signed tree head that was verified.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Checkpoint {
    origin: String,
    size: u64,
    root: String,
    checkpoint: String,
}

/// That the log has only grown.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Consistency {
    from: Checkpoint,
    to: Checkpoint,
}

impl From<&Head> for Checkpoint {
    fn from(head: &Head) -> Self {
        Self {
            origin: head.checkpoint.origin.to_string(),
            size: head.checkpoint.size,
            root: head.checkpoint.root.to_string(),
            checkpoint: head.note.clone(),
        }
    }
}

impl From<&Extension> for Consistency {
    fn from(extension: &Extension) -> Self {
        Self {
            from: Checkpoint::from(&*extension.from),
            to: Checkpoint::from(&*extension.to),
        }
    }
}

impl View for Checkpoint {
    /// The note as it is, so that it can be kept: `schakel audit checkpoint > FILE`.
    fn write(&self, page: &mut Page) {
        page.verbatim(&self.checkpoint);
    }
}

impl View for Consistency {
    fn write(&self, page: &mut Page) {
        let (from, to) = (self.from.size, self.to.size);
        if from == to {
            page.line(&format!("The log has {to} entries, as it had."));
        } else {
            page.line(&format!(
                "The log of {to} entries begins with the log of {from}: {} were added, none changed.",
                to.saturating_sub(from)
            ));
        }
    }
}
