//! Telling the operator in time what is about to end.

use std::{sync::Arc, time::Duration};

use schakel_core::{id::PartyId, registry::Registry, time::Timestamp};
use tokio::sync::watch;

use super::upkeep::each;
use crate::{edge::tls::Tls, sequencer::Sequencer};

/// How often it is said.
const EVERY: Duration = Duration::from_hours(6);

/// How long after its end a certificate is still spoken of: a week, in milliseconds.
const FORGOTTEN_MS: u64 = 7 * Timestamp::DAY_MS;

/// Says in the log, now and then, which certificates end soon: the broker's, the authorities', and the newest of
/// each party.
pub(super) async fn warn(
    before: Duration,
    tls: Arc<Tls>,
    sequencer: Sequencer,
    stopping: watch::Receiver<bool>,
) {
    each(EVERY, stopping, || {
        let now = sequencer.now();
        let soon = now.plus_millis(u64::try_from(before.as_millis()).unwrap_or(u64::MAX));
        let registry = sequencer.registry();
        let all = tls.ends().into_iter().chain(of_parties(&registry));
        let forgotten = now.minus_millis(FORGOTTEN_MS);
        let near = |(_, ends_at): &(String, Timestamp)| (forgotten..=soon).contains(ends_at);
        for (what, ends_at) in all.filter(near) {
            tracing::warn!(%what, %ends_at, "a certificate ends soon: renew it");
        }
        std::future::ready(())
    })
    .await;
}

/// When the certificate of each party ends that lasts longest, of those it used.
fn of_parties(registry: &Registry) -> Vec<(String, Timestamp)> {
    let newest = |id: &PartyId| {
        let of_party = registry.seen().filter(move |seen| seen.party == *id);
        of_party.map(|seen| seen.not_after).max()
    };
    registry
        .parties()
        .filter_map(|party| {
            let ends_at = newest(&party.id)?;
            Some((
                format!("the newest certificate of party `{}`", party.id),
                ends_at,
            ))
        })
        .collect()
}
