//! Questions that need a second officer.

use prost::bytes::Bytes;
use schakel_api::v1::{self, propose_search_request::Question};

use super::sixteen_bytes;
use crate::{
    exit::{Exit, Failure},
    instant,
    session::Session,
    view::{self, Confirmed, Done},
};

/// For a question so wide that it needs a second officer.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "second", multiple = false)]
pub(in crate::command) struct SecondArgs {
    /// Propose the question instead of asking it: a wide one needs a second officer.
    #[arg(long)]
    propose: bool,
    /// Ask the question that a second officer approved under this id, exactly as it was proposed.
    #[arg(long, value_name = "ID", value_parser = sixteen_bytes)]
    approved: Option<Bytes>,
}

#[derive(Debug, clap::Args)]
pub(super) struct DecideArgs {
    /// The id under which it was proposed.
    #[arg(value_name = "ID", value_parser = sixteen_bytes)]
    search: Bytes,
}

impl SecondArgs {
    /// Whether to propose, and the approval.
    pub(in crate::command) fn taken(self) -> (bool, Option<Bytes>) {
        (self.propose, self.approved)
    }
}

pub(super) async fn propose(session: &Session, question: Question) -> Result<Exit, Failure> {
    let request = v1::ProposeSearchRequest {
        question: Some(question),
    };
    let response = session.ask(session.client.propose_search(request)).await?;
    session.keep(response.receipt.as_ref())?;
    let id = hex::encode(&response.search_id);
    let said = format!(
        "Proposed as {id}. Another officer approves it with `schakel audit approve {id}`; then repeat the \
         command with --approved {id} instead of --propose."
    );
    let confirmed = Confirmed::new(said, ("search_id", id), response.receipt);
    Ok(session.show(&confirmed))
}

pub(super) async fn decide(
    session: &Session,
    args: DecideArgs,
    approve: bool,
) -> Result<Exit, Failure> {
    let id = hex::encode(&args.search);
    let request = v1::DecideSearchRequest {
        actor: session.actor(),
        search_id: args.search,
        approve,
    };
    let response = session.ask(session.client.decide_search(request)).await?;
    session.keep(response.receipt.as_ref())?;
    let said = match instant::shown_if(response.until.as_ref()) {
        Some(until) => format!(
            "Approved until {}. `schakel audit reject {id}` ends it before.",
            instant::spoken(&until)
        ),
        None => "Rejected: it may not be made, or no longer.".to_owned(),
    };
    Ok(session.show(&Done::new(said, response.receipt)))
}

pub(super) async fn pending(session: &Session) -> Result<Exit, Failure> {
    let request = v1::ListSearchesRequest {
        actor: session.actor(),
    };
    let response = session.ask(session.client.list_searches(request)).await?;
    session.keep(response.receipt.as_ref())?;
    Ok(session.show(&view::Searches::from(response)))
}
