//! `schakel verify`: offline, with nothing but files, and the key of the log or a policy.
//!
//! On standard output stands one line a check, and nothing else: OK, FAIL or WARN, a code that does not
//! change, and what it is about as `name=value`. What cannot be checked at all is said on standard error.

mod checkpoint;
mod consistency;
mod directory;
mod export;
mod finding;
#[cfg(test)]
mod guide;
mod keys;
mod log;
mod policy;
mod proof;
mod report;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use schakel_audit::{
    checkpoint::Checkpoint,
    published::{Finding, LogCheck, Summary},
};
use schakel_core::time::Timestamp;

use self::{
    keys::PublishedArgs,
    log::LogArgs,
    policy::PolicyArgs,
    report::{Check, Report},
};
use crate::{
    exit::{said, sentence},
    output,
};

/// Whether it verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Exit {
    Verified = 0,
    Failed = 1,
    Malformed = 2,
    Missing = 3,
    Short = 4,
}

/// Why nothing could be checked.
#[derive(Debug)]
struct Unchecked {
    exit: Exit,
    message: String,
}

const EXIT_CODES: &str = "\
Exit codes:
   0  verified
   1  verification failed: keep the files, they are the evidence
   2  the command line or the form of a file is not right
   3  a file is missing or cannot be read
   4  verified, but the checkpoint is older than was asked for, or too few
      witnesses signed it";

/// What `verify` checks.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct VerifyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Verify that a leaf stands in the log, by its receipt.
    #[command(after_help = EXIT_CODES)]
    Proof(proof::ProofArgs),
    /// Verify the signature of a checkpoint.
    #[command(after_help = EXIT_CODES)]
    Checkpoint(checkpoint::CheckpointArgs),
    /// Verify that a later checkpoint only adds to an earlier one.
    #[command(after_help = EXIT_CODES)]
    Consistency(consistency::ConsistencyArgs),
    /// Verify a published log as a whole: every entry, every hash, the root.
    #[command(after_help = EXIT_CODES)]
    Log(LogArgs),
    /// Verify an export: that every entry stands in the log, and what was opened is what it is committed to.
    #[command(after_help = EXIT_CODES)]
    Export(export::ExportArgs),
}

pub(super) fn run(args: &VerifyArgs) -> ExitCode {
    let policy = args.what.policy();
    let mut report = Report::new(policy.json);
    let checked = match &args.what {
        What::Proof(args) => proof::check(args, &mut report),
        What::Checkpoint(args) => checkpoint::check(args, &mut report),
        What::Consistency(args) => consistency::check(args, &mut report),
        What::Log(args) => log::check(args, &mut report),
        What::Export(args) => export::check(args, &mut report),
    };
    let exit = match checked {
        Ok(()) => {
            let exit = report.exit();
            report.close(exit);
            exit
        }
        Err(unchecked) => {
            let exit = report.abandon(unchecked.exit);
            output::complain(&unchecked.message);
            exit
        }
    };
    ExitCode::from(exit as u8)
}

/// Verifies a published log as `schakel verify log` does, by its key and against a checkpoint that is held from
/// elsewhere: whether it verifies, and the lines that the command prints.
pub(crate) fn verify_log(dir: &Path, verifier_key: &str, anchor: &Path) -> (bool, Vec<String>) {
    let mut report = Report::kept();
    let checked = log::check(&LogArgs::plain(dir, verifier_key, anchor), &mut report);
    let mut lines = report.lines();
    let verified = match checked {
        Ok(()) => report.exit() == Exit::Verified,
        Err(unchecked) => {
            lines.push(format!("{}\n", unchecked.message));
            false
        }
    };
    (verified, lines)
}

/// Holds published files against the root of a checkpoint, whoever signed it: what was seen, and what is wrong.
pub(crate) fn verify_files(dir: &Path, signed: Checkpoint) -> (Summary, Vec<Finding>) {
    let mut findings = Vec::new();
    let found = |finding| findings.push(finding);
    let summary = log::walk(dir, LogCheck::new(signed), Vec::new(), None, found);
    (summary, findings)
}

impl What {
    const fn policy(&self) -> &PolicyArgs {
        match self {
            Self::Proof(args) => &args.policy,
            Self::Checkpoint(args) => &args.policy,
            Self::Consistency(args) => &args.policy,
            Self::Log(args) => &args.policy,
            Self::Export(args) => &args.policy,
        }
    }
}

impl Exit {
    /// The worse of the two: what failed, what is missing, what falls short.
    const fn or_worse(self, other: Self) -> Self {
        const fn rank(exit: Exit) -> u8 {
            match exit {
                Exit::Verified => 0,
                Exit::Short => 1,
                Exit::Missing => 2,
                Exit::Malformed => 3,
                Exit::Failed => 4,
            }
        }
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }
}

impl Unchecked {
    fn malformed(said: &str) -> Self {
        Self {
            exit: Exit::Malformed,
            message: sentence(said),
        }
    }

    fn missing(path: &Path, error: &io::Error) -> Self {
        Self {
            exit: Exit::Missing,
            message: format!("`{}` cannot be read: {}.", path.display(), said(error)),
        }
    }
}

/// A text file.
fn read(path: &Path) -> Result<String, Unchecked> {
    String::from_utf8(read_bytes(path)?)
        .map_err(|_| Unchecked::malformed(&format!("`{}` is not UTF-8 text", path.display())))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Unchecked> {
    fs::read(path).map_err(|error| Unchecked::missing(path, &error))
}

/// Milliseconds since 1970 as an instant.
fn spoken_millis(millis: u64) -> String {
    Timestamp::from_millis(millis)
        .unwrap_or(Timestamp::MAX)
        .to_string()
}

/// The path of what goes with a file.
fn beside(path: &Path, given: Option<&PathBuf>, ending: &str) -> PathBuf {
    given
        .cloned()
        .unwrap_or_else(|| crate::receipt::beside(path, ending))
}
