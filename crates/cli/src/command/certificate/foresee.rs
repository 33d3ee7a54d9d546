//! `schakel certificate check` and `rehearse`: what the broker that runs would make of certificates.

use std::path::{Path, PathBuf};

use prost::Message as _;
use schakel_api::v1;
use schakel_core::time::Timestamp;
use schakel_pki::{
    check::{Chain, Conditions, Lists},
    rehearse::{Fate, Judged, Scenario, fates},
};
use schakel_server::clock::{Clock as _, SystemClock};

use crate::{
    command::pki::{
        look::read_chain,
        rehearse::{ScenarioArgs, of_ledger},
        view::{Checked, Rehearsed},
    },
    exit::{Exit, Failure},
    instant,
    session::Session,
};

/// So many bytes of certificates are asked about in one call: what a broker takes at least, and room for the rest.
const BYTES_AT_ONCE: usize = 48 * 1024;

/// The most certificates that a broker looks at in one call.
const MOST_AT_ONCE: usize = 100;

const HOUR_MS: u64 = 3_600_000;

/// What `certificate rehearse` takes.
#[derive(Debug, clap::Args)]
pub(super) struct RehearseArgs {
    /// The directory of an authority: every certificate in its ledger that is not revoked.
    #[arg(long, value_name = "DIR")]
    authority: Option<PathBuf>,
    /// A certificate with its chain, PEM; repeated for several.
    #[arg(long = "chain", value_name = "FILE")]
    chains: Vec<PathBuf>,
    #[command(flatten)]
    scenario: ScenarioArgs,
}

pub(super) async fn check(
    session: &Session,
    file: &Path,
    at: Option<Timestamp>,
) -> Result<Exit, Failure> {
    let asked = asked(&Conditions::at(at.unwrap_or_else(|| SystemClock.now())));
    // Without an instant it is the broker's clock that says when.
    let asked = v1::CheckCertificatesRequest {
        at: at.map(instant::sent),
        ..asked
    };
    let checked = ask(session, &[read_chain(file)?], &asked).await?;
    let accepted = checked.iter().all(|one| one.accepted);
    for one in checked {
        session.show(&Checked::from(one));
    }
    Ok(if accepted { Exit::Done } else { Exit::Failed })
}

pub(super) async fn rehearse(session: &Session, args: &RehearseArgs) -> Result<Exit, Failure> {
    let mut chains: Vec<Chain> = args
        .chains
        .iter()
        .map(|path| read_chain(path))
        .collect::<Result<_, _>>()?;
    if let Some(dir) = &args.authority {
        chains.extend(of_ledger(dir)?);
    }
    if chains.is_empty() {
        return Err(Failure::usage(
            "There is nothing to rehearse with: name --authority or --chain.",
        ));
    }
    let now = SystemClock.now();
    let scenario = Scenario {
        now,
        then: args.scenario.conditions(now)?,
    };
    let today = ask(session, &chains, &asked(&scenario.today())).await?;
    let then = ask(session, &chains, &asked(&scenario.then)).await?;
    let judged = chains.iter().zip(today).zip(then);
    let outcomes = fates(judged.filter_map(|((chain, today), then)| {
        let failed = then.findings.into_iter();
        let failed = failed.filter(|found| found.verdict() == v1::CheckVerdict::Failed);
        Judged::new(
            chain,
            today.accepted,
            failed.map(|found| found.said).collect(),
        )
    }));
    let breaks = outcomes.iter().any(|outcome| outcome.fate == Fate::Breaks);
    session.show(&Rehearsed::new(&outcomes, scenario.then.at));
    Ok(if breaks { Exit::Failed } else { Exit::Done })
}

/// A question about certificates under these conditions, without the certificates.
fn asked(conditions: &Conditions) -> v1::CheckCertificatesRequest {
    v1::CheckCertificatesRequest {
        chains: Vec::new(),
        at: Some(instant::sent(conditions.at)),
        lists_fresh: conditions.lists == Lists::Fresh,
        list_age_hours: match conditions.lists {
            Lists::Aged(ms) => u32::try_from(ms / HOUR_MS).ok(),
            Lists::AsTheyAre | Lists::Fresh => None,
        },
        distrusted_sha256: conditions
            .distrusted
            .iter()
            .map(|sha256| sha256.to_vec().into())
            .collect(),
    }
}

/// What the broker finds of each chain, in their order.
async fn ask(
    session: &Session,
    chains: &[Chain],
    asked: &v1::CheckCertificatesRequest,
) -> Result<Vec<v1::CheckedCertificate>, Failure> {
    let mut all = Vec::new();
    let mut chains = chains.iter().map(sent).peekable();
    while let Some(first) = chains.next() {
        let mut bytes = first.encoded_len();
        let mut some = vec![first];
        while let Some(next) = chains.next_if(|next| {
            bytes += next.encoded_len();
            bytes <= BYTES_AT_ONCE && some.len() < MOST_AT_ONCE
        }) {
            some.push(next);
        }
        let request = v1::CheckCertificatesRequest {
            chains: some,
            ..asked.clone()
        };
        let found = session.ask(session.client.check_certificates(request));
        all.extend(found.await?.certificates);
    }
    Ok(all)
}

fn sent(chain: &Chain) -> v1::CertificateChain {
    v1::CertificateChain {
        certificates: chain.iter().map(|der| der.to_vec().into()).collect(),
    }
}
