//! What ends a call before its service does: time, the broker's end, and for streams the caller's loss of its
//! place.

use std::{future, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use super::{
    body::End,
    identify::{Acting, Connection, Directory, UnknownParty},
    refusals::Refusal,
};
use crate::access::{Admits, Method};

/// How often it is looked whether the caller of a stream may go on, when nothing says that it changed: what ends
/// by time alone ends a stream within this. Changes end it at once.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A stream's caller, to be looked at again while the stream lasts.
pub(super) struct Standing {
    pub(super) directory: Arc<dyn Directory>,
    pub(super) method: &'static Method,
    pub(super) connection: Connection,
    pub(super) acting: Acting,
}

/// The end of a call that is no stream.
pub(super) fn of_call(until: Instant) -> End {
    Box::pin(async move {
        sleep_until(until).await;
        Refusal::Deadline
    })
}

/// The end of a stream.
pub(super) fn of_stream(
    deadline: Option<Instant>,
    standing: Standing,
    mut stopping: watch::Receiver<bool>,
) -> End {
    let connection_ends = standing.connection.ends_at();
    Box::pin(async move {
        let deadline = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            () = deadline => Refusal::Deadline,
            () = sleep_until(connection_ends) => Refusal::Stopping,
            _ = stopping.wait_for(|stopping| *stopping) => Refusal::Stopping,
            why = standing.lost() => why,
        }
    })
}

impl Standing {
    /// Waits until the caller may no longer go on.
    async fn lost(self) -> Refusal {
        let mut registry = self.directory.changes();
        let mut certificate = self.connection.changes();
        loop {
            if let Err(why) = self.check() {
                return why;
            }
            tokio::select! {
                () = change(&mut registry) => {}
                () = change(&mut certificate) => {}
                () = sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Whether the caller may go on.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let (registry, now) = (self.directory.registry(), self.directory.now());
        if self.method.admits == Admits::Anyone {
            self.connection
                .verified(now)
                .map_err(Refusal::PartyUnknown)?;
            let certificate = self.connection.identity().map(|identity| identity.sha256);
            return match certificate {
                Ok(certificate) if registry.blocks(&certificate) => {
                    Err(Refusal::PartyUnknown(UnknownParty::Blocked))
                }
                // Whoever proved a certificate is anyone.
                Ok(_) | Err(_) => Ok(()),
            };
        }
        self.connection
            .certificate(&registry, now)
            .map_err(Refusal::PartyUnknown)?;
        let peer = self
            .connection
            .peer(self.method, &self.acting, &registry, now)
            .map_err(Refusal::PartyUnknown)?;
        // A role that was taken away takes its streams with it.
        if self.method.admits(&peer) {
            Ok(())
        } else {
            let method = self.method.name;
            Err(Refusal::MethodNotForRole { method })
        }
    }
}

/// Waits for the next change; for ever when there can be none.
async fn change(changes: &mut watch::Receiver<u64>) {
    if changes.changed().await.is_err() {
        future::pending::<()>().await;
    }
}
