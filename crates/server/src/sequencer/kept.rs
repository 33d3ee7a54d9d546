//! How long the details of an entry are kept: the month in which the key that opens them is destroyed.

use schakel_audit::leaf::{Month, MonthError, RetentionClass};
use schakel_core::{
    consent::{LONGEST_POSTDATING_DAYS, LONGEST_VALIDITY_DAYS},
    time::Timestamp,
};

use super::plan::Retention;
use crate::config;

/// The end of a consent must outlive the consent: post-dated and then valid for as long as one may be, in months that
/// have begun, and then as long as it is kept.
const LONGEST_CONSENT_MONTHS: u32 =
    (LONGEST_POSTDATING_DAYS + LONGEST_VALIDITY_DAYS).div_ceil(MONTH_DAYS);

/// Twelve months in a row or more have at least so many days each, on average.
const MONTH_DAYS: u32 = 30;

/// The class of details that are recorded now, and the month that ends them; no month where a record does, or nothing.
pub(super) fn until(
    retention: &Retention,
    terms: &config::Retention,
    now: Timestamp,
) -> Result<(RetentionClass, Option<Month>), MonthError> {
    let after = |months| Ok::<_, MonthError>(Some(month(now)?.plus_months(months)));
    Ok(match retention {
        Retention::Permanent => (RetentionClass::Permanent, None),
        Retention::Standard => (RetentionClass::Standard, after(terms.standard_months)?),
        Retention::Care => (RetentionClass::Care, after(terms.care_months)?),
        Retention::Consent => {
            let kept = terms.consent_months.max(terms.standard_months);
            let months = LONGEST_CONSENT_MONTHS.saturating_add(kept);
            (RetentionClass::Standard, after(months)?)
        }
        Retention::Record(_) => (RetentionClass::OpenEnded, None),
    })
}

/// The month of an instant, in UTC.
pub(crate) fn month(at: Timestamp) -> Result<Month, MonthError> {
    let (year, month) = at.date().month();
    Month::new(year, month)
}
