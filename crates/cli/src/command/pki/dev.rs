//! `schakel pki dev`.

use std::path::{Path, PathBuf};

use schakel_pki::{
    develop::{self, Written},
    organisation::{Organisations, OrganisationsError},
};
use schakel_server::clock::{Clock as _, SystemClock};
use schakel_store::random::OsRandom;
use serde::Serialize;

use crate::{
    connection,
    exit::{Exit, Failure, chain, sentence},
    instant,
    output::{Output, View},
    page::Page,
};

/// What `pki dev` takes.
#[derive(Debug, clap::Args)]
pub(super) struct DevArgs {
    /// The directory.
    #[arg(long, value_name = "DIR", default_value = "certs-dev")]
    directory: PathBuf,
    /// The organisations, when not those that come with the program: see certs-dev/organisations.toml.
    #[arg(long, value_name = "FILE")]
    organisations: Option<PathBuf>,
    /// Replace certificates that have expired; their keys stay.
    #[arg(long)]
    renew: bool,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Filled {
    directory: String,
    created: Vec<String>,
    kept: Vec<String>,
    renewed: Vec<String>,
    holds_until: String,
}

pub(super) fn run(args: &DevArgs) -> Result<Exit, Failure> {
    let organisations = organisations(args.organisations.as_deref())?;
    let fill = if args.renew {
        develop::renew
    } else {
        develop::develop
    };
    let written = fill(
        &args.directory,
        &organisations,
        SystemClock.now(),
        &mut OsRandom,
    )
    .map_err(|error| Failure::configuration(sentence(&chain(&error))))?;
    Output::new(args.json).show(&Filled::new(&args.directory, written));
    Ok(Exit::Done)
}

fn organisations(file: Option<&Path>) -> Result<Organisations, Failure> {
    let refused = |error: OrganisationsError| Failure::usage(sentence(&chain(&error)));
    match file {
        Some(file) => Organisations::parse(&connection::read(file)?).map_err(refused),
        None => Organisations::of_development().map_err(refused),
    }
}

impl Filled {
    fn new(directory: &Path, written: Written) -> Self {
        let Written {
            created,
            kept,
            renewed,
            holds_until,
        } = written;
        Self {
            directory: directory.display().to_string(),
            created,
            kept,
            renewed,
            holds_until: holds_until.to_string(),
        }
    }
}

impl View for Filled {
    fn write(&self, page: &mut Page) {
        let files = |count: usize| match count {
            1 => "1 file".to_owned(),
            count => format!("{count} files"),
        };
        page.line(&format!(
            "In `{}`: {} made, {} kept, {} renewed.",
            self.directory,
            files(self.created.len()),
            files(self.kept.len()),
            files(self.renewed.len()),
        ));
        let until = instant::spoken(&self.holds_until);
        page.line(&format!(
            "All of it holds until {until}; `--renew` replaces what has expired."
        ));
    }
}
