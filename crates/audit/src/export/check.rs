//! Verifying an export, line by line.

use std::collections::BTreeMap;

mod finding;

pub use finding::ExportFinding;

use super::{Details, End, Entry, Head, Line};
use crate::{
    checkpoint::{Checkpoint, Origin},
    commitment::verify_commit,
    erasure::{Erasure, Opened},
    leaf::{EntryType, Leaf, Month, RetentionClass},
    policy::Policies,
    tree::{leaf_hash, verify_consistency, verify_inclusion},
};

/// The verification of an export, a line at a time. It holds what is redacted until the erasure comes that says
/// so, and little else.
#[derive(Debug)]
pub struct ExportCheck<'a> {
    policies: &'a Policies,
    /// The section that is being read.
    section: Option<Section>,
    /// The last section that could be relied on, and where the last one ended.
    before: Option<Checkpoint>,
    reached: Option<u64>,
    /// What every section must name alike.
    of: Option<(Origin, Option<String>)>,
    erasures: BTreeMap<u64, Erasure>,
    /// What is said to be redacted by an erasure that has not come.
    awaited: BTreeMap<u64, Vec<Redacted>>,
    last_ms: Option<u64>,
    summary: ExportSummary,
}

/// A section that is being read.
#[derive(Debug)]
struct Section {
    /// `None` when the checkpoint cannot be relied on, and with it no proof.
    checkpoint: Option<Checkpoint>,
    from: u64,
    /// The least index that the next entry can have.
    next: u64,
    entries: u64,
    is_whole_log: bool,
}

/// An entry, or several one after the other, that an erasure must cover.
#[derive(Clone, Debug)]
struct Redacted {
    first: u64,
    last: u64,
    class: RetentionClass,
    destroy: Option<Month>,
    rule: String,
}

/// What was seen of an export.
#[derive(Clone, Debug, Default)]
pub struct ExportSummary {
    /// How many sections were whole.
    pub sections: u64,
    /// How many entries are proved.
    pub entries: u64,
    /// Of how many the details were opened and are those that the leaf is committed to.
    pub opened: u64,
    /// How many are redacted, by the code of the rule.
    pub redacted: BTreeMap<String, u64>,
    /// The checkpoint of the last section.
    pub checkpoint: Option<Checkpoint>,
    /// The first index looked at, and the one after the last.
    pub range: Option<(u64, u64)>,
}

impl<'a> ExportCheck<'a> {
    /// Begins to verify an export by a policy, and what it came to be as keys changed.
    #[must_use]
    pub fn new(policies: &'a Policies) -> Self {
        Self {
            policies,
            section: None,
            before: None,
            reached: None,
            of: None,
            erasures: BTreeMap::new(),
            awaited: BTreeMap::new(),
            last_ms: None,
            summary: ExportSummary::default(),
        }
    }

    /// Looks at the next line.
    pub fn line(&mut self, line: &Line, findings: &mut Vec<ExportFinding>) {
        match (line, self.section.take()) {
            (Line::Head(head), None) => self.head(head, findings),
            (Line::Head(head), Some(open)) => {
                findings.push(ExportFinding::Cut { from: open.from });
                // It is not known where it would have ended.
                self.reached = None;
                self.head(head, findings);
            }
            (Line::Entry(entry), Some(mut section)) => {
                self.entry(entry, &mut section, findings);
                self.section = Some(section);
            }
            (Line::End(end), Some(section)) => self.end(*end, &section, findings),
            (Line::Entry(_) | Line::End(_), None) => findings.push(ExportFinding::Outside),
        }
    }

    /// Says what was seen, and what was never said.
    #[must_use]
    pub fn finish(mut self, findings: &mut Vec<ExportFinding>) -> ExportSummary {
        if let Some(open) = &self.section {
            findings.push(ExportFinding::Cut { from: open.from });
        }
        for (erasure, awaited) in self.awaited {
            let entries = awaited.iter().map(|run| run.last - run.first + 1).sum();
            findings.push(ExportFinding::NoErasure { erasure, entries });
        }
        self.summary.checkpoint = self.before;
        self.summary
    }

    fn head(&mut self, head: &Head, findings: &mut Vec<ExportFinding>) {
        let from = head.from;
        if let Some(want) = self.reached.filter(|want| *want != from) {
            findings.push(ExportFinding::From { want, got: from });
        }
        let of = (head.origin.clone(), head.controller.clone());
        let is_other = self.of.get_or_insert_with(|| of.clone()) != &of;
        let checkpoint = match self.policies.open(&head.checkpoint) {
            Ok(endorsed) if endorsed.checkpoint().origin == head.origin && !is_other => {
                Some(endorsed.checkpoint().clone())
            }
            Ok(_) => {
                findings.push(ExportFinding::Other { from });
                None
            }
            Err(error) => {
                findings.push(ExportFinding::Checkpoint { from, error });
                None
            }
        };
        if let (Some(before), Some(now)) = (&self.before, &checkpoint) {
            let proof = &head.consistency;
            let (old, new) = (before.size, now.size);
            if old > 0
                && let Err(error) = verify_consistency(old, before.root, new, now.root, proof)
            {
                findings.push(ExportFinding::Consistency { old, new, error });
            }
        }
        let first = self.summary.range.map_or(from, |(first, _)| first);
        self.summary.range = Some((first, from));
        self.section = Some(Section {
            checkpoint,
            from,
            next: from,
            entries: 0,
            is_whole_log: head.controller.is_none(),
        });
    }

