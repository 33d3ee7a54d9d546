//! What was erased, what waits to be, and for how long what is kept.

mod check;

use schakel_api::v1;
use serde::Serialize;

pub(crate) use self::check::RetentionCheck;

use super::{Receipt, all};
use crate::{
    code::{short, spoken},
    instant,
    output::View,
    page::Page,
};

/// What came of proposing or approving an erasure.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Erasing {
    /// It was proposed.
    Proposed {
        proposal_id: String,
        receipt: Option<Receipt>,
    },
    /// It was done.
    Erased {
        entries: u64,
        final_at: Option<String>,
        receipt: Option<Receipt>,
    },
    /// The law has it kept.
    Retained {
        code: String,
        law_ref: String,
        until: Option<String>,
        receipt: Option<Receipt>,
    },
}

/// What waits and what was erased.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Erasures {
    waiting: Vec<Waiting>,
    done: Vec<Erasure>,
}

#[derive(Clone, Debug, Serialize)]
struct Waiting {
    proposal_id: String,
    controller_party_id: String,
    ground: String,
    proposed_by: String,
    proposed_at: Option<String>,
    lapses_at: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Erasure {
    index: u64,
    at: Option<String>,
    rule: Option<Rule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    controller_party_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<Month>,
    final_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal_id: Option<String>,
}

/// The rule by which something was erased.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rule {
    code: String,
    law_ref: String,
    index: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Month {
    retention_class: String,
    month: u32,
}

/// For how long what is kept.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Retention {
    standard_months: u32,
    care_months: u32,
    consent_months: u32,
    case_days: u32,
    keyring_backup_days: u32,
    due: Vec<Month>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_held_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kek_due_since: Option<String>,
    sweeping: bool,
}

/// What will be destroyed when.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Due {
    due: Vec<Month>,
}

