//! Calendar months, in which details are destroyed together.

use std::fmt;

use thiserror::Error;

/// A calendar month, from January 1970 to December 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: u16,
    month: u8,
}

/// What was given is not a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a month: write the year and the month as yyyymm, from 197001 to 999912")]
pub struct MonthError(pub u64);

impl Month {
    /// The first month there is.
    pub const MIN: Self = Self {
        year: 1970,
        month: 1,
    };
    /// The last month there is.
    pub const MAX: Self = Self {
        year: 9999,
        month: 12,
    };

    /// The month of this year, counted from 1.
    ///
    /// # Errors
    /// When the year is not from 1970 to 9999 or the month not from 1 to 12.
    pub fn new(year: u16, month: u8) -> Result<Self, MonthError> {
        if (1970..=9999).contains(&year) && (1..=12).contains(&month) {
            Ok(Self { year, month })
        } else {
            Err(MonthError(u64::from(year) * 100 + u64::from(month)))
        }
    }

    /// The month written `yyyymm`, as in a leaf.
    ///
    /// # Errors
    /// When that is not a month from 197001 to 999912.
    pub fn from_number(number: u64) -> Result<Self, MonthError> {
        let year = u16::try_from(number / 100).map_err(|_| MonthError(number))?;
        let month = u8::try_from(number % 100).map_err(|_| MonthError(number))?;
        Self::new(year, month)
    }

    /// The month as `yyyymm`.
    #[must_use]
    pub fn number(self) -> u32 {
        u32::from(self.year) * 100 + u32::from(self.month)
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month of the year, from 1.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The month this many months later, at most [`Self::MAX`].
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        let count = u32::from(self.year) * 12 + u32::from(self.month - 1);
        let count = count.saturating_add(months);
        // The remainder is below 12; only a year beyond the calendar can fail.
        match (u16::try_from(count / 12), u8::try_from(count % 12 + 1)) {
            (Ok(year), Ok(month)) => Self::new(year, month).unwrap_or(Self::MAX),
            _ => Self::MAX,
        }
    }
}

impl fmt::Display for Month {
    /// `yyyy-mm`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_carry_into_the_next_year() {
        let month = Month::new(2026, 11).unwrap();
        assert_eq!(month.plus_months(0), month);
        assert_eq!(month.plus_months(1).number(), 202_612);
        assert_eq!(month.plus_months(2).number(), 202_701);
        assert_eq!(month.plus_months(60).number(), 203_111);
    }

    #[test]
    fn months_end_with_the_calendar() {
        assert_eq!(Month::MIN.plus_months(u32::MAX), Month::MAX);
        assert_eq!(Month::MAX.plus_months(1), Month::MAX);
        let last_but_one = Month::new(9999, 11).unwrap();
        assert_eq!(last_but_one.plus_months(1), Month::MAX);
    }

    #[test]
    fn numbers_that_are_no_month_are_refused() {
        for number in [
            0,
            1,
            196_912,
            197_000,
            197_013,
            202_600,
            202_613,
            1_000_001,
            6_755_907,
            u64::MAX,
        ] {
            assert_eq!(Month::from_number(number), Err(MonthError(number)));
        }
    }

    #[test]
    fn numbers_and_text_say_the_same() {
        for number in [197_001, 202_612, 999_912] {
            let month = Month::from_number(number).unwrap();
            assert_eq!(u64::from(month.number()), number);
            assert_eq!(month.to_string().replace('-', ""), number.to_string());
        }
    }
}
