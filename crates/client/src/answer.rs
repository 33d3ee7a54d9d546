//! What an answer claims to have proved: which receipts it holds, and what kind of entry each must be of.

use schakel_api::v1;
use schakel_audit::leaf::EntryType;

use crate::receipt::{Expected, ReceiptError};

/// Part of an answer is missing that the interface says is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer has no {what}, which the interface says is always there")]
pub struct Incomplete {
    /// What is missing.
    pub what: &'static str,
}

/// Why an answer is not accepted.
#[derive(Debug)]
pub(crate) enum Fault {
    Incomplete(Incomplete),
    Receipt(ReceiptError),
}

impl From<ReceiptError> for Fault {
    fn from(error: ReceiptError) -> Self {
        Self::Receipt(error)
    }
}

type Checked = Result<(), Fault>;

/// A message that the broker answers with.
pub(crate) trait Answer {
    /// Checks everything in the answer that claims to be in the log.
    fn check(&self, expected: &Expected<'_>) -> Checked;
}

/// Answers whose outcome is what was wanted, or the uniform denial.
macro_rules! outcomes {
    ($($answer:ident, $outcome:ident :: $told:ident => $kind:ident;)*) => {$(
        impl Answer for v1::$answer {
            fn check(&self, expected: &Expected<'_>) -> Checked {
                match &self.outcome {
                    Some(v1::$outcome::Outcome::$told(told)) => {
                        proved(expected, EntryType::$kind, told.receipt.as_ref())
                    }
                    Some(v1::$outcome::Outcome::NotDisclosed(denial)) => denied(denial),
                    None => missing("outcome"),
                }
            }
        }
    )*};
}

outcomes! {
    OpenCaseResponse, open_case_response::Opened => Case;
    AssignMunicipalityResponse, assign_municipality_response::Changed => Case;
    AddMemberResponse, add_member_response::Changed => Case;
    RemoveMemberResponse, remove_member_response::Changed => Case;
    CloseCaseResponse, close_case_response::Changed => Case;
    GetCaseResponse, get_case_response::Case => LookUp;
    RecordConsentResponse, record_consent_response::Recorded => Consent;
    GetConsentResponse, get_consent_response::Consents => LookUp;
    ListConsentsResponse, list_consents_response::Consents => LookUp;
    LiftRestrictionResponse, lift_restriction_response::Lifted => Restriction;
    ReportStatusResponse, report_status_response::Reported => Status;
    IntroduceResponse, introduce_response::Introduction => Introduction;
    GetMyRightsResponse, get_my_rights_response::Rights => LookUp;
    GetNoticeResponse, get_notice_response::Notices => LookUp;
    ExplainEntryResponse, explain_entry_response::Explanation => LookUp;
    ReplayEntryResponse, replay_entry_response::Replayed => LookUp;
}

/// Answers that hold a receipt and nothing that could be denied.
macro_rules! receipts {
    ($($answer:ident => $kind:ident;)*) => {$(
        impl Answer for v1::$answer {
            fn check(&self, expected: &Expected<'_>) -> Checked {
                proved(expected, EntryType::$kind, self.receipt.as_ref())
            }
        }
    )*};
}

receipts! {
    WithdrawConsentResponse => Consent;
    RecordRestrictionResponse => Restriction;
    RedeemResponse => Introduction;
    ProposeChangeResponse => Registry;
    ApproveChangeResponse => Registry;
    RejectChangeResponse => Registry;
    RegisterCertificateResponse => Registry;
    CloseEnrolmentResponse => Registry;
    ConfirmEnrolmentResponse => Registry;
    AnnounceCertificateResponse => Registry;
    RevokeCertificateResponse => Registry;
    OpenEnrolmentResponse => Registry;
    AnswerEnrolmentResponse => Registry;
    StopResponse => Registry;
    SearchEntriesResponse => LookUp;
    CompareDigestsResponse => LookUp;
    GetAsOfResponse => LookUp;
    GetStatementResponse => LookUp;
    RecordWithholdingResponse => Restriction;
    GetBreachResponse => LookUp;
    GetReportResponse => LookUp;
    GetIntegrityResponse => LookUp;
    GetUsageResponse => LookUp;
    RecordVerificationResponse => System;
    ProposeSearchResponse => LookUp;
    DecideSearchResponse => LookUp;
    ListSearchesResponse => LookUp;
    RejectErasureResponse => Restriction;
    RotateKekResponse => Key;
    AcknowledgeClockResponse => System;
}

/// Answers that hold a receipt when they began something.
macro_rules! beginnings {
    ($($answer:ident)*) => {$(
        impl Answer for v1::$answer {
            fn check(&self, expected: &Expected<'_>) -> Checked {
                match &self.receipt {
                    Some(receipt) => proved(expected, EntryType::LookUp, Some(receipt)),
                    None => Ok(()),
                }
            }
        }
    )*};
}

beginnings! { ExportEntriesResponse ExportProcessingsResponse ExportTransactionsResponse }

/// Answers about no person and no entry: nothing of them is in the log.
macro_rules! plain {
    ($($answer:ident)*) => {$(
        impl Answer for v1::$answer {
            fn check(&self, _expected: &Expected<'_>) -> Checked {
                Ok(())
            }
        }
    )*};
}

plain! {
    GetCheckpointResponse GetConsistencyResponse GetMyCertificateResponse ListCertificatesResponse
    CheckCertificatesResponse ListEnrolmentsResponse ListIssuedCertificatesResponse RenewCertificateResponse
    GetRetentionResponse ListErasuresResponse ListPartiesResponse ListProposalsResponse ListPurposesResponse
}

impl Answer for v1::ProposeErasureResponse {
    fn check(&self, expected: &Expected<'_>) -> Checked {
        use v1::propose_erasure_response::Outcome;
        match &self.outcome {
            Some(Outcome::Proposed(told)) => {
                proved(expected, EntryType::Restriction, told.receipt.as_ref())
            }
            Some(Outcome::Retained(told)) => {
                proved(expected, EntryType::LookUp, told.receipt.as_ref())
            }
            None => missing("outcome"),
        }
    }
}

impl Answer for v1::ApproveErasureResponse {
    fn check(&self, expected: &Expected<'_>) -> Checked {
        use v1::approve_erasure_response::Outcome;
        match &self.outcome {
            Some(Outcome::Erased(told)) => {
                proved(expected, EntryType::Restriction, told.receipt.as_ref())
            }
            Some(Outcome::Retained(told)) => {
                proved(expected, EntryType::LookUp, told.receipt.as_ref())
            }
            Some(Outcome::NotDisclosed(denial)) => denied(denial),
            None => missing("outcome"),
        }
    }
}

impl Answer for v1::AskResponse {
    fn check(&self, expected: &Expected<'_>) -> Checked {
        match &self.outcome {
            Some(v1::ask_response::Outcome::Disclosed(told)) => {
                disclosed(expected, EntryType::Disclosure, told)
            }
            Some(v1::ask_response::Outcome::NotDisclosed(denial)) => denied(denial),
            None => missing("outcome"),
        }
    }
}

impl Answer for v1::AskBatchResponse {
    fn check(&self, expected: &Expected<'_>) -> Checked {
        self.answers.iter().try_for_each(|one| one.check(expected))
    }
}

impl Answer for v1::PullResponse {
    fn check(&self, expected: &Expected<'_>) -> Checked {
        self.messages.iter().try_for_each(|one| one.check(expected))
    }
}

impl Answer for v1::Message {
    fn check(&self, expected: &Expected<'_>) -> Checked {
        match &self.content {
            Some(v1::message::Content::Disclosed(told)) => {
                disclosed(expected, EntryType::Delivery, told)
            }
            Some(v1::message::Content::Notice(notice)) => {
                proved(expected, EntryType::Notice, notice.receipt.as_ref())
            }
            None => missing("content"),
        }
    }
}

impl Answer for v1::AcknowledgeResponse {
    fn check(&self, expected: &Expected<'_>) -> Checked {
        self.receipts
            .iter()
            .try_for_each(|receipt| proved(expected, EntryType::Acknowledgement, Some(receipt)))
    }
}

impl Answer for v1::ListHandedOverResponse {
    fn check(&self, expected: &Expected<'_>) -> Checked {
        let mut after = None;
        for receipt in &self.handed_over {
            expected.check_handed_over(receipt)?;
            if after >= Some(receipt.index) {
                return missing("order of the log in what was handed over");
            }
            after = Some(receipt.index);
        }
        proved(expected, EntryType::LookUp, self.receipt.as_ref())
    }
}

impl Answer for v1::GetReceiptResponse {
    /// The receipt may be of any entry, under a head that was published a while ago.
    fn check(&self, expected: &Expected<'_>) -> Checked {
        let proof = self.proof.as_ref().ok_or(Incomplete { what: "proof" });
        expected.check_place_ever(proof.map_err(Fault::Incomplete)?)?;
        match &self.receipt {
            Some(receipt) => proved(expected, EntryType::LookUp, Some(receipt)),
            None => Ok(()),
        }
    }
}

impl Answer for v1::GetEntryResponse {
    /// The entry may be anybody's, and is then not proved to an officer; the look-up is the caller's own.
    fn check(&self, expected: &Expected<'_>) -> Checked {
        if let Some(proof) = &self.proof {
            expected.check_place(proof)?;
        }
        proved(expected, EntryType::LookUp, self.receipt.as_ref())
    }
}

fn proved(expected: &Expected<'_>, kind: EntryType, receipt: Option<&v1::Receipt>) -> Checked {
    match receipt {
        Some(receipt) => {
            expected.check(kind, receipt)?;
            Ok(())
        }
        None => missing("receipt"),
    }
}

fn disclosed(expected: &Expected<'_>, kind: EntryType, told: &v1::Disclosed) -> Checked {
    match &told.receipt {
        Some(receipt) => Ok(expected.check_disclosed(kind, receipt, told)?),
        None => missing("receipt"),
    }
}

fn denied(denial: &v1::NotDisclosed) -> Checked {
    if denial.reference.len() == 16 {
        Ok(())
    } else {
        missing("reference of 16 bytes")
    }
}

const fn missing(what: &'static str) -> Checked {
    Err(Fault::Incomplete(Incomplete { what }))
}
