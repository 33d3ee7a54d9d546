//! `schakel pki rehearse`.

use std::{collections::BTreeSet, path::PathBuf};

use schakel_core::time::Timestamp;
use schakel_pki::{
    check::{Chain, Conditions, Lists, authorities},
    ledger::Ledger,
    office::{CERTIFICATE, LEDGER},
    rehearse::{Fate, Scenario, rehearse},
};
use schakel_server::clock::{Clock as _, SystemClock};

use super::{
    look::{BrokerArgs, read_chain},
    view::Rehearsed,
};
use crate::{
    connection,
    exit::{Exit, Failure, chain, sentence},
    instant,
    output::Output,
};

/// What `pki rehearse` takes.
#[derive(Debug, clap::Args)]
pub(super) struct RehearseArgs {
    #[command(flatten)]
    broker: BrokerArgs,
    /// The directory of an authority: every certificate in its ledger that is not revoked.
    #[arg(long, value_name = "DIR")]
    authority: Option<PathBuf>,
    /// A certificate with its chain, PEM; repeated for several.
    #[arg(long = "chain", alias = "certificate", value_name = "FILE")]
    certificates: Vec<PathBuf>,
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// How things would be.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct ScenarioArgs {
    /// The day or instant [default: now].
    #[arg(long, value_name = "INSTANT", value_parser = instant::parse)]
    at: Option<Timestamp>,
    /// As if the authority with this certificate were revoked; repeated for several.
    #[arg(long, value_name = "FILE")]
    revoke_authority: Vec<PathBuf>,
    /// As if the revocation lists were this many hours old.
    #[arg(long, value_name = "HOURS")]
    list_age: Option<u32>,
    /// As if the broker's clock were off by this many minutes: negative when it is behind.
    #[arg(long, value_name = "MINUTES", allow_hyphen_values = true)]
    clock: Option<i32>,
}

pub(super) fn run(args: &RehearseArgs) -> Result<Exit, Failure> {
    let (acceptance, _) = args.broker.read()?;
    let mut chains: Vec<Chain> = args
        .certificates
        .iter()
        .map(|path| read_chain(path))
        .collect::<Result<_, _>>()?;
    if let Some(dir) = &args.authority {
        chains.extend(of_ledger(dir)?);
    }
    if chains.is_empty() {
        return Err(Failure::usage(
            "There is nothing to rehearse with: name --authority or --certificate.",
        ));
    }
    let now = SystemClock.now();
    let scenario = Scenario {
        now,
        then: args.scenario.conditions(now)?,
    };
    let outcomes = rehearse(&acceptance, &chains, &scenario);
    let breaks = outcomes.iter().any(|outcome| outcome.fate == Fate::Breaks);
    Output::new(args.json).show(&Rehearsed::new(&outcomes, scenario.then.at));
    Ok(if breaks { Exit::Failed } else { Exit::Done })
}

impl ScenarioArgs {
    pub(in crate::command) fn conditions(&self, now: Timestamp) -> Result<Conditions, Failure> {
        let at = self.at.unwrap_or(now);
        let minutes = self.clock.unwrap_or(0);
        let off = u64::from(minutes.unsigned_abs()) * 60_000;
        let mut distrusted = BTreeSet::new();
        for path in &self.revoke_authority {
            let found = authorities(&connection::read(path)?)
                .map_err(|error| Failure::usage(format!("`{}` is {error}.", path.display())))?;
            distrusted.extend(found.iter().map(|der| schakel_pki::identity::sha256(der)));
        }
        Ok(Conditions {
            at: if minutes < 0 {
                at.minus_millis(off)
            } else {
                at.plus_millis(off)
            },
            lists: self.list_age.map_or(Lists::Fresh, |hours| {
                Lists::Aged(u64::from(hours) * 3_600_000)
            }),
            distrusted,
        })
    }
}

/// Every certificate of an authority that is not revoked, with the authority's.
pub(in crate::command) fn of_ledger(dir: &std::path::Path) -> Result<Vec<Chain>, Failure> {
    let path = dir.join(LEDGER);
    let ledger = Ledger::read(&path).map_err(|error| {
        let said = format!("`{}`: {}", path.display(), chain(&error));
        Failure::configuration(sentence(&said))
    })?;
    let above = read_chain(&dir.join(CERTIFICATE))?;
    let own = ledger
        .issued()
        .filter(|issuance| issuance.revoked.is_none());
    Ok(own
        .map(|issuance| Chain::new(issuance.der.clone(), vec![above.own().to_vec()]))
        .collect())
}
