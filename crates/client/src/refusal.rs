//! What the broker says when it refuses a call.

use std::{collections::BTreeMap, fmt, time::Duration};

use schakel_api::{ERROR_DOMAIN, v1::ErrorReason};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// A call that the broker refused. Nothing in it depends on what is held about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The gRPC code: what to go by when the reason is not known.
    pub code: Code,
    /// Why, for programs; absent when none was told or this program does not know it.
    pub reason: Option<ErrorReason>,
    /// Why, for people.
    pub message: String,
    /// The fields that break a rule.
    pub violations: Vec<Violation>,
    /// After how long to try again, when the broker says so.
    pub retry_after: Option<Duration>,
    /// What goes with the reason, such as `request_id` or `method`.
    pub metadata: BTreeMap<String, String>,
}

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, as a path in the request such as `item.subject.bsn`.
    pub field: String,
    /// The rule and how to keep it, in words that follow the field's name.
    pub rule: String,
}

impl Refusal {
    /// Reads what a status says.
    pub(crate) fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details
            .error_info()
            .filter(|info| info.domain == ERROR_DOMAIN);
        let violations = details.bad_request().into_iter().flat_map(|bad| {
            bad.field_violations.iter().map(|violation| Violation {
                field: violation.field.clone(),
                rule: violation.description.clone(),
            })
        });
        Self {
            code: status.code(),
            reason: info.and_then(|info| reason(&info.reason)),
            message: status.message().to_owned(),
            violations: violations.collect(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
            metadata: info
                .map(|info| info.metadata.clone().into_iter().collect())
                .unwrap_or_default(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            write!(f, "the broker refused the call with code {:?}", self.code)
        } else {
            f.write_str(&self.message)
        }
    }
}

impl std::error::Error for Refusal {}

/// The reason with this short name.
fn reason(short: &str) -> Option<ErrorReason> {
    ErrorReason::from_str_name(&format!("ERROR_REASON_{short}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn everything_the_broker_says_is_read() {
        let metadata = HashMap::from([("method".to_owned(), "Ask".to_owned())]);
        let mut details = ErrorDetails::with_error_info("INVALID_REQUEST", ERROR_DOMAIN, metadata);
        details.add_bad_request_violation("item.subject.bsn", "must have 9 digits");
        details.set_retry_info(Some(Duration::from_millis(250)));
        let status = Status::with_error_details(Code::InvalidArgument, "wrong", details);
        let refusal = Refusal::of(&status);
        assert_eq!(refusal.code, Code::InvalidArgument);
        assert_eq!(refusal.reason, Some(ErrorReason::InvalidRequest));
        assert_eq!(refusal.to_string(), "wrong");
        assert_eq!(refusal.violations[0].field, "item.subject.bsn");
        assert_eq!(refusal.violations[0].rule, "must have 9 digits");
        assert_eq!(refusal.retry_after, Some(Duration::from_millis(250)));
        assert_eq!(refusal.metadata["method"], "Ask");
    }

    #[test]
    fn a_reason_of_another_domain_or_a_later_version_is_no_reason() {
        for (reason, domain) in [
            ("NOT_FOUND", "elsewhere"),
            ("OF_A_LATER_VERSION", ERROR_DOMAIN),
        ] {
            let details = ErrorDetails::with_error_info(reason, domain, HashMap::new());
            let status = Status::with_error_details(Code::NotFound, "", details);
            let refusal = Refusal::of(&status);
            assert_eq!((refusal.code, refusal.reason), (Code::NotFound, None));
        }
    }
}
