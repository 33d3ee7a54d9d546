//! `schakel verify`: offline, with nothing but files and the key of the log.
//!
//! On standard output stands one line a check, and nothing else: OK, FAIL or WARN, a code that does not
//! change, and what it is about as `name=value`. What cannot be checked at all is said on standard error.

mod checkpoint;
mod consistency;
mod proof;
mod report;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use schakel_audit::{
    checkpoint::{Checkpoint, OpenError, Origin},
    note::VerifyingKey,
};

use self::report::{Check, Report};
use crate::{
    exit::{chain, said, sentence},
    output::{self, Output},
};

/// Whether it verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Exit {
    Verified = 0,
    Failed = 1,
    Malformed = 2,
    Missing = 3,
    Stale = 4,
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
   4  verified, but the checkpoint is older than was asked for";

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
}

/// What everything is verified by.
#[derive(Debug, clap::Args)]
struct PolicyArgs {
    /// The key that verifies the log, or a file with it. Have it from the operator, never from the log.
    #[arg(long, value_name = "VKEY|FILE")]
    verifier_key: String,
    /// The name of the log [default: that of its key].
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    /// The least size of a checkpoint that is not stale.
    #[arg(long, value_name = "SIZE")]
    at_least: Option<u64>,
    /// Print one JSON document instead of lines.
    #[arg(long)]
    json: bool,
}

/// What everything is verified by, read.
struct Policy {
    key: VerifyingKey,
    origin: Origin,
    at_least: Option<u64>,
}

pub(super) fn run(args: VerifyArgs) -> ExitCode {
    let (json, checked) = match args.what {
        What::Proof(args) => (args.policy.json, proof::check(&args)),
        What::Checkpoint(args) => (args.policy.json, checkpoint::check(&args)),
        What::Consistency(args) => (args.policy.json, consistency::check(&args)),
    };
    let exit = match checked {
        Ok(report) => {
            Output::new(json).show(&report);
            report.exit()
        }
        Err(unchecked) => {
            output::complain(&unchecked.message);
            unchecked.exit
        }
    };
    ExitCode::from(exit as u8)
}

impl PolicyArgs {
    fn read(&self) -> Result<Policy, Unchecked> {
        let key = self.key()?;
        let origin = self.origin.as_deref().unwrap_or(key.name());
        let origin = origin
            .parse()
            .map_err(|error| Unchecked::malformed(&chain(&error)))?;
        Ok(Policy {
            key,
            origin,
            at_least: self.at_least,
        })
    }

    fn key(&self) -> Result<VerifyingKey, Unchecked> {
        let path = Path::new(&self.verifier_key);
        let text = if path.exists() {
            read(path)?
        } else {
            self.verifier_key.clone()
        };
        text.trim().parse().map_err(|error| {
            Unchecked::malformed(&format!(
                "the verifier key cannot be used: {}",
                chain(&error)
            ))
        })
    }
}

impl Policy {
    /// Checks the signature and the origin of a signed checkpoint. `None` when it cannot be relied on.
    fn open(&self, note: &str, report: &mut Report) -> Result<Option<Checkpoint>, Unchecked> {
        let key = self.key.id().to_string();
        let checkpoint = match Checkpoint::open(note, &self.key) {
            Ok(checkpoint) => checkpoint,
            Err(error @ (OpenError::Note(_) | OpenError::Form(_))) => {
                return Err(Unchecked::malformed(&chain(&error)));
            }
            Err(OpenError::Signature(error)) => {
                let check = Check::fail("checkpoint-signature");
                report.add(check.with("key", key).with("reason", error.to_string()));
                return Ok(None);
            }
        };
        if checkpoint.origin != self.origin {
            let check = Check::fail("origin").with("want", self.origin.as_str());
            report.add(check.with("got", checkpoint.origin.as_str()));
            return Ok(None);
        }
        let check = Check::ok("checkpoint-signature").with("origin", checkpoint.origin.as_str());
        report.add(check.with("key", key).with("size", checkpoint.size));
        Ok(Some(checkpoint))
    }

    /// Warns when the checkpoint is smaller than was asked for.
    fn age(&self, checkpoint: &Checkpoint, report: &mut Report) {
        if let Some(wanted) = self.at_least.filter(|wanted| checkpoint.size < *wanted) {
            let check = Check::stale().with("size", checkpoint.size);
            report.add(check.with("wanted", wanted));
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

/// The path of what goes with a file.
fn beside(path: &Path, given: Option<&PathBuf>, ending: &str) -> PathBuf {
    given
        .cloned()
        .unwrap_or_else(|| crate::receipt::beside(path, ending))
}
