//! Keeping certificates and revocation lists current while the broker serves.

use std::{error::Error, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::{JoinSet, spawn_blocking},
    time::sleep,
};

use super::upkeep::{each, stopped};
use crate::edge::tls::{Fetched, Reloaded, Tls};

/// How soon a fetch that failed is tried again at first; each time twice as long, up to the ordinary pace.
const AGAIN: Duration = Duration::from_secs(5);

/// Looks at the files, and fetches each list at its own pace.
pub(super) fn start(
    upkeep: &mut JoinSet<()>,
    reload_every: Duration,
    tls: &Arc<Tls>,
    stopping: &watch::Receiver<bool>,
) {
    upkeep.spawn(reloads(reload_every, Arc::clone(tls), stopping.clone()));
    for list in tls.fetched() {
        upkeep.spawn(fetches(list, Arc::clone(tls), stopping.clone()));
    }
}

async fn reloads(every: Duration, tls: Arc<Tls>, stopping: watch::Receiver<bool>) {
    each(every, stopping, || reload(Arc::clone(&tls))).await;
}

async fn reload(tls: Arc<Tls>) {
    let Ok(Reloaded { changed, broken }) = spawn_blocking(move || tls.reload()).await else {
        tracing::error!("certificates and lists could not be looked at");
        return;
    };
    if changed {
        tracing::info!("certificates and lists were reloaded");
    }
    for error in broken {
        let error: &dyn Error = &error;
        tracing::error!(error, "part of what certificates are verified by is broken");
    }
}

/// Fetches a list again and again: at its pace while that works, sooner while it does not.
async fn fetches(list: Fetched, tls: Arc<Tls>, mut stopping: watch::Receiver<bool>) {
    let mut again = AGAIN;
    loop {
        let pause = tokio::select! {
            () = stopped(&mut stopping) => return,
            fetched = tls.fetch(&list) => match fetched {
                Ok(()) => {
                    again = AGAIN;
                    list.refresh_every()
                }
                Err(error) => {
                    let error: &dyn Error = &error;
                    tracing::error!(error, "a revocation list was not brought up to date");
                    let pause = again.min(list.refresh_every());
                    again = again.saturating_mul(2);
                    pause
                }
            },
        };
        tokio::select! {
            () = stopped(&mut stopping) => return,
            () = sleep(pause) => {}
        }
    }
}
