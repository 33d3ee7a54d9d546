//! Instants, dates and periods. None of them reads a clock.

mod netherlands;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use crate::invalid::Invalid;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, up to the year 9999.
///
/// Files that people read hold it as RFC 3339 text, the log and the view as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The first instant there is: 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The last millisecond of the year 9999.
    pub const MAX: Self = Self(253_402_300_799_999);
    /// A day of 24 hours in milliseconds.
    pub const DAY_MS: u64 = 86_400_000;

    /// The instant this many milliseconds after the epoch; later than [`Self::MAX`] is refused.
    ///
    /// # Errors
    /// When the instant lies after the year 9999.
    pub fn from_millis(millis: u64) -> Result<Self, Invalid> {
        (millis <= Self::MAX.0)
            .then_some(Self(millis))
            .ok_or(Invalid::new("must be an instant before the year 10000"))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This instant moved later, at most to [`Self::MAX`].
    #[must_use]
    pub fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis).min(Self::MAX.0))
    }

    /// This instant moved earlier, at most to the epoch.
    #[must_use]
    pub const fn minus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_sub(millis))
    }

    /// This instant moved later by whole days of 24 hours.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        self.plus_millis(u64::from(days).saturating_mul(Self::DAY_MS))
    }

    /// The calendar day in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        Date(self.moment().date())
    }

    /// Day and minute in UTC, for people: `2026-11-23 14:00 UTC`.
    #[must_use]
    pub fn spoken(self) -> String {
        let form = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
        let spoken = self.moment().format(&form);
        spoken.unwrap_or_else(|_| self.to_string())
    }

    /// The first instant of the month, in UTC, that comes this many months after the one it lies in.
    #[must_use]
    pub fn month_after(self, months: u32) -> Self {
        let (year, month) = self.date().month();
        let count = u32::from(year) * 12 + u32::from(month) - 1;
        let count = count.saturating_add(months);
        let first = format!("{:04}-{:02}-01", count / 12, count % 12 + 1);
        first.parse().map_or(Self::MAX, Date::start)
    }

    fn moment(self) -> OffsetDateTime {
        // At most the year 9999, so the conversion cannot fail; the epoch stands in all the same.
        i64::try_from(self.0 / 1000)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            + std::time::Duration::from_millis(self.0 % 1000)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with milliseconds, in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        f.write_str(&self.moment().format(&form).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Timestamp {
    type Err = Invalid;

    /// Reads RFC 3339, any offset.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        const RULE: Invalid =
            Invalid::new("must be an instant like 2026-11-23T14:00:00Z, not before 1970");
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| RULE)?;
        let millis = u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).map_err(|_| RULE)?;
        Self::from_millis(millis)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Instant)
        } else {
            deserializer.deserialize_u64(Instant)
        }
    }
}

/// Reads an instant as text or as a number.
struct Instant;

impl de::Visitor<'_> for Instant {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an instant like 2026-11-23T14:00:00Z")
    }

    fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Timestamp, E> {
        Timestamp::from_millis(millis).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse().map_err(E::custom)
    }
}

/// A calendar day, written `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(time::Date);

impl Date {
    /// The first instant of the day in UTC.
    #[must_use]
    pub fn start(self) -> Timestamp {
        let seconds = self.0.midnight().assume_utc().unix_timestamp();
        Timestamp(u64::try_from(seconds).unwrap_or(0).saturating_mul(1000))
    }

    /// Year and month.
    #[must_use]
    pub fn month(self) -> (u16, u8) {
        (
            u16::try_from(self.0.year()).unwrap_or(0),
            u8::from(self.0.month()),
        )
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = format_description!("[year]-[month]-[day]");
        f.write_str(&self.0.format(&form).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Date {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const RULE: Invalid =
            Invalid::new("must be a calendar day like 2026-11-23, from 1970 to 9999");
        let form = format_description!("[year]-[month]-[day]");
        let date = time::Date::parse(text, &form).map_err(|_| RULE)?;
        if text.len() == 10 && date.year() >= 1970 {
            Ok(Self(date))
        } else {
            Err(RULE)
        }
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// A period `[from, until)`: `from` is inside, `until` is not; without `until` it is open-ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The first instant inside.
    pub from: Timestamp,
    /// The first instant after the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Period {
    /// The period between two instants.
    ///
    /// # Errors
    /// When `until` is not after `from`.
    pub fn new(from: Timestamp, until: Option<Timestamp>) -> Result<Self, Invalid> {
        if until.is_some_and(|until| until <= from) {
            return Err(Invalid::new("must end after it begins"));
        }
        Ok(Self { from, until })
    }

    /// Whether the instant lies inside.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// Whether the two share an instant.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.until.is_none_or(|until| other.from < until)
            && other.until.is_none_or(|until| self.from < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_reads_back_what_it_wrote() {
        let at: Timestamp = "2026-11-23T14:00:00.250+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-23T13:00:00.250Z");
        assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
        assert_eq!(at.date().to_string(), "2026-11-23");
        assert_eq!(at.spoken(), "2026-11-23 13:00 UTC");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn months_are_counted_over_the_year() {
        let at: Timestamp = "2026-11-23T14:00:00Z".parse().unwrap();
        for (months, first) in [(0, "2026-11-01"), (2, "2027-01-01"), (61, "2031-12-01")] {
            assert_eq!(at.month_after(months).date().to_string(), first);
        }
        assert_eq!(at.month_after(u32::MAX), Timestamp::MAX);
    }

    #[test]
    fn a_period_holds_its_start_and_not_its_end() {
        let (a, b) = (Timestamp(10), Timestamp(20));
        let period = Period::new(a, Some(b)).unwrap();
        assert!(period.contains(a));
        assert!(period.contains(Timestamp(19)));
        assert!(!period.contains(b));
        assert!(!period.contains(Timestamp(9)));
        assert!(Period::new(a, Some(a)).is_err());
    }

    #[test]
    fn periods_that_touch_do_not_overlap() {
        let first = Period::new(Timestamp(1), Some(Timestamp(5))).unwrap();
        let second = Period::new(Timestamp(5), None).unwrap();
        assert!(!first.overlaps(&second));
        assert!(second.overlaps(&Period::new(Timestamp(9), None).unwrap()));
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for bad in [
            "2026-02-30",
            "2026-1-1",
            "20261123",
            "1969-12-31",
            "",
            "+2026-11-23",
        ] {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
    }
}
