//! Instants and days: as they are typed, as they are sent, and as they are shown.

mod named;

use prost_types::Timestamp as Sent;
use schakel_core::time::{Date, Timestamp};
use schakel_server::clock::{Clock as _, SystemClock};

use crate::statement::{self, Language};

/// Reads an instant: RFC 3339, a day and a minute in UTC, a day for its first instant in UTC, or a day of a year by the
/// name of its month, as `3 March 2026 14:00`, by the clock in the Netherlands.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    if let Ok(day) = text.parse::<Date>() {
        return Ok(day.start());
    }
    // A day and a minute, as they are shown: in UTC.
    let minute = text.strip_suffix(" UTC").unwrap_or(text);
    let minute = minute
        .split_once(' ')
        .and_then(|(day, time)| format!("{day}T{time}:00Z").parse::<Timestamp>().ok());
    minute.map_or_else(
        || {
            let parsed = text.parse::<Timestamp>().ok();
            parsed.or_else(|| named::parse(text)).ok_or_else(|| {
                "must be an instant like 2026-11-23T14:00:00Z or 2026-11-23 14:00 (UTC), a day like 2026-11-23 \
                 for its start (UTC), or, by the clock in the Netherlands, one like `23 November 2026 14:00`"
                    .into()
            })
        },
        Ok,
    )
}

/// As [`parse`], of an instant that is past, which may be said by day and month too, as `3 March 14:00` by the clock in
/// the Netherlands: without a year it is the latest one.
pub(crate) fn parse_past(text: &str) -> Result<Timestamp, String> {
    named::parse_past(text, SystemClock.now())
}

/// Reads a calendar day.
pub(crate) fn parse_day(text: &str) -> Result<String, String> {
    text.parse::<Date>()
        .map(|day| day.to_string())
        .map_err(|invalid| invalid.rule().to_owned())
}

/// An instant as it is sent.
pub(crate) fn sent(at: Timestamp) -> Sent {
    let millis = at.as_millis();
    Sent {
        seconds: i64::try_from(millis / 1000).unwrap_or(i64::MAX),
        nanos: i32::try_from(millis % 1000 * 1_000_000).unwrap_or(0),
    }
}

/// An instant as it is shown: RFC 3339 in UTC, with its milliseconds.
pub(crate) fn shown(at: &Sent) -> String {
    let millis = u64::try_from(at.seconds)
        .unwrap_or(0)
        .saturating_mul(1000)
        .saturating_add(u64::try_from(at.nanos / 1_000_000).unwrap_or(0));
    Timestamp::from_millis(millis)
        .unwrap_or(Timestamp::MAX)
        .to_string()
}

/// As [`shown`], for an instant that may be absent.
pub(crate) fn shown_if(at: Option<&Sent>) -> Option<String> {
    at.map(shown)
}

/// An instant for people: day and minute in UTC.
pub(crate) fn spoken(shown: &str) -> String {
    match (shown.get(..10), shown.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => shown.to_owned(),
    }
}

/// An instant for people, so that they see what was made of what they said: by the clock in the Netherlands, and in
/// UTC.
pub(crate) fn spoken_twice(shown: &String) -> String {
    let here = statement::moment(Some(shown), Language::En);
    format!("{here} in the Netherlands ({})", spoken(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_what_is_sent_and_shown() {
        for text in ["2026-11-23T14:00:00.250Z", "1970-01-01T00:00:00.000Z"] {
            assert_eq!(shown(&sent(parse(text).unwrap())), text);
        }
        assert_eq!(
            shown(&sent(parse("2026-11-23").unwrap())),
            "2026-11-23T00:00:00.000Z"
        );
        assert!(
            parse("tomorrow")
                .unwrap_err()
                .starts_with("must be an instant")
        );
        assert_eq!(spoken("2026-11-23T14:00:00.250Z"), "2026-11-23 14:00 UTC");
        for text in ["2026-11-23 14:00", "2026-11-23 14:00 UTC"] {
            assert_eq!(
                shown(&sent(parse(text).unwrap())),
                "2026-11-23T14:00:00.000Z"
            );
        }
    }
}
