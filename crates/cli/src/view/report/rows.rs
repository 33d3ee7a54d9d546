//! The rows of reports.

use serde::Serialize;

use crate::{code::all_spoken, instant, page::Page, view::oversight::Difference};

/// What came of replaying.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Check {
    pub(super) permitted: u64,
    pub(super) same: u64,
    pub(super) unreadable: u64,
    pub(super) faults: Vec<Difference>,
}

/// Denials with everything but their number in common.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Denial {
    pub(super) party_id: String,
    pub(super) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) purpose: Option<String>,
    pub(super) count: u64,
    pub(super) first_at: Option<String>,
    pub(super) last_at: Option<String>,
}

/// What a withdrawal came to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Withdrawal {
    pub(super) index: u64,
    pub(super) at: Option<String>,
    pub(super) consent_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_before_at: Option<String>,
    pub(super) after: Vec<u64>,
    pub(super) notices: u32,
    pub(super) acknowledged: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_acknowledged_at: Option<String>,
}

/// Who was told what, and on consent or not.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Recipient {
    pub(super) recipient_party_id: String,
    pub(super) condition: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) provider_party_id: Option<String>,
    pub(super) on_consent: bool,
    pub(super) to_pi_on_consent: bool,
    pub(super) count: u64,
    pub(super) last_at: Option<String>,
}

/// What a party used of a purpose, beside what is registered.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Use {
    pub(super) party_id: String,
    pub(super) purpose: String,
    pub(super) purpose_version: u32,
    pub(super) conditions: Vec<String>,
    pub(super) granularity: String,
    pub(super) count: u64,
    pub(super) registered_conditions: Vec<String>,
    pub(super) registered_granularity: String,
    pub(super) within: bool,
}

/// The consents that a party collected.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Collector {
    pub(super) party_id: String,
    pub(super) given: u64,
    pub(super) refused: u64,
    pub(super) undecided: u64,
}

/// A consent that needs attention.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Concern {
    pub(super) consent_id: String,
    pub(super) index: u64,
    pub(super) collected_by_party_id: String,
    pub(super) valid_until: Option<String>,
    pub(super) expiring: bool,
    pub(super) notice_version: String,
    pub(super) old_notice: bool,
}

/// A look into the trail.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Reader {
    pub(super) index: u64,
    pub(super) at: Option<String>,
    pub(super) party_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor_ref: Option<String>,
    pub(super) method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) purpose: Option<String>,
    pub(super) question: String,
    pub(super) results: u32,
}

/// Who must be told, and was or was not.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Due {
    pub(super) recipient_party_id: String,
    pub(super) conditions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issued_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deadline: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acknowledged_at: Option<String>,
}

fn at(shown: Option<&String>) -> String {
    shown.map_or_else(|| "never".to_owned(), |at| instant::spoken(at))
}

impl Check {
    pub(super) fn write(&self, page: &mut Page) {
        page.line(&format!(
            "{} disclosures were decided again; {} came out the same, {} rest on something that is erased.",
            self.permitted, self.same, self.unreadable
        ));
        match self.faults.len() {
            0 => page.line("None was without a basis that held."),
            count => page.line(&format!("{count} CAME OUT OTHERWISE:")),
        }
        for fault in &self.faults {
            page.line(&format!(
                "  entry {}: {}",
                fault.index,
                fault.differences.join(", ")
            ));
        }
    }
}

impl Denial {
    pub(super) fn write(&self, page: &mut Page) {
        let purpose = self.purpose.as_deref().unwrap_or("no purpose");
        let (first, last) = (at(self.first_at.as_ref()), at(self.last_at.as_ref()));
        let when = if first == last {
            format!("at {first}")
        } else {
            format!("from {first} to {last}")
        };
        page.line(&format!(
            "{}  {}  {}  {purpose}, {when}",
            times(self.count),
            self.party_id,
            self.reason
        ));
    }
}

