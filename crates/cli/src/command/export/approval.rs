//! The approval of a second officer, without which no export opens details or gives lines.

use schakel_api::v1::{self, propose_search_request::Question};
use schakel_client::ClientError;
use schakel_core::time::Timestamp;

use crate::{
    command::audit::{period, searches},
    exit::{Exit, Failure},
    instant,
    session::Session,
    view::Confirmed,
};

/// How an export gets its approval.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ApprovalArgs {
    #[command(flatten)]
    second: searches::SecondArgs,
    /// With --propose: for how many days the export may be run once it is approved.
    #[arg(long, value_name = "N", requires = "propose", default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..=92))]
    days: u32,
    /// With --propose: only what was recorded from this instant on, or from the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", requires = "propose", value_parser = instant::parse_past)]
    from: Option<Timestamp>,
    /// With --propose: only what was recorded before this instant, or before the start of a day (UTC).
    #[arg(long, value_name = "INSTANT", requires = "propose", value_parser = instant::parse_past)]
    until: Option<Timestamp>,
}

/// What an export is to do.
pub(super) enum Course {
    /// To be proposed.
    Propose(v1::StandingExport),
    /// To be run, under this approval where one is given.
    Run(Option<String>),
}

impl ApprovalArgs {
    /// What to do with an export of this kind.
    pub(super) fn taken(self, session: &Session, kind: v1::ExportKind, purpose: &str) -> Course {
        match self.second.taken() {
            (true, _) => Course::Propose(v1::StandingExport {
                actor: session.actor(),
                purpose: purpose.to_owned(),
                kind: kind.into(),
                period: period(self.from, self.until),
                days: self.days,
            }),
            (false, approved) => Course::Run(approved.map(hex::encode)),
        }
    }
}

/// Proposes an export, and says what to run next.
pub(super) async fn propose(
    session: &Session,
    export: v1::StandingExport,
) -> Result<Exit, Failure> {
    let days = export.days;
    let request = v1::ProposeSearchRequest {
        question: Some(Question::Export(export)),
    };
    let response = session.ask(session.client.propose_search(request)).await?;
    session.keep(response.receipt.as_ref())?;
    let id = hex::encode(&response.search_id);
    let said = format!(
        "Proposed as {id}, for {days} days. Another officer approves it with `schakel audit approve {id}`; then \
         repeat the command once with --approved {id} instead of --propose, and after that without: the state \
         holds the approval. `schakel audit reject {id}` ends it."
    );
    let confirmed = Confirmed::new(said, ("search_id", id), response.receipt);
    Ok(session.show(&confirmed))
}

/// Makes a call of an export; one that is refused for want of an approval says how to get it.
pub(super) async fn ask<A>(
    session: &Session,
    call: impl Future<Output = Result<A, ClientError>>,
) -> Result<A, Failure> {
    match call.await {
        Err(ClientError::Refused(refusal))
            if refusal.reason == Some(v1::ErrorReason::SecondActorRequired) =>
        {
            let said = "No second officer has approved this export, or the approval has ended.";
            let remedy = "Run the command with --propose, have another officer approve it, and go on with --approved.";
            Err(Failure::new(Exit::Failed, said).and(remedy))
        }
        answer => session.ask(async { answer }).await,
    }
}
