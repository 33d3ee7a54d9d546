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
        Retention::Consent => (RetentionClass::Standard, after(consent(terms))?),
        Retention::Notice => {
            let months = consent(terms).max(terms.care_months);
            (RetentionClass::Standard, after(months)?)
        }
        Retention::Record(_) => (RetentionClass::OpenEnded, None),
    })
}

/// For how many months the end of a consent is kept.
fn consent(terms: &config::Retention) -> u32 {
    let kept = terms.consent_months.max(terms.standard_months);
    LONGEST_CONSENT_MONTHS.saturating_add(kept)
}

/// The month of an instant, in UTC.
pub(crate) fn month(at: Timestamp) -> Result<Month, MonthError> {
    let (year, month) = at.date().month();
    Month::new(year, month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_a_message_outlives_whatever_let_it_wait() {
        let now = "2026-11-25T12:00:00Z".parse().unwrap();
        for (standard_months, care_months, consent_months) in
            [(61, 61, 61), (240, 61, 61), (49, 252, 61), (49, 61, 252)]
        {
            let terms = config::Retention {
                standard_months,
                care_months,
                consent_months,
                ..config::Retention::default()
            };
            let month = |retention| until(&retention, &terms, now).unwrap().1;
            for other in [Retention::Standard, Retention::Care, Retention::Consent] {
                assert!(
                    month(Retention::Notice) >= month(other.clone()),
                    "{other:?}"
                );
            }
        }
    }
}
