//! The statement for the person: as text, as a page to print, or as JSON, in Dutch of level B1 or in English.

mod block;
mod day;
mod html;
mod text;
mod words;

use schakel_api::v1;
use serde::{Serialize, Serializer};

use self::block::Block;
pub(crate) use self::day::{MONTHS_EN, MONTHS_NL, moment};
use crate::{
    code::{short, shorts},
    instant,
    output::View,
    page::Page,
    view::Receipt,
};

/// The language a statement is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// Dutch.
    Nl,
    /// English.
    En,
}

/// A statement in a language.
#[derive(Debug)]
pub(crate) struct Statement {
    told: Told,
    language: Language,
}

/// What is told, for machines.
#[derive(Debug, Serialize)]
struct Told {
    controller: Named,
    at: Option<String>,
    lines: Vec<Line>,
    consents: Vec<Consent>,
    notices: Vec<Notice>,
    withheld: u32,
    erased: u32,
    erased_by: Vec<Erased>,
    left_out: u64,
    receipt: Option<Receipt>,
}

/// An organisation with its team.
#[derive(Clone, Debug, Default, Serialize)]
struct Named {
    party_id: String,
    name: String,
    team: String,
    email: String,
    telephone: String,
}

/// One thing that happened.
#[derive(Debug, Serialize)]
struct Line {
    index: u64,
    at: Option<String>,
    kind: String,
    party: Named,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_name: Option<String>,
    providers: Vec<Named>,
    conditions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    granularity: Option<String>,
    bases: Vec<Basis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner: Option<Named>,
}

/// Lines that are gone, by one rule.
#[derive(Debug, Serialize)]
struct Erased {
    rule: String,
    law_ref: String,
    lines: u32,
}

/// What it rested on.
#[derive(Debug, Serialize)]
struct Basis {
    basis: String,
    law_ref: String,
}

/// A consent.
#[derive(Debug, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the fields are named as in proto/"
)]
struct Consent {
    consent_id: String,
    state: String,
    kind: String,
    conditions: Vec<String>,
    purposes: Vec<String>,
    purpose_titles: Vec<String>,
    providers: Vec<Named>,
    recipients: Vec<Named>,
    valid_from: Option<String>,
    valid_until: Option<String>,
    collected_by: Named,
    narrowed: bool,
    ended: Vec<ConsentEnd>,
}

/// The end of a consent, or of a part of it.
#[derive(Debug, Serialize)]
struct ConsentEnd {
    state: String,
    at: Option<String>,
    party: Named,
    conditions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<Named>,
}

/// Word to a recipient.
#[derive(Debug, Serialize)]
struct Notice {
    recipient: Named,
    kind: String,
    conditions: Vec<String>,
    issued_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_at: Option<String>,
}

impl Statement {
    pub(crate) fn new(response: &v1::GetStatementResponse, language: Language) -> Self {
        let told = Told {
            controller: Named::of(response.controller.as_ref()),
            at: instant::shown_if(response.at.as_ref()),
            lines: response.lines.iter().map(Line::of).collect(),
            consents: response.consents.iter().map(Consent::of).collect(),
            notices: response.notices.iter().map(Notice::of).collect(),
            withheld: response.withheld,
            erased: response.erased,
            erased_by: response.erased_by.iter().map(Erased::of).collect(),
            left_out: response.left_out,
            receipt: response.receipt.clone().map(Receipt::from),
        };
        Self { told, language }
    }

    /// A page to print: HTML with nothing from elsewhere.
    pub(crate) fn html(&self) -> String {
        html::page(self.language, &self.blocks())
    }

    fn blocks(&self) -> Vec<Block> {
        block::blocks(&self.told, self.language)
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.told.serialize(serializer)
    }
}

impl View for Statement {
    fn write(&self, page: &mut Page) {
        text::write(&self.blocks(), page);
    }
}

