//! The past: a decision made again, and what was known at an instant.

use schakel_api::v1;
use schakel_core::time::Timestamp;
use serde::Serialize;

use super::{
    Receipt, all,
    entry::{Entry, Explanation},
};
use crate::{
    code::{all_spoken, short, shorts, spoken},
    instant,
    output::View,
    page::Page,
};

/// A decision made again.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Replayed {
    index: u64,
    result: String,
    differences: Vec<String>,
    entries_used: u64,
    explanation: Option<Explanation>,
    consents: Vec<ConsentThen>,
    receipt: Option<Receipt>,
}

/// What was known at an instant.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AsOf {
    at: String,
    disclosures: Vec<DisclosureThen>,
    consents: Vec<ConsentThen>,
    left_out: u64,
    receipt: Option<Receipt>,
}

/// A disclosure with what it rested on.
#[derive(Clone, Debug, Serialize)]
struct DisclosureThen {
    entry: Option<Entry>,
    result: String,
    stands: bool,
}

/// A consent as it stood at an instant.
#[derive(Clone, Debug, Serialize)]
struct ConsentThen {
    consent_id: String,
    state: String,
    conditions: Vec<String>,
    purposes: Vec<String>,
    provider_party_ids: Vec<String>,
    recipient_party_ids: Vec<String>,
    valid_from: Option<String>,
    valid_until: Option<String>,
    collected_by_party_id: String,
    notice_version: String,
    narrowed: bool,
}

impl From<v1::Replayed> for Replayed {
    fn from(replayed: v1::Replayed) -> Self {
        Self {
            index: replayed.index,
            result: short::<v1::ReplayResult>(replayed.result),
            differences: replayed.differences,
            entries_used: replayed.entries_used,
            explanation: replayed.explanation.map(Explanation::from),
            consents: all(replayed.consents),
            receipt: replayed.receipt.map(Receipt::from),
        }
    }
}

impl AsOf {
    pub(crate) fn new(response: v1::GetAsOfResponse, at: Timestamp) -> Self {
        Self {
            at: at.to_string(),
            disclosures: all(response.disclosures),
            consents: all(response.consents),
            left_out: response.left_out,
            receipt: response.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::DisclosureThen> for DisclosureThen {
    fn from(then: v1::DisclosureThen) -> Self {
        Self {
            entry: then.entry.map(Entry::from),
            result: short::<v1::ReplayResult>(then.result),
            stands: then.stands,
        }
    }
}

impl From<v1::ConsentThen> for ConsentThen {
    fn from(then: v1::ConsentThen) -> Self {
        Self {
            consent_id: then.consent_id,
            state: short::<v1::ConsentState>(then.state),
            conditions: shorts::<v1::Condition>(&then.conditions),
            purposes: then.purposes,
            provider_party_ids: then.provider_party_ids,
            recipient_party_ids: then.recipient_party_ids,
            valid_from: instant::shown_if(then.valid_from.as_ref()),
            valid_until: instant::shown_if(then.valid_until.as_ref()),
            collected_by_party_id: then.collected_by_party_id,
            notice_version: then.notice_version,
            narrowed: then.narrowed,
        }
    }
}

impl View for Replayed {
    fn write(&self, page: &mut Page) {
        page.line(&match self.result.as_str() {
            "SAME" => format!(
                "Entry {} comes out the same: same result, same reasons, same content.",
                self.index
            ),
            "DIFFERENT" => format!("Entry {} comes out OTHERWISE.", self.index),
            "NO_DECISION" => format!("Entry {} decided about no disclosure.", self.index),
            _ => format!(
                "Entry {} cannot be decided again: something it rests on is erased.",
                self.index
            ),
        });
        page.pairs("different in", &self.differences);
        page.pair(
            "decided from",
            &format!("{} earlier entries of this controller", self.entries_used),
        );
        if !self.consents.is_empty() {
            page.blank();
            page.line("Consents as they stood then:");
            page.indented(|page| self.consents.iter().for_each(|one| one.write(page)));
        }
        if let Some(explanation) = &self.explanation {
            page.blank();
            explanation.write(page);
        }
        looked(self.receipt.as_ref(), page);
    }
}

impl View for AsOf {
    fn write(&self, page: &mut Page) {
        let at = instant::spoken(&self.at);
        let whole = instant::spoken_twice(&self.at);
        page.line(&match self.disclosures.len() {
            0 => format!("By {whole} nothing had been disclosed."),
            count => format!("By {whole} there had been {count} disclosures, newest first:"),
        });
        for then in &self.disclosures {
            page.blank();
            if let Some(entry) = &then.entry {
                entry.write_whole(page);
            }
            page.indented(|page| {
                page.pair("basis", basis_held(&then.result));
                let still = if then.stands {
                    "held"
                } else {
                    "no longer held"
                };
                page.pair(&format!("at {at}"), &format!("what it rested on {still}"));
            });
        }
        if self.left_out > 0 {
            page.blank();
            page.line(&format!("And {} older ones.", self.left_out));
        }
        page.blank();
        page.line(if self.consents.is_empty() {
            "No consent involved your controller."
        } else {
            "Consents as they stood then:"
        });
        page.indented(|page| self.consents.iter().for_each(|one| one.write(page)));
        looked(self.receipt.as_ref(), page);
    }
}

/// What a replay says of the basis of a disclosure.
fn basis_held(result: &str) -> &'static str {
    match result {
        "SAME" => "held when it was made: decided again, it comes out the same",
        "DIFFERENT" => "DID NOT HOLD: decided again, it comes out otherwise",
        _ => "cannot be decided again: something it rests on is erased",
    }
}

impl ConsentThen {
    fn write(&self, page: &mut Page) {
        let narrowed = if self.narrowed { ", narrowed" } else { "" };
        page.line(&format!(
            "{}  {}{narrowed}",
            self.consent_id,
            spoken(&self.state)
        ));
        page.indented(|page| {
            page.pair_if("conditions", Some(&all_spoken(&self.conditions)));
            page.pairs("purposes", &self.purposes);
            page.pairs("from", &self.provider_party_ids);
            page.pairs("to", &self.recipient_party_ids);
            let spoken = |at: &Option<String>| at.as_deref().map(instant::spoken);
            let (from, until) = (spoken(&self.valid_from), spoken(&self.valid_until));
            page.pair(
                "valid",
                &format!(
                    "{} until {}",
                    from.unwrap_or_default(),
                    until.unwrap_or_default()
                ),
            );
            page.pair("collected by", &self.collected_by_party_id);
            page.pair("notice", &self.notice_version);
        });
    }
}

/// That a look is an entry itself.
pub(super) fn looked(receipt: Option<&Receipt>, page: &mut Page) {
    page.blank();
    if let Some(receipt) = receipt {
        page.line(&format!(
            "The look-up itself is entry {}, verified.",
            receipt.index
        ));
    }
}
