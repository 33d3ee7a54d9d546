//! Instants and periods. The broker counts in milliseconds: what is finer is rounded down.

use prost_types::Timestamp as WireInstant;
use schakel_api::v1;
use schakel_core::time::{Period, Timestamp};

use super::Fields;

const INSTANT_RULE: &str = "must be an instant from 1970-01-01T00:00:00Z to the end of the year 9999, \
                            with nanos from 0 to 999999999; it is rounded down to milliseconds";

impl Fields {
    /// Reads an instant that must be there.
    pub(crate) fn instant(
        &mut self,
        field: &str,
        instant: Option<WireInstant>,
    ) -> Option<Timestamp> {
        let Some(instant) = instant else {
            self.refuse(field, "must be set");
            return None;
        };
        let read = read_instant(instant);
        if read.is_none() {
            self.refuse(field, INSTANT_RULE);
        }
        read
    }

    /// Reads an instant that may be absent.
    #[expect(
        clippy::option_option,
        reason = "the outer is whether it could be read, the inner whether it was there"
    )]
    pub(crate) fn optional_instant(
        &mut self,
        field: &str,
        instant: Option<WireInstant>,
    ) -> Option<Option<Timestamp>> {
        match instant {
            Some(_) => self.instant(field, instant).map(Some),
            None => Some(None),
        }
    }

    /// Reads a period that must be there.
    pub(crate) fn period(&mut self, field: &str, period: Option<v1::Period>) -> Option<Period> {
        self.message(field, period, read_period)
    }
}

/// Reads a period within its field.
pub(crate) fn read_period(message: v1::Period, fields: &mut Fields) -> Option<Period> {
    let v1::Period { from, until } = message;
    let from = fields.instant("from", from);
    let until = fields.optional_instant("until", until);
    fields.check("until", Period::new(from?, until?))
}

/// An instant as it is sent.
pub(crate) fn instant(at: Timestamp) -> WireInstant {
    let (millis, most) = (at.as_millis(), i64::MAX);
    WireInstant {
        seconds: i64::try_from(millis / 1000).unwrap_or(most),
        nanos: i32::try_from(millis % 1000 * 1_000_000).unwrap_or(0),
    }
}

/// A period as it is sent.
pub(crate) fn period(period: Period) -> v1::Period {
    let Period { from, until } = period;
    v1::Period {
        from: Some(instant(from)),
        until: until.map(instant),
    }
}

fn read_instant(instant: WireInstant) -> Option<Timestamp> {
    let WireInstant { seconds, nanos } = instant;
    let millis = u64::from(
        u32::try_from(nanos)
            .ok()
            .filter(|nanos| *nanos < 1_000_000_000)?
            / 1_000_000,
    );
    let whole = u64::try_from(seconds).ok()?.checked_mul(1000)?;
    Timestamp::from_millis(whole.checked_add(millis)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64, nanos: i32) -> WireInstant {
        WireInstant { seconds, nanos }
    }

    #[test]
    fn what_is_finer_than_milliseconds_is_rounded_down() {
        for (nanos, millis) in [(0, 0), (999_999, 0), (1_000_000, 1), (999_999_999, 999)] {
            let read = read_instant(at(7, nanos)).unwrap();
            assert_eq!(read.as_millis(), 7000 + millis);
        }
    }

    #[test]
    fn instants_outside_the_calendar_are_refused() {
        for wrong in [
            at(-1, 0),
            at(-1, 999_999_999),
            at(0, -1),
            at(0, 1_000_000_000),
            at(253_402_300_800, 0),
            at(i64::MAX, 0),
            at(i64::MIN, i32::MIN),
        ] {
            let mut fields = Fields::default();
            let read = fields.instant("until", Some(wrong));
            let refused = fields.finish(read).unwrap_err().to_string();
            assert!(refused.contains("`until` must be an instant"), "{wrong:?}");
        }
        assert_eq!(
            read_instant(at(253_402_300_799, 999_999_999)),
            Some(Timestamp::MAX)
        );
    }

    #[test]
    fn a_period_must_begin_and_must_end_after_it_begins() {
        for (from, until, field) in [
            (None, None, "validity.from"),
            (Some(at(5, 0)), Some(at(5, 999)), "validity.until"),
            (Some(at(5, 0)), Some(at(-5, 0)), "validity.until"),
        ] {
            let mut fields = Fields::default();
            let read = fields.period("validity", Some(v1::Period { from, until }));
            let refused = fields.finish(read).unwrap_err();
            assert_eq!(refused.violations[0].field, field);
        }
    }

    proptest! {
        #[test]
        fn an_instant_reads_back_what_was_sent(millis in 0..=Timestamp::MAX.as_millis()) {
            let at = Timestamp::from_millis(millis).unwrap();
            prop_assert_eq!(read_instant(instant(at)), Some(at));
        }

        #[test]
        fn no_instant_on_the_wire_is_too_strange(seconds: i64, nanos: i32) {
            let _ = read_instant(at(seconds, nanos));
        }
    }
}
