//! What was erased, read from the details that are published open.

use super::{Erased, ErasureFault, Files, Finding, LogCheck, files::unread};
use crate::{
    erasure::{Covers, Erasure, Opened, path},
    leaf::{EntryType, Leaf},
};

impl LogCheck {
    /// Reads what an erasure entry covers, if the entry is one.
    pub(super) fn erasure<F: Files + ?Sized>(
        &mut self,
        index: u64,
        leaf: &Leaf,
        files: &F,
        findings: &mut Vec<Finding>,
    ) {
        if leaf.entry_type != EntryType::Erasure {
            return;
        }
        let file = path(index);
        let bytes = match files.read(&file, MAX_LEN) {
            Ok(bytes) => bytes,
            Err(why) => {
                findings.push(unread(file, index..index + 1, why));
                return;
            }
        };
        match read(index, leaf, &bytes) {
            Ok(erasure) => self.count(erasure),
            Err(fault) => findings.push(Finding::Erasure { index, file, fault }),
        }
    }

    fn count(&mut self, erasure: Erasure) {
        let entries = match &erasure.covers {
            Covers::Entries(ranges) => ranges
                .iter()
                .map(|range| range.end() - range.start() + 1)
                .sum(),
            // Those before it in the log: their month was over.
            Covers::Month(class, month) => self
                .months
                .get(&(*class, *month))
                .copied()
                .unwrap_or_default(),
        };
        let mut rule = (erasure.rule, erasure.law);
        if self.summary.erased.len() >= MAX_RULES && !self.summary.erased.contains_key(&rule) {
            rule = ("OTHER".to_owned(), String::new());
        }
        let erased: &mut Erased = self.summary.erased.entry(rule).or_default();
        erased.erasures += 1;
        erased.entries = erased.entries.saturating_add(entries);
    }
}

fn read(index: u64, leaf: &Leaf, bytes: &[u8]) -> Result<Erasure, ErasureFault> {
    let opened = Opened::decode(bytes).ok_or(ErasureFault::Short)?;
    let erasure = Erasure::open(leaf, &opened)?;
    if let Covers::Entries(ranges) = &erasure.covers
        && let Some(last) = ranges.last().map(|range| *range.end())
        && last >= index
    {
        return Err(ErasureFault::Later(last));
    }
    Ok(erasure)
}

/// The longest opened details that are read, in bytes: many times what an entry can have.
const MAX_LEN: usize = 1 << 20;
/// How many rules are counted each by itself. There are a handful; a log that makes up more must not fill
/// the memory of whoever verifies it.
const MAX_RULES: usize = 256;
