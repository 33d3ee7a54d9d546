//! `schakel verify proof`.

use std::path::PathBuf;

use schakel_audit::{
    commitment::verify_released,
    leaf::Leaf,
    proof::TlogProof,
    tree::{leaf_hash, verify_inclusion},
};

use super::{
    Check, PolicyArgs, PublishedArgs, Report, Unchecked, beside, read, read_bytes, spoken_millis,
};
use crate::exit::chain;

#[derive(Debug, clap::Args)]
pub(super) struct ProofArgs {
    /// The receipt: a C2SP tlog-proof.
    file: PathBuf,
    /// The leaf [default: FILE.leaf].
    #[arg(long, value_name = "FILE")]
    leaf: Option<PathBuf>,
    /// Check as well that the leaf is committed to this disclosure.
    #[arg(long, value_name = "FILE")]
    disclosure: Option<PathBuf>,
    /// The salt that opens the commitment [default: FILE.salt].
    #[arg(long, value_name = "FILE", requires = "disclosure")]
    salt: Option<PathBuf>,
    #[command(flatten)]
    published: PublishedArgs,
    #[command(flatten)]
    pub(super) policy: PolicyArgs,
}

/// What was disclosed, and the salt of the leaf's commitment to it.
struct Opened {
    disclosure: Vec<u8>,
    salt: [u8; 32],
}

pub(super) fn check(args: &ProofArgs, report: &mut Report) -> Result<(), Unchecked> {
    let proof: TlogProof = read(&args.file)?.parse().map_err(|error| {
        Unchecked::malformed(&format!(
            "`{}` is no receipt: {}",
            args.file.display(),
            chain(&error)
        ))
    })?;
    let leaf = read_bytes(&beside(&args.file, args.leaf.as_ref(), "leaf"))?;
    let opened = args.opened()?;
    let Some(rules) = args.published.follow(args.policy.read()?, report)? else {
        return Ok(());
    };
    let Some(endorsed) = rules.open(&proof.checkpoint, report)? else {
        return Ok(());
    };
    let checkpoint = endorsed.checkpoint();
    let (size, root) = (checkpoint.size, checkpoint.root);
    let place = |check: Check| check.with("index", proof.index).with("size", size);
    let held = verify_inclusion(leaf_hash(&leaf), proof.index, size, &proof.hashes, root);
    if let Err(error) = held {
        // What is not in the log is not worth reading.
        report.add(place(Check::fail("inclusion")).with("reason", error.to_string()));
        return Ok(());
    }
    report.add(place(Check::ok("inclusion")));
    let leaf = Leaf::decode(&leaf);
    report.add(match &leaf {
        Ok(leaf) => describe(leaf),
        // Other logs have other leaves; that theirs stands in the tree is proved all the same.
        Err(error) => Check::warn("leaf").with("reason", chain(error)),
    });
    if let Some(Opened { disclosure, salt }) = opened {
        let released = leaf.ok().and_then(|leaf| leaf.released);
        let held = released.is_some_and(|released| verify_released(&salt, &disclosure, &released));
        report.add(Check::of("commitment", held).with("bytes", disclosure.len()));
    }
    rules.weigh(&endorsed, report);
    Ok(())
}

impl ProofArgs {
    /// What was disclosed, and the salt.
    fn opened(&self) -> Result<Option<Opened>, Unchecked> {
        let Some(disclosure) = &self.disclosure else {
            return Ok(None);
        };
        let path = beside(&self.file, self.salt.as_ref(), "salt");
        let salt = <[u8; 32]>::try_from(read_bytes(&path)?).map_err(|bytes| {
            let said = format!(
                "`{}` has {} bytes: a salt has 32",
                path.display(),
                bytes.len()
            );
            Unchecked::malformed(&said)
        })?;
        let disclosure = read_bytes(disclosure)?;
        Ok(Some(Opened { disclosure, salt }))
    }
}

fn describe(leaf: &Leaf) -> Check {
    let check = Check::ok("leaf").with("type", leaf.entry_type.name());
    let check = check
        .with("at", spoken_millis(leaf.at_ms))
        .with("party", leaf.party.as_str());
    match &leaf.purpose {
        Some((purpose, version)) => check
            .with("purpose", purpose.as_str())
            .with("version", *version),
        None => check,
    }
}
