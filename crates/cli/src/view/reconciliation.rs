//! What came of comparing two sides, and of an export.

use schakel_client::Reconciliation;
use serde::Serialize;

use super::Receipt;
use crate::{
    exit::{chain, sentence},
    output::View,
    page::Page,
};

/// What both hold, and what only one side holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reconciled {
    held_by_both: u64,
    lacking_here: Vec<Receipt>,
    lacking_there: Vec<Receipt>,
    differing: Vec<Differing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contradiction: Option<String>,
    recorded: Vec<u64>,
}

/// Two leaves at one index.
#[derive(Clone, Debug, Serialize)]
struct Differing {
    held: Receipt,
    shown: Receipt,
}

/// How far an export came.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Exported {
    what: &'static str,
    done: u64,
    next: u64,
    /// Whether no details were opened because nobody approved it.
    unapproved: bool,
}

impl From<Reconciliation> for Reconciled {
    fn from(found: Reconciliation) -> Self {
        let differing = found.differing.into_iter();
        Self {
            held_by_both: found.both,
            lacking_here: super::all(found.lacking_here),
            lacking_there: super::all(found.lacking_there),
            differing: differing
                .map(|(held, shown)| Differing {
                    held: held.into(),
                    shown: shown.into(),
                })
                .collect(),
            contradiction: found.contradiction.map(|error| chain(&*error)),
            recorded: found.recorded.iter().map(|one| one.index).collect(),
        }
    }
}

impl View for Reconciled {
    fn write(&self, page: &mut Page) {
        page.pair("held by both", &self.held_by_both.to_string());
        page.pair("lacking here", &indexes(&self.lacking_here));
        page.pair("lacking there", &indexes(&self.lacking_there));
        let differing = self.differing.iter().map(|one| one.held.index.to_string());
        let differing: Vec<String> = differing.collect();
        page.pair("differing", &listed(&differing));
        for one in &self.differing {
            page.blank();
            page.line(&format!(
                "Entry {}: the receipt held, and what the broker shows now.",
                one.held.index
            ));
            one.held.evidence(page);
            one.shown.evidence(page);
        }
        for one in &self.lacking_there {
            page.blank();
            page.line(&format!(
                "Entry {}: the broker signed for it, and does not show it.",
                one.index
            ));
            one.evidence(page);
        }
        if let Some(contradiction) = &self.contradiction {
            page.blank();
            page.line(&sentence(contradiction));
        }
        if self.is_evidence() {
            page.blank();
            page.line(
                "The log of the broker is not what it signed for. Keep the register and this report, and \
                 tell an auditor.",
            );
        }
    }
}

impl Reconciled {
    fn is_evidence(&self) -> bool {
        let proved = self.lacking_there.is_empty() && self.differing.is_empty();
        !proved || self.contradiction.is_some()
    }
}

impl Receipt {
    /// What somebody else needs to see it.
    fn evidence(&self, page: &mut Page) {
        page.indented(|page| page.pair("leaf", &self.leaf));
        page.verbatim(&self.checkpoint);
    }
}

fn indexes(receipts: &[Receipt]) -> String {
    let indexes: Vec<String> = receipts.iter().map(|one| one.index.to_string()).collect();
    listed(&indexes)
}

/// How many, and which.
fn listed(indexes: &[String]) -> String {
    if indexes.is_empty() {
        return "0".to_owned();
    }
    format!("{}: entry {}", indexes.len(), indexes.join(", "))
}

impl Exported {
    /// Entries; without an approval of a second officer their details stayed closed.
    pub(crate) const fn entries(done: u64, next: u64, unapproved: bool) -> Self {
        Self {
            what: "entries",
            done,
            next,
            unapproved,
        }
    }

    /// Lines.
    pub(crate) const fn lines(done: u64, next: u64) -> Self {
        Self {
            what: "lines",
            done,
            next,
            unapproved: false,
        }
    }
}

impl View for Exported {
    fn write(&self, page: &mut Page) {
        page.line(&format!(
            "{} {} exported in all, of everything before entry {}.",
            self.done, self.what, self.next
        ));
        if self.unapproved {
            page.line(
                "Leaves and proofs; the details stayed closed, and do so in this file. To have them opened, run the \
                 command with --propose, and once it is approved with another file and another state. Going on with \
                 these under --approved opens what comes from then on.",
            );
        }
    }
}
