//! `schakel key`: the keys that sign the log's checkpoints.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use schakel_audit::note::SigningKey;
use schakel_core::random::Random as _;
use schakel_store::random::OsRandom;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    exit::{Exit, Failure, chain, file_failure},
    output::{Output, View},
    page::Page,
};

/// What `key` does.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Make a key that signs checkpoints, in a file for its owner alone.
    ///
    /// To change keys, name the file in `broker.next_checkpoint_key_file` and start the broker again: the log says
    /// that the key is in use, and both sign. Once verifiers and witnesses know the new key, name it in
    /// `broker.checkpoint_key_file` alone: the old one is retired for good.
    Create {
        /// The name of the log: `broker.origin`.
        #[arg(long, value_name = "NAME")]
        origin: String,
        /// The file. One that exists is never overwritten.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Print JSON for machines.
        #[arg(long)]
        json: bool,
    },
    /// Show the public part of a key: what verifiers and witnesses are given.
    Show {
        /// The file of the key.
        file: PathBuf,
        /// Print JSON for machines.
        #[arg(long)]
        json: bool,
    },
}

/// The public part.
#[derive(Debug, Serialize)]
struct Shown {
    verifier_key: String,
}

impl View for Shown {
    fn write(&self, page: &mut Page) {
        page.line(&self.verifier_key);
    }
}

pub(super) fn run(args: KeyArgs) -> Result<Exit, Failure> {
    let (key, json) = match args.act {
        Act::Create { origin, out, json } => (create(&origin, &out)?, json),
        Act::Show { file, json } => (read(&file)?, json),
    };
    Output::new(json).show(&Shown {
        verifier_key: key.verifying_key().to_string(),
    });
    Ok(Exit::Done)
}

fn create(origin: &str, out: &Path) -> Result<SigningKey, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    OsRandom.fill(seed.as_mut_slice());
    let key = SigningKey::from_seed(origin, &seed)
        .map_err(|error| Failure::usage(format!("`--origin`: {}.", chain(&error))))?;
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(out);
    let written = file.and_then(|mut file| {
        writeln!(file, "{}", key.to_skey().as_str())?;
        file.sync_all()
    });
    written.map_err(|error| file_failure("made", out, &error))?;
    Ok(key)
}

fn read(file: &Path) -> Result<SigningKey, Failure> {
    let text = fs::read_to_string(file).map_err(|error| file_failure("read", file, &error))?;
    let text = Zeroizing::new(text);
    SigningKey::from_skey(text.trim()).map_err(|error| {
        Failure::usage(format!(
            "`{}` holds no checkpoint key: {}.",
            file.display(),
            chain(&error)
        ))
    })
}
