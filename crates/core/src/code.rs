//! The coded values of the field. Every code list is closed; an unknown code is refused, never guessed.

/// Defines a closed code list with its texts, the same in files, logs and on the command line.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident, $rule:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::invalid::Invalid;

            fn from_str(text: &str) -> Result<Self, $crate::invalid::Invalid> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or($crate::invalid::Invalid::new($rule))
            }
        }
    };
}
pub(crate) use codes;

codes! {
    /// A basic condition for a life after detention, plus care insurance, which can be shared without touching care.
    Condition, "must be one of IDENTITY_DOCUMENT, HOUSING, INCOME, DEBT, CARE, CARE_INSURANCE" {
        /// A valid identity document.
        IdentityDocument = "IDENTITY_DOCUMENT",
        /// A place to stay.
        Housing = "HOUSING",
        /// Work or another lawful income.
        Income = "INCOME",
        /// Insight in debts and a plan for them.
        Debt = "DEBT",
        /// Care. Data on health (AVG 9): restricted.
        Care = "CARE",
        /// Care insurance.
        CareInsurance = "CARE_INSURANCE",
    }
}

codes! {
    /// How a condition stands, seen from the day of release. Says nothing of the facts behind it.
    Status, "must be one of NOT_ASSESSED, IN_ORDER, ACTION_NEEDED, IN_PROGRESS, ARRANGED, UNRESOLVED, HELP_DECLINED" {
        /// Nobody has looked yet.
        NotAssessed = "NOT_ASSESSED",
        /// No help needed.
        InOrder = "IN_ORDER",
        /// Something must be done and nothing runs yet.
        ActionNeeded = "ACTION_NEEDED",
        /// Applied for, referred, being planned.
        InProgress = "IN_PROGRESS",
        /// Settled by the day of release.
        Arranged = "ARRANGED",
        /// Not settled on the day of release.
        Unresolved = "UNRESOLVED",
        /// The person declined help. Told only to the party that offered it.
        HelpDeclined = "HELP_DECLINED",
    }
}

impl Status {
    /// Whether help is needed: what a [`Granularity::Signal`] says. `None` when there is nothing to say.
    #[must_use]
    pub const fn signal(self) -> Option<bool> {
        match self {
            Self::ActionNeeded | Self::InProgress | Self::Unresolved => Some(true),
            Self::InOrder | Self::Arranged | Self::HelpDeclined => Some(false),
            Self::NotAssessed => None,
        }
    }
}

codes! {
    /// The moment in the trajectory that a status describes.
    Moment, "must be one of ENTRY, RELEASE, SIX_MONTHS, TWELVE_MONTHS, INTERIM" {
        /// The situation before detention, taken at entry.
        Entry = "ENTRY",
        /// The day of release.
        Release = "RELEASE",
        /// Six months after release.
        SixMonths = "SIX_MONTHS",
        /// Twelve months after release.
        TwelveMonths = "TWELVE_MONTHS",
        /// Any time between.
        Interim = "INTERIM",
    }
}

codes! {
    /// How much a disclosure says, from least to most.
    Granularity, "must be one of SIGNAL, STATUS, STATUS_WITH_DATES" {
        /// Only whether help is needed.
        Signal = "SIGNAL",
        /// One of the seven status codes.
        Status = "STATUS",
        /// The code with its as-of day and expected day.
        StatusWithDates = "STATUS_WITH_DATES",
    }
}

codes! {
    /// The regime under which data are processed.
    Regime, "must be AVG or WJSG" {
        /// The General Data Protection Regulation.
        Avg = "AVG",
        /// Wet justitiële en strafvorderlijke gegevens.
        Wjsg = "WJSG",
    }
}

codes! {
    /// What a party is. The registry says it, never a certificate.
    Role, "must be one of PI, MUNICIPALITY, PROBATION, CARE_PROVIDER, UWV, HOUSING_ASSOCIATION, DEBT_COUNSELLOR, SAFETY_HOUSE, PRIVACY_OFFICER, AUDITOR, ADMINISTRATOR, BROKER" {
        /// A penitentiary institution.
        Pi = "PI",
        /// A municipality.
        Municipality = "MUNICIPALITY",
        /// A probation organisation.
        Probation = "PROBATION",
        /// A care provider.
        CareProvider = "CARE_PROVIDER",
        /// The employee insurance agency.
        Uwv = "UWV",
        /// A housing association.
        HousingAssociation = "HOUSING_ASSOCIATION",
        /// A debt counsellor.
        DebtCounsellor = "DEBT_COUNSELLOR",
        /// A care and safety house (Zorg- en Veiligheidshuis).
        SafetyHouse = "SAFETY_HOUSE",
        /// The privacy officer (FG) of one controller.
        PrivacyOfficer = "PRIVACY_OFFICER",
        /// An independent auditor: leaves and proofs only.
        Auditor = "AUDITOR",
        /// An administrator of the registry: no content.
        Administrator = "ADMINISTRATOR",
        /// The broker itself.
        Broker = "BROKER",
    }
}

impl Role {
    /// Whether the role may know that somebody is or was detained by the nature of its task
    /// (Pbw 18a: PI, municipality, probation). To every other role metadata that tell of it are dropped.
    #[must_use]
    pub const fn knows_of_detention(self) -> bool {
        matches!(self, Self::Pi | Self::Municipality | Self::Probation)
    }

    /// Whether parties of this role take part in the exchange, and not only look on or keep it running.
    #[must_use]
    pub const fn is_partner(self) -> bool {
        !matches!(
            self,
            Self::PrivacyOfficer | Self::Auditor | Self::Administrator | Self::Broker
        )
    }

