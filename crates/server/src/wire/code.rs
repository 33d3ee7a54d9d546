//! Coded values. The codes of the wire and of the rules are matched variant by variant both ways, so that
//! a code added to either does not compile until the other has it.

use schakel_api::v1;
use schakel_core::{
    case::ClosingReason,
    certificate::StopReason,
    code::{Condition, Granularity, Moment, Regime, Role, Status},
    consent::{CollectionMethod, ConsentKind, ConsentState},
    erasure::Ground,
    notice::NoticeKind,
    restriction::RestrictionKind,
};

use super::Fields;

/// A value with a closed list of codes on the wire.
pub(crate) trait Coded: Copy {
    /// The value of a code; `None` for zero and for a code that is on no list.
    fn from_wire(code: i32) -> Option<Self>;

    /// The code.
    fn to_wire(self) -> i32;

    /// The names of all codes, for whoever sent another.
    fn names() -> Vec<&'static str>;
}

impl Fields {
    /// Reads a code.
    pub(crate) fn code<T: Coded>(&mut self, field: &str, code: i32) -> Option<T> {
        let value = T::from_wire(code);
        if value.is_none() {
            self.refuse(field, format!("must be one of {}", T::names().join(", ")));
        }
        value
    }

    /// Reads a code that may be absent; zero is not absence, and refused.
    #[expect(
        clippy::option_option,
        reason = "the outer is whether it could be read, the inner whether it was there"
    )]
    pub(crate) fn optional_code<T: Coded>(
        &mut self,
        field: &str,
        code: Option<i32>,
    ) -> Option<Option<T>> {
        match code {
            Some(code) => self.code(field, code).map(Some),
            None => Some(None),
        }
    }
}

/// The codes of some values.
pub(crate) fn to_wire<'a, T: Coded + 'a>(values: impl IntoIterator<Item = &'a T>) -> Vec<i32> {
    values.into_iter().map(|value| value.to_wire()).collect()
}

macro_rules! coded {
    ($($value:ident = $wire:ident { $($variant:ident),* })*) => { $(
        impl Coded for $value {
            fn from_wire(code: i32) -> Option<Self> {
                match v1::$wire::try_from(code) {
                    $(Ok(v1::$wire::$variant) => Some(Self::$variant),)*
                    Ok(v1::$wire::Unspecified) | Err(_) => None,
                }
            }

            fn to_wire(self) -> i32 {
                let code = match self { $(Self::$variant => v1::$wire::$variant,)* };
                code as i32
            }

            fn names() -> Vec<&'static str> {
                Self::ALL.iter().map(|value| value.as_str()).collect()
            }
        }
    )* };
}

coded! {
    ClosingReason = ClosingReason { Completed, PersonDeclined, MovedAbroad, Deceased, OpenedInError }
    CollectionMethod = CollectionMethod { Written, Oral, Digital }
    Condition = Condition { IdentityDocument, Housing, Income, Debt, Care, CareInsurance }
    ConsentKind = ConsentKind { ProcessingBasis, SecrecyWaiver, ServiceAgreement }
    ConsentState = ConsentState {
        Requested, Deferred, Refused, Given, Renewed, Withdrawn, Revoked, Expired, Invalidated
    }
    Ground = ErasureGround { NotNeeded, ConsentWithdrawn, Objection, Unlawful, LoggedWrongly }
    Granularity = Granularity { Signal, Status, StatusWithDates }
    Moment = Moment { Entry, Release, SixMonths, TwelveMonths, Interim }
    NoticeKind = NoticeKind { Withdrawal, Correction, Restriction, Recall }
    Regime = Regime { Avg, Wjsg }
    RestrictionKind = RestrictionKind { Restriction, Objection }
    Role = Role {
        Pi, Municipality, Probation, CareProvider, Uwv, HousingAssociation, DebtCounsellor, SafetyHouse,
        PrivacyOfficer, Auditor, Administrator, Broker
    }
    StopReason = StopReason {
        Suspicion, KeyCompromise, AffiliationChanged, Superseded, CessationOfOperation, PrivilegeWithdrawn
    }
    Status = ConditionStatus {
        NotAssessed, InOrder, ActionNeeded, InProgress, Arranged, Unresolved, HelpDeclined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_codes<T: Coded + PartialEq + std::fmt::Debug>(all: &[T]) {
        for value in all {
            assert_eq!(T::from_wire(value.to_wire()), Some(*value));
        }
        let known: Vec<i32> = all.iter().map(|value| value.to_wire()).collect();
        for code in (-2..40).chain([i32::MIN, i32::MAX]) {
            assert_eq!(
                T::from_wire(code).is_some(),
                known.contains(&code),
                "{code}"
            );
        }
        let mut fields = Fields::default();
        let read: Option<T> = fields.code("code", 0);
        let refused = fields.finish(read).unwrap_err().to_string();
        assert!(refused.starts_with("`code` must be one of "), "{refused}");
        for name in T::names() {
            assert!(refused.contains(name), "{refused}");
        }
    }

    #[test]
    fn every_code_goes_both_ways_and_no_other_is_taken() {
        assert_codes(ClosingReason::ALL);
        assert_codes(CollectionMethod::ALL);
        assert_codes(Condition::ALL);
        assert_codes(ConsentKind::ALL);
        assert_codes(ConsentState::ALL);
        assert_codes(Granularity::ALL);
        assert_codes(Ground::ALL);
        assert_codes(Moment::ALL);
        assert_codes(NoticeKind::ALL);
        assert_codes(Regime::ALL);
        assert_codes(RestrictionKind::ALL);
        assert_codes(Role::ALL);
        assert_codes(Status::ALL);
        assert_codes(StopReason::ALL);
    }

    #[test]
    fn a_code_on_the_wire_has_the_name_of_the_rules() {
        assert_eq!(
            v1::Condition::Debt.as_str_name(),
            format!("CONDITION_{}", Condition::Debt)
        );
        for status in Status::ALL {
            let wire = v1::ConditionStatus::try_from(status.to_wire()).unwrap();
            assert_eq!(wire.as_str_name(), format!("CONDITION_STATUS_{status}"));
        }
        for role in Role::ALL {
            let wire = v1::Role::try_from(role.to_wire()).unwrap();
            assert_eq!(wire.as_str_name(), format!("ROLE_{role}"));
        }
    }
}
