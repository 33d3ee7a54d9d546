//! When a certificate is to be renewed.
//!
//! When a third of its life is left: early enough for a mistake to be mended by people, late enough not to
//! waste it. A twentieth of its life is the room in which each holder's moment lies at random, so that a thousand
//! certificates of one day are not asked for in one minute.

use std::time::Duration;

/// The instant, since the Unix epoch, at which a certificate that holds in this period should be renewed.
/// `chance` is a random number that is kept with the certificate, so that the moment does not move.
#[must_use]
pub fn renew_at(not_before: Duration, not_after: Duration, chance: u64) -> Duration {
    let life = not_after.saturating_sub(not_before);
    let room = u64::try_from((life / 20).as_millis()).unwrap_or(u64::MAX);
    let within = Duration::from_millis(chance.checked_rem(room).unwrap_or(0));
    not_after
        .saturating_sub(life / 3)
        .saturating_sub(life / 40)
        .saturating_add(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn a_third_of_the_life_is_left_give_or_take_a_fortieth() {
        let (from, until) = (1000 * DAY, 1090 * DAY);
        for chance in [0, 1, 12_345_678_901, u64::MAX] {
            let at = renew_at(from, until, chance);
            let left = until.saturating_sub(at).as_secs_f64() / DAY.as_secs_f64();
            assert!((27.7..=32.3).contains(&left), "{chance}: {left} days left");
        }
        assert!(renew_at(from, until, 0) < renew_at(from, until, 1_000_000));
    }

    #[test]
    fn a_certificate_without_a_life_is_renewed_at_its_end() {
        assert_eq!(renew_at(DAY, DAY, 7), DAY);
        assert_eq!(renew_at(2 * DAY, DAY, 7), DAY);
    }
}
