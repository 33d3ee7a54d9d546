//! Consents.

use schakel_api::v1;
use serde::Serialize;

use super::{Receipt, all};
use crate::{
    code::{all_spoken, short, shorts, spoken},
    instant,
    output::View,
    page::Page,
};

/// What a look-up shows.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Consents {
    consents: Vec<Consent>,
    receipt: Option<Receipt>,
}

/// A consent with its history.
#[derive(Clone, Debug, Serialize)]
struct Consent {
    consent_id: String,
    terms: Option<Terms>,
    collected_by: String,
    state: String,
    history: Vec<Step>,
}

/// What was agreed.
#[derive(Clone, Debug, Serialize)]
struct Terms {
    kind: String,
    explicit: bool,
    conditions: Vec<String>,
    purposes: Vec<String>,
    provider_party_ids: Vec<String>,
    recipient_party_ids: Vec<String>,
    granularity: String,
    valid_from: Option<String>,
    valid_until: Option<String>,
    notice: Option<NoticeText>,
    method: String,
    collected_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    representative_mandate_sha256: Option<String>,
    interpreter: bool,
    attestations: Option<Attestations>,
}

/// What the person was shown.
#[derive(Clone, Debug, Serialize)]
struct NoticeText {
    version: String,
    language: String,
    sha256: String,
}

/// What the collector attests.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four attestations, each a yes or a no"
)]
#[derive(Clone, Debug, Serialize)]
struct Attestations {
    own_interest: bool,
    help_question: bool,
    refusal_without_detriment: bool,
    alternative_offered: bool,
}

/// One step in a consent's life.
#[derive(Clone, Debug, Serialize)]
struct Step {
    state: String,
    at: Option<String>,
    party_id: String,
    conditions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_party_id: Option<String>,
}

impl From<v1::Consents> for Consents {
    fn from(consents: v1::Consents) -> Self {
        Self {
            consents: all(consents.consents),
            receipt: consents.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::Consent> for Consent {
    fn from(consent: v1::Consent) -> Self {
        Self {
            consent_id: consent.consent_id,
            terms: consent.terms.map(Terms::from),
            collected_by: consent.collected_by,
            state: short::<v1::ConsentState>(consent.state),
            history: all(consent.history),
        }
    }
}

impl From<v1::ConsentTerms> for Terms {
    fn from(terms: v1::ConsentTerms) -> Self {
        Self {
            kind: short::<v1::ConsentKind>(terms.kind),
            explicit: terms.explicit,
            conditions: shorts::<v1::Condition>(&terms.conditions),
            purposes: terms.purposes,
            provider_party_ids: terms.provider_party_ids,
            recipient_party_ids: terms.recipient_party_ids,
            granularity: short::<v1::Granularity>(terms.granularity),
            valid_from: instant::shown_if(terms.valid_from.as_ref()),
            valid_until: instant::shown_if(terms.valid_until.as_ref()),
            notice: terms.notice.map(NoticeText::from),
            method: short::<v1::CollectionMethod>(terms.method),
            collected_at: instant::shown_if(terms.collected_at.as_ref()),
            representative_mandate_sha256: terms.representative_mandate_sha256.map(hex::encode),
            interpreter: terms.interpreter,
            attestations: terms.attestations.map(Attestations::from),
        }
    }
}

impl From<v1::NoticeText> for NoticeText {
    fn from(notice: v1::NoticeText) -> Self {
        Self {
            version: notice.version,
            language: notice.language,
            sha256: hex::encode(notice.sha256),
        }
    }
}

impl From<v1::Attestations> for Attestations {
    fn from(attestations: v1::Attestations) -> Self {
        let v1::Attestations {
            own_interest,
            help_question,
            refusal_without_detriment,
            alternative_offered,
        } = attestations;
        Self {
            own_interest,
            help_question,
            refusal_without_detriment,
            alternative_offered,
        }
    }
}

impl From<v1::ConsentStep> for Step {
    fn from(step: v1::ConsentStep) -> Self {
        Self {
            state: short::<v1::ConsentState>(step.state),
            at: instant::shown_if(step.at.as_ref()),
            party_id: step.party_id,
            conditions: shorts::<v1::Condition>(&step.conditions),
            recipient_party_id: step.recipient_party_id,
        }
    }
}

impl View for Consents {
    fn write(&self, page: &mut Page) {
        for consent in &self.consents {
            page.line(&format!(
                "Consent {}: {}",
                consent.consent_id,
                spoken(&consent.state)
            ));
            page.indented(|page| consent.write(page));
            page.blank();
        }
        Receipt::write(self.receipt.as_ref(), page);
    }
}

impl Consent {
    fn write(&self, page: &mut Page) {
        if let Some(terms) = &self.terms {
            terms.write(page, &self.validity(terms));
        }
        if !self.collected_by.is_empty() {
            page.pair("collected by", &self.collected_by);
        }
        for step in &self.history {
            page.pair("history", &step.spoken());
        }
    }
}

impl Consent {
    /// From when until when it holds: one that somebody ended until then, one that was refused never.
    fn validity(&self, terms: &Terms) -> String {
        let at = |at: &Option<String>| at.as_deref().map(instant::spoken).unwrap_or_default();
        let (from, until) = (at(&terms.valid_from), at(&terms.valid_until));
        let ended = self.history.iter().rfind(|step| step.state == self.state);
        match self.state.as_str() {
            "WITHDRAWN" | "REVOKED" | "INVALIDATED" => {
                let ended = at(&ended.and_then(|step| step.at.clone()));
                format!(
                    "no longer: {} {ended}, given for {from} until {until}",
                    spoken(&self.state)
                )
            }
            "REFUSED" => format!("never: asked for {from} until {until}"),
            "REQUESTED" | "DEFERRED" => format!("not yet: asked for {from} until {until}"),
            "EXPIRED" => format!("no longer: from {from} until {until}"),
            _ => format!("from {from} until {until}"),
        }
    }
}

impl Step {
    fn spoken(&self) -> String {
        let at = self.at.as_deref().map(instant::spoken).unwrap_or_default();
        let conditions = match self.conditions.as_slice() {
            [] => String::new(),
            conditions => format!(", for {}", all_spoken(conditions)),
        };
        let recipient = self.recipient_party_id.as_ref();
        let recipient = recipient.map(|recipient| format!(", towards {recipient}"));
        let (state, party) = (spoken(&self.state), &self.party_id);
        format!(
            "{at}, {state} by {party}{conditions}{}",
            recipient.unwrap_or_default()
        )
    }
}

impl Terms {
    fn write(&self, page: &mut Page, validity: &str) {
        let explicit = if self.explicit { ", explicit" } else { "" };
        page.pair("kind", &format!("{}{explicit}", spoken(&self.kind)));
        page.pair("conditions", &all_spoken(&self.conditions));
        page.pairs("purposes", &self.purposes);
        page.pairs("from", &self.provider_party_ids);
        page.pairs("to", &self.recipient_party_ids);
        page.pair("at most", &spoken(&self.granularity));
        let at = |at: &Option<String>| at.as_deref().map(instant::spoken).unwrap_or_default();
        page.pair("valid", validity);
        page.pair(
            "collected",
            &format!("{}, {}", at(&self.collected_at), spoken(&self.method)),
        );
        if let Some(notice) = &self.notice {
            page.pair(
                "notice",
                &format!("version {}, in {}", notice.version, notice.language),
            );
        }
        if self.interpreter {
            page.pair("interpreter", "yes");
        }
        if self.representative_mandate_sha256.is_some() {
            page.pair("given by", "a representative");
        }
    }
}
