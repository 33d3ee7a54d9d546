//! The six reasons that nobody may be able to tell apart, and persons to whom each applies.

use std::fmt;

use anyhow::{Result, ensure};
use prost::{Message as _, bytes::Bytes};
use schakel_api::v1;
use schakel_core::decide::Reason;
use serde::Serialize;

use crate::bench::people::{self, Consenting, Preparing};

/// The partner that asks, by citizen service number.
pub(super) const PARTNER: &str = "zorg-midden";
/// The condition asked about.
pub(super) const CONDITION: v1::Condition = v1::Condition::CareInsurance;
const PURPOSE: &str = "P-ARRANGE-CARE-INSURANCE";

/// Why a question is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Class {
    /// Nobody has heard of the person.
    Unknown,
    /// The person did not consent.
    NoConsent,
    /// The consent has expired.
    Expired,
    /// The consent was withdrawn.
    Withdrawn,
    /// The consent is for something else.
    OutsideScope,
    /// The partner has no place in the case.
    NotParty,
}

impl Class {
    /// All of them.
    pub(super) const ALL: [Self; 6] = [
        Self::Unknown,
        Self::NoConsent,
        Self::Expired,
        Self::Withdrawn,
        Self::OutsideScope,
        Self::NotParty,
    ];

    /// What the trail says of such a denial.
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::Unknown => Reason::SubjectUnknown,
            Self::NoConsent | Self::OutsideScope => Reason::ConsentMissing,
            Self::Expired => Reason::ConsentExpired,
            Self::Withdrawn => Reason::ConsentWithdrawn,
            Self::NotParty => Reason::NotCaseParty,
        }
    }

    /// Makes the reason apply to a person.
    async fn prepare(self, preparing: &Preparing, number: &str) -> Result<()> {
        if self == Self::Unknown {
            return Ok(());
        }
        let case = preparing.open(number).await?;
        if self != Self::NotParty {
            preparing
                .introduce(case, &format!("client-{number}"))
                .await?;
        }
        let whole = Consenting {
            condition: CONDITION,
            purpose: PURPOSE,
            given_days_ago: 10,
            holds_days: 90,
        };
        match self {
            Self::Unknown | Self::NoConsent => Ok(()),
            Self::Expired => {
                preparing
                    .consent(
                        number,
                        Consenting {
                            holds_days: 9,
                            ..whole
                        },
                    )
                    .await
            }
            Self::NotParty => preparing.consent(number, whole).await,
            Self::OutsideScope => {
                let other = Consenting {
                    condition: v1::Condition::Care,
                    purpose: "P-ARRANGE-CARE",
                    ..whole
                };
                preparing.consent(number, other).await
            }
            Self::Withdrawn => {
                preparing.consent(number, whole).await?;
                preparing.withdraw(number).await
            }
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unknown => "unknown person",
            Self::NoConsent => "no consent",
            Self::Expired => "consent expired",
            Self::Withdrawn => "consent withdrawn",
            Self::OutsideScope => "outside its scope",
            Self::NotParty => "not a party to the case",
        })
    }
}

/// The questions of one class, encoded, one a person.
pub(super) type Questions = Vec<(Class, Vec<Bytes>)>;

/// Makes persons known, and gives what is asked about them. All questions have the same size.
pub(super) async fn prepare(preparing: &Preparing, persons: u32) -> Result<Questions> {
    let mut numbers = people::numbers();
    let count = usize::try_from(persons)?;
    let mut questions = Vec::new();
    for class in Class::ALL {
        let numbers: Vec<_> = numbers.by_ref().take(count).collect();
        questions.push((
            class,
            numbers.iter().map(|number| question(number)).collect(),
        ));
        people::each(numbers, |number| {
            let preparing = preparing.clone();
            async move { class.prepare(&preparing, &number).await }
        })
        .await?;
    }
    let sizes = questions
        .iter()
        .flat_map(|(_, questions): &(_, Vec<Bytes>)| questions);
    let mut sizes: Vec<_> = sizes.map(Bytes::len).collect();
    sizes.dedup();
    ensure!(sizes.len() == 1, "the questions differ in size");
    Ok(questions)
}

fn question(number: &str) -> Bytes {
    let ask = v1::AskRequest {
        actor: people::actor(),
        item: Some(v1::AskItem {
            subject: Some(people::subject(v1::subject_ref::Reference::Bsn(
                number.to_owned(),
            ))),
            purpose: PURPOSE.to_owned(),
            purpose_version: None,
            conditions: vec![CONDITION.into()],
            granularity: v1::Granularity::Signal.into(),
        }),
    };
    ask.encode_to_vec().into()
}