impl Named {
    fn of(party: Option<&v1::NamedParty>) -> Self {
        let Some(party) = party else {
            return Self::default();
        };
        let contact = party.contact.clone().unwrap_or_default();
        Self {
            party_id: party.party_id.clone(),
            name: party.name.clone(),
            team: contact.team,
            email: contact.email,
            telephone: contact.telephone,
        }
    }

    fn all(parties: &[v1::NamedParty]) -> Vec<Self> {
        parties.iter().map(|party| Self::of(Some(party))).collect()
    }

    /// How to reach the team, in one line.
    fn reach(&self) -> String {
        let parts = [&self.team, &self.email, &self.telephone];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.cloned().collect::<Vec<_>>().join(", ")
    }
}

impl Line {
    fn of(line: &v1::StatementLine) -> Self {
        let bases = line.bases.iter().map(|basis| Basis {
            basis: basis.basis.clone(),
            law_ref: basis.law_ref.clone(),
        });
        Self {
            index: line.index,
            at: instant::shown_if(line.at.as_ref()),
            kind: short::<v1::StatementKind>(line.kind),
            party: Named::of(line.party.as_ref()),
            unit_name: line.unit_name.clone(),
            providers: Named::all(&line.providers),
            conditions: shorts::<v1::Condition>(&line.conditions),
            purpose: line.purpose.clone(),
            purpose_title: line.purpose_title.clone(),
            granularity: line.granularity.map(short::<v1::Granularity>),
            bases: bases.collect(),
            partner: line
                .partner
                .as_ref()
                .map(|partner| Named::of(Some(partner))),
        }
    }
}

impl Line {
    /// The organisation, and the part of it that did it where that is known.
    fn who(&self) -> String {
        let unit = self.unit_name.as_ref().map(|unit| format!(", {unit}"));
        format!("{}{}", self.party.name, unit.unwrap_or_default())
    }
}

impl Erased {
    fn of(erased: &v1::StatementErased) -> Self {
        Self {
            rule: erased.code.clone(),
            law_ref: erased.law_ref.clone(),
            lines: erased.lines,
        }
    }
}

impl Consent {
    fn of(consent: &v1::StatementConsent) -> Self {
        Self {
            consent_id: consent.consent_id.clone(),
            state: short::<v1::ConsentState>(consent.state),
            kind: short::<v1::ConsentKind>(consent.kind),
            conditions: shorts::<v1::Condition>(&consent.conditions),
            purposes: consent.purposes.clone(),
            purpose_titles: consent.purpose_titles.clone(),
            providers: Named::all(&consent.providers),
            recipients: Named::all(&consent.recipients),
            valid_from: instant::shown_if(consent.valid_from.as_ref()),
            valid_until: instant::shown_if(consent.valid_until.as_ref()),
            collected_by: Named::of(consent.collected_by.as_ref()),
            narrowed: consent.narrowed,
            ended: consent.ended.iter().map(ConsentEnd::of).collect(),
        }
    }
}

impl ConsentEnd {
    fn of(end: &v1::StatementConsentEnd) -> Self {
        let recipient = end.recipient.as_ref();
        Self {
            state: short::<v1::ConsentState>(end.state),
            at: instant::shown_if(end.at.as_ref()),
            party: Named::of(end.party.as_ref()),
            conditions: shorts::<v1::Condition>(&end.conditions),
            recipient: recipient.map(|party| Named::of(Some(party))),
        }
    }

    /// Whether it is the end of the whole consent.
    fn is_whole(&self) -> bool {
        self.conditions.is_empty() && self.recipient.is_none()
    }
}

impl Notice {
    fn of(notice: &v1::StatementNotice) -> Self {
        Self {
            recipient: Named::of(notice.recipient.as_ref()),
            kind: short::<v1::NoticeKind>(notice.kind),
            conditions: shorts::<v1::Condition>(&notice.conditions),
            issued_at: instant::shown_if(notice.issued_at.as_ref()),
            acknowledged_at: instant::shown_if(notice.acknowledged_at.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests;
