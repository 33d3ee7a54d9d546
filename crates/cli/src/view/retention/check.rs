//! What should have been destroyed by now, and what was.

use std::collections::BTreeMap;

use schakel_api::v1;
use serde::Serialize;

use super::{Month, all};
use crate::{instant, output::View, page::Page};

/// Within how many seconds of an erasure the key-encryption key is to be changed.
const KEK_DUE_S: i64 = 24 * 60 * 60;

/// What is over and not destroyed, and what was erased by which rule.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RetentionCheck {
    overdue: Vec<Month>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_held_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kek_due_since: Option<String>,
    kek_overdue: bool,
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
        let kek_overdue = is_kek_overdue(&kept);
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
            kek_overdue,
            sweeping: kept.sweeping,
            next: next.map(Month::from),
            done: done.into_values().collect(),
        }
    }

    /// Whether nothing that is over stands any more, by a clock that lets the broker destroy it, and that
    /// what was erased can be opened by no old key for longer than the day within which that is changed.
    pub(crate) const fn is_done(&self) -> bool {
        self.overdue.is_empty() && self.clock_held_at.is_none() && !self.kek_overdue
    }
}

/// Whether the key-encryption key should have been changed by now. An answer of an older broker has no time, so that
/// nothing shows that the day is not over.
fn is_kek_overdue(kept: &v1::GetRetentionResponse) -> bool {
    kept.kek_due_since.is_some_and(|since| {
        let at = kept.at.map(|at| (at.seconds, at.nanos));
        at.is_none_or(|at| at > (since.seconds.saturating_add(KEK_DUE_S), since.nanos))
    })
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
            if self.kek_overdue {
                page.line(
                    "The broker should have done so within a day: see its log, or run `schakel keyring rotate-kek`.",
                );
            }
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

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    /// What is told a while after an erasure whose key-encryption key still counts, if it does.
    fn checked(since: Option<i64>, at: Option<Timestamp>) -> (bool, String) {
        let instant = |seconds| Timestamp { seconds, nanos: 5 };
        let kept = v1::GetRetentionResponse {
            kek_due_since: since.map(instant),
            at,
            ..v1::GetRetentionResponse::default()
        };
        let check = RetentionCheck::new(kept, Vec::new());
        let mut page = Page::default();
        check.write(&mut page);
        (check.is_done(), page.as_str().to_owned())
    }

    #[test]
    fn an_old_key_that_still_opens_what_was_erased_is_in_order_for_a_day() {
        let after = |seconds, nanos| Some(Timestamp { seconds, nanos });
        let (changed, text) = checked(None, after(KEK_DUE_S * 2, 0));
        assert!(changed && text.contains("was destroyed"), "{text}");
        let (due, text) = checked(Some(0), after(KEK_DUE_S, 5));
        assert!(due && text.contains("by the old key"), "{text}");
        for late in [after(KEK_DUE_S, 6), after(KEK_DUE_S * 21, 0), None] {
            let (overdue, text) = checked(Some(0), late);
            assert!(!overdue && text.contains("rotate-kek"), "{text}");
            assert!(!text.contains("Everything"), "{text}");
        }
    }
}
