//! `schakel verify checkpoint`.

use std::path::PathBuf;

use super::{PolicyArgs, Report, Unchecked, read};

#[derive(Debug, clap::Args)]
pub(super) struct CheckpointArgs {
    /// The checkpoint: a signed note.
    file: PathBuf,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
}

pub(super) fn check(args: &CheckpointArgs) -> Result<Report, Unchecked> {
    let policy = args.policy.read()?;
    let mut report = Report::default();
    if let Some(checkpoint) = policy.open(&read(&args.file)?, &mut report)? {
        policy.age(&checkpoint, &mut report);
    }
    Ok(report)
}
