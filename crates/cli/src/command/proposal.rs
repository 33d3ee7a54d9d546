//! `schakel proposal`, and the proposing that other commands share.

use schakel_api::v1;

use crate::{
    exit::{Exit, Failure},
    session::{self, Session, SessionArgs},
    view,
};

/// What `proposal` does.
#[derive(Debug, clap::Args)]
pub(crate) struct ProposalArgs {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Show the changes that wait.
    List,
    /// Make a change that another administrator, with another certificate, proposed.
    Approve {
        /// The proposal.
        id: String,
    },
    /// Drop a proposed change.
    Reject {
        /// The proposal.
        id: String,
    },
}

pub(super) fn run(args: ProposalArgs) -> Result<Exit, Failure> {
    session::run(args.session, async |session| match args.act {
        Act::List => {
            let request = v1::ListProposalsRequest {};
            let proposals = session
                .ask(session.client.list_proposals(request))
                .await?
                .proposals;
            let registered = session
                .ask(session.client.list_parties(v1::ListPartiesRequest {}))
                .await?
                .parties;
            Ok(session.show(&view::Proposals::new(proposals, &registered)))
        }
        Act::Approve { id } => approve(session, id).await,
        Act::Reject { id } => reject(session, id).await,
    })
}

/// Proposes changes, one after the other.
pub(super) async fn propose(
    session: &Session,
    changes: Vec<v1::change::Change>,
) -> Result<Exit, Failure> {
    if changes.is_empty() {
        return Err(Failure::usage(
            "The file proposes nothing: add a [[party]] or a [[purpose]].",
        ));
    }
    let several = changes.len() > 1;
    for change in changes {
        let change = Some(v1::Change {
            change: Some(change),
        });
        let response = session
            .write(async |idempotency_key| {
                let request = v1::ProposeChangeRequest {
                    idempotency_key,
                    change,
                };
                session.client.propose_change(request).await
            })
            .await?;
        session.keep(response.receipt.as_ref())?;
        let proposed = view::Proposed::from(response);
        if several {
            session.show_next(&proposed);
        } else {
            session.show(&proposed);
        }
    }
    Ok(Exit::Done)
}

/// Stops something at once.
pub(super) async fn stop(
    session: &Session,
    what: v1::stop_request::What,
    reason: v1::StopReason,
) -> Result<Exit, Failure> {
    let receipt = session
        .write(async |idempotency_key| {
            let request = v1::StopRequest {
                idempotency_key,
                reason: reason.into(),
                what: Some(what),
            };
            session.client.stop(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    Ok(session.show(&view::Done::new("Stopped, from this entry on.", receipt)))
}

async fn approve(session: &Session, proposal_id: String) -> Result<Exit, Failure> {
    let receipt = session
        .write(async |idempotency_key| {
            let request = v1::ApproveChangeRequest {
                idempotency_key,
                proposal_id,
            };
            session.client.approve_change(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    Ok(session.show(&view::Done::new("Approved; the change is made.", receipt)))
}

async fn reject(session: &Session, proposal_id: String) -> Result<Exit, Failure> {
    let receipt = session
        .write(async |idempotency_key| {
            let request = v1::RejectChangeRequest {
                idempotency_key,
                proposal_id,
            };
            session.client.reject_change(request).await
        })
        .await?
        .receipt;
    session.keep(receipt.as_ref())?;
    Ok(session.show(&view::Done::new("Rejected; nothing was changed.", receipt)))
}
