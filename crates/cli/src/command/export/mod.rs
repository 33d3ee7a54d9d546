//! `schakel export`.

mod approval;
mod collector;
mod entries;
mod fsc;
mod ldv;
mod line;
mod state;

use std::{path::PathBuf, time::Duration};

use schakel_api::v1;
use schakel_client::ClientError;
use tokio::time::{Sleep, sleep};

use self::state::State;
use crate::{
    exit::{Exit, Failure},
    session::{self, SessionArgs},
};

/// What `export` does.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Write entries with their proofs to a file. For a privacy officer and an auditor.
    ///
    /// One JSON object a line, in sections that each stand under one signed checkpoint. The file grows by
    /// whole sections: run the command again and it goes on where it was. To a privacy officer details are opened
    /// once a second one has approved it (--propose); until then leaves and proofs are written.
    Entries(entries::EntriesArgs),
    /// Feed the controller's own Logboek Dataverwerkingen, over OTLP. For a privacy officer.
    ///
    /// One line for each processing, never sampled. A batch counts once the collector has taken all of it;
    /// what comes twice has the same ids of trace and span. A second officer approves it first (--propose).
    Ldv(ldv::LdvArgs),
    /// Print the party's own transactions, one JSON object a line, with the fields of FSC Logging.
    Fsc(fsc::FscArgs),
}

/// How an export is run.
#[derive(Clone, Debug, clap::Args)]
struct RunArgs {
    /// Where it is kept how far the export came. Begun anew when it is not there.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// What the export is for: a registered purpose about no condition.
    #[arg(long, value_name = "CODE", default_value = "P-ACCOUNTABILITY")]
    purpose: String,
    /// Go on with what comes, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    /// With --follow: after how many seconds to look again when nothing is there.
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    /// The most entries of one batch.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=500))]
    batch: u32,
    #[command(flatten)]
    approval: approval::ApprovalArgs,
}

pub(super) fn run(args: ExportArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::Entries(args) => entries::run(session, args).await,
        Act::Ldv(args) => ldv::run(session, args).await,
        Act::Fsc(args) => fsc::run(session, args).await,
    })
}

impl RunArgs {
    /// Waits until it is time to look again; whether it is, and not time to end.
    async fn again(&self) -> bool {
        self.follow && pause(sleep(Duration::from_secs(self.every))).await
    }
}

/// Waits, unless Ctrl-C comes first; whether it did not.
async fn pause(time: Sleep) -> bool {
    tokio::select! {
        () = time => true,
        _ = tokio::signal::ctrl_c() => false,
    }
}

/// Makes a call that goes on from the state. When the broker no longer knows the cursor, because its view was
/// rebuilt, the export goes on by the index.
async fn go_on<T>(
    state: &mut State,
    call: impl AsyncFn(&State) -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    match call(state).await {
        Err(ClientError::Refused(refusal))
            if state.cursor.is_some()
                && refusal.violations.iter().any(|one| one.field == "cursor") =>
        {
            state.cursor = None;
            call(state).await
        }
        answer => answer,
    }
}

/// Whether asking again may help: the broker or the collector is away, or has too much to do.
fn is_passing(failure: &Failure) -> bool {
    failure.exit == Exit::Unavailable
}

/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often something is tried that may pass, without --follow.
const ATTEMPTS: u32 = 5;

/// Tries until it works, cannot work, or has been tried often enough; with `forever` only the first two. `None`
/// on Ctrl-C.
async fn patiently<T>(
    forever: bool,
    mut attempt: impl AsyncFnMut() -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let mut wait = Duration::from_millis(200);
    for attempts in 1_u32.. {
        match attempt().await {
            Ok(done) => return Ok(Some(done)),
            Err(failure) if !is_passing(&failure) || (!forever && attempts >= ATTEMPTS) => {
                return Err(failure);
            }
            Err(failure) => crate::output::complain(&failure.message),
        }
        if !pause(sleep(wait)).await {
            return Ok(None);
        }
        wait = (wait * 2).min(LONGEST_PAUSE);
    }
    Ok(None)
}

/// Keeps the receipt of a run that began.
fn keep(session: &session::Session, receipt: Option<&v1::Receipt>) -> Result<(), Failure> {
    match receipt {
        Some(receipt) => session.keep(Some(receipt)),
        None => Ok(()),
    }
}