    /// Whether parties of this role may record a consent and take a withdrawal.
    #[must_use]
    pub const fn collects_consent(self) -> bool {
        self.is_partner()
    }

    /// Whether the role may name a person by citizen service number (Wabb 10–11; Wabvpz 4–9).
    #[must_use]
    pub const fn may_use_bsn(self) -> bool {
        matches!(
            self,
            Self::Pi | Self::Municipality | Self::CareProvider | Self::Uwv | Self::PrivacyOfficer
        )
    }

    /// Whether the role may name a person by the key of criminal justice (SKN).
    #[must_use]
    pub const fn may_use_skn(self) -> bool {
        matches!(self, Self::Pi | Self::Probation)
    }
}

codes! {
    /// A legal basis for providing or for receiving.
    Basis, "must be one of CONSENT_AVG_6_1_A, EXPLICIT_CONSENT_AVG_9_2_A, LEGAL_OBLIGATION_6_1_C, PUBLIC_TASK_6_1_E, PBW_18A, WJSG_51C_2_A, WJSG_51C_2_B, WJSG_51C_2_C, WJSG_51C_2_D, WJSG_51C_2_E, UAVG_30_2_B, WGS" {
        /// Consent (AVG 6(1)(a)).
        Consent = "CONSENT_AVG_6_1_A",
        /// Explicit consent (AVG 9(2)(a)).
        ExplicitConsent = "EXPLICIT_CONSENT_AVG_9_2_A",
        /// A legal obligation (AVG 6(1)(c)).
        LegalObligation = "LEGAL_OBLIGATION_6_1_C",
        /// A task in the public interest or official authority (AVG 6(1)(e)).
        PublicTask = "PUBLIC_TASK_6_1_E",
        /// Penitentiaire beginselenwet 18a.
        Pbw18a = "PBW_18A",
        /// Wjsg 51c(2)(a).
        Wjsg51c2a = "WJSG_51C_2_A",
        /// Wjsg 51c(2)(b).
        Wjsg51c2b = "WJSG_51C_2_B",
        /// Wjsg 51c(2)(c): debt help or resocialisation of the person concerned.
        Wjsg51c2c = "WJSG_51C_2_C",
        /// Wjsg 51c(2)(d).
        Wjsg51c2d = "WJSG_51C_2_D",
        /// Wjsg 51c(2)(e).
        Wjsg51c2e = "WJSG_51C_2_E",
        /// UAVG 30(2)(b).
        Uavg30_2b = "UAVG_30_2_B",
        /// Wet gegevensverwerking door samenwerkingsverbanden.
        Wgs = "WGS",
    }
}

impl Basis {
    /// Whether the basis is a consent of the person.
    #[must_use]
    pub const fn is_consent(self) -> bool {
        matches!(self, Self::Consent | Self::ExplicitConsent)
    }

    /// Whether naming the basis would tell that the person is or was detained.
    #[must_use]
    pub const fn tells_of_detention(self) -> bool {
        self.is_wjsg_51c() || matches!(self, Self::Pbw18a | Self::Uavg30_2b)
    }

    /// Whether the basis is one of Wjsg 51c(2), which asks for the five-step checklist.
    #[must_use]
    pub const fn is_wjsg_51c(self) -> bool {
        matches!(
            self,
            Self::Wjsg51c2a | Self::Wjsg51c2b | Self::Wjsg51c2c | Self::Wjsg51c2d | Self::Wjsg51c2e
        )
    }
}

codes! {
    /// The ground for processing data that reveal detention (AVG 10, UAVG 31 to 33).
    CriminalDataGround, "must be one of UAVG_32_A, UAVG_33_1_A, UAVG_33_1_B" {
        /// Explicit consent (UAVG 32(a)).
        Uavg32a = "UAVG_32_A",
        /// Obtained under the Wpg or the Wjsg (UAVG 33(1)(a)).
        Uavg33_1a = "UAVG_33_1_A",
        /// Public-law cooperation (UAVG 33(1)(b)).
        Uavg33_1b = "UAVG_33_1_B",
    }
}

codes! {
    /// The ground for processing data on health (AVG 9(2), UAVG 30).
    Art9Ground, "must be one of AVG_9_2_A, AVG_9_2_G, AVG_9_2_H, UAVG_30_2_B, UAVG_30_3_A" {
        /// Explicit consent (AVG 9(2)(a)).
        Avg9_2a = "AVG_9_2_A",
        /// Substantial public interest (AVG 9(2)(g)).
        Avg9_2g = "AVG_9_2_G",
        /// Provision of care (AVG 9(2)(h)).
        Avg9_2h = "AVG_9_2_H",
        /// Statutory task of probation (UAVG 30(2)(b)); that of the execution of detention is (c), and has no code here.
        Uavg30_2b = "UAVG_30_2_B",
        /// Proper care by helpers under secrecy (UAVG 30(3)(a)).
        Uavg30_3a = "UAVG_30_3_A",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_its_text() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().unwrap(), *role);
        }
        for basis in Basis::ALL {
            assert_eq!(basis.as_str().parse::<Basis>().unwrap(), *basis);
        }
        assert!("UNSPECIFIED".parse::<Status>().is_err());
        assert!("housing".parse::<Condition>().is_err());
    }

    #[test]
    fn a_signal_says_only_whether_help_is_needed() {
        let told: Vec<_> = Status::ALL.iter().map(|status| status.signal()).collect();
        let expected = [
            None,
            Some(false),
            Some(true),
            Some(true),
            Some(false),
            Some(true),
            Some(false),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn granularity_is_ordered_from_least_to_most() {
        assert!(Granularity::Signal < Granularity::Status);
        assert!(Granularity::Status < Granularity::StatusWithDates);
    }
}
