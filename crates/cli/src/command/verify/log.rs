//! `schakel verify log`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use indicatif::{ProgressBar, ProgressStyle};
use schakel_audit::{
    checkpoint::Checkpoint,
    minimum::{self, MinimumIndex},
    note::VerifyingKey,
    proof::TlogProof,
    published::{Finding, LogCheck, Summary},
};

use super::{
    Check, PolicyArgs, Report, Unchecked,
    directory::Directory,
    finding::{Evidence, line},
    policy::Rules,
    read, spoken_millis,
};
use crate::exit::chain;

#[derive(Debug, clap::Args)]
pub(super) struct LogArgs {
    /// The published log: a directory with `checkpoint`, `tile` and `erasures`, as C2SP tlog-tiles has it.
    dir: PathBuf,
    /// The checkpoint to verify it under [default: that of the directory].
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Leave out what was verified before, under this checkpoint.
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// A checkpoint or receipt from elsewhere that the log must extend; may be given more than once.
    #[arg(long, value_name = "FILE")]
    anchor: Vec<PathBuf>,
    /// Do without entries below this index, which the operator need no longer publish by its retention policy;
    /// their hashes must be there [default: the minimum index that the log announces, signed].
    #[arg(long, value_name = "INDEX")]
    pruned_below: Option<u64>,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
}

impl LogArgs {
    /// A log in this directory, verified by this key, and held against this checkpoint.
    pub(super) fn plain(dir: &Path, verifier_key: &str, anchor: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            checkpoint: None,
            since: None,
            anchor: vec![anchor.to_owned()],
            pruned_below: None,
            policy: PolicyArgs::of_key(verifier_key),
        }
    }
}

pub(super) fn check(args: &LogArgs, report: &mut Report) -> Result<(), Unchecked> {
    let mut rules = args.policy.read()?;
    let path = args.checkpoint.clone();
    let note = read(&path.unwrap_or_else(|| args.dir.join("checkpoint")))?;
    let since = args.since.as_deref().map(read_held).transpose()?;
    let anchors: Vec<String> = args
        .anchor
        .iter()
        .map(|path| read_held(path))
        .collect::<Result<_, _>>()?;
    rules.follow(&note, &args.dir, report);
    let Some(endorsed) = rules.open(&note, report)? else {
        return Ok(());
    };
    rules.weigh(&endorsed, report);
    let signed = endorsed.checkpoint().clone();
    let mut evidence = Evidence::new(note);
    let mut held = Vec::new();
    for note in anchors {
        held.extend(evidence.open(&rules, note, &signed, report)?);
    }
    let since = match since {
        None => None,
        Some(note) => match evidence.open(&rules, note, &signed, report)? {
            // There is nothing to go on from.
            None => return Ok(()),
            since => since,
        },
    };
    report.go_live();
    let minimum = match args.pruned_below {
        Some(index) => index,
        None => announced(&args.dir, &signed, &rules, report),
    };
    let mut check = LogCheck::new(signed.clone());
    check.prune(minimum);
    let summary = walk(&args.dir, check, held, since, |finding| {
        report.add(line(&finding, &evidence));
    });
    if summary.pruned > 0 {
        let check = Check::warn("pruned").with("below", minimum);
        report.add(check.with("entries", summary.pruned));
    }
    tell(&summary, &signed, report);
    Ok(())
}

/// The minimum index that the log announces; 0, by which everything must be there, when it announces none or none
/// that is signed as it must be.
fn announced(dir: &Path, signed: &Checkpoint, rules: &Rules, report: &mut Report) -> u64 {
    let file = dir.join(minimum::PATH);
    let note = match fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return 0,
        // What cannot be read announces nothing.
        note => note.unwrap_or_default(),
    };
    let keys: Vec<&VerifyingKey> = rules.keys(signed).collect();
    match MinimumIndex::open(&note, &signed.origin, &keys) {
        Ok(minimum) => minimum.index(),
        Err(error) => {
            let check = Check::fail("minimum-index").with("file", minimum::PATH);
            report.add(check.with("reason", chain(&error)));
            0
        }
    }
}

/// The note of a checkpoint: as such, or as it stands in a receipt.
fn read_held(path: &Path) -> Result<String, Unchecked> {
    let text = read(path)?;
    Ok(match text.parse::<TlogProof>() {
        Ok(proof) => proof.checkpoint,
        Err(_) => text,
    })
}

/// Verifies the whole log, and hands on what is found.
pub(super) fn walk(
    dir: &Path,
    mut check: LogCheck,
    held: Vec<Checkpoint>,
    since: Option<Checkpoint>,
    mut found: impl FnMut(Finding),
) -> Summary {
    let bar = bar(check.size());
    let files = Directory(dir);
    let mut findings = Vec::new();
    for held in held {
        check.hold(held, &mut findings);
    }
    if let Some(since) = since {
        check.resume(since, &files, &mut findings);
    }
    loop {
        let more = check.step(&files, &mut findings);
        bar.set_position(check.reached());
        if !findings.is_empty() {
            bar.suspend(|| findings.drain(..).for_each(&mut found));
        }
        if !more {
            break;
        }
    }
    bar.finish_and_clear();
    let summary = check.finish(&mut findings);
    findings.drain(..).for_each(found);
    summary
}

/// Says what was seen.
fn tell(summary: &Summary, signed: &Checkpoint, report: &mut Report) {
    let check = Check::ok("entries").with("count", summary.entries);
    let check = check.with("from", summary.from);
    report.add(match summary.times {
        Some((first, last)) => check
            .with("first", spoken_millis(first))
            .with("last", spoken_millis(last)),
        None => check,
    });
    for ((rule, law), erased) in &summary.erased {
        let check = Check::warn("redacted").with("rule", rule.as_str());
        let check = check.with("law", law.as_str());
        let check = check.with("erasures", erased.erasures);
        report.add(check.with("entries", erased.entries));
    }
    if summary.root_holds {
        let check = Check::ok("root").with("size", signed.size);
        report.add(check.with("root", signed.root.to_string()));
    }
    for held in &summary.extended {
        let check = Check::ok("consistency").with("from", held.size);
        report.add(check.with("to", signed.size));
    }
}

/// On standard error, when that is a terminal.
pub(super) fn bar(size: u64) -> ProgressBar {
    let bar = ProgressBar::new(size);
    let style = ProgressStyle::with_template("verifying {wide_bar} {pos}/{len}, {eta} left");
    // A template that does not parse leaves the ordinary bar.
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
