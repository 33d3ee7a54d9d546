//! What the clock on the wall says in the Netherlands.

use super::{Date, Timestamp};

const HOUR_MS: u64 = 3_600_000;

impl Timestamp {
    /// This instant moved so that its parts in UTC are those of the clock in the Netherlands: an hour ahead of UTC,
    /// and two in summer.
    #[must_use]
    pub fn in_the_netherlands(self) -> Self {
        let hours = if self.is_summer() { 2 } else { 1 };
        self.plus_millis(hours * HOUR_MS)
    }

    /// The instant at which the clock in the Netherlands shows what this one shows in UTC: the later of two when summer
    /// time ends, and `None` for the hour that is passed over when it begins.
    #[must_use]
    pub fn shown_in_the_netherlands(self) -> Option<Self> {
        let ahead = [1, 2].map(|hours| self.minus_millis(hours * HOUR_MS));
        let mut ahead = ahead.into_iter();
        ahead.find(|instant| instant.in_the_netherlands() == self)
    }

    /// Whether summer time holds: from the last Sunday of March until the last Sunday of October, at 1 o'clock
    /// UTC (Directive 2000/84/EC).
    fn is_summer(self) -> bool {
        let (year, _) = self.date().month();
        let change = |month: &str| {
            let last: Option<Date> = format!("{year:04}-{month}-31").parse().ok();
            last.map(|last| {
                let days = last.start().as_millis() / Self::DAY_MS;
                // The first day of 1970 was a Thursday.
                let since_sunday = (days + 4) % 7;
                last.start()
                    .minus_millis(since_sunday * Self::DAY_MS)
                    .plus_millis(HOUR_MS)
            })
        };
        match (change("03"), change("10")) {
            (Some(from), Some(until)) => from <= self && self < until,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_begins_when_it_does_in_the_netherlands() {
        for (utc, here) in [
            ("2026-11-23T22:59:59.999Z", "2026-11-23T23:59:59.999Z"),
            ("2026-11-23T23:00:00.000Z", "2026-11-24T00:00:00.000Z"),
            ("2026-03-29T00:59:59.999Z", "2026-03-29T01:59:59.999Z"),
            ("2026-03-29T01:00:00.000Z", "2026-03-29T03:00:00.000Z"),
            ("2026-07-01T22:00:00.000Z", "2026-07-02T00:00:00.000Z"),
            ("2026-10-25T00:59:59.999Z", "2026-10-25T02:59:59.999Z"),
            ("2026-10-25T01:00:00.000Z", "2026-10-25T02:00:00.000Z"),
        ] {
            let at: Timestamp = utc.parse().unwrap();
            assert_eq!(at.in_the_netherlands().to_string(), here);
        }
        assert_eq!(Timestamp::MAX.in_the_netherlands(), Timestamp::MAX);
    }

    #[test]
    fn what_the_clock_shows_is_an_instant_but_for_the_hour_that_is_passed_over() {
        for (here, utc) in [
            ("2026-11-24T00:00:00.000Z", Some("2026-11-23T23:00:00.000Z")),
            ("2026-07-02T00:00:00.000Z", Some("2026-07-01T22:00:00.000Z")),
            ("2026-03-29T01:59:59.999Z", Some("2026-03-29T00:59:59.999Z")),
            ("2026-03-29T02:00:00.000Z", None),
            ("2026-03-29T02:59:59.999Z", None),
            ("2026-03-29T03:00:00.000Z", Some("2026-03-29T01:00:00.000Z")),
            ("2026-10-25T02:30:00.000Z", Some("2026-10-25T01:30:00.000Z")),
            ("1970-01-01T00:59:59.999Z", None),
        ] {
            let at: Timestamp = here.parse().unwrap();
            let found = at.shown_in_the_netherlands().map(|at| at.to_string());
            assert_eq!(found.as_deref(), utc, "{here}");
        }
    }
}
