//! `schakel pki check`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use schakel_core::{catalogue::Catalogue, time::Timestamp};
use schakel_pki::check::{
    Acceptance, Anchor, AnchorTerms, Chain, Conditions, Verdict, authorities,
};
use schakel_server::{
    clock::{Clock as _, SystemClock},
    config::{self, Config, Environment},
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
    let acceptance = args.broker.read()?;
    let chain = read_chain(&args.certificate)?;
    let at = args.at.unwrap_or_else(|| SystemClock.now());
    let findings = acceptance.check(&chain, &Conditions::at(at));
    let refused = findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Failed);
    Output::new(args.json).show(&Checked::new(&findings));
    Ok(if refused { Exit::Failed } else { Exit::Done })
}

impl BrokerArgs {
    pub(super) fn read(&self) -> Result<Acceptance, Failure> {
        let (production, anchors, parties) = if let Some(file) = &self.config {
            let config = Config::load(file)
                .map_err(|error| Failure::configuration(sentence(&chain(&error))))?;
            let parties = self.parties.clone().or(Some(config.bootstrap.parties));
            let production = config.broker.environment == Environment::Production;
            (production, configured(&config.tls)?, parties)
        } else {
            let trust: Vec<_> = self.trust.iter().collect();
            let lists: Vec<_> = self.crls.iter().collect();
            let anchors = vec![read_anchor(None, &trust, &lists)?];
            (true, anchors, self.parties.clone())
        };
        Ok(Acceptance {
            production,
            anchors,
            parties: parties.as_deref().map(read_parties).transpose()?,
        })
    }
}

fn configured(tls: &config::Tls) -> Result<Vec<Anchor>, Failure> {
    let anchors = tls.anchors.iter().map(|anchor| {
        let trust: Vec<_> = std::iter::once(&anchor.certificates)
            .chain(&anchor.intermediates)
            .collect();
        // Lists that are fetched are not looked at: the broker that runs has them.
        let lists = anchor.lists.iter().filter_map(|list| list.file.as_ref());
        let terms = anchor.terms(tls.unpinned());
        read_anchor(Some(terms), &trust, &lists.collect::<Vec<_>>())
    });
    anchors.collect()
}

fn read_anchor(
    terms: Option<AnchorTerms>,
    trust: &[&PathBuf],
    lists: &[&PathBuf],
) -> Result<Anchor, Failure> {
    let list = |path: &&PathBuf| Ok((path.display().to_string(), connection::read(path)?));
    Ok(Anchor {
        terms,
        authorities: read_authorities(trust)?,
        lists: lists.iter().map(list).collect::<Result<_, Failure>>()?,
    })
}

fn read_authorities(files: &[&PathBuf]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut all = Vec::new();
    for file in files {
        let found = authorities(&connection::read(file)?)
            .map_err(|error| Failure::configuration(format!("`{}` is {error}.", file.display())))?;
        all.extend(found);
    }
    Ok(all)
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
