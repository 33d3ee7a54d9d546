//! What should have been destroyed by now, and what was.

use std::collections::BTreeMap;

use schakel_api::v1;
use serde::Serialize;

use super::{Month, all};
use crate::{instant, output::View, page::Page};

/// What is over and not destroyed, and what was erased by which rule.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RetentionCheck {
    overdue: Vec<Month>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_held_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kek_due_since: Option<String>,
    sweeping: bool,
    next: Option<Month>,
    done: Vec<Done>,
}

/// What was erased by one rule.
#[derive(Clone, Debug, Serialize)]
struct Done {
    rule: String,
    law_ref: String,
    erasures: u64,
    /// Entries that are named one by one; those of a month are told by their leaves.
    entries: u64,
    first_at: Option<String>,
    last_at: Option<String>,
    /// When the last backup of what was erased last is gone.
    final_at: Option<String>,
}

impl RetentionCheck {
    /// From what is due, and from everything that was erased, newest first.
    pub(crate) fn new(kept: v1::GetRetentionResponse, erased: Vec<v1::Erasure>) -> Self {
        let later = |due: &&v1::RetentionMonth| !kept.overdue.contains(due);
        let next = kept.due.iter().find(later).cloned();
        let mut done: BTreeMap<(String, String), Done> = BTreeMap::new();
        for erasure in erased {
            let rule = erasure.rule.unwrap_or_default();
            let at = instant::shown_if(erasure.at.as_ref());
            let key = (rule.code.clone(), rule.law_ref.clone());
            let row = done.entry(key).or_insert_with(|| Done {
                rule: rule.code,
                law_ref: rule.law_ref,
                erasures: 0,
                entries: 0,
                first_at: None,
                last_at: at.clone(),
                final_at: instant::shown_if(erasure.final_at.as_ref()),
            });
            row.erasures += 1;
            row.entries += erasure.entries.unwrap_or(0);
            row.first_at = at;
        }
        Self {
            overdue: all(kept.overdue),
            clock_held_at: instant::shown_if(kept.clock_held_at.as_ref()),
            kek_due_since: instant::shown_if(kept.kek_due_since.as_ref()),
            sweeping: kept.sweeping,
            next: next.map(Month::from),
            done: done.into_values().collect(),
        }
    }

    /// Whether nothing that is over stands any more, by a clock that lets the broker destroy it. That the
    /// key-encryption key is changed within a day of an erasure is in order until then.
    pub(crate) const fn is_done(&self) -> bool {
        self.overdue.is_empty() && self.clock_held_at.is_none()
    }
}

impl View for RetentionCheck {
    fn write(&self, page: &mut Page) {
        if self.is_done() {
            page.line(if self.kek_due_since.is_none() {
                "Everything whose time is over was destroyed."
            } else {
                "Everything whose time is over was erased; what was erased last can still be opened by the old key."
            });
        } else if !self.overdue.is_empty() {
            page.line("Over, and not destroyed:");
            page.indented(|page| {
                for month in &self.overdue {
                    page.line(&month.shown());
                }
            });
        }
        if let Some(at) = &self.clock_held_at {
            let held = instant::spoken(at);
            page.line(&format!(
                "Nothing is destroyed: by its clock the broker was down for more than a day, until {held}."
            ));
            page.line("When it is right, say so with `schakel retention acknowledge-clock`.");
        }
        if let Some(since) = &self.kek_due_since {
            let since = instant::spoken(since);
            page.line(&format!(
                "The key-encryption key is still to be changed for an erasure of {since}."
            ));
        }
        if self.sweeping {
            page.line("Records are being made again after a month was destroyed.");
        }
        if let Some(next) = &self.next {
            page.line(&format!("Next: {}.", next.shown()));
        }
        for done in &self.done {
            page.blank();
            page.line(&format!("Erased by {} ({})", done.rule, done.law_ref));
            page.indented(|page| done.write(page));
        }
    }
}

impl Done {
    fn write(&self, page: &mut Page) {
        page.pair("erasures", &self.erasures.to_string());
        if self.entries > 0 {
            page.pair("entries", &self.entries.to_string());
        }
        for (name, at) in [
            ("first", &self.first_at),
            ("last", &self.last_at),
            ("final", &self.final_at),
        ] {
            page.pair_if(name, at.as_deref().map(instant::spoken).as_deref());
        }
    }
}
