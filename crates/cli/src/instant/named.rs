//! An instant as somebody says it: a day by the name of its month, with or without a year, by the clock in the
//! Netherlands.

use schakel_core::time::{Date, Timestamp};

use crate::statement::{MONTHS_EN, MONTHS_NL};

/// What it must be.
const RULE: &str = "must be an instant like 2026-03-03T14:00:00Z or 2026-03-03 14:00 (UTC), a day like 2026-03-03 for \
                    its start (UTC), or, by the clock in the Netherlands, one like `3 March 14:00`: of the latest year in \
                    which that is past";
/// From 29 February to the next are 8 years at most.
const YEARS: u16 = 8;

/// Reads an instant that is past, as [`super::parse`], or a day and a month, in English or Dutch, with or without a
/// year and a time. Without a year it is the latest such instant that is not after `now`, without a time the start of
/// the day; an hour that comes twice when summer time ends is taken the second time.
pub(super) fn parse_past(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(instant) = super::parse(text) {
        return Ok(instant);
    }
    let said = Said::read(text).ok_or(RULE)?;
    if let Some(year) = said.year {
        return said.in_year(year).ok_or_else(|| RULE.to_owned());
    }
    let (this, _) = now.in_the_netherlands().date().month();
    let years = (this.saturating_sub(YEARS)..=this).rev();
    let mut instants = years.filter_map(|year| said.in_year(year));
    let past = instants.find(|instant| *instant <= now);
    past.ok_or_else(|| RULE.to_owned())
}

/// Reads a day, a month and a year, in English or Dutch, with or without a time.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let said = Said::read(text)?;
    said.in_year(said.year?)
}

/// What was said.
struct Said<'a> {
    day: u8,
    month: usize,
    year: Option<u16>,
    /// `HH:MM`.
    time: &'a str,
}

impl<'a> Said<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut words = text.split_whitespace().peekable();
        let day = words.next()?.parse().ok()?;
        let month = month(words.next()?.trim_end_matches(','))?;
        let year = words
            .peek()
            .and_then(|word| year(word.trim_end_matches(',')));
        if year.is_some() {
            words.next();
        }
        let time = words.next().unwrap_or("00:00");
        let is_over = words.next().is_none();
        is_over.then_some(Self {
            day,
            month,
            year,
            time,
        })
    }

    fn in_year(&self, year: u16) -> Option<Timestamp> {
        let day: Date = format!("{year:04}-{:02}-{:02}", self.month, self.day)
            .parse()
            .ok()?;
        let time = self.time.replace('.', ":");
        let local: Timestamp = format!("{day}T{time:0>5}:00Z").parse().ok()?;
        local.shown_in_the_netherlands()
    }
}

/// The number of a month, by its name or how that begins.
fn month(word: &str) -> Option<usize> {
    let word = word.trim_end_matches('.').to_lowercase();
    if word == "mrt" {
        return Some(3);
    }
    let is_it = |name: &&str| word.chars().count() >= 3 && name.to_lowercase().starts_with(&word);
    let at = |names: [&str; 12]| names.iter().position(&is_it);
    at(MONTHS_NL).or_else(|| at(MONTHS_EN)).map(|at| at + 1)
}

fn year(word: &str) -> Option<u16> {
    let is_one = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(text: &str, now: &str) -> Result<String, String> {
        parse_past(text, now.parse().unwrap()).map(|instant| instant.to_string())
    }

    #[test]
    fn a_day_without_a_year_is_the_latest_that_is_past() {
        for (text, now, instant) in [
            (
                "3 March 14:00",
                "2026-11-25T08:00:00Z",
                "2026-03-03T13:00:00.000Z",
            ),
            (
                "3 March 14:00",
                "2026-03-03T13:00:00Z",
                "2026-03-03T13:00:00.000Z",
            ),
            (
                "3 March 14:00",
                "2026-03-03T12:59:59Z",
                "2025-03-03T13:00:00.000Z",
            ),
            (
                "3 maart 14.00",
                "2026-01-01T00:00:00Z",
                "2025-03-03T13:00:00.000Z",
            ),
            (
                "3 mrt 9:05",
                "2026-11-25T08:00:00Z",
                "2026-03-03T08:05:00.000Z",
            ),
            ("3 MAA", "2026-11-25T08:00:00Z", "2026-03-02T23:00:00.000Z"),
            (
                "1 juli 00:00",
                "2026-11-25T08:00:00Z",
                "2026-06-30T22:00:00.000Z",
            ),
            (
                "29 feb 12:00",
                "2027-11-25T08:00:00Z",
                "2024-02-29T11:00:00.000Z",
            ),
            (
                "1 January 00:30",
                "2025-12-31T23:30:00Z",
                "2025-12-31T23:30:00.000Z",
            ),
            (
                "3 March 2024, 14:00",
                "2026-11-25T08:00:00Z",
                "2024-03-03T13:00:00.000Z",
            ),
            (
                "2026-03-03 14:00",
                "2026-11-25T08:00:00Z",
                "2026-03-03T14:00:00.000Z",
            ),
        ] {
            assert_eq!(past(text, now).as_deref(), Ok(instant), "{text} {now}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_is_taken_the_second_time_and_one_that_never_comes_is_refused() {
        let now = "2026-11-25T08:00:00Z";
        let twice = past("25 October 02:30", now);
        assert_eq!(twice.as_deref(), Ok("2026-10-25T01:30:00.000Z"));
        // Of the last years there was none on this day but in 2026, when the clock went ahead.
        assert!(past("29 March 2026 02:30", now).is_err());
        let before = past("29 March 02:30", now);
        assert_eq!(before.as_deref(), Ok("2025-03-29T01:30:00.000Z"));
    }

    #[test]
    fn what_is_no_day_is_refused_with_what_it_must_be() {
        for text in [
            "",
            "3",
            "March",
            "0 March",
            "32 March",
            "30 February",
            "3 Ma",
            "3 March 25:00",
            "3 March 14:00 15:00",
            "3 March 14",
            "03-03 14:00",
            "March 3 14:00",
            "3 March 10000",
            "tomorrow",
        ] {
            let refused = past(text, "2026-11-25T08:00:00Z").unwrap_err();
            assert!(refused.contains("`3 March 14:00`"), "{text}: {refused}");
        }
    }
}
