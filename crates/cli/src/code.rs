//! Coded values: as they are typed, as they are sent, and as they are shown.

use std::ffi::OsStr;

use clap::{
    Arg, Command,
    builder::{PossibleValue, TypedValueParser},
    error::{ContextKind, ContextValue, ErrorKind},
};
use schakel_api::v1;

/// A code list of the interface.
pub(crate) trait Code: Copy + Send + Sync + 'static {
    /// What every name on the wire begins with.
    const PREFIX: &'static str;
    /// The codes, without the one that is never sent.
    const ALL: &'static [Self];

    /// The name on the wire.
    fn wire_name(self) -> &'static str;
    /// The code with this number on the wire.
    fn of(number: i32) -> Option<Self>;

    /// The name without what all begin with, such as `HOUSING`.
    fn short(self) -> &'static str {
        let name = self.wire_name();
        name.strip_prefix(Self::PREFIX).unwrap_or(name)
    }

    /// The code by its short name, however it is typed.
    fn parse(text: &str) -> Option<Self> {
        let short = text.to_ascii_uppercase().replace('-', "_");
        Self::ALL.iter().copied().find(|code| code.short() == short)
    }
}

macro_rules! codes {
    ($($code:ident $prefix:literal [$($variant:ident)*];)*) => {$(
        impl Code for v1::$code {
            const PREFIX: &'static str = $prefix;
            const ALL: &'static [Self] = &[$(Self::$variant,)*];

            fn wire_name(self) -> &'static str {
                self.as_str_name()
            }

            fn of(number: i32) -> Option<Self> {
                Self::try_from(number).ok()
            }
        }
    )*};
}

codes! {
    CertificateOrigin "CERTIFICATE_ORIGIN_" [Registered Announced Enrolled];
    ClosingReason "CLOSING_REASON_" [Completed PersonDeclined MovedAbroad Deceased OpenedInError];
    CollectionMethod "COLLECTION_METHOD_" [Written Oral Digital];
    Condition "CONDITION_" [IdentityDocument Housing Income Debt Care CareInsurance];
    ConditionStatus "CONDITION_STATUS_"
        [NotAssessed InOrder ActionNeeded InProgress Arranged Unresolved HelpDeclined];
    ConsentKind "CONSENT_KIND_" [ProcessingBasis SecrecyWaiver ServiceAgreement];
    ConsentState "CONSENT_STATE_"
        [Requested Deferred Refused Given Renewed Withdrawn Revoked Expired Invalidated];
    ErasureGround "ERASURE_GROUND_" [NotNeeded ConsentWithdrawn Objection Unlawful LoggedWrongly];
    EnrolmentProgress "ENROLMENT_PROGRESS_" [Open Waiting Issued Closed];
    Granularity "GRANULARITY_" [Signal Status StatusWithDates];
    Moment "MOMENT_" [Entry Release SixMonths TwelveMonths Interim];
    NoticeKind "NOTICE_KIND_" [Withdrawal Correction Restriction Recall];
    Outcome "OUTCOME_" [Disclosed NotDisclosed Other];
    Regime "REGIME_" [Avg Wjsg];
    ReplayResult "REPLAY_RESULT_" [Same Different NoDecision Unreadable];
    Report "REPORT_"
        [Check Denials Withdrawals Recipients Purposes Consents Readers Notices];
    RestrictionKind "RESTRICTION_KIND_" [Restriction Objection];
    StatementKind "STATEMENT_KIND_"
        [Supplied Received Asked Looked Consent Restriction Case Notice Other Exported Introduced
         Redeemed ConsentEnded CaseClosed CaseOpened];
    Role "ROLE_"
        [Pi Municipality Probation CareProvider Uwv HousingAssociation DebtCounsellor SafetyHouse
         PrivacyOfficer Auditor Administrator Broker];
    StopReason "STOP_REASON_"
        [Suspicion KeyCompromise AffiliationChanged Superseded CessationOfOperation PrivilegeWithdrawn];
}

/// Reads a code from the command line, in capitals or not, and lists the codes in the help.
pub(crate) fn parser<C: Code>() -> CodeParser<C> {
    CodeParser(C::ALL)
}

