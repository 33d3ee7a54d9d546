//! Which role may call which method: the whole access table. A method that does not stand here is refused.
//!
//! The table says what `proto/` says in the comment of each method, and a test holds the two together. It is asked
//! when a call comes in, and again at the call's place in the log, by when the party may have lost the role. It opens
//! the door only; what may then be done with which case or consent is decided in log order.

use schakel_core::{code::Role, party::Peer};

use Admits::{Anyone, Party, Roles};
use Role::{
    Administrator, Auditor, CareProvider, DebtCounsellor, HousingAssociation, Municipality, Pi,
    PrivacyOfficer, Probation, SafetyHouse, Uwv,
};

/// A method and who may call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its path in a request, such as `/schakel.v1.CasesService/OpenCase`.
    pub path: &'static str,
    /// Its name in logs, metrics and the trail: the path without slash and package.
    pub name: &'static str,
    /// Who may call it.
    pub admits: Admits,
    /// Whether its answer is a stream.
    pub streams: bool,
    /// Whether it is admitted past every quota and for a suspended party: the withdrawal of a consent.
    pub never_refused: bool,
    /// Whether it writes about somebody whom its caller names by a number: how many there are in a minute is bounded.
    pub names: bool,
}

/// Whom a method admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admits {
    /// Whoever proved a certificate.
    Anyone,
    /// Every active party.
    Party,
    /// Parties with one of these roles.
    Roles(&'static [Role]),
}

/// The roles of the parties that help: what `proto/` calls every partner.
pub const PARTNERS: &[Role] = &[
    Pi,
    Municipality,
    Probation,
    CareProvider,
    Uwv,
    HousingAssociation,
    DebtCounsellor,
    SafetyHouse,
];

const PARTNERS_AND_OFFICERS: &[Role] = &[
    Pi,
    Municipality,
    Probation,
    CareProvider,
    Uwv,
    HousingAssociation,
    DebtCounsellor,
    SafetyHouse,
    PrivacyOfficer,
];
const SECOND_ACTORS: &[Role] = &[
    Pi,
    Municipality,
    Probation,
    CareProvider,
    Uwv,
    HousingAssociation,
    DebtCounsellor,
    SafetyHouse,
    PrivacyOfficer,
    Administrator,
];
const SECOND_ACTORS_AND_AUDITORS: &[Role] = &[
    Pi,
    Municipality,
    Probation,
    CareProvider,
    Uwv,
    HousingAssociation,
    DebtCounsellor,
    SafetyHouse,
    PrivacyOfficer,
    Administrator,
    Auditor,
];
const REPORTERS: &[Role] = &[
    Pi,
    Municipality,
    Probation,
    CareProvider,
    Uwv,
    HousingAssociation,
    DebtCounsellor,
];
const REDEEMERS: &[Role] = &[
    CareProvider,
    Uwv,
    HousingAssociation,
    DebtCounsellor,
    SafetyHouse,
    Probation,
    Municipality,
];
const INSIDERS: &[Role] = &[Pi, Municipality, Probation];
const CASE_KEEPERS: &[Role] = &[Pi, Municipality];
const OFFICERS: &[Role] = &[PrivacyOfficer];
const OVERSEERS: &[Role] = &[PrivacyOfficer, Auditor, Administrator];

/// Writes a row of the table for each method.
macro_rules! methods {
    ($($package:literal $name:literal $kind:ident $admits:expr,)*) => {
        &[$(Method {
            path: concat!("/", $package, $name),
            name: $name,
            admits: $admits,
            streams: matches!(Kind::$kind, Kind::Stream),
            never_refused: matches!(Kind::$kind, Kind::NeverRefused),
            names: matches!(Kind::$kind, Kind::Naming),
        },)*]
    };
}

enum Kind {
    Naming,
    NeverRefused,
    Stream,
    Unary,
}

