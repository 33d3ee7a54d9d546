//! `schakel verify consistency`.

use std::path::{Path, PathBuf};

use schakel_audit::{
    checkpoint::Checkpoint,
    tree::{Hash, verify_consistency},
};

use super::{Check, PolicyArgs, PublishedArgs, Report, Unchecked, read};

#[derive(Debug, clap::Args)]
pub(super) struct ConsistencyArgs {
    /// The earlier checkpoint.
    #[arg(long, value_name = "FILE")]
    old: PathBuf,
    /// The later checkpoint.
    #[arg(long, value_name = "FILE")]
    new: PathBuf,
    /// The proof: a hash a line, as `schakel audit consistency --proof` keeps it. Two checkpoints of one
    /// size need none.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    published: PublishedArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
}

pub(super) fn check(args: &ConsistencyArgs, report: &mut Report) -> Result<(), Unchecked> {
    let (old_note, new_note) = (read(&args.old)?, read(&args.new)?);
    let proof = args.proof.as_deref().map(read_proof).transpose()?;
    let Some(rules) = args.published.follow(args.policy.read()?, report)? else {
        return Ok(());
    };
    let old = rules.open(&old_note, report)?;
    let new = rules.open(&new_note, report)?;
    if let (Some(old), Some(new)) = (old, new) {
        let check = judge(old.checkpoint(), new.checkpoint(), proof.as_deref())?;
        report.add(match check {
            Judged::Evidence(check) => check.with_note(&old_note).with_note(&new_note),
            Judged::Plain(check) => check,
        });
        rules.weigh(&new, report);
    }
    Ok(())
}

enum Judged {
    Plain(Check),
    /// The two notes together prove what the check says.
    Evidence(Check),
}

fn judge(old: &Checkpoint, new: &Checkpoint, proof: Option<&[Hash]>) -> Result<Judged, Unchecked> {
    if old.origin != new.origin {
        // Both are of logs that the policy knows, and nothing binds one log to another.
        let check = Check::fail("origin").with("want", old.origin.as_str());
        return Ok(Judged::Plain(check.with("got", new.origin.as_str())));
    }
    if old.size == new.size && old.root != new.root {
        let check = Check::fail("fork").with("size", old.size);
        return Ok(Judged::Evidence(
            check
                .with("rootA", old.root.to_string())
                .with("rootB", new.root.to_string()),
        ));
    }
    if new.size < old.size {
        let check = Check::fail("rollback").with("size", new.size);
        return Ok(Judged::Plain(check.with("anchor", old.size)));
    }
    let between = |check: Check| check.with("from", old.size).with("to", new.size);
    if old.size == 0 || old.size == new.size {
        // Every log begins with the empty one, and with itself.
        return Ok(Judged::Plain(between(Check::ok("consistency"))));
    }
    let proof = proof.ok_or_else(|| {
        Unchecked::malformed(&format!(
            "from {} to {} needs a proof: --proof FILE",
            old.size, new.size
        ))
    })?;
    let held = verify_consistency(old.size, old.root, new.size, new.root, proof);
    Ok(Judged::Plain(match held {
        Ok(()) => between(Check::ok("consistency")),
        Err(error) => between(Check::fail("consistency")).with("reason", error.to_string()),
    }))
}

fn read_proof(path: &Path) -> Result<Vec<Hash>, Unchecked> {
    let text = read(path)?;
    let hash = |(at, line): (usize, &str)| {
        Hash::from_base64(line).ok_or_else(|| {
            let said = format!(
                "`{}`, line {}: not 32 bytes as base64",
                path.display(),
                at + 1
            );
            Unchecked::malformed(&said)
        })
    };
    text.lines().enumerate().map(hash).collect()
}
