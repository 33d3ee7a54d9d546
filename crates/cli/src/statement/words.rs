//! Codes in the words of the person.

use super::{Basis, Consent, Language, Line};

impl Language {
    /// The text in this language.
    pub(super) const fn of(self, nl: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Nl => nl,
            Self::En => en,
        }
    }

    /// What BCP 47 calls it.
    pub(super) const fn tag(self) -> &'static str {
        self.of("nl", "en")
    }

    fn word(
        self,
        code: &str,
        words: &[(&str, &'static str, &'static str)],
    ) -> Option<&'static str> {
        let found = words.iter().find(|(known, ..)| *known == code);
        found.map(|(_, nl, en)| self.of(nl, en))
    }

    /// Conditions, in one line.
    pub(super) fn conditions(self, codes: &[String]) -> String {
        let words = codes.iter().map(|code| {
            let word = self.word(code, CONDITIONS);
            word.map_or_else(|| code.clone(), str::to_owned)
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// What it was for.
    pub(super) fn purpose(self, line: &Line) -> String {
        let code = line.purpose.as_deref().unwrap_or_default();
        self.purpose_named(code, line.purpose_title.as_deref())
    }

    /// What a consent is for.
    pub(super) fn purposes(self, consent: &Consent) -> String {
        let titles = consent
            .purpose_titles
            .iter()
            .map(|title| Some(title.as_str()));
        let titles = titles.chain(std::iter::repeat(None));
        let named = consent.purposes.iter().zip(titles);
        let named = named.map(|(code, title)| self.purpose_named(code, title));
        named.collect::<Vec<_>>().join("; ")
    }

    /// In our words where we know the purpose, else in those of whoever registered it.
    fn purpose_named(self, code: &str, title: Option<&str>) -> String {
        let words = self.word(code, PURPOSES).or(title);
        words.unwrap_or(code).to_owned()
    }

    /// Why it is allowed.
    pub(super) fn bases(self, bases: &[Basis]) -> String {
        let words = bases.iter().map(|basis| {
            let word = self.word(&basis.basis, BASES);
            let word = word.unwrap_or(&basis.basis);
            if basis.law_ref.is_empty() || basis.basis.contains("CONSENT") {
                word.to_owned()
            } else {
                format!("{word} ({})", basis.law_ref)
            }
        });
        words.collect::<Vec<_>>().join("; ")
    }

    /// How much was told.
    pub(super) fn granularity(self, code: Option<&String>) -> &'static str {
        code.and_then(|code| self.word(code, GRANULARITIES))
            .unwrap_or_default()
    }

    /// How a consent stands.
    pub(super) fn state(self, code: &str) -> &'static str {
        self.word(code, STATES).unwrap_or_default()
    }

    /// What kind of yes a consent is.
    pub(super) fn consent_kind(self, code: &str) -> &'static str {
        self.word(code, CONSENT_KINDS).unwrap_or_default()
    }

    /// What else was recorded.
    pub(super) fn recorded(self, line: &Line) -> String {
        if let Some(partner) = &line.partner {
            let name = &partner.name;
            return match self {
                Self::Nl => format!("Een code gemaakt waarmee {name} u leert kennen"),
                Self::En => format!("Made a code by which {name} gets to know you"),
            };
        }
        let words = self.word(&line.kind, RECORDED);
        let other = || {
            self.of(
                "Er is iets anders opgeschreven",
                "Something else was written down",
            )
        };
        words.unwrap_or_else(other).to_owned()
    }

    /// Why lines were erased.
    pub(super) fn erased(self, rule: &str) -> &'static str {
        self.word(rule, ERASED)
            .unwrap_or_else(|| self.of("omdat dat moet", "because they must be"))
    }

    /// Why somebody was notified.
    pub(super) fn notice(self, code: &str) -> &'static str {
        self.word(code, NOTICES).unwrap_or_default()
    }
}

const CONDITIONS: &[(&str, &str, &str)] = &[
    (
        "IDENTITY_DOCUMENT",
        "identiteitsbewijs",
        "identity document",
    ),
    ("HOUSING", "wonen", "housing"),
    ("INCOME", "werk en inkomen", "work and income"),
    ("DEBT", "schulden", "debts"),
    ("CARE", "zorg", "care"),
    ("CARE_INSURANCE", "zorgverzekering", "care insurance"),
];

const PURPOSES: &[(&str, &str, &str)] = &[
    (
        "P-PLAN",
        "samen uw plan maken voor na de detentie",
        "making your plan together for the time after detention",
    ),
    (
        "P-RELEASE-HANDOVER",
        "uw zaken overdragen als u vrijkomt",
        "handing over your affairs when you are released",
    ),
    (
        "P-ARRANGE-ID",
        "een identiteitsbewijs regelen",
        "arranging an identity document",
    ),
    (
        "P-ARRANGE-HOUSING",
        "een plek om te wonen regelen",
        "arranging a place to stay",
    ),
    (
        "P-ARRANGE-INCOME",
        "werk of inkomen regelen",
        "arranging work or income",
    ),
    (
        "P-ARRANGE-DEBT",
        "hulp bij schulden regelen",
        "arranging help with debts",
    ),
    ("P-ARRANGE-CARE", "zorg regelen", "arranging care"),
    (
        "P-ARRANGE-CARE-INSURANCE",
        "een zorgverzekering regelen",
        "arranging care insurance",
    ),
    (
        "P-FOLLOWUP",
        "later kijken hoe het gaat",
        "seeing later how it goes",
    ),
    (
        "P-DETENTION-DATES",
        "de gemeente laten weten wanneer u vrijkomt",
        "telling the municipality when you are released",
    ),
    (
        "P-STATISTICS",
        "tellen hoeveel mensen hulp krijgen",
        "counting how many people get help",
    ),
    (
        "P-ACCOUNTABILITY",
        "controleren of alles goed gaat en u antwoord geven",
        "checking that all is well, and answering you",
    ),
];

