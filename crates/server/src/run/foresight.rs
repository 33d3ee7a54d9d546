//! Telling the operator in time what is about to end.

use std::{sync::Arc, time::Duration};

use schakel_core::{certificate::Seen, id::PartyId, registry::Registry, time::Timestamp};
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
    let before = u64::try_from(before.as_millis()).unwrap_or(u64::MAX);
    let own = own.into_iter().map(move |(what, at)| (what, at, before));
    let parties = of_parties(registry).into_iter();
    // As its holder is told. Since when a certificate holds is not known here, since when it is used is.
    let parties = parties.map(move |(what, seen)| {
        let (from, until) = (seen.first_used_at, seen.not_after);
        let life = until.as_millis().saturating_sub(from.as_millis());
        (what, until, before.min(life / 4))
    });
    let forgotten = now.minus_millis(FORGOTTEN_MS);
    own.chain(parties)
        .filter(move |(_, at, before)| (forgotten..=now.plus_millis(*before)).contains(at))
        .map(|(what, at, _)| (what, at))
}

/// The certificate of each party that lasts longest, of those it used.
fn of_parties(registry: &Registry) -> Vec<(String, &Seen)> {
    let newest = |id: &PartyId| {
        let of_party = registry.seen().filter(move |seen| seen.party == *id);
        of_party.max_by_key(|seen| seen.not_after)
    };
    let named = registry.parties().filter_map(|party| {
        let what = format!("the newest certificate of party `{}`", party.id);
        Some((what, newest(&party.id)?))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use schakel_core::{certificate::Thumbprint, code::Role};

    use super::*;
    use crate::wire::testing;

    /// Of a party it is the certificate that lasts longest, of those it used: whoever renewed is not spoken of.
    #[test]
    fn what_ends_soon_or_did_lately_is_told_and_nobody_who_renewed() {
        let now: Timestamp = "2026-11-23T14:00:00Z".parse().unwrap();
        let parties = ["renewed", "ending", "late", "forgotten", "short"];
        let mut registry = testing::registry(&parties.map(|id| (id, Role::Municipality)));
        let past = |days: u64| now.minus_millis(days * Timestamp::DAY_MS);
        let ends = [
            (1, "renewed", past(80), now.plus_days(10)),
            (2, "renewed", past(1), now.plus_days(90)),
            (3, "ending", past(80), now.plus_days(10)),
            (4, "late", past(80), past(6)),
            (5, "forgotten", past(80), past(8)),
            // It renews itself before a quarter of its life is left.
            (6, "short", past(20), now.plus_days(10)),
        ];
        registry.see(&ends.map(|(number, party, first_used_at, not_after)| Seen {
            certificate: Thumbprint([number; 32]),
            party: party.parse().unwrap(),
            oin: "00000099000000020000".parse().unwrap(),
            anchor: "own".parse().unwrap(),
            not_after,
            first_used_at,
            last_used_at: first_used_at,
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
