//! Entries of the trail, for officers and auditors.

use schakel_api::v1;
use schakel_audit::leaf::Leaf;
use serde::Serialize;

use super::{LegalBasis, Receipt, all, retention::Rule};
use crate::{
    code::{all_spoken, short, shorts, spoken},
    instant,
    output::View,
    page::Page,
};

/// What a search found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entries {
    entries: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    receipt: Option<Receipt>,
}

/// One entry with its proof.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EntryWithProof {
    proof: Option<Receipt>,
    #[serde(skip)]
    leaf: Vec<(&'static str, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<Entry>,
    receipt: Option<Receipt>,
}

/// One line of the trail.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    index: u64,
    #[serde(rename = "type")]
    kind: String,
    at: Option<String>,
    party_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport_party_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose_version: Option<u32>,
    conditions: Vec<String>,
    provider_party_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_party_id: Option<String>,
    bases: Vec<LegalBasis>,
    consent_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_id: Option<String>,
    summary: String,
    readable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<Rule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_id: Option<String>,
}

/// Why an entry was decided as it was.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Explanation {
    index: u64,
    decision: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose_version: Option<u32>,
    at: Option<String>,
    reasons: Vec<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wjsg_51c: Option<String>,
    receipt: Option<Receipt>,
}

/// One thing that was granted or stood in the way.
#[derive(Clone, Debug, Serialize)]
struct Reason {
    code: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_party_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_basis: Option<LegalBasis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_basis: Option<LegalBasis>,
    consent_ids: Vec<String>,
}

