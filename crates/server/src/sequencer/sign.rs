//! Signing checkpoints on a thread of its own, while the disk writes the batch.

use std::{
    io,
    sync::{Arc, mpsc},
    thread,
};

use schakel_audit::{
    checkpoint::{Checkpoint, Origin},
    note::SigningKey,
    tree::Hash,
};

/// Hands tree heads to the signing thread, one at a time.
pub(super) struct Signer {
    heads: mpsc::SyncSender<(u64, Hash)>,
    signed: mpsc::Receiver<Arc<str>>,
}

impl Signer {
    /// Starts the signing thread, which ends with the signer. All keys sign, in this order.
    pub(super) fn start(origin: Origin, keys: Vec<SigningKey>) -> io::Result<Self> {
        let (heads, work) = mpsc::sync_channel::<(u64, Hash)>(1);
        let (done, signed) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("checkpoint-signer".into())
            .spawn(move || {
                while let Ok((size, root)) = work.recv() {
                    let checkpoint = Checkpoint {
                        origin: origin.clone(),
                        size,
                        root,
                    };
                    if done.send(Arc::from(checkpoint.sign_by(&keys))).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self { heads, signed })
    }

    /// Has a tree head signed; [`Self::finish`] waits for it.
    pub(super) fn begin(&self, size: u64, root: Hash) {
        // A signing thread that is gone shows when its answer is waited for.
        let _ = self.heads.send((size, root));
    }

    /// Waits for the checkpoint begun last; `None` when the signing thread is gone.
    pub(super) fn finish(&self) -> Option<Arc<str>> {
        self.signed.recv().ok()
    }
}
