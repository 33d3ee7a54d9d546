//! `schakel pki check`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use schakel_core::{catalogue::Catalogue, time::Timestamp};
use schakel_pki::check::{
    Acceptance, Anchor, Chain, Conditions, KnownList, Verdict, authorities, list_text,
};
use schakel_server::{
    clock::{Clock as _, SystemClock},
    config::{self, Config, Environment, WhenStale},
    edge::tls,
};

use super::view::Checked;
use crate::{
    connection, document,
    exit::{Exit, Failure, chain, file_failure, sentence},
    instant,
    output::Output,
};

/// What `pki check` takes.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The certificate, PEM, with what its holder sends along below it.
    certificate: PathBuf,
    #[command(flatten)]
    broker: BrokerArgs,
    /// The instant at which it is to be used [default: now].
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse)]
    at: Option<Timestamp>,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// What the broker goes by.
#[derive(Debug, clap::Args)]
pub(super) struct BrokerArgs {
    /// The broker's configuration.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["trust", "crls"])]
    config: Option<PathBuf>,
    /// Without a configuration: the authorities the broker trusts, PEM.
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    trust: Option<PathBuf>,
    /// Without a configuration: a revocation list, PEM; repeated for several.
    #[arg(long = "crl", value_name = "FILE")]
    crls: Vec<PathBuf>,
    /// The registered parties, TOML [default: those of the first start, with --config].
    #[arg(long, value_name = "FILE")]
    parties: Option<PathBuf>,
}

pub(super) fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let (acceptance, parties) = args.broker.read()?;
    let chain = read_chain(&args.certificate)?;
    let at = args.at.unwrap_or_else(|| SystemClock.now());
    let findings = acceptance.check(&chain, &Conditions::at(at));
    let refused = findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Failed);
    Output::new(args.json).show(&Checked::new(&findings, parties.as_deref()));
    Ok(if refused { Exit::Failed } else { Exit::Done })
}

impl BrokerArgs {
    /// What the broker goes by, and the file that says who is registered, if there is one.
    pub(super) fn read(&self) -> Result<(Acceptance, Option<PathBuf>), Failure> {
        let (production, anchors, parties) = if let Some(file) = &self.config {
            let config = Config::load(file)
                .map_err(|error| Failure::configuration(sentence(&chain(&error))))?;
            let anchors = configured(&config)?;
            let parties = self.parties.clone().or(Some(config.bootstrap.parties));
            let production = config.broker.environment == Environment::Production;
            (production, anchors, parties)
        } else {
            (true, vec![self.given()?], self.parties.clone())
        };
        let acceptance = Acceptance {
            production,
            anchors,
            parties: parties.as_deref().map(read_parties).transpose()?,
        };
        Ok((acceptance, parties))
    }

    /// An anchor of the files that are named one by one.
    fn given(&self) -> Result<Anchor, Failure> {
        let lists = self.crls.iter().map(|path| read_list(path));
        Ok(Anchor {
            terms: None,
            authorities: self
                .trust
                .as_deref()
                .map_or(Ok(Vec::new()), read_authorities)?,
            intermediates: Vec::new(),
            lists: lists.collect::<Result<_, _>>()?,
        })
    }
}

fn configured(config: &Config) -> Result<Vec<Anchor>, Failure> {
    let unpinned = config.tls.unpinned();
    let anchors = config.tls.anchors.iter().map(|anchor| {
        let below = anchor.intermediates.as_deref();
        let lists = anchor.lists.iter().map(|list| known(list, config));
        Ok(Anchor {
            terms: Some(anchor.terms(unpinned)),
            authorities: read_authorities(&anchor.certificates)?,
            intermediates: below.map_or(Ok(Vec::new()), read_authorities)?,
            lists: lists.collect::<Result<_, _>>()?,
        })
    });
    anchors.collect()
}

/// A list of the configuration: of one that is fetched, the copy that the broker keeps.
fn known(list: &config::List, config: &Config) -> Result<KnownList, Failure> {
    let file = list.file.as_deref().map(read_list).transpose()?;
    let url = list.url.as_deref().unwrap_or_default();
    let known = file.unwrap_or_else(|| tls::kept(&config.broker.data_dir, url));
    Ok(KnownList {
        max_age_ms: list.max_age.and_then(|age| age.as_millis().try_into().ok()),
        admits_stale: list.when_stale == WhenStale::Admit,
        ..known
    })
}

fn read_list(path: &Path) -> Result<KnownList, Failure> {
    let from = format!("`{}`", path.display());
    let bytes = fs::read(path).map_err(|error| file_failure("read", path, &error))?;
    Ok(KnownList::in_file(from, list_text(&bytes)))
}

fn read_authorities(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let found = authorities(&connection::read(file)?);
    found.map_err(|error| Failure::usage(format!("`{}` is {error}.", file.display())))
}

fn read_parties(path: &Path) -> Result<Vec<schakel_core::party::Party>, Failure> {
    let catalogue: Catalogue = document::read(path)?;
    Ok(catalogue.parties)
}

pub(in crate::command) fn read_chain(path: &Path) -> Result<Chain, Failure> {
    let text = fs::read_to_string(path).map_err(|error| file_failure("read", path, &error))?;
    if text.contains("PRIVATE KEY-----") {
        crate::output::complain(&format!(
            "There is a private key in `{}`: a certificate goes without it.",
            path.display()
        ));
    }
    Chain::read(&text).map_err(|error| Failure::usage(format!("`{}` is {error}.", path.display())))
}
