//! `schakel export ldv`: from the log to the controller's logbook, acknowledged before the state moves.

use std::path::PathBuf;

use schakel_api::v1;

use super::{
    RunArgs,
    approval::{self, Course},
    collector::{Collector, Taken},
    go_on, keep,
    line::Logbook,
    patiently,
    state::State,
};
use crate::{
    connection,
    exit::{Exit, Failure},
    session::Session,
    view,
};

#[derive(Clone, Debug, clap::Args)]
pub(super) struct LdvArgs {
    /// The collector: https://HOST:PORT, over TLS with this party's certificate; http:// on this machine only.
    #[arg(long, value_name = "URL")]
    to: String,
    /// The authority of the collector's certificate: PEM [default: that of the broker's].
    #[arg(long, value_name = "FILE")]
    to_ca: Option<PathBuf>,
    /// The address of the controller's register of processing activities; lines point at
    /// the version of the purpose in it.
    #[arg(long, value_name = "URL")]
    register: Option<String>,
    #[command(flatten)]
    run: RunArgs,
}

pub(super) async fn run(session: &Session, args: LdvArgs) -> Result<Exit, Failure> {
    let LdvArgs {
        to,
        to_ca,
        register,
        run,
    } = args;
    let approval = run.approval.clone();
    let approved = match approval.taken(session, v1::ExportKind::Processings, &run.purpose) {
        Course::Propose(export) => return approval::propose(session, export).await,
        Course::Run(approved) => approved,
    };
    let origin = session.client.trail().origin().to_string();
    let new = State {
        export: "ldv".into(),
        origin: origin.clone(),
        to: to.clone(),
        ..State::default()
    };
    let mut state = State::load(&run.state, new)?;
    let mut unsaved = state.is_newly(approved);
    let ca_pem = to_ca.map(|path| connection::read(&path)).transpose()?;
    let mut collector = Collector::connect(session, &to, ca_pem).await?;
    let register = register.map(|url| url.trim_end_matches('/').to_owned());
    let logbook = Logbook { origin, register };
    loop {
        let page = patiently(run.follow, async || next(session, &mut state, &run).await).await?;
        let Some(page) = page else { break };
        keep(session, page.receipt.as_ref())?;
        if !page.lines.is_empty() {
            let handed = hand_over(&mut collector, &logbook, &page, run.follow).await;
            match handed {
                Ok(Some(())) => {}
                Ok(None) => break,
                Err(Stuck { at, done, failure }) => {
                    // Everything before the line is safe; the export goes on with it.
                    state.cursor = None;
                    state.next = at;
                    state.done += done;
                    state.save(&run.state)?;
                    return Err(failure);
                }
            }
        }
        let is_further = !page.lines.is_empty() || page.end > state.next;
        if is_further {
            state.went_on(&page.cursor, page.end, page.lines.len());
        }
        if is_further || unsaved {
            state.save(&run.state)?;
            unsaved = false;
        }
        if !page.more && !run.again().await {
            break;
        }
    }
    Ok(session.show(&view::Exported::lines(state.done, state.next)))
}

async fn next(
    session: &Session,
    state: &mut State,
    run: &RunArgs,
) -> Result<v1::ExportProcessingsResponse, Failure> {
    let answer = go_on(state, async |state| {
        let request = v1::ExportProcessingsRequest {
            actor: session.actor(),
            purpose: run.purpose.clone(),
            cursor: state.cursor(),
            from_entry: state.from(),
            page_size: run.batch,
            search_id: state.approval(),
        };
        session.client.export_processings(request).await
    });
    approval::ask(session, answer).await
}

/// A line that the collector does not take.
struct Stuck {
    /// Its index.
    at: u64,
    /// How many lines before it are safe.
    done: u64,
    failure: Failure,
}

/// Hands over lines until the collector has taken every one of them. `None` on Ctrl-C.
///
/// A collector that took only a part does not say which. So they go again one by one: those it had are
/// recognised by their ids, and the first that it refuses is named.
async fn hand_over(
    collector: &mut Collector,
    logbook: &Logbook,
    page: &v1::ExportProcessingsResponse,
    forever: bool,
) -> Result<Option<()>, Stuck> {
    let controller = &page.controller_party_id;
    let stuck = |at: u64, done: usize, failure: Failure| Stuck {
        at,
        done: done as u64,
        failure,
    };
    let first = page.lines.first().map_or(page.end, |line| line.index);
    let batch = logbook.request(controller, &page.lines);
    let taken = patiently(forever, async || collector.hand_over(batch.clone()).await).await;
    match taken.map_err(|failure| stuck(first, 0, failure))? {
        None => return Ok(None),
        Some(Taken::All) => return Ok(Some(())),
        Some(Taken::NotAll(..)) => {}
    }
    for (done, line) in page.lines.iter().enumerate() {
        let batch = logbook.request(controller, std::slice::from_ref(line));
        let alone = patiently(forever, async || {
            match collector.hand_over(batch.clone()).await? {
                Taken::All => Ok(()),
                Taken::NotAll(_, why) => Err(rejected(line.index, &why)),
            }
        });
        let alone = alone.await;
        if alone
            .map_err(|failure| stuck(line.index, done, failure))?
            .is_none()
        {
            return Ok(None);
        }
    }
    Ok(Some(()))
}

/// A rejection may pass: a logbook that is full, or not set up yet.
fn rejected(index: u64, why: &str) -> Failure {
    let said = format!("The collector does not take the line of entry {index}: {why}.");
    Failure::new(Exit::Unavailable, said)
}