impl From<v1::ErasureProposed> for Erasing {
    fn from(proposed: v1::ErasureProposed) -> Self {
        Self::Proposed {
            proposal_id: proposed.proposal_id,
            receipt: proposed.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::ErasureDone> for Erasing {
    fn from(done: v1::ErasureDone) -> Self {
        Self::Erased {
            entries: done.entries,
            final_at: instant::shown_if(done.final_at.as_ref()),
            receipt: done.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::Retained> for Erasing {
    fn from(retained: v1::Retained) -> Self {
        Self::Retained {
            code: retained.code,
            law_ref: retained.law_ref,
            until: instant::shown_if(retained.until.as_ref()),
            receipt: retained.receipt.map(Receipt::from),
        }
    }
}

impl From<v1::ListErasuresResponse> for Erasures {
    fn from(response: v1::ListErasuresResponse) -> Self {
        Self {
            waiting: all(response.waiting),
            done: all(response.done),
        }
    }
}

impl From<v1::WaitingErasure> for Waiting {
    fn from(waiting: v1::WaitingErasure) -> Self {
        Self {
            proposal_id: waiting.proposal_id,
            controller_party_id: waiting.controller_party_id,
            ground: short::<v1::ErasureGround>(waiting.ground),
            proposed_by: waiting.proposed_by,
            proposed_at: instant::shown_if(waiting.proposed_at.as_ref()),
            lapses_at: instant::shown_if(waiting.lapses_at.as_ref()),
        }
    }
}

impl From<v1::Erasure> for Erasure {
    fn from(erasure: v1::Erasure) -> Self {
        Self {
            index: erasure.index,
            at: instant::shown_if(erasure.at.as_ref()),
            rule: erasure.rule.map(Rule::from),
            controller_party_id: erasure.controller_party_id,
            entries: erasure.entries,
            month: erasure.month.map(Month::from),
            final_at: instant::shown_if(erasure.final_at.as_ref()),
            proposal_id: erasure.proposal_id,
        }
    }
}

impl From<v1::ErasureRule> for Rule {
    fn from(rule: v1::ErasureRule) -> Self {
        Self {
            code: rule.code,
            law_ref: rule.law_ref,
            index: rule.index,
        }
    }
}

impl From<v1::RetentionMonth> for Month {
    fn from(month: v1::RetentionMonth) -> Self {
        Self {
            retention_class: month.retention_class,
            month: month.month,
        }
    }
}

impl From<v1::GetRetentionResponse> for Retention {
    fn from(response: v1::GetRetentionResponse) -> Self {
        Self {
            standard_months: response.standard_months,
            care_months: response.care_months,
            consent_months: response.consent_months,
            case_days: response.case_days,
            keyring_backup_days: response.keyring_backup_days,
            due: all(response.due),
            clock_held_at: instant::shown_if(response.clock_held_at.as_ref()),
            kek_due_since: instant::shown_if(response.kek_due_since.as_ref()),
            sweeping: response.sweeping,
        }
    }
}

impl Retention {
    /// Only what is due.
    pub(crate) fn due(self) -> Due {
        Due { due: self.due }
    }
}

impl View for Erasing {
    fn write(&self, page: &mut Page) {
        let receipt = match self {
            Self::Proposed {
                proposal_id,
                receipt,
            } => {
                page.line(&format!("Proposed as {proposal_id}."));
                page.line(
                    "Another actor, with another certificate, approves it and names the person again, as an \
                     administrator alone does not:",
                );
                page.indented(|page| {
                    page.line(&format!("schakel erasure approve {proposal_id} --bsn …"));
                });
                receipt
            }
            Self::Erased {
                entries,
                final_at,
                receipt,
            } => {
                page.line(&match entries {
                    1 => "Erased: 1 entry can no longer be read.".to_owned(),
                    entries => format!("Erased: {entries} entries can no longer be read."),
                });
                let when = final_at.as_deref().map(instant::spoken).unwrap_or_default();
                page.line(&format!(
                    "The last backup that holds the keys lapses on {when}."
                ));
                receipt
            }
            Self::Retained {
                code,
                law_ref,
                until,
                receipt,
            } => {
                let when = until.as_deref().map(instant::spoken).unwrap_or_default();
                page.line(&format!(
                    "Not erased: {code} ({law_ref}) has it kept until {when}."
                ));
                receipt
            }
        };
        Receipt::write(receipt.as_ref(), page);
    }
}

impl View for Erasures {
    fn write(&self, page: &mut Page) {
        if self.waiting.is_empty() {
            page.line("No erasure waits for approval.");
        }
        for waiting in &self.waiting {
            page.line(&format!("Proposal {}", waiting.proposal_id));
            page.indented(|page| {
                page.pair("controller", &waiting.controller_party_id);
                page.pair("ground", &waiting.ground);
                page.pair("proposed by", &waiting.proposed_by);
                let lapses = waiting.lapses_at.as_deref().map(instant::spoken);
                page.pair_if("lapses", lapses.as_deref());
            });
        }
        page.blank();
        if self.done.is_empty() {
            page.line("Nothing was erased yet.");
        }
        for done in &self.done {
            let at = done.at.as_deref().map(instant::spoken).unwrap_or_default();
            page.line(&format!("Entry {}  {at}", done.index));
            page.indented(|page| done.write(page));
        }
    }
}

impl Erasure {
    fn write(&self, page: &mut Page) {
        if let Some(rule) = &self.rule {
            page.pair("rule", &rule.named());
        }
        page.pair_if("controller", self.controller_party_id.as_deref());
        let entries = self.entries.map(|entries| entries.to_string());
        page.pair_if("entries", entries.as_deref());
        let month = self.month.as_ref();
        let month =
            month.map(|month| format!("{} of {}", spoken(&month.retention_class), month.shown()));
        page.pair_if("destroyed", month.as_deref());
        let last = self.final_at.as_deref().map(instant::spoken);
        page.pair_if("final", last.as_deref());
    }
}

impl Rule {
    /// The rule, with the entry that tells of it.
    pub(crate) fn shown(&self) -> String {
        format!("{}, entry {}", self.named(), self.index)
    }

    fn named(&self) -> String {
        format!("{} ({})", spoken(&self.code), self.law_ref)
    }
}

impl Month {
    fn shown(&self) -> String {
        let (year, month) = (self.month / 100, self.month % 100);
        format!("{year}-{month:02}")
    }
}

impl View for Retention {
    fn write(&self, page: &mut Page) {
        page.line("Kept:");
        page.indented(|page| {
            page.pair("details", &format!("{} months", self.standard_months));
            page.pair("details of care", &format!("{} months", self.care_months));
            let consents = format!("{} months after they ended", self.consent_months);
            page.pair("consents", &consents);
            let cases = format!("{} days after they were closed", self.case_days);
            page.pair("cases", &cases);
            let backups = format!("{} days", self.keyring_backup_days);
            page.pair("backups of keys", &backups);
        });
        if let Some(at) = &self.clock_held_at {
            page.line(&format!(
                "Nothing is destroyed: by its clock the broker was down for more than a day, until {}.",
                instant::spoken(at)
            ));
            page.line("When it is right, say so with `schakel retention acknowledge-clock`.");
        }
        if let Some(since) = &self.kek_due_since {
            page.line(&format!(
                "The key-encryption key is to be changed for an erasure of {}.",
                instant::spoken(since)
            ));
        }
        if self.sweeping {
            page.line("Records are being made again after a month was destroyed.");
        }
    }
}

impl View for Due {
    fn write(&self, page: &mut Page) {
        if self.due.is_empty() {
            page.line("Nothing is due yet.");
        }
        for month in &self.due {
            let Month {
                retention_class, ..
            } = month;
            let (class, when) = (spoken(retention_class), month.shown());
            page.line(&format!(
                "In {when}: details of the class {class} are destroyed."
            ));
        }
    }
}