/// As [`parser`], for some of the codes.
pub(crate) fn parser_of<C: Code>(codes: &'static [C]) -> CodeParser<C> {
    CodeParser(codes)
}

/// Reads one of these codes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodeParser<C: Code>(&'static [C]);

impl<C: Code> TypedValueParser for CodeParser<C> {
    type Value = C;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<C, clap::Error> {
        let among = |code: &C| self.0.iter().any(|one| one.short() == code.short());
        let text = value.to_string_lossy();
        C::parse(&text).filter(among).ok_or_else(|| {
            let mut error = clap::Error::new(ErrorKind::InvalidValue).with_cmd(command);
            let arg = arg.map(ToString::to_string).unwrap_or_default();
            let codes = self.0.iter().map(|code| typed(*code)).collect();
            error.insert(ContextKind::InvalidArg, ContextValue::String(arg));
            error.insert(
                ContextKind::InvalidValue,
                ContextValue::String(text.into_owned()),
            );
            error.insert(ContextKind::ValidValue, ContextValue::Strings(codes));
            error
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(
            self.0.iter().map(|code| PossibleValue::new(typed(*code))),
        ))
    }
}

/// A code as people type it: `CARE_INSURANCE` is care-insurance.
fn typed<C: Code>(code: C) -> String {
    code.short().to_ascii_lowercase().replace('_', "-")
}

/// The short name of a number on the wire; one that this program does not know is shown as such.
pub(crate) fn short<C: Code>(number: i32) -> String {
    C::of(number).map_or_else(
        || format!("UNKNOWN_{number}"),
        |code| code.short().to_owned(),
    )
}

/// The short names of numbers on the wire.
pub(crate) fn shorts<C: Code>(numbers: &[i32]) -> Vec<String> {
    numbers.iter().map(|number| short::<C>(*number)).collect()
}

/// The numbers of codes.
pub(crate) fn numbers<C: Code + Into<i32>>(codes: &[C]) -> Vec<i32> {
    codes.iter().map(|code| (*code).into()).collect()
}

/// Short names for people, in one line.
pub(crate) fn all_spoken(shorts: &[String]) -> String {
    let spoken: Vec<_> = shorts.iter().map(|short| spoken(short)).collect();
    spoken.join(", ")
}

/// A short name for people: `CARE_INSURANCE` is care insurance.
pub(crate) fn spoken(short: &str) -> String {
    short.to_ascii_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads_back<C: Code + PartialEq + std::fmt::Debug + Into<i32>>() {
        assert!(!C::ALL.is_empty());
        for code in C::ALL {
            assert!(code.wire_name().starts_with(C::PREFIX), "{code:?}");
            let typed = code.short().to_ascii_lowercase().replace('_', "-");
            assert_eq!(C::parse(&typed), Some(*code));
            assert_eq!(C::parse(code.short()), Some(*code));
            assert_eq!(short::<C>((*code).into()), code.short());
        }
        let unknown = i32::try_from(C::ALL.len()).unwrap() + 1;
        assert_eq!(C::of(unknown), None, "a code is missing from the list");
        assert_eq!(short::<C>(unknown), format!("UNKNOWN_{unknown}"));
        assert_eq!(C::parse("unspecified"), None);
    }

    #[test]
    fn every_code_of_the_interface_is_typed_and_shown() {
        reads_back::<v1::ClosingReason>();
        reads_back::<v1::CollectionMethod>();
        reads_back::<v1::Condition>();
        reads_back::<v1::ConditionStatus>();
        reads_back::<v1::ConsentKind>();
        reads_back::<v1::ConsentState>();
        reads_back::<v1::Granularity>();
        reads_back::<v1::Moment>();
        reads_back::<v1::NoticeKind>();
        reads_back::<v1::Outcome>();
        reads_back::<v1::Regime>();
        reads_back::<v1::ReplayResult>();
        reads_back::<v1::Report>();
        reads_back::<v1::RestrictionKind>();
        reads_back::<v1::Role>();
        reads_back::<v1::StatementKind>();
    }
}
