//! `schakel verify checkpoint`.

use std::path::PathBuf;

use super::{PolicyArgs, PublishedArgs, Report, Unchecked, read};

#[derive(Debug, clap::Args)]
pub(super) struct CheckpointArgs {
    /// The checkpoint: a signed note.
    file: PathBuf,
    #[command(flatten)]
    published: PublishedArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
}

pub(super) fn check(args: &CheckpointArgs, report: &mut Report) -> Result<(), Unchecked> {
    let Some(rules) = args.published.follow(args.policy.read()?, report)? else {
        return Ok(());
    };
    if let Some(endorsed) = rules.open(&read(&args.file)?, report)? {
        rules.weigh(&endorsed, report);
    }
    Ok(())
}