const BASES: &[(&str, &str, &str)] = &[
    ("CONSENT_AVG_6_1_A", "uw toestemming", "your consent"),
    (
        "EXPLICIT_CONSENT_AVG_9_2_A",
        "uw uitdrukkelijke toestemming",
        "your explicit consent",
    ),
    (
        "LEGAL_OBLIGATION_6_1_C",
        "een plicht in de wet",
        "a legal obligation",
    ),
    (
        "PUBLIC_TASK_6_1_E",
        "een taak van de overheid in de wet",
        "a task of public bodies in law",
    ),
    ("PBW_18A", "de wet over gevangenissen", "the law on prisons"),
    (
        "WJSG_51C_2_A",
        "de wet over gegevens van justitie",
        "the law on judicial data",
    ),
    (
        "WJSG_51C_2_B",
        "de wet over gegevens van justitie",
        "the law on judicial data",
    ),
    (
        "WJSG_51C_2_C",
        "de wet over gegevens van justitie",
        "the law on judicial data",
    ),
    (
        "WJSG_51C_2_D",
        "de wet over gegevens van justitie",
        "the law on judicial data",
    ),
    (
        "WJSG_51C_2_E",
        "de wet over gegevens van justitie",
        "the law on judicial data",
    ),
    (
        "UAVG_30_2_B",
        "de wet over gegevens van gezondheid",
        "the law on data concerning health",
    ),
    (
        "WGS",
        "de wet over samenwerken met gegevens",
        "the law on cooperation with data",
    ),
];

const GRANULARITIES: &[(&str, &str, &str)] = &[
    (
        "SIGNAL",
        "alleen of u hulp nodig hebt",
        "only whether you need help",
    ),
    ("STATUS", "hoe het ermee staat", "how it stands"),
    (
        "STATUS_WITH_DATES",
        "hoe het ermee staat, met datums",
        "how it stands, with dates",
    ),
];

const STATES: &[(&str, &str, &str)] = &[
    (
        "REQUESTED",
        "gevraagd, u hebt nog niet geantwoord",
        "asked, you have not answered yet",
    ),
    (
        "DEFERRED",
        "u wilt later antwoorden",
        "you want to answer later",
    ),
    ("REFUSED", "u hebt nee gezegd", "you said no"),
    ("GIVEN", "u hebt ja gezegd", "you said yes"),
    ("RENEWED", "u hebt opnieuw ja gezegd", "you said yes again"),
    (
        "WITHDRAWN",
        "u hebt de toestemming gestopt",
        "you stopped it",
    ),
    (
        "REVOKED",
        "een organisatie heeft de toestemming gestopt",
        "an organisation stopped it",
    ),
    (
        "EXPIRED",
        "voorbij: de einddatum is geweest",
        "over: its last day has passed",
    ),
    (
        "INVALIDATED",
        "bleek niet geldig",
        "turned out not to be valid",
    ),
];

const CONSENT_KINDS: &[(&str, &str, &str)] = &[
    ("PROCESSING_BASIS", "gegevens delen", "sharing data"),
    (
        "SECRECY_WAIVER",
        "iets vertellen dat anders geheim is",
        "telling what is otherwise secret",
    ),
    ("SERVICE_AGREEMENT", "hulp krijgen", "getting help"),
];

const RECORDED: &[(&str, &str, &str)] = &[
    (
        "CONSENT",
        "Opgeschreven of u toestemming geeft",
        "Written down whether you consent",
    ),
    (
        "CONSENT_ENDED",
        "Opgeschreven dat een toestemming is gestopt",
        "Written down that a consent was stopped",
    ),
    (
        "RESTRICTION",
        "Opgeschreven dat uw gegevens tijdelijk niet, of weer wel, gebruikt mogen worden",
        "Written down that your data may for a time not be used, or may again",
    ),
    (
        "CASE",
        "Er is veranderd wie aan uw traject meedoet",
        "Who takes part in your trajectory has changed",
    ),
    (
        "CASE_OPENED",
        "Uw traject is begonnen",
        "Your trajectory was begun",
    ),
    (
        "CASE_CLOSED",
        "Uw traject is gestopt",
        "Your trajectory was ended",
    ),
    (
        "REDEEMED",
        "U hebt een code aan deze organisatie gegeven. Zij kent u nu",
        "You gave this organisation a code. It knows you now",
    ),
    (
        "NOTICE",
        "Verteld dat er iets is veranderd aan wat eerder is gedeeld",
        "Told that something changed in what was shared before",
    ),
];

const ERASED: &[(&str, &str, &str)] = &[
    (
        "RETENTION_OVER",
        "omdat ze lang genoeg zijn bewaard",
        "because they were kept long enough",
    ),
    (
        "RECORD_OVER",
        "omdat uw traject of toestemming al een tijd geleden is gestopt",
        "because your trajectory or consent ended some time ago",
    ),
];

const NOTICES: &[(&str, &str, &str)] = &[
    (
        "WITHDRAWAL",
        "u hebt uw toestemming gestopt",
        "you stopped your consent",
    ),
    (
        "CORRECTION",
        "er stond iets verkeerd",
        "something was wrong",
    ),
    (
        "RESTRICTION",
        "uw gegevens mogen tijdelijk niet gebruikt worden",
        "your data may for a time not be used",
    ),
    (
        "RECALL",
        "de gegevens gingen over iemand anders",
        "the data were about somebody else",
    ),
];
