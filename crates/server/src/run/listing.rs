//! Keeping the revocation list of the broker's own authority: signed, published, renewed.

use std::{collections::BTreeSet, error::Error, time::Duration};

use schakel_core::{enrolment::IssuanceEvent, registry::Registry};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::upkeep::stopped;
use crate::{
    issuing::{Issuing, Wanted},
    sequencer::Sequencer,
};

/// How often it is looked whether the list is old, or was changed by somebody else.
const LOOK: Duration = Duration::from_mins(1);
/// How soon it is tried again what failed, at first; each time twice as long, up to the ordinary pace.
const AGAIN: Duration = Duration::from_secs(1);

/// Puts what is revoked on the list of the broker's own authority, and keeps the list from ending. A start signs the
/// next list whatever stands: what a crash kept from being listed, published or recorded is made up for by it.
pub(super) async fn keep(
    issuing: Issuing,
    sequencer: Sequencer,
    mut stopping: watch::Receiver<bool>,
) {
    let mut changes = sequencer.registry_changes();
    let (mut listed, mut wanted, mut again) = (None, Wanted::Anyhow, AGAIN);
    let mut next = Instant::now();
    loop {
        let revoked = revoked(&sequencer.registry());
        if listed.as_ref() != Some(&revoked) || next <= Instant::now() {
            next = Instant::now();
            match list(&issuing, &sequencer, wanted).await {
                Ok(()) => {
                    (wanted, again) = (Wanted::WhereDue, AGAIN);
                    listed = Some(revoked.clone());
                    next += LOOK;
                }
                Err(error) => {
                    tracing::error!(
                        error = &*error,
                        "what is revoked is not on the list of the broker's authority yet"
                    );
                    next += again.min(LOOK);
                    again = again.saturating_mul(2);
                }
            }
        }
        let more = async {
            // While something failed, its next turn is waited for.
            if listed.as_ref() != Some(&revoked) || changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = stopped(&mut stopping) => return,
            () = sleep_until(next) => {}
            () = more => {}
        }
    }
}

/// Which certificates are revoked, as far as they are known: what ended long ago is not.
fn revoked(registry: &Registry) -> BTreeSet<[u8; 32]> {
    let all = registry.all_issued();
    all.filter(|one| one.revoked.is_some())
        .map(|one| one.sha256)
        .collect()
}

async fn list(
    issuing: &Issuing,
    sequencer: &Sequencer,
    wanted: Wanted,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let _turn = issuing.turn().await;
    let (registry, now) = (sequencer.registry(), sequencer.now());
    let Some(list) = issuing.list(registry, wanted, now).await? else {
        return Ok(());
    };
    tracing::info!(
        number = list.number,
        "the broker's authority published a revocation list"
    );
    let event = IssuanceEvent::Listed {
        number: list.number,
        sha256: list.sha256(),
        until: list.validity.not_after(),
        revoked: u32::try_from(list.revoked).unwrap_or(u32::MAX),
    };
    // When it cannot be recorded the next list is signed, published and recorded.
    Ok(sequencer.record_list(event)?)
}