impl Withdrawal {
    pub(super) fn write(&self, page: &mut Page) {
        let when = at(self.at.as_ref());
        page.line(&format!(
            "Entry {}: withdrawn at {when}, in effect at once",
            self.index
        ));
        page.indented(|page| {
            page.pairs("consents", &self.consent_ids);
            page.pair("last told", &at(self.last_before_at.as_ref()));
            let after: Vec<_> = self.after.iter().map(u64::to_string).collect();
            let after = if after.is_empty() {
                "nothing".to_owned()
            } else {
                format!("ENTRIES {}", after.join(", "))
            };
            page.pair("told after", &after);
            page.pair(
                "notices",
                &match &self.last_acknowledged_at {
                    Some(last) => format!(
                        "{} of {} acknowledged, the last at {}",
                        self.acknowledged,
                        self.notices,
                        at(Some(last))
                    ),
                    None => format!("none of {} acknowledged", self.notices),
                },
            );
        });
    }
}

impl Recipient {
    pub(super) fn write(&self, page: &mut Page) {
        let from = self
            .provider_party_id
            .as_deref()
            .map(|id| format!(" from {id}"));
        let basis = match (self.on_consent, self.to_pi_on_consent) {
            (_, true) => "on consent, TO A PI",
            (true, false) => "on consent",
            (false, false) => "by law",
        };
        page.line(&format!(
            "{}  {} to {}{}, {basis}, last at {}",
            times(self.count),
            self.condition,
            self.recipient_party_id,
            from.unwrap_or_default(),
            at(self.last_at.as_ref())
        ));
    }
}

impl Use {
    pub(super) fn write(&self, page: &mut Page) {
        page.line(&format!(
            "{}  {} for {} version {}: {}",
            times(self.count),
            self.party_id,
            self.purpose,
            self.purpose_version,
            if self.within {
                "within what is registered"
            } else {
                "BEYOND WHAT IS REGISTERED"
            }
        ));
        page.indented(|page| {
            let used = all_spoken(&self.conditions);
            page.pair("used", &format!("{used}; {}", self.granularity));
            let registered = all_spoken(&self.registered_conditions);
            page.pair(
                "registered",
                &format!("{registered}; {}", self.registered_granularity),
            );
        });
    }
}

impl Collector {
    pub(super) fn write(&self, page: &mut Page) {
        let answered = self.given + self.refused;
        let share = (self.refused * 100).checked_div(answered);
        let share = share.map_or_else(String::new, |share| format!(" ({share} %)"));
        page.line(&format!(
            "{}: {} given, {} refused{share}, {} undecided",
            self.party_id, self.given, self.refused, self.undecided
        ));
    }
}

impl Concern {
    pub(super) fn write(&self, page: &mut Page) {
        let why = match (self.expiring, self.old_notice) {
            (true, true) => "expires soon, and rests on an old notice",
            (true, false) => "expires soon",
            _ => "rests on an old notice",
        };
        page.line(&format!(
            "Consent {} {why}: until {}, notice {}, collected by {} (entry {})",
            self.consent_id,
            at(self.valid_until.as_ref()),
            self.notice_version,
            self.collected_by_party_id,
            self.index
        ));
    }
}

impl Reader {
    pub(super) fn write(&self, page: &mut Page) {
        page.line(&format!(
            "{}  {}  {}",
            self.index,
            at(self.at.as_ref()),
            self.party_id
        ));
        page.indented(|page| {
            page.pair_if("actor", self.actor_ref.as_deref());
            page.pair("method", &self.method);
            page.pair_if("purpose", self.purpose.as_deref());
            page.pair_if("question", Some(&self.question));
            page.pair("results", &self.results.to_string());
        });
    }
}

impl Due {
    pub(super) fn write(&self, page: &mut Page) {
        let conditions = all_spoken(&self.conditions);
        let state = match (&self.kind, &self.acknowledged_at) {
            (None, _) => "was told, and has had no notice".to_owned(),
            (Some(kind), Some(when)) => {
                format!("{kind} acknowledged at {}", instant::spoken(when))
            }
            (Some(kind), None) => format!(
                "{kind} of {} OUTSTANDING, due {}",
                at(self.issued_at.as_ref()),
                at(self.deadline.as_ref())
            ),
        };
        page.line(&format!(
            "{} ({conditions}): {state}",
            self.recipient_party_id
        ));
    }
}

/// How often, in words.
fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}
