//! What is disclosed, and the code of an introduction.

use prost::Message as _;
use schakel_api::v1;
use serde::Serialize;

use super::{Contact, LegalBasis, Receipt, all};
use crate::{
    code::{short, spoken},
    exit::{Exit, Failure},
    instant,
    output::View,
    page::Page,
};

/// A disclosure with what proves it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Disclosed {
    disclosure: Disclosure,
    salt: String,
    receipt: Option<Receipt>,
}

/// What is told.
#[derive(Clone, Debug, Serialize)]
struct Disclosure {
    purpose: String,
    purpose_version: u32,
    items: Vec<Item>,
    regime: String,
    retention_days: u32,
}

/// What is told of one condition.
#[derive(Clone, Debug, Serialize)]
struct Item {
    condition: String,
    #[serde(flatten)]
    told: Option<Told>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moment: Option<String>,
    counterpart_party_id: String,
    contact: Option<Contact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_basis: Option<LegalBasis>,
    recipient_basis: Option<LegalBasis>,
}

/// As much as may be told.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    HelpNeeded(bool),
    Status(String),
    Dated {
        status: String,
        as_of: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<String>,
    },
}

/// A code to hand over.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Introduction {
    code: String,
    valid_until: Option<String>,
    receipt: Option<Receipt>,
}

impl TryFrom<v1::Disclosed> for Disclosed {
    type Error = Failure;

    fn try_from(disclosed: v1::Disclosed) -> Result<Self, Failure> {
        let disclosure = v1::Disclosure::decode(&*disclosed.disclosure)
            .map_err(|_| Failure::new(Exit::Unproved, "What was disclosed cannot be read."))?;
        Ok(Self {
            disclosure: disclosure.into(),
            salt: hex::encode(&disclosed.salt),
            receipt: disclosed.receipt.map(Receipt::from),
        })
    }
}

impl From<v1::Disclosure> for Disclosure {
    fn from(disclosure: v1::Disclosure) -> Self {
        Self {
            purpose: disclosure.purpose,
            purpose_version: disclosure.purpose_version,
            items: all(disclosure.items),
            regime: short::<v1::Regime>(disclosure.regime),
            retention_days: disclosure.retention_days,
        }
    }
}

impl From<v1::DisclosedItem> for Item {
    fn from(item: v1::DisclosedItem) -> Self {
        Self {
            condition: short::<v1::Condition>(item.condition),
            told: item.told.map(Told::from),
            moment: item.moment.map(short::<v1::Moment>),
            counterpart_party_id: item.counterpart_party_id,
            contact: item.contact.map(Contact::from),
            provider_basis: item.provider_basis.map(LegalBasis::from),
            recipient_basis: item.recipient_basis.map(LegalBasis::from),
        }
    }
}

impl From<v1::disclosed_item::Told> for Told {
    fn from(told: v1::disclosed_item::Told) -> Self {
        use v1::disclosed_item::Told as Sent;
        match told {
            Sent::HelpNeeded(needed) => Self::HelpNeeded(needed),
            Sent::Status(status) => Self::Status(short::<v1::ConditionStatus>(status)),
            Sent::Dated(dated) => Self::Dated {
                status: short::<v1::ConditionStatus>(dated.status),
                as_of: dated.as_of,
                expected: dated.expected,
            },
        }
    }
}

impl From<v1::Introduction> for Introduction {
    fn from(introduction: v1::Introduction) -> Self {
        Self {
            code: introduction.code,
            valid_until: instant::shown_if(introduction.valid_until.as_ref()),
            receipt: introduction.receipt.map(Receipt::from),
        }
    }
}

impl View for Disclosed {
    fn write(&self, page: &mut Page) {
        let Disclosure {
            purpose,
            purpose_version,
            items,
            regime,
            retention_days,
        } = &self.disclosure;
        page.line(&format!(
            "Disclosed for {purpose}, version {purpose_version}:"
        ));
        page.blank();
        page.indented(|page| {
            for item in items {
                item.write(page);
                page.blank();
            }
        });
        let days = if *retention_days == 1 { "day" } else { "days" };
        page.line(&format!(
            "Held under the {regime}; keep it for {retention_days} {days}, no longer."
        ));
        Receipt::write(self.receipt.as_ref(), page);
    }
}

impl Item {
    fn write(&self, page: &mut Page) {
        let told = self.told.as_ref().map(Told::spoken).unwrap_or_default();
        page.pair(&spoken(&self.condition), &told);
        page.indented(|page| {
            page.pair_if("moment", self.moment.as_deref().map(spoken).as_deref());
            let contact = self
                .contact
                .as_ref()
                .map(Contact::spoken)
                .unwrap_or_default();
            page.pair(
                "talk to",
                &format!("{}: {contact}", self.counterpart_party_id),
            );
            let basis = |basis: &Option<LegalBasis>| basis.as_ref().map(LegalBasis::spoken);
            page.pair_if("provided under", basis(&self.provider_basis).as_deref());
            page.pair_if("received under", basis(&self.recipient_basis).as_deref());
        });
    }
}

impl Told {
    fn spoken(&self) -> String {
        match self {
            Self::HelpNeeded(true) => "help is needed".to_owned(),
            Self::HelpNeeded(false) => "no help is needed".to_owned(),
            Self::Status(status) => spoken(status),
            Self::Dated {
                status,
                as_of,
                expected,
            } => {
                let expected = expected.as_ref().map(|day| format!(", expected by {day}"));
                format!(
                    "{}, as of {as_of}{}",
                    spoken(status),
                    expected.unwrap_or_default()
                )
            }
        }
    }
}

impl View for Introduction {
    fn write(&self, page: &mut Page) {
        page.line("Hand this code to the person; it works once:");
        page.blank();
        page.indented(|page| page.line(&self.code));
        page.blank();
        if let Some(until) = &self.valid_until {
            page.line(&format!("It works until {}.", instant::spoken(until)));
        }
        Receipt::write(self.receipt.as_ref(), page);
    }
}