impl From<v1::SearchEntriesResponse> for Entries {
    fn from(response: v1::SearchEntriesResponse) -> Self {
        Self {
            entries: all(response.entries),
            next_page_token: response.next_page_token.map(hex::encode),
            receipt: response.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::GetEntryResponse> for EntryWithProof {
    fn from(response: v1::GetEntryResponse) -> Self {
        let leaf = response
            .proof
            .as_ref()
            .and_then(|proof| Leaf::decode(&proof.leaf).ok());
        Self {
            leaf: leaf.map(|leaf| leaf_pairs(&leaf)).unwrap_or_default(),
            proof: response.proof.map(Receipt::from),
            entry: response.entry.map(Entry::from),
            receipt: response.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::Entry> for Entry {
    fn from(entry: v1::Entry) -> Self {
        Self {
            index: entry.index,
            kind: entry.r#type,
            at: instant::shown_if(entry.at.as_ref()),
            party_id: entry.party_id,
            transport_party_id: entry.transport_party_id,
            purpose: entry.purpose,
            purpose_version: entry.purpose_version,
            conditions: shorts::<v1::Condition>(&entry.conditions),
            provider_party_ids: entry.provider_party_ids,
            recipient_party_id: entry.recipient_party_id,
            bases: all(entry.bases),
            consent_ids: entry.consent_ids,
            reason: entry.reason,
            reference: entry.reference.map(hex::encode),
            actor_ref: entry.actor_ref,
            unit_id: entry.unit_id,
            summary: entry.summary,
            readable: entry.readable,
            redacted: entry.redacted.map(Rule::from),
            case_id: entry.case_id,
        }
    }
}

impl From<v1::Explanation> for Explanation {
    fn from(explanation: v1::Explanation) -> Self {
        Self {
            index: explanation.index,
            decision: explanation.decision,
            purpose: explanation.purpose,
            purpose_version: explanation.purpose_version,
            at: instant::shown_if(explanation.at.as_ref()),
            reasons: all(explanation.reasons),
            wjsg_51c: explanation.wjsg_51c,
            receipt: explanation.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::ExplainedReason> for Reason {
    fn from(reason: v1::ExplainedReason) -> Self {
        Self {
            code: reason.code,
            text: reason.text,
            condition: reason.condition.map(short::<v1::Condition>),
            provider_party_id: reason.provider_party_id,
            provider_basis: reason.provider_basis.map(LegalBasis::from),
            recipient_basis: reason.recipient_basis.map(LegalBasis::from),
            consent_ids: reason.consent_ids,
        }
    }
}

impl View for Entries {
    fn write(&self, page: &mut Page) {
        match self.entries.len() {
            0 => page.line("No entry was found."),
            1 => page.line("One entry, newest first:"),
            count => page.line(&format!("{count} entries, newest first:")),
        }
        for entry in &self.entries {
            page.blank();
            entry.write_whole(page);
        }
        page.blank();
        if let Some(token) = &self.next_page_token {
            page.line(&format!(
                "There is more: repeat the search with --page-token {token}"
            ));
        }
        if let Some(receipt) = &self.receipt {
            page.line(&format!(
                "The search itself is entry {}, verified.",
                receipt.index
            ));
        }
    }
}

impl Entry {
    /// With the line that says what it is.
    pub(super) fn write_whole(&self, page: &mut Page) {
        let at = self.at.as_deref().map(instant::spoken).unwrap_or_default();
        page.line(&format!("{}  {at}  {}", self.index, self.summary));
        page.indented(|page| self.write(page));
    }

    fn write(&self, page: &mut Page) {
        page.pair("type", &spoken(&self.kind));
        let transport = self
            .transport_party_id
            .as_ref()
            .map(|by| format!(", by {by}"));
        page.pair(
            "party",
            &format!("{}{}", self.party_id, transport.unwrap_or_default()),
        );
        if let Some(purpose) = &self.purpose {
            let version = self
                .purpose_version
                .map(|version| format!(" version {version}"));
            page.pair(
                "purpose",
                &format!("{purpose}{}", version.unwrap_or_default()),
            );
        }
        page.pair_if("conditions", Some(&all_spoken(&self.conditions)));
        page.pairs("from", &self.provider_party_ids);
        page.pair_if("to", self.recipient_party_id.as_deref());
        for basis in &self.bases {
            page.pair("basis", &basis.spoken());
        }
        page.pairs("consents", &self.consent_ids);
        page.pair_if("denied because", self.reason.as_deref());
        page.pair_if("reference", self.reference.as_deref());
        page.pair_if("unit", self.unit_id.as_deref());
        page.pair_if("actor", self.actor_ref.as_deref());
        page.pair_if("case", self.case_id.as_deref());
        let redacted = self.redacted.as_ref().map(Rule::shown);
        page.pair_if("redacted", redacted.as_deref());
        if !self.readable {
            page.line("Its details cannot be read any more.");
        }
    }
}

impl View for EntryWithProof {
    fn write(&self, page: &mut Page) {
        if let Some(proof) = &self.proof {
            page.line(&format!("Entry {} of the log, proved.", proof.index));
        }
        page.blank();
        page.indented(|page| {
            for (name, value) in &self.leaf {
                page.pair(name, value);
            }
        });
        if let Some(entry) = &self.entry {
            page.blank();
            page.line(&entry.summary);
            page.indented(|page| entry.write(page));
        }
        page.blank();
        if let Some(receipt) = &self.receipt {
            page.line(&format!(
                "The look-up itself is entry {}, verified.",
                receipt.index
            ));
        }
    }
}

impl View for Explanation {
    fn write(&self, page: &mut Page) {
        let at = self.at.as_deref().map(instant::spoken).unwrap_or_default();
        page.line(&format!(
            "{}, decided {at}",
            crate::exit::sentence(&spoken(&self.decision)).trim_end_matches('.')
        ));
        if let Some(purpose) = &self.purpose {
            let version = self
                .purpose_version
                .map(|version| format!(", version {version}"));
            page.line(&format!("under {purpose}{}", version.unwrap_or_default()));
        }
        for reason in &self.reasons {
            page.blank();
            page.line(&reason.text);
            page.indented(|page| reason.write(page));
        }
        if let Some(steps) = &self.wjsg_51c {
            page.blank();
            page.line("Wjsg 51c");
            // One of the five steps a line.
            page.indented(|page| steps.lines().for_each(|step| page.line(step)));
        }
        page.blank();
        if let Some(receipt) = &self.receipt {
            page.line(&format!(
                "The look-up itself is entry {}, verified.",
                receipt.index
            ));
        }
    }
}

impl Reason {
    fn write(&self, page: &mut Page) {
        page.pair("code", &self.code);
        page.pair_if("condition", self.condition.as_deref());
        page.pair_if("from", self.provider_party_id.as_deref());
        let basis = |basis: &Option<LegalBasis>| basis.as_ref().map(LegalBasis::spoken);
        page.pair_if("provided under", basis(&self.provider_basis).as_deref());
        page.pair_if("received under", basis(&self.recipient_basis).as_deref());
        page.pairs("consents", &self.consent_ids);
    }
}

/// The public part of an entry, for people.
fn leaf_pairs(leaf: &Leaf) -> Vec<(&'static str, String)> {
    let at = schakel_core::time::Timestamp::from_millis(leaf.at_ms);
    let mut pairs = vec![
        ("type", leaf.entry_type.to_string()),
        (
            "at",
            at.map(schakel_core::time::Timestamp::spoken)
                .unwrap_or_default(),
        ),
        ("party", leaf.party.clone()),
    ];
    if let Some(transport) = &leaf.transport {
        pairs.push(("by", transport.clone()));
    }
    if let Some((purpose, version)) = &leaf.purpose {
        pairs.push(("purpose", format!("{purpose} version {version}")));
    }
    pairs.push(("id", hex::encode(leaf.id)));
    pairs.push(("retention", leaf.class.to_string()));
    if let Some(month) = leaf.destroy {
        pairs.push(("to be destroyed", month.to_string()));
    }
    pairs
}
