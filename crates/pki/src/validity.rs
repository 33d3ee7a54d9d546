//! The period in which a certificate holds.

use schakel_core::time::Timestamp;
use time::OffsetDateTime;

/// From when to when a certificate holds. As in X.509 both ends are inside, and both are whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    not_before: Timestamp,
    not_after: Timestamp,
}

/// What a certificate's period of validity must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a certificate cannot end at {not_after}, before it begins at {not_before}")]
pub struct InvalidValidity {
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Validity {
    /// How long before its issue a certificate already holds, for clocks that run behind: five minutes.
    pub const SKEW_MS: u64 = 5 * 60 * 1000;

    /// The period that begins five minutes before `now` and ends this many days of 24 hours after it.
    #[must_use]
    pub fn days(days: u32, now: Timestamp) -> Self {
        Self::whole_seconds(now.minus_millis(Self::SKEW_MS), now.plus_days(days))
    }

    /// The period between two instants, cut to whole seconds.
    ///
    /// # Errors
    /// When it would end before it begins.
    pub fn between(not_before: Timestamp, not_after: Timestamp) -> Result<Self, InvalidValidity> {
        if not_after < not_before {
            return Err(InvalidValidity {
                not_before,
                not_after,
            });
        }
        Ok(Self::whole_seconds(not_before, not_after))
    }

    /// The first instant inside.
    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The last second inside.
    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether a certificate with this period holds at the instant.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// The same period, ending no later than the other does.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self {
            not_after: self.not_after.min(other.not_after),
            ..self
        }
    }

    fn whole_seconds(not_before: Timestamp, not_after: Timestamp) -> Self {
        let cut = |at: Timestamp| at.minus_millis(at.as_millis() % 1000);
        Self {
            not_before: cut(not_before),
            not_after: cut(not_after),
        }
    }
}

/// The instant as certificates are written with it.
pub(crate) fn to_date_time(at: Timestamp) -> OffsetDateTime {
    // At most the year 9999, so neither conversion fails; the epoch stands in all the same, and a
    // certificate that ended then opens nothing.
    i64::try_from(at.as_millis() / 1000)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// The instant read from a certificate; none before 1970.
pub(crate) fn from_seconds(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_millis(u64::try_from(seconds).ok()?.checked_mul(1000)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_begin_five_minutes_early_and_end_on_the_second() {
        let validity = Validity::days(90, at("2026-11-23T14:00:00.750Z"));
        assert_eq!(validity.not_before(), at("2026-11-23T13:55:00Z"));
        assert_eq!(validity.not_after(), at("2027-02-21T14:00:00Z"));
    }

    #[test]
    fn both_ends_are_inside() {
        let (first, last) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
        let validity = Validity::between(first, last).unwrap();
        assert!(validity.contains(first) && validity.contains(last));
        assert!(!validity.contains(first.minus_millis(1)));
        assert!(!validity.contains(last.plus_millis(1)));
        assert!(Validity::between(last, first).is_err());
    }

    #[test]
    fn a_period_within_another_ends_no_later() {
        let now = at("2026-11-23T14:00:00Z");
        let (short, long) = (Validity::days(10, now), Validity::days(90, now));
        assert_eq!(long.within(short), short);
        assert_eq!(short.within(long), short);
    }

    #[test]
    fn instants_survive_the_way_through_a_certificate() {
        let now = at("2026-11-23T14:00:00Z");
        assert_eq!(from_seconds(to_date_time(now).unix_timestamp()), Some(now));
        assert_eq!(from_seconds(-1), None);
        assert_eq!(from_seconds(i64::MAX), None);
    }
}
