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
        for (what, ends_at) in ending(tls.ends(), &sequencer.registry(), sequencer.now(), before) {
            tracing::warn!(%what, %ends_at, "a certificate ends soon: renew it");
        }
        std::future::ready(())
    })
    .await;
}

/// What ends soon or did lately: of these, and of the parties' certificates.
fn ending(
    own: Vec<(String, Timestamp)>,
    registry: &Registry,
    now: Timestamp,
    before: Duration,
) -> impl Iterator<Item = (String, Timestamp)> {
    let soon = now.plus_millis(u64::try_from(before.as_millis()).unwrap_or(u64::MAX));
    let forgotten = now.minus_millis(FORGOTTEN_MS);
    let all = own.into_iter().chain(of_parties(registry));
    all.filter(move |(_, ends_at)| (forgotten..=soon).contains(ends_at))
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

#[cfg(test)]
mod tests {
    use schakel_core::{
        certificate::{Seen, Thumbprint},
        code::Role,
    };

    use super::*;
    use crate::wire::testing;

    /// Of a party it is the certificate that lasts longest, of those it used: whoever renewed is not spoken of.
    #[test]
    fn what_ends_soon_or_did_lately_is_told_and_nobody_who_renewed() {
        let now: Timestamp = "2026-11-23T14:00:00Z".parse().unwrap();
        let parties = ["renewed", "ending", "late", "forgotten"];
        let mut registry = testing::registry(&parties.map(|id| (id, Role::Municipality)));
        let past = |days: u64| now.minus_millis(days * Timestamp::DAY_MS);
        let ends = [
            (1, "renewed", now.plus_days(10)),
            (2, "renewed", now.plus_days(90)),
            (3, "ending", now.plus_days(10)),
            (4, "late", past(6)),
            (5, "forgotten", past(8)),
        ];
        registry.see(&ends.map(|(number, party, not_after)| Seen {
            certificate: Thumbprint([number; 32]),
            party: party.parse().unwrap(),
            oin: "00000099000000020000".parse().unwrap(),
            anchor: "own".parse().unwrap(),
            not_after,
            first_used_at: now,
            last_used_at: now,
        }));
        let own = vec![
            ("the broker's certificate".to_owned(), now.plus_days(30)),
            ("authority `CN=a`".to_owned(), now.plus_days(31)),
        ];
        let told = ending(own, &registry, now, Duration::from_hours(30 * 24));
        let told: Vec<_> = told.map(|(what, _)| what).collect();
        assert_eq!(
            told,
            [
                "the broker's certificate",
                "the newest certificate of party `ending`",
                "the newest certificate of party `late`",
            ]
        );
    }
}
