//! Instants as people in the Netherlands say them.

use schakel_core::time::{Date, Timestamp};

use super::Language;

pub(crate) const MONTHS_NL: [&str; 12] = [
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
];
pub(crate) const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A day and a time in the Netherlands, such as 23 november 2026, 15.00 uur.
pub(crate) fn moment(shown: Option<&String>, language: Language) -> String {
    let Some(local) = local(shown) else {
        return String::new();
    };
    let (day, time) = (said(local.date(), language), clock(local, language));
    match language {
        Language::Nl => format!("{day}, {time} uur"),
        Language::En => format!("{day}, {time}"),
    }
}

/// The day in the Netherlands.
pub(super) fn date(shown: Option<&String>, language: Language) -> String {
    local(shown).map_or_else(String::new, |local| said(local.date(), language))
}

/// From a moment to a later one of the same day, such as 23 november 2026, 15.00 tot 15.20 uur.
pub(super) fn span(first: Option<&String>, last: Option<&String>, language: Language) -> String {
    let (Some(from), Some(to)) = (local(first), local(last)) else {
        return moment(first, language);
    };
    let (begin, end) = (clock(from, language), clock(to, language));
    if begin == end {
        return moment(first, language);
    }
    let day = said(from.date(), language);
    match language {
        Language::Nl => format!("{day}, {begin} tot {end} uur"),
        Language::En => format!("{day}, {begin} to {end}"),
    }
}

/// The time of the day, of an instant that was moved.
fn clock(local: Timestamp, language: Language) -> String {
    let text = local.to_string();
    let (hour, minute) = (
        text.get(11..13).unwrap_or(""),
        text.get(14..16).unwrap_or(""),
    );
    let between = language.of(".", ":");
    format!("{hour}{between}{minute}")
}

fn said(date: Date, language: Language) -> String {
    let (year, month) = date.month();
    let months = match language {
        Language::Nl => MONTHS_NL,
        Language::En => MONTHS_EN,
    };
    let name = months.get(usize::from(month).saturating_sub(1));
    let text = date.to_string();
    let day = text.get(8..10).unwrap_or("").trim_start_matches('0');
    format!("{day} {} {year}", name.copied().unwrap_or_default())
}

/// An instant moved so that its parts in UTC are those of the clock in the Netherlands.
fn local(shown: Option<&String>) -> Option<Timestamp> {
    let at: Timestamp = shown?.parse().ok()?;
    Some(at.in_the_netherlands())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_time_is_kept_as_the_law_has_it() {
        for (utc, here) in [
            ("2026-11-23T14:00:00.000Z", "23 november 2026, 15.00 uur"),
            ("2026-03-29T00:59:00.000Z", "29 maart 2026, 01.59 uur"),
            ("2026-03-29T01:00:00.000Z", "29 maart 2026, 03.00 uur"),
            ("2026-10-25T00:59:00.000Z", "25 oktober 2026, 02.59 uur"),
            ("2026-10-25T01:00:00.000Z", "25 oktober 2026, 02.00 uur"),
            ("2026-12-31T23:30:00.000Z", "1 januari 2027, 00.30 uur"),
        ] {
            assert_eq!(moment(Some(&utc.to_owned()), Language::Nl), here);
        }
        let utc = "2026-07-05T12:00:00.000Z".to_owned();
        assert_eq!(moment(Some(&utc), Language::En), "5 July 2026, 14:00");
        assert_eq!(moment(None, Language::Nl), "");
    }
}
