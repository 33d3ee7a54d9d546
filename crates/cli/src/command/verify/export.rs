//! `schakel verify export`.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use schakel_audit::export::{ExportCheck, ExportFinding, ExportSummary, Line, MAX_LINE};

use super::{Check, PolicyArgs, PublishedArgs, Report, Unchecked, log::bar};
use crate::exit::chain;

#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// The export, as `schakel export entries` writes it.
    file: PathBuf,
    #[command(flatten)]
    published: PublishedArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
}

pub(super) fn check(args: &ExportArgs, report: &mut Report) -> Result<(), Unchecked> {
    let unreadable = |error| Unchecked::missing(&args.file, &error);
    let file = File::open(&args.file).map_err(unreadable)?;
    let Some(rules) = args.published.follow(args.policy.read()?, report)? else {
        return Ok(());
    };
    let bar = bar(file.metadata().map_err(unreadable)?.len());
    let mut lines = Lines {
        path: &args.file,
        file: BufReader::new(file),
        at: 0,
        text: Vec::new(),
    };
    report.go_live();
    let mut check = ExportCheck::new(rules.policies());
    let mut findings = Vec::new();
    // Of the newest section the checkpoint is weighed as any other is.
    let mut newest = None;
    while let Some(line) = lines.next()? {
        bar.inc(u64::try_from(lines.text.len()).unwrap_or(0));
        if let Line::Head(head) = &line {
            newest = Some(head.checkpoint.clone());
        }
        check.line(&line, &mut findings);
        if !findings.is_empty() {
            bar.suspend(|| say(&mut findings, report));
        }
    }
    bar.finish_and_clear();
    let summary = check.finish(&mut findings);
    say(&mut findings, report);
    tell(&summary, report);
    // One that does not hold was found already.
    if let Some(note) = newest.filter(|_| summary.checkpoint.is_some())
        && let Some(endorsed) = rules.open(&note, report)?
    {
        rules.weigh(&endorsed, report);
    }
    Ok(())
}

/// The lines of the file, none of them read further than any can be long.
struct Lines<'a> {
    path: &'a Path,
    file: BufReader<File>,
    at: u64,
    text: Vec<u8>,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Option<Line>, Unchecked> {
        self.text.clear();
        self.at += 1;
        let limit = u64::try_from(MAX_LINE)
            .unwrap_or(u64::MAX)
            .saturating_add(2);
        let mut part = self.file.by_ref().take(limit);
        part.read_until(b'\n', &mut self.text)
            .map_err(|error| Unchecked::missing(self.path, &error))?;
        if self.text.is_empty() {
            return Ok(None);
        }
        let place = |said: &str| {
            let (path, at) = (self.path.display(), self.at);
            Unchecked::malformed(&format!("`{path}`, line {at}: {said}"))
        };
        let text = str::from_utf8(&self.text).map_err(|_| place("it is not UTF-8 text"))?;
        text.parse()
            .map(Some)
            .map_err(|error| place(&chain(&error)))
    }
}

fn say(findings: &mut Vec<ExportFinding>, report: &mut Report) {
    for finding in findings.drain(..) {
        report.add(told(&finding));
    }
}

fn told(finding: &ExportFinding) -> Check {
    let check = if finding.is_absence() {
        Check::missing(code(finding))
    } else {
        Check::fail(code(finding))
    };
    let index = match finding {
        ExportFinding::Index { index }
        | ExportFinding::Leaf { index, .. }
        | ExportFinding::Order { index }
        | ExportFinding::Inclusion { index, .. }
        | ExportFinding::Opened { index }
        | ExportFinding::Erasure { index, .. }
        | ExportFinding::Redacted { index, .. } => Some(*index),
        _ => None,
    };
    let check = match index {
        Some(index) => check.with("index", index),
        None => check,
    };
    check.with("reason", chain(finding))
}

const fn code(finding: &ExportFinding) -> &'static str {
    match finding {
        ExportFinding::Outside => "outside",
        ExportFinding::Cut { .. } => "cut",
        ExportFinding::Checkpoint { .. } => "checkpoint-signature",
        ExportFinding::Other { .. } => "origin",
        ExportFinding::From { .. } => "from",
        ExportFinding::Consistency { .. } => "consistency",
        ExportFinding::Index { .. } => "index",
        ExportFinding::Leaf { .. } => "leaf",
        ExportFinding::Order { .. } => "order",
        ExportFinding::Inclusion { .. } => "inclusion",
        ExportFinding::Opened { .. } => "commitment",
        ExportFinding::Erasure { .. } => "erasure",
        ExportFinding::Redacted { .. } => "redacted",
        ExportFinding::NoErasure { .. } => "missing",
        ExportFinding::Count { .. } => "count",
        ExportFinding::End { .. } => "end",
    }
}

/// Says what was seen.
fn tell(summary: &ExportSummary, report: &mut Report) {
    let check = Check::ok("entries").with("count", summary.entries);
    let check = check.with("opened", summary.opened);
    let check = check.with("sections", summary.sections);
    report.add(match summary.range {
        Some((from, end)) => check.with("from", from).with("end", end),
        None => check,
    });
    for (rule, entries) in &summary.redacted {
        let check = Check::warn("redacted").with("rule", rule.as_str());
        report.add(check.with("entries", *entries));
    }
}