/// Every method, in ascending order of its path.
pub const TABLE: &[Method] = methods! {
    "grpc.health.v1." "Health/Check" Unary Anyone,
    "grpc.health.v1." "Health/Watch" Stream Anyone,
    "grpc.reflection.v1." "ServerReflection/ServerReflectionInfo" Stream Party,
    "schakel.v1." "AuditService/DecideSearch" Unary Roles(OFFICERS),
    "schakel.v1." "AuditService/ExplainEntry" Unary Roles(OFFICERS),
    "schakel.v1." "AuditService/GetAsOf" Unary Roles(OFFICERS),
    "schakel.v1." "AuditService/GetBreach" Unary Roles(OVERSEERS),
    "schakel.v1." "AuditService/GetCheckpoint" Unary Party,
    "schakel.v1." "AuditService/GetConsistency" Unary Party,
    "schakel.v1." "AuditService/GetEntry" Unary Roles(&[PrivacyOfficer, Auditor]),
    "schakel.v1." "AuditService/GetIntegrity" Unary Roles(OVERSEERS),
    "schakel.v1." "AuditService/GetReceipt" Unary Party,
    "schakel.v1." "AuditService/GetReport" Unary Roles(OFFICERS),
    "schakel.v1." "AuditService/GetStatement" Unary Roles(OFFICERS),
    "schakel.v1." "AuditService/GetUsage" Unary Roles(&[PrivacyOfficer, Administrator]),
    "schakel.v1." "AuditService/ListSearches" Unary Roles(OFFICERS),
    "schakel.v1." "AuditService/ProposeSearch" Unary Roles(OFFICERS),
    "schakel.v1." "AuditService/RecordVerification" Unary Roles(&[PrivacyOfficer, Auditor]),
    "schakel.v1." "AuditService/RecordWithholding" Naming Roles(PARTNERS),
    "schakel.v1." "AuditService/ReplayEntry" Unary Roles(OFFICERS),
    "schakel.v1." "AuditService/SearchEntries" Unary Roles(OFFICERS),
    "schakel.v1." "CasesService/AddMember" Unary Roles(CASE_KEEPERS),
    "schakel.v1." "CasesService/AssignMunicipality" Unary Roles(CASE_KEEPERS),
    "schakel.v1." "CasesService/CloseCase" Unary Roles(CASE_KEEPERS),
    "schakel.v1." "CasesService/GetCase" Unary Roles(INSIDERS),
    "schakel.v1." "CasesService/OpenCase" Naming Roles(&[Pi]),
    "schakel.v1." "CasesService/RemoveMember" Unary Roles(CASE_KEEPERS),
    "schakel.v1." "CertificatesService/AnnounceCertificate" Unary Party,
    "schakel.v1." "CertificatesService/AnswerEnrolment" Unary Roles(&[Administrator]),
    "schakel.v1." "CertificatesService/CheckCertificates" Unary Roles(&[Administrator]),
    "schakel.v1." "CertificatesService/CloseEnrolment" Unary Party,
    "schakel.v1." "CertificatesService/ConfirmEnrolment" Unary Roles(&[Administrator]),
    "schakel.v1." "CertificatesService/ListEnrolments" Unary Roles(&[Administrator]),
    "schakel.v1." "CertificatesService/ListIssuedCertificates" Unary Party,
    "schakel.v1." "CertificatesService/OpenEnrolment" Unary Roles(&[Administrator]),
    "schakel.v1." "CertificatesService/RegisterCertificate" Unary Roles(&[Administrator]),
    "schakel.v1." "CertificatesService/RenewCertificate" Unary Party,
    "schakel.v1." "CertificatesService/RevokeCertificate" Unary Roles(&[Administrator]),
    "schakel.v1." "ConsentsService/GetConsent" Unary Roles(PARTNERS),
    "schakel.v1." "ConsentsService/LiftRestriction" Unary Roles(PARTNERS_AND_OFFICERS),
    "schakel.v1." "ConsentsService/ListConsents" Unary Roles(PARTNERS),
    "schakel.v1." "ConsentsService/RecordConsent" Naming Roles(PARTNERS),
    "schakel.v1." "ConsentsService/RecordRestriction" Naming Roles(PARTNERS_AND_OFFICERS),
    "schakel.v1." "ConsentsService/WithdrawConsent" NeverRefused Roles(PARTNERS_AND_OFFICERS),
    "schakel.v1." "ExchangeService/Ask" Unary Roles(PARTNERS),
    "schakel.v1." "ExchangeService/AskBatch" Unary Roles(PARTNERS),
    "schakel.v1." "ExchangeService/GetMyRights" Unary Roles(PARTNERS),
    "schakel.v1." "ExchangeService/Introduce" Unary Roles(INSIDERS),
    "schakel.v1." "ExchangeService/Redeem" Unary Roles(REDEEMERS),
    "schakel.v1." "ExchangeService/ReportStatus" Unary Roles(REPORTERS),
    "schakel.v1." "ExportService/ExportEntries" Unary Roles(&[PrivacyOfficer, Auditor]),
    "schakel.v1." "ExportService/ExportProcessings" Unary Roles(OFFICERS),
    "schakel.v1." "ExportService/ExportTransactions" Unary Roles(PARTNERS),
    "schakel.v1." "InboxService/Acknowledge" Unary Roles(PARTNERS),
    "schakel.v1." "InboxService/Pull" Unary Roles(PARTNERS),
    "schakel.v1." "InboxService/Subscribe" Stream Roles(PARTNERS),
    "schakel.v1." "NoticesService/GetNotice" Unary Roles(PARTNERS_AND_OFFICERS),
    "schakel.v1." "ReconciliationService/CompareDigests" Unary Roles(PARTNERS),
    "schakel.v1." "ReconciliationService/ListHandedOver" Unary Roles(PARTNERS),
    "schakel.v1." "RegistryService/ApproveChange" Unary Roles(&[Administrator]),
    "schakel.v1." "RegistryService/GetMyCertificate" Unary Party,
    "schakel.v1." "RegistryService/ListCertificates" Unary Roles(&[Administrator, Auditor]),
    "schakel.v1." "RegistryService/ListParties" Unary Party,
    "schakel.v1." "RegistryService/ListProposals" Unary Roles(&[Administrator, Auditor]),
    "schakel.v1." "RegistryService/ListPurposes" Unary Party,
    "schakel.v1." "RegistryService/ProposeChange" Unary Roles(&[Administrator]),
    "schakel.v1." "RegistryService/RejectChange" Unary Roles(&[Administrator]),
    "schakel.v1." "RegistryService/Stop" Unary Roles(&[Administrator]),
    "schakel.v1." "RetentionService/AcknowledgeClock" Unary Roles(&[Administrator]),
    "schakel.v1." "RetentionService/ApproveErasure" Unary Roles(SECOND_ACTORS),
    "schakel.v1." "RetentionService/GetRetention" Unary Roles(&[PrivacyOfficer, Administrator, Auditor]),
    "schakel.v1." "RetentionService/ListErasures" Unary Roles(SECOND_ACTORS_AND_AUDITORS),
    "schakel.v1." "RetentionService/ProposeErasure" Unary Roles(OFFICERS),
    "schakel.v1." "RetentionService/RejectErasure" Unary Roles(SECOND_ACTORS),
    "schakel.v1." "RetentionService/RotateKek" Unary Roles(&[Administrator]),
};

/// The method that needs no place in the table, by name: whoever calls it has a token, and no role. It is served at an
/// address of its own, where nothing else is.
pub const BY_TOKEN: &str = "EnrolmentService/Enrol";

/// The method with this name; `None` when it does not stand in the table.
#[must_use]
pub fn named(name: &str) -> Option<&'static Method> {
    TABLE.iter().find(|method| method.name == name)
}

/// The method with this path; `None` when it does not stand in the table.
#[must_use]
pub fn method(path: &str) -> Option<&'static Method> {
    let at = TABLE
        .binary_search_by(|method| method.path.cmp(path))
        .ok()?;
    TABLE.get(at)
}

impl Method {
    /// Whether the caller may call it.
    #[must_use]
    pub fn admits(&self, peer: &Peer) -> bool {
        match self.admits {
            Anyone | Party => true,
            Roles(roles) => roles.iter().any(|role| peer.has_role(*role)),
        }
    }
}

#[cfg(test)]
mod tests;