    fn entry(&mut self, entry: &Entry, section: &mut Section, findings: &mut Vec<ExportFinding>) {
        let index = entry.index;
        section.entries += 1;
        if index < section.next {
            findings.push(ExportFinding::Index { index });
        }
        section.next = section.next.max(index.saturating_add(1));
        // Without a checkpoint nothing is proved, and what is not proved is not worth reading.
        let Some(tree) = &section.checkpoint else {
            return;
        };
        let hash = leaf_hash(&entry.leaf);
        if let Err(error) = verify_inclusion(hash, index, tree.size, &entry.proof, tree.root) {
            findings.push(ExportFinding::Inclusion { index, error });
            return;
        }
        match Leaf::decode(&entry.leaf) {
            Ok(leaf) => self.leaf(index, &leaf, &entry.details, findings),
            Err(error) => findings.push(ExportFinding::Leaf { index, error }),
        }
    }

    fn leaf(
        &mut self,
        index: u64,
        leaf: &Leaf,
        details: &Details,
        findings: &mut Vec<ExportFinding>,
    ) {
        self.summary.entries += 1;
        if self.last_ms.is_some_and(|before| leaf.at_ms < before) {
            findings.push(ExportFinding::Order { index });
        }
        self.last_ms = Some(leaf.at_ms);
        match details {
            Details::Opened { blind, details } => {
                if !verify_commit(blind, details, &leaf.commitment) {
                    findings.push(ExportFinding::Opened { index });
                    return;
                }
                self.summary.opened += 1;
                if leaf.entry_type == EntryType::Erasure {
                    let (blind, details) = (*blind, details.clone());
                    self.erasure(index, leaf, &Opened { blind, details }, findings);
                }
            }
            Details::Redacted { erasure, rule } => {
                let redacted = Redacted {
                    first: index,
                    last: index,
                    class: leaf.class,
                    destroy: leaf.destroy,
                    rule: rule.clone(),
                };
                self.redacted(*erasure, redacted, findings);
            }
            Details::Withheld => {}
        }
    }

    fn erasure(
        &mut self,
        index: u64,
        leaf: &Leaf,
        opened: &Opened,
        findings: &mut Vec<ExportFinding>,
    ) {
        match Erasure::open(leaf, opened) {
            Ok(erasure) => {
                for run in self.awaited.remove(&index).unwrap_or_default() {
                    self.judge(index, &erasure, &run, findings);
                }
                self.erasures.insert(index, erasure);
            }
            Err(error) => findings.push(ExportFinding::Erasure { index, error }),
        }
    }

    fn redacted(&mut self, by: u64, one: Redacted, findings: &mut Vec<ExportFinding>) {
        if let Some(erasure) = self.erasures.remove(&by) {
            self.judge(by, &erasure, &one, findings);
            self.erasures.insert(by, erasure);
            return;
        }
        let runs = self.awaited.entry(by).or_default();
        match runs.last_mut() {
            Some(run) if run.goes_on_with(&one) => run.last = one.last,
            _ => runs.push(one),
        }
    }

    /// Holds a run of redacted entries against the erasure that is said to cover them.
    fn judge(
        &mut self,
        by: u64,
        erasure: &Erasure,
        run: &Redacted,
        findings: &mut Vec<ExportFinding>,
    ) {
        let is_covered = |index: &u64| {
            erasure.rule == run.rule
                && *index < by
                && erasure.covers_one(*index, run.class, run.destroy)
        };
        for index in run.first..=run.last {
            if is_covered(&index) {
                *self.summary.redacted.entry(run.rule.clone()).or_default() += 1;
            } else {
                let erasure = by;
                findings.push(ExportFinding::Redacted { index, erasure });
            }
        }
    }

    fn end(&mut self, end: End, section: &Section, findings: &mut Vec<ExportFinding>) {
        let size = section.checkpoint.as_ref().map_or(u64::MAX, |it| it.size);
        if end.end < section.next || end.end > size {
            findings.push(ExportFinding::End { end: end.end });
        }
        let want = if section.is_whole_log {
            end.end.saturating_sub(section.from)
        } else {
            end.entries
        };
        for got in [section.entries, end.entries] {
            if got != want {
                findings.push(ExportFinding::Count { want, got });
                break;
            }
        }
        self.reached = Some(end.end);
        self.summary.sections += 1;
        self.summary.range = self.summary.range.map(|(first, _)| (first, end.end));
        if section.checkpoint.is_some() {
            self.before.clone_from(&section.checkpoint);
        }
    }
}

impl Redacted {
    fn goes_on_with(&self, next: &Self) -> bool {
        self.last.checked_add(1) == Some(next.first)
            && self.class == next.class
            && self.destroy == next.destroy
            && self.rule == next.rule
    }
}
